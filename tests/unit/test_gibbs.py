"""Diffusion-within-Gibbs on Gaussian sources, against its own law and against the posterior that it tends to."""

import math

import numpy as np
import pytest
import torch
from audiopriors.separation import gibbs, samplers
from audiopriors.separation.twisted import twisted
from test_samplers import MIX, PLAN, VARIANCES, Law, agree, denoisers, generator, mixes

SIGMA = 1.0


def draws(steps, end=PLAN.settle[-1], probe=0.0, seed=0):
    """Draws by reverse diffusions of so many steps down to `end`."""
    random = generator(seed)
    return [gibbs.by_reverse_diffusion(one, end, steps, random, probe=probe) for one in denoisers()]


def exact_draws(random):
    """Draws from p(s | s + sigma n) of each source."""

    def one(variance):
        def draw(x, sigma):
            gain = variance / (variance + sigma**2)
            return gain * x + sigma * math.sqrt(gain) * torch.randn(x.shape, generator=random, dtype=torch.double)

        return draw

    return [one(variance) for variance in VARIANCES]


def posterior(noise, variances=VARIANCES):
    """Mean and covariance of p(s | M), for p(M | s) = N(M; sum s, noise^2)."""
    prior = np.diag(variances)
    gain = prior.sum(1) / (prior.sum() + noise**2)
    return gain * MIX, prior - np.outer(gain, prior.sum(0))


@pytest.mark.parametrize(("steps", "turns", "turn"), [(1, 1, 0), (3, 1, 0), (2, 3, 2)])
def test_it_has_its_own_law(steps, turns, turn):
    state = gibbs.diffusion_within_gibbs(mixes(turns * 200_000), draws(steps), denoisers(), PLAN, turns=turns)[
        :, turn::turns
    ]
    number = len(VARIANCES)
    law = Law(number + 1)  # the samples, then the wave that is drawn
    unit = np.eye(number + 1)
    for sigma in PLAN.sigmas + PLAN.settle:
        levels = np.geomspace(sigma, PLAN.settle[-1], steps) if sigma in PLAN.sigmas else [sigma]
        for k in ((1, 0, 2) * 2)[turn : turn + 3]:  # by entry
            if sigma <= PLAN.entries[k]:
                law.set(number, -sum(unit[j] for j in range(number) if j != k), MIX)
                for level, after in zip(levels, [*levels[1:], 0.0], strict=True):
                    kept, gain = (after / level) ** 2, VARIANCES[k] / (VARIANCES[k] + level**2)
                    law.set(number, (gain + kept * (1 - gain)) * unit[number], 0.0, after * math.sqrt(1 - kept))
                law.set(k, unit[number], 0.0)
    agree(state, law.mean[:number], law.covariance()[:number, :number])


def at_a_fixed_sigma(steps: int, end: float, runs: int = 20_000) -> torch.Tensor:
    """Samples (N, runs) after many sweeps at SIGMA, before those without noise."""
    plan = samplers.Plan((SIGMA,) * 8, (end,), (9.0,) * len(VARIANCES))
    seen = []
    gibbs.diffusion_within_gibbs(
        mixes(runs), draws(steps, end, seed=1), denoisers(), plan, lambda *call: seen.append(call[4].clone())
    )
    return seen[len(plan.sigmas) - 1][:, :, 0, 0]


def test_with_more_steps_it_tends_to_the_posterior():
    """p(s | M) of p(M | s) = N(M; sum s, SIGMA^2): the mean is exact, and the covariance's error falls with steps."""
    mean, covariance = posterior(SIGMA)
    errors = []
    for steps in (1, 5, 20, 80, 320):
        samples = at_a_fixed_sigma(steps, end=0.01).numpy()
        assert np.abs(samples.mean(1) - mean).max() < 5 * np.sqrt(covariance.max() / samples.shape[1])
        errors.append(np.linalg.norm(np.cov(samples) - covariance) / np.linalg.norm(covariance))
    assert errors[0] == pytest.approx(1)  # the mean only
    assert errors[1] < 0.9 and errors[2] < 0.5 * errors[1] and errors[3] < 0.5 * errors[2] and errors[4] < 0.06
    early = np.cov(at_a_fixed_sigma(80, end=0.5).numpy())  # a draw that ends where some noise is left
    assert np.linalg.norm(early - covariance) / np.linalg.norm(covariance) > 2 * errors[4]


def test_the_draw_has_the_law_of_one_source_in_noise():
    """x = s + sigma n is denoised to N(v x / (v + sigma^2), v sigma^2 / (v + sigma^2)), with enough levels."""
    (denoiser, *_), x = denoisers(), torch.full((40_000, 1, 1), 0.7, dtype=torch.double)
    drawn = gibbs.reverse_diffusion(x, denoiser, np.geomspace(SIGMA, 0.01, 400).tolist(), generator(2))
    total = VARIANCES[0] + SIGMA**2
    variance = VARIANCES[0] * SIGMA**2 / total
    assert drawn.mean().item() == pytest.approx(0.7 * VARIANCES[0] / total, abs=5 * math.sqrt(variance / 40_000))
    assert drawn.var().item() == pytest.approx(variance, rel=0.05)
    once = gibbs.reverse_diffusion(x, denoiser, [SIGMA], generator(2))
    torch.testing.assert_close(once, denoiser(x, SIGMA))


def test_each_level_asks_each_source_that_takes_part():
    calls = []
    ask = denoisers(calls)
    some = [gibbs.by_reverse_diffusion(one, PLAN.settle[-1], 2, generator()) for one in ask]
    gibbs.diffusion_within_gibbs(mixes(2), some, ask, PLAN)
    assert calls[:2] == [(1, 3.0), (1, pytest.approx(0.05))]
    assert [number for number, sigma in calls if sigma in (0.7, 0.2)] == [1, 0, 2] * 2
    assert len(calls) == 2 * (1 + 2 + 3 + 3) + 2 * 3


@pytest.mark.parametrize("probe", [0.3, 1.0])
def test_a_probing_draw_has_its_own_law(probe):
    """For Gaussians each step adds (1 - (b / a)^2)^2 a^2 J^2, with J = v / (v + a^2), whatever the probe's size."""
    sigmas, variance = [1.0, 0.5, 0.2], VARIANCES[1]
    x = torch.full((200_000, 1, 1), 0.7, dtype=torch.double)
    drawn = gibbs.reverse_diffusion(x, denoisers()[1], sigmas, generator(3), probe=probe)
    mean, spread = 0.7, 0.0
    for sigma, after in zip(sigmas, [*sigmas[1:], 0.0], strict=True):
        kept, gain = (after / sigma) ** 2, variance / (variance + sigma**2)
        slope = gain + kept * (1 - gain)
        added = ((1 - kept) * sigma * gain) ** 2 + after**2 * (1 - kept) if after else 0.0
        mean, spread = slope * mean, slope**2 * spread + added
    assert drawn.mean().item() == pytest.approx(mean, abs=5 * math.sqrt(spread / len(x)))
    assert drawn.var().item() == pytest.approx(spread, rel=5 * math.sqrt(2 / len(x)))


@pytest.mark.parametrize("steps", [2, 4])
def test_a_probing_draw_is_exact_where_a_source_moves_freely_or_not_at_all(steps):
    """A denoiser that keeps x, or that gives one wave: the variance is sigma^2 less the end's, or 0."""
    x = torch.zeros(200_000, 1, 1, dtype=torch.double)
    sigmas = np.geomspace(1.0, 0.1, steps).tolist()
    free = gibbs.reverse_diffusion(x, lambda x, sigma: x, sigmas, generator(4), probe=0.5)
    assert free.var().item() == pytest.approx(1 - 0.1**2, rel=5 * math.sqrt(2 / len(x)))
    fixed = gibbs.reverse_diffusion(x, lambda x, sigma: torch.ones_like(x), sigmas, generator(4), probe=0.5)
    assert torch.equal(fixed, torch.ones_like(x))
    few = gibbs.reverse_diffusion(x, lambda x, sigma: x, sigmas, generator(4))
    assert few.var().item() < 0.6  # ancestral steps alone


@pytest.mark.parametrize("noise", [0.8, 0.0])
def test_split_gibbs_has_its_own_law(noise):
    """At a fixed sigma: the posterior whose noise has the variance noise^2 + N sigma^2."""
    sigma, random = 0.6, generator(5)
    plan = samplers.Plan((sigma,) * 80, (), (9.0,) * 3)
    state = gibbs.split_gibbs(mixes(), exact_draws(random), plan, random, noise=noise)
    agree(state, *posterior(math.sqrt(noise**2 + 3 * sigma**2)))


def test_annealed_gibbs_has_the_posterior_whatever_its_levels():
    """One sweep at two levels is not enough without weights. The evidence is N(M; 0, sum v + noise^2)."""
    noise, plan = 0.4, samplers.Plan((2.0, 0.4), (), (0.0,) * 3)
    state, evidence = gibbs.annealed_gibbs(
        mixes(), exact_draws(generator(6)), plan, generator(7), group=len(mixes()), sweeps=1
    )  # fmt: skip
    mean, covariance = posterior(noise)
    samples = state[:, :, 0, 0].numpy()
    assert np.abs(samples.mean(1) - mean).max() < 0.01 and np.abs(np.cov(samples) - covariance).max() < 0.01
    total = sum(VARIANCES) + noise**2
    assert evidence.item() == pytest.approx(-0.5 * (MIX**2 / total + math.log(2 * math.pi * total)), abs=0.01)
    unweighted = gibbs.diffusion_within_gibbs(
        mixes(), exact_draws(generator(6)), denoisers(), samplers.Plan(plan.sigmas, (), (9.0,) * 3)
    )[:, :, 0, 0].numpy()
    assert np.abs(np.cov(unweighted) - covariance).max() > 0.04


def test_particles_of_one_mix_are_resampled_among_themselves():
    log_weight = torch.tensor([[0.0, -1e9, -1e9], [-1e9, 0.0, 0.0]], dtype=torch.double)
    for seed in range(5):
        assert gibbs.resampled(log_weight, generator(seed)).tolist() in ([0, 0, 0, 4, 4, 5], [0, 0, 0, 4, 5, 5])
    log_weight = torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.double)).expand(20_000, 4)
    counts = torch.bincount(gibbs.resampled(log_weight, generator()) % 4) / 80_000
    assert counts.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.01)


def test_the_twisted_filter_has_the_posterior_of_its_chain():
    """The chain's own prior is a Gaussian of less variance; the filter has that prior's posterior and evidence."""
    noise, plan = 0.4, samplers.Plan((4.0, 1.5, 0.6, 0.2), (), (9.0,) * 3)
    own = []
    for variance in VARIANCES:
        spread = plan.sigmas[0] ** 2
        for sigma, after in zip(plan.sigmas, [*plan.sigmas[1:], 0.0], strict=True):
            kept, gain = (after / sigma) ** 2, variance / (variance + sigma**2)
            spread = (gain + kept * (1 - gain)) ** 2 * spread + after**2 * (1 - kept)
        own.append(spread)
    state, evidence = twisted(
        mixes(), denoisers(), plan, generator(8), powers=list(VARIANCES), noise=noise, group=len(mixes()), probe=0.5
    )
    mean, covariance = posterior(noise, own)
    samples = state[:, :, 0, 0].numpy()
    assert np.abs(samples.mean(1) - mean).max() < 0.01 and np.abs(np.cov(samples) - covariance).max() < 0.015
    total = sum(own) + noise**2
    assert evidence.item() == pytest.approx(-0.5 * (MIX**2 / total + math.log(2 * math.pi * total)), abs=0.01)
