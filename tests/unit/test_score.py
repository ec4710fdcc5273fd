"""Score priors: likelihood and samples against closed forms; the supervised separator."""

import math

import pytest
import torch
from audiopriors import diffusion, gate
from audiopriors.checkpoints import CheckpointError, build_prior, save_prior
from audiopriors.separation import supervised
from families import SCORE


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def with_denoiser(denoise, sigma_max=60.0, levels=40):
    """A score prior whose D(x; sigma) is this function."""
    model = SCORE | {"sigma_min": 0.1, "sigma_max": sigma_max, "ode_steps": 400, "likelihood_levels": levels}
    prior = build_prior("score", model | {"altered": 0}).double().requires_grad_(False)
    prior.deviation.fill_(0.7)

    def network(x, sigma):
        _, skip, out = prior._scales(x, sigma[:, 0, 0])
        return (denoise(x, sigma) - skip * x) / out

    prior.network = network
    return prior


def gaussian(variances, **settings):
    """The exact denoiser of N(0, diag(variances))."""
    return with_denoiser(lambda x, sigma: variances / (variances + sigma**2) * x, **settings)


def over_noises(prior, x, sigma, monkeypatch, number=64):
    """log_prob (number, B), each with other added noise."""
    shared = diffusion.torch_generator
    values = []
    for seed in range(number):
        monkeypatch.setattr(diffusion, "torch_generator", lambda *purpose, seed=seed: shared(seed, *purpose))
        values.append(prior.log_prob(x, sigma))
    monkeypatch.setattr(diffusion, "torch_generator", shared)
    return torch.stack(values)


def test_score_likelihood_is_a_gaussians(monkeypatch):
    """With the exact denoiser, log_prob is the Gaussian's in the mean over the added noise, and so are samples."""
    variances = torch.logspace(-2, 0.5, 24, dtype=torch.double)
    prior = gaussian(variances)
    law = torch.distributions.Normal(0, (variances + 0.04).sqrt())
    x = law.sample((6,))[:, None]
    values = over_noises(prior, x, 0.2, monkeypatch)
    error = values.mean(0) - law.log_prob(x).sum((1, 2))
    assert (error.abs() < 4 * values.std(0) / 8).all() and values.std(0).max() < 4
    torch.testing.assert_close(prior.score(x, 0.2), -x / (variances + 0.04))
    drawn = prior.sample(20_000, 24, 0.2, torch.Generator().manual_seed(0))[:, 0]
    assert (drawn.var(0) / (variances + 0.04) - 1).abs().max() < 0.06


def test_score_likelihood_is_that_of_two_waves(monkeypatch):
    """Of a wave and its negative, each in half of the cases: far from a Gaussian, and no noise is let pass."""
    wave = torch.sin(torch.arange(64, dtype=torch.double) / 3)
    prior = with_denoiser(lambda x, sigma: torch.tanh((x * wave).sum(2, keepdim=True) / sigma**2) * wave)
    x = torch.stack([wave, -wave, 0 * wave, 0.5 * wave])[:, None] + 0.3 * torch.randn(
        4, 1, 64, generator=torch.Generator().manual_seed(0), dtype=torch.double
    )
    law = [torch.distributions.Normal(side * wave, 0.3).log_prob(x).sum((1, 2)) for side in (1, -1)]
    expected = torch.logaddexp(*law) - math.log(2)
    assert (prior.log_prob(x, 0.3)[:2] - expected[:2]).abs().max() < 0.5  # where no noise leads from one to the other
    values = over_noises(prior, x, 0.3, monkeypatch)
    assert ((values.mean(0) - expected).abs() < 4 * values.std(0) / 8 + 0.1).all()


def test_one_wave_has_its_own_gaussian():
    """If D says the same wave of anything, p_sigma is that wave with noise, for any input, to rounding."""
    wave = torch.sin(torch.arange(64, dtype=torch.double) / 3)
    prior = with_denoiser(lambda x, sigma: wave.expand_as(x))
    x = torch.stack([wave, torch.ones(64).double(), torch.zeros(64).double()])[:, None]
    expected = torch.distributions.Normal(wave, 0.3).log_prob(x).sum((1, 2))
    value, error = prior.log_prob_and_error(x, 0.3)
    torch.testing.assert_close(value, expected)
    of_time = prior.log_prob_map(x, 0.3)
    torch.testing.assert_close(of_time, torch.distributions.Normal(wave, 0.3).log_prob(x)[:, 0])
    assert value[0] <= -32 * math.log(2 * math.pi * 0.09) + 1e-9 and error.abs().max() < 1e-9  # the smoothed bound


def test_no_denoiser_makes_items_likelier_than_they_are():
    variances = torch.full((64,), 0.3, dtype=torch.double)
    law = torch.distributions.Normal(0, (variances + 0.01).sqrt())
    x = law.sample((400,))[:, None]
    truth = law.log_prob(x).sum((1, 2)).mean()
    for factor in (0.6, 1.3):
        wrong = with_denoiser(lambda x, sigma, factor=factor: factor * variances / (variances + sigma**2) * x)
        assert wrong.log_prob(x, 0.1).mean() < truth - 1


def test_the_stated_error_falls_with_more_levels_and_covers():
    """Of Gaussians in 1024 dimensions: one of few directions, as of waves, one of all alike, one of many kinds."""
    laws = [torch.full((1024,), 0.3), torch.logspace(-4, 1.5, 1024), torch.tensor([15.0] * 20 + [1e-5] * 1004)]
    for variances in (one.double() for one in laws):
        law = torch.distributions.Normal(0, (variances + 0.09).sqrt())
        x = law.sample((50,))[:, None]
        truth = law.log_prob(x).sum((1, 2))
        biases, stated = [], []
        for levels in (8, 28, 100):
            value, error = gaussian(variances, levels=levels).log_prob_and_error(x, 0.3)
            biases.append((value - truth).mean().abs().item())
            stated.append(error.mean().item())
        assert stated[0] > stated[1] > stated[2]
        assert all(bias < one for bias, one in zip(biases, stated, strict=True)), (biases, stated)


def test_altered_items_are_bent_shrunk_shifted_or_silent():
    clean = torch.sin(torch.arange(400) / 3).expand(300, 1, 400)
    out = gate.altered(clean, torch.Generator().manual_seed(0))
    assert torch.equal(out, gate.altered(clean, torch.Generator().manual_seed(0)))
    means, deviations = out.mean(2), out.std(2)
    assert (means.abs() > 0.1).double().mean() > 0.3 and means.abs().max() < 1.7
    assert 0.1 < (deviations < 1e-6).double().mean() < 0.3
    assert (out == clean).all(2).double().mean() < 0.2
    # Of those of the sine's own deviation some have another shape.
    same = ((deviations - clean.std(2)).abs() < 0.1)[:, 0]
    assert ((out - out.mean(2, keepdim=True))[same].pow(4).mean(2) - clean[0].pow(4).mean()).abs().max() > 0.05


def test_a_gate_leaves_the_denoiser_alone():
    """Training, and all but the likelihood, are as without it; a gate that refuses gives a wave far from any."""
    x, clean = torch.randn(4, 1, 128), torch.zeros(4, 1, 128)
    without, prior = (build_prior("score", SCORE | {"altered": share}) for share in (0, 1))
    prior.load_state_dict(without.state_dict(), strict=False)
    losses = [one.loss(x, clean, torch.full((4,), 0.5)) for one in (without, prior)]
    for loss in losses:
        loss.backward()
    for name, parameter in without.named_parameters():
        torch.testing.assert_close(parameter.grad, dict(prior.named_parameters())[name].grad)
    assert losses[1] > losses[0] and any(parameter.grad.any() for parameter in prior.gate.parameters())
    prior.requires_grad_(False)
    assert torch.equal(prior.denoise(x, 0.5), without.denoise(x, 0.5))
    for bias, expected in (
        (40.0, prior.denoise(x, 0.5)),
        (-40.0, torch.tensor([1.0, -1.0]).repeat(64).expand(4, 1, 128)),
    ):
        prior.gate.last[-1].bias.fill_(bias)
        torch.testing.assert_close(prior.judged(x, 0.5), expected)


def test_supervised_separator_adds_up_to_the_mix(tmp_path):
    torch.manual_seed(0)
    separator = supervised.Separator("score", SCORE, 3)
    assert separator.inner.gate is None
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
