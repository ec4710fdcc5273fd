"""FloWaveNet: the change of variables, its integral, initialisation and objective."""

import math

import pytest
import torch
from audiopriors.checkpoints import build_prior
from families import CASES, FLOW, prior_of


@pytest.mark.parametrize("model", [model for model, _ in CASES["flowavenet"]])
def test_flow_change_of_variables(model):
    """log p(x) = log N(z) + log|det dz/dx| with the Jacobian from autograd, and the inverse."""
    prior, x = prior_of("flowavenet", model), torch.randn(3, 1, 16, dtype=torch.double)

    def latents(x):
        return torch.cat([z.flatten() for z in prior.transform(x, 0.3)[0]])

    for one in x.split(1):
        jacobian = torch.autograd.functional.jacobian(latents, one).reshape(16, 16)
        z = latents(one)
        expected = torch.distributions.Normal(0, 1).log_prob(z).sum() + torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(prior.log_prob(one, 0.3)[0], expected, rtol=0, atol=1e-8)
    torch.testing.assert_close(prior.inverse(prior.transform(x, 0.3)[0], 0.3), x, rtol=0, atol=1e-9)


@pytest.mark.parametrize("model", [model for model, _ in CASES["flowavenet"]])
def test_the_map_of_a_flow_puts_each_latent_at_its_sample(model):
    """With couplings that do nothing a latent is an affine function of one sample: its term has that sample's place."""
    prior, x = build_prior("flowavenet", model).double(), torch.randn(1, 1, 32, dtype=torch.double)
    with torch.no_grad():
        for flow in (flow for block in prior.blocks for flow in block):
            flow.log_scale.normal_()
            flow.bias.normal_()
    before = prior.log_prob_map(x, 0.3)
    for place in range(32):
        changed = x.clone()
        changed[..., place] += 0.5
        differs = (prior.log_prob_map(changed, 0.3) != before)[0].nonzero()[:, 0]
        assert differs.tolist() == [place]


@pytest.mark.parametrize("partition", ["interleaved", "half"])
@pytest.mark.parametrize(("blocks", "split"), [(1, 0), (2, 1)])
def test_flow_integrates_to_one(partition, blocks, split):
    """Over R^2 by the trapezoid rule, which converges exponentially for smooth decaying densities (R^4 by sampling)."""
    model = FLOW | {"blocks": blocks, "partition": partition, "blocks_per_split": split}
    prior = prior_of("flowavenet", model, spread=0.1)
    if blocks == 1:
        line = torch.linspace(-25, 25, 1201, dtype=torch.double)
        grid = torch.cartesian_prod(line, line)[:, None]
        total = torch.exp(torch.cat([prior.log_prob(part, 0.0) for part in grid.split(200_000)])).sum()
        assert abs(total * (line[1] - line[0]) ** 2 - 1) < 1e-3
    else:
        # Importance sampling in R^4: E_q[p / q] = 1 with q a wide Gaussian around samples of p.
        generator = torch.Generator().manual_seed(0)
        drawn = prior.sample(20_000, 4, 0.0, generator)[:, 0]
        mean, covariance = drawn.mean(0), 1.5 * torch.cov(drawn.T)
        q = torch.distributions.MultivariateNormal(mean, covariance)
        torch.manual_seed(0)
        x = q.sample((400_000,))
        weights = torch.exp(prior.log_prob(x[:, None], 0.0) - q.log_prob(x))
        error = weights.std() / math.sqrt(len(weights))
        assert error < 0.01 and abs(weights.mean() - 1) < 4 * error


def test_flow_initialises_once_on_data():
    torch.manual_seed(0)
    prior = build_prior("flowavenet", FLOW)
    x = 3 + 2 * torch.randn(64, 1, 64)
    prior.initialise(x, x, 0.0)
    latents, _, _ = prior.transform(x, 0.0)
    for z in latents:
        assert abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1
    before = prior.state_dict()
    prior.transform(10 * x, 0.0)  # a later batch changes nothing
    for name, tensor in prior.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_flow_objective_has_the_weight_of_the_log_determinant():
    prior, x = prior_of("flowavenet", FLOW | {"log_det_weight": 0.25}), torch.randn(3, 1, 16, dtype=torch.double)
    _, latent, log_det = prior.transform(x, 0.0)
    torch.testing.assert_close(prior.loss(x, x, 0.0), -(latent + 0.25 * log_det).mean() / 16)
    torch.testing.assert_close(prior.log_prob(x, 0.0), latent + log_det)  # what is reported is always the density


def test_flow_frame_must_divide():
    with pytest.raises(ValueError, match="multiple of 8 samples, not 20"):
        prior_of("flowavenet", FLOW).log_prob(torch.zeros(1, 1, 20, dtype=torch.double), 0.0)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
def test_told_flow_is_a_density_at_every_level(sigma):
    """The log-determinant of the noise level's scale included: over R^2 it integrates to one."""
    model = FLOW | {"blocks": 1, "blocks_per_split": 0, "sigma_min": 0.01, "sigma_max": 2.0}
    prior = prior_of("flowavenet", model, spread=0.1)
    prior.deviation.fill_(0.5)
    scale = math.hypot(sigma, 0.5)
    line = torch.linspace(-25 * scale, 25 * scale, 1201, dtype=torch.double)
    grid = torch.cartesian_prod(line, line)[:, None]
    total = torch.exp(torch.cat([prior.log_prob(part, sigma) for part in grid.split(200_000)])).sum()
    assert abs(total * (line[1] - line[0]) ** 2 - 1) < 1e-3
