"""Score priors: likelihood, samples and denoising score against closed forms; the supervised separator."""

import itertools
import math

import pytest
import torch
from audiopriors import diffusion
from audiopriors.checkpoints import CheckpointError, build_prior, save_prior
from audiopriors.seeds import torch_generator
from audiopriors.separation import supervised
from families import SCORE, prior_of, waves


def gaussian_score(variances):
    """A score prior that knows N(0, diag(variances)): D(x; s) = v / (v + s^2) x, so every density in closed form."""
    prior = build_prior("score", SCORE | {"sigma_max": 60.0, "ode_steps": 400}).double().requires_grad_(False)
    prior.deviation.fill_(0.7)

    def network(x, sigma):
        _, skip, out = prior._scales(x, sigma[:, 0, 0])
        return (variances / (variances + sigma**2) - skip) / out * x

    prior.network = network
    return prior


def test_score_likelihood_and_samples_are_a_gaussians():
    """With the exact denoiser, log_prob is the Gaussian's, whose trace the probe finds exactly, and so are samples."""
    variances = torch.logspace(-2, 0.5, 24, dtype=torch.double)
    prior = gaussian_score(variances)
    law = torch.distributions.Normal(0, (variances + 0.04).sqrt())
    x = law.sample((6,))[:, None]
    expected = law.log_prob(x).sum((1, 2))
    # N(0, sigma_max^2) at the end, instead of sigma_max^2 + v: 24 dimensions of v / (2 sigma_max^2) each.
    torch.testing.assert_close(prior.log_prob(x, 0.2), expected, rtol=0, atol=0.02)
    torch.testing.assert_close(prior.score(x, 0.2), -x / (variances + 0.04))
    drawn = prior.sample(20_000, 24, 0.2, torch.Generator().manual_seed(0))[:, 0]
    assert (drawn.var(0) / (variances + 0.04) - 1).abs().max() < 0.06


def test_score_likelihood_is_the_flows_change_of_variables():
    """The sum of traces is the log-determinant of the whole ODE (by autograd), but for the probes' error."""
    prior, x, sigma = prior_of("score", SCORE | {"ode_steps": 60}, spread=0.1), waves(1, 12), 0.3

    def end(x):
        u = x / math.hypot(sigma, 1.0)
        angles = prior._angles(sigma, prior.config.sigma_max)
        velocity = prior._velocity(u, angles[0])
        for before, after in itertools.pairwise(angles):
            middle = (before + after) / 2
            velocity = prior._velocity(u + (middle - before) * velocity, middle)
            u = u + (after - before) * velocity
        return u * math.hypot(prior.config.sigma_max, 1.0)

    jacobian = torch.autograd.functional.jacobian(end, x).reshape(12, 12)
    base = torch.distributions.Normal(0, prior.config.sigma_max).log_prob(end(x)).sum()
    expected = base + torch.linalg.slogdet(jacobian).logabsdet
    assert abs(prior.log_prob(x, sigma)[0] - expected) < 0.1


def test_denoising_score_is_its_integral(monkeypatch):
    monkeypatch.setattr(diffusion, "LEVELS", 1000)
    prior, total = gaussian_score(torch.full((64,), 0.3, dtype=torch.double)), 0.3 + 0.01
    x = math.sqrt(total) * torch.randn(3, 1, 64, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    noise = torch.randn(64, generator=torch_generator("score", "noise")).double()
    log_tau = torch.linspace(math.log(0.1), math.log(30), 4001, dtype=torch.double)
    tau = log_tau.exp()[:, None, None, None]
    error = x - total / (total + tau**2) * (x + tau * noise)
    expected = -torch.trapezoid((error / tau).square().sum((2, 3)), log_tau, dim=0)
    torch.testing.assert_close(prior.denoising_score(x, 0.1), expected, rtol=4e-3, atol=0)


def test_denoising_score_ranks_as_the_likelihood():
    """Of Gaussians of two widths: the difference of denoising scores has the sign of the log-ratio."""
    wide, narrow = (gaussian_score(torch.full((64,), v, dtype=torch.double)) for v in (1.0, 0.3))
    noise = torch.randn(200, 1, 64, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    for variance, sign in ((1.0, 1), (0.3, -1)):
        x = noise * math.sqrt(variance + 0.01)
        cheap = wide.denoising_score(x, 0.1) - narrow.denoising_score(x, 0.1)
        ratio = wide.log_prob(x, 0.1) - narrow.log_prob(x, 0.1)
        assert ((cheap * sign > 0) == (ratio * sign > 0)).double().mean() > 0.9


def test_supervised_separator_adds_up_to_the_mix(tmp_path):
    torch.manual_seed(0)
    separator = supervised.Separator("score", SCORE, 3)
    with torch.no_grad():
        for parameter in separator.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    mix = torch.randn(2, 1, 40)
    estimates = separator(mix)
    assert estimates.shape == (2, 3, 40)
    torch.testing.assert_close(estimates.sum(1, keepdim=True), mix)
    path = str(tmp_path / "separator.safetensors")
    described = {"family": "score", "model": SCORE, "mix": {"sources": ["a", "b", "c"]}}
    save_prior(path, separator, described)
    assert torch.equal(supervised.load(path)(mix), estimates)
    save_prior(path, separator, described | {"model": SCORE | {"width": 7}})
    with pytest.raises(CheckpointError, match=r"separator.safetensors: does not fit.*delete it"):
        supervised.load(path)
