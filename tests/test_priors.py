"""Every prior family goes through the same tests."""

import math

import pytest
import torch
from audiopriors import registry
from audiopriors.checkpoints import CheckpointError, build_prior, load_prior, save_prior
from audiopriors.likelihood import entropy_gate, log_prob_and_gradient

FLOW = {
    "blocks": 3, "flows": 2, "layers": 2, "kernel_size": 3, "width": 6, "blocks_per_split": 1,
    "partition": "interleaved", "log_scale_bound": 3.0, "log_det_weight": 1.0,
}  # fmt: skip
CASES = {
    "flowavenet": [
        FLOW,
        FLOW | {"partition": "half"},
        FLOW | {"blocks_per_split": 0},
        FLOW | {"blocks_per_split": 2, "log_scale_bound": 0.0, "log_det_weight": 0.25},
    ]
}
ALL = [(family, model) for family, models in CASES.items() for model in models]


def prior_of(family, model, spread=0.3):
    """A prior with random weights, also where it starts at zero."""
    torch.manual_seed(1)
    prior = build_prior(family, model).double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter += spread * torch.randn_like(parameter)
    return prior.requires_grad_(False)


def test_every_family_is_tested():
    assert set(CASES) == set(registry.names("priors"))


@pytest.mark.parametrize(("family", "model"), ALL)
def test_scores(family, model):
    prior = prior_of(family, model)
    x = torch.randn(5, 1, 32, dtype=torch.double)
    scores = prior.scores(x)
    torch.testing.assert_close(scores["log_prob"], prior.log_prob(x), rtol=0, atol=0)
    for values in scores.values():
        assert values.shape == (5,) and values.dtype == torch.float64
    torch.testing.assert_close(prior.log_prob(x[2:3]), scores["log_prob"][2:3])  # items do not see each other


@pytest.mark.parametrize(("family", "model"), ALL)
def test_gradient_in_x(family, model):
    prior = prior_of(family, model)
    x = torch.randn(2, 1, 16, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(prior.log_prob, (x,))
    log_prob, gradient = log_prob_and_gradient(prior, x)
    assert gradient.shape == x.shape and not log_prob.requires_grad


@pytest.mark.parametrize(("family", "model"), ALL)
def test_float32_sums_in_float64(family, model):
    prior = prior_of(family, model, spread=0.1)
    x = torch.randn(3, 1, 64, dtype=torch.double)
    expected = prior.log_prob(x)
    prior.float()
    assert prior.log_prob(x.float()).dtype == torch.float64
    torch.testing.assert_close(prior.log_prob(x.float()), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("family", "model"), ALL)
def test_sample(family, model):
    prior = prior_of(family, model)

    def draw():
        return prior.sample(3, 32, torch.Generator().manual_seed(5))

    assert draw().shape == (3, 1, 32)
    assert torch.equal(draw(), draw())


@pytest.mark.parametrize(("family", "model"), ALL)
def test_no_density_beats_the_noise_it_is_given(family, model):
    prior, x = prior_of(family, model), 0.5 * torch.randn(20, 1, 32, dtype=torch.double)
    entropy_gate(prior.log_prob(x).numpy(), x, 0.5, family)


@pytest.mark.parametrize(("family", "model"), ALL)
def test_saved_and_loaded_is_the_same(family, model, tmp_path):
    prior = prior_of(family, model).float()
    path = tmp_path / "prior.safetensors"
    description = {"family": family, "model": model, "source": "sine"}
    save_prior(path, prior, description)
    first = path.read_bytes()
    loaded = load_prior(path, expect={"source": "sine"})
    x = torch.randn(4, 1, 32)
    assert torch.equal(loaded.log_prob(x), prior.log_prob(x))
    assert loaded.description == description
    save_prior(path, loaded, description)
    assert path.read_bytes() == first
    with pytest.raises(CheckpointError, match=r"prior.safetensors: is a prior with source 'sine', but 'saw'"):
        load_prior(path, expect={"source": "saw"})
    path.write_bytes(first[:-100])
    with pytest.raises(CheckpointError, match=r"prior.safetensors: not a whole checkpoint.*delete it"):
        load_prior(path)
    path.write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match=r"not a whole checkpoint"):
        load_prior(path)


@pytest.mark.parametrize("model", CASES["flowavenet"])
def test_flow_change_of_variables(model):
    """log p(x) = log N(z) + log|det dz/dx| with the Jacobian from autograd, and the inverse."""
    prior, x = prior_of("flowavenet", model), torch.randn(3, 1, 16, dtype=torch.double)

    def latents(x):
        return torch.cat([z.flatten() for z in prior.transform(x)[0]])

    for one in x.split(1):
        jacobian = torch.autograd.functional.jacobian(latents, one).reshape(16, 16)
        z = latents(one)
        expected = torch.distributions.Normal(0, 1).log_prob(z).sum() + torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(prior.log_prob(one)[0], expected, rtol=0, atol=1e-8)
    torch.testing.assert_close(prior.inverse(prior.transform(x)[0]), x, rtol=0, atol=1e-9)


@pytest.mark.parametrize("partition", ["interleaved", "half"])
@pytest.mark.parametrize(("blocks", "split"), [(1, 0), (2, 1)])
def test_flow_integrates_to_one(partition, blocks, split):
    """Over R^2 by the trapezoid rule, which converges exponentially for smooth decaying densities (R^4 by sampling)."""
    model = FLOW | {"blocks": blocks, "partition": partition, "blocks_per_split": split}
    prior = prior_of("flowavenet", model, spread=0.1)
    if blocks == 1:
        line = torch.linspace(-25, 25, 1201, dtype=torch.double)
        grid = torch.cartesian_prod(line, line)[:, None]
        total = torch.exp(torch.cat([prior.log_prob(part) for part in grid.split(200_000)])).sum()
        assert abs(total * (line[1] - line[0]) ** 2 - 1) < 1e-3
    else:
        # Importance sampling in R^4: E_q[p / q] = 1 with q a wide Gaussian around samples of p.
        generator = torch.Generator().manual_seed(0)
        drawn = prior.sample(20_000, 4, generator)[:, 0]
        mean, covariance = drawn.mean(0), 1.5 * torch.cov(drawn.T)
        q = torch.distributions.MultivariateNormal(mean, covariance)
        torch.manual_seed(0)
        x = q.sample((400_000,))
        weights = torch.exp(prior.log_prob(x[:, None]) - q.log_prob(x))
        error = weights.std() / math.sqrt(len(weights))
        assert error < 0.01 and abs(weights.mean() - 1) < 4 * error


def test_flow_initialises_once_on_data():
    torch.manual_seed(0)
    prior = build_prior("flowavenet", FLOW)
    x = 3 + 2 * torch.randn(64, 1, 64)
    prior.initialise(x)
    latents, _, _ = prior.transform(x)
    for z in latents:
        assert abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1
    before = prior.state_dict()
    prior.transform(10 * x)  # a later batch changes nothing
    for name, tensor in prior.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_flow_objective_has_the_weight_of_the_log_determinant():
    prior, x = prior_of("flowavenet", FLOW | {"log_det_weight": 0.25}), torch.randn(3, 1, 16, dtype=torch.double)
    _, latent, log_det = prior.transform(x)
    torch.testing.assert_close(prior.loss(x, x), -(latent + 0.25 * log_det).mean() / 16)
    torch.testing.assert_close(prior.log_prob(x), latent + log_det)  # what is reported is always the density


def test_flow_frame_must_divide():
    with pytest.raises(ValueError, match="multiple of 8 samples, not 20"):
        prior_of("flowavenet", FLOW).log_prob(torch.zeros(1, 1, 20, dtype=torch.double))


def test_unknown_family_names_those_there_are():
    with pytest.raises(LookupError, match="no 'nope' in priors: there are flowavenet"):
        registry.load("priors", "nope")
