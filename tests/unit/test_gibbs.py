"""Diffusion-within-Gibbs on Gaussian sources, against its own law and against the posterior that it tends to."""

import math

import numpy as np
import pytest
import torch
from audiopriors.separation import gibbs, samplers
from test_samplers import MIX, PLAN, VARIANCES, Law, agree, denoisers, generator, mixes

SIGMA = 1.0


@pytest.mark.parametrize(("steps", "turns", "turn"), [(1, 1, 0), (3, 1, 0), (2, 3, 2)])
def test_it_has_its_own_law(steps, turns, turn):
    state = gibbs.diffusion_within_gibbs(
        mixes(turns * 200_000), denoisers(), PLAN, generator(), steps=steps, turns=turns
    )[:, turn::turns]
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
        mixes(runs), denoisers(), plan, generator(1), lambda *call: seen.append(call[4].clone()), steps=steps
    )
    return seen[len(plan.sigmas) - 1][:, :, 0, 0]


def test_with_more_steps_it_tends_to_the_posterior():
    """p(s | M) of p(M | s) = N(M; sum s, SIGMA^2): the mean is exact, and the covariance's error falls with steps."""
    prior = np.diag(VARIANCES)
    gain = prior.sum(1) / (prior.sum() + SIGMA**2)
    mean, covariance = gain * MIX, prior - np.outer(gain, prior.sum(0))
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
    gibbs.diffusion_within_gibbs(mixes(2), denoisers(calls), PLAN, generator(), steps=2)
    assert calls[:2] == [(1, 3.0), (1, pytest.approx(0.05))]
    assert [number for number, sigma in calls if sigma in (0.7, 0.2)] == [1, 0, 2] * 2
    assert len(calls) == 2 * (1 + 2 + 3 + 3) + 2 * 3
