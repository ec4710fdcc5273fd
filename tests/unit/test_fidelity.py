"""The exact posterior against brute force and against the exact prior, and measures of fidelity on known laws."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors.errors import UserError
from audiopriors.fidelity import measures, running, table, tempering
from audiopriors.lattice import Law
from audiopriors.priors import exact
from audiopriors.separation.scaled import Scaled
from audiopriors.settings import Fidelity, Tempering
from scipy import special
from test_exact import LAW

SETTINGS = Tempering(ensembles=2, chains=8, levels=8, top=3.0, burn_in=300, steps=1500, draws=512)
FIDELITY = Fidelity(items=6, particles=39, together=6, replicates=20, error=0.2)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def law(source, log_uniform=False):
    return Law(source, log_uniform, (27.5 / 16000, 4186 / 16000), (0.8, 1.0))


def problem(sources, items, length, noise, gains=None, seed=0, log_uniform=False):
    """Mixes whose parameters have the law, and these parameters (B, 1, N, 3)."""
    random, gains = generator(seed), gains or [1.0] * len(sources)
    shares = torch.rand(items, 1, len(sources), 3, generator=random, dtype=torch.float64)
    empty = tempering.Problem(
        torch.zeros(items, length, dtype=torch.float64), [law(source, log_uniform) for source in sources], gains, noise
    )
    waves = measures.of_parameters(empty, shares).waves[:, :, 0]
    mix = waves.sum(0) + noise * torch.randn(items, length, generator=random, dtype=torch.float64)
    return tempering.Problem(mix, empty.laws, gains, noise), shares


def exact_priors(sources, settings=(16, 64, 16, 256)):
    return [exact.build(exact.Config(*settings)).fit(SimpleNamespace(config=LAW), source) for source in sources]


@pytest.mark.parametrize(
    ("sources", "length", "noise", "gains", "log_uniform"),
    [
        (["sine", "triangle"], 12, 0.6, [1, 1], False),
        (["square", "saw"], 12, 0.8, [1, 0.5], False),
        (["sine", "saw"], 12, 0.7, [1, 1], True),
        (["sine", "square", "saw"], 10, 1.0, [1, 1, 1], False),
    ],
)
def test_against_brute_force(sources, length, noise, gains, log_uniform):
    """Four million draws of the parameters' law, weighted by the mix: mean and covariance of all waves."""
    small, _ = problem(sources, 2, length, noise, gains, log_uniform=log_uniform)
    draws = tempering.draws(small, SETTINGS, generator(1)).transpose(0, 1).flatten(1, 2)
    sampled = measures._joined(measures.of_parameters(small, draws).waves)
    random, parts, size = generator(2), [], 200_000
    for _ in range(20):
        shares = torch.rand(1, size, len(sources), 3, generator=random, dtype=torch.float64)
        waves = measures.of_parameters(small, shares.expand(2, -1, -1, -1)).waves
        error = (small.mix[:, None] - waves.sum(0)).square().sum(2)
        parts.append((measures._joined(waves)[0], -0.5 * error / noise**2))
    waves, weights = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts], 1)
    for item, weight in enumerate(torch.softmax(weights, 1)):
        assert 1 / weight.square().sum() > 500  # draws that count
        mean = weight @ waves
        deviation = (weight @ (waves - mean).square()).sqrt()
        assert ((sampled[item].mean(0) - mean) / deviation).abs().max() < 0.25
        assert ((sampled[item].mean(0) - mean) / deviation).square().mean().sqrt() < 0.1
        assert (sampled[item].std(0) - deviation).abs().max() < 0.1  # of amplitudes near 1


def test_one_source_is_the_exact_priors_posterior():
    """Draws of parallel tempering and of the exact prior have one law: their means and their energy distance."""
    for source in ("triangle", "saw"):
        single, _ = problem([source], 3, 32, 0.3, seed=3)
        draws = tempering.draws(single, SETTINGS, generator(1)).transpose(0, 1).flatten(1, 2)
        tempered = measures.of_parameters(single, draws)
        (prior,) = exact_priors([source])
        x = single.mix.repeat_interleave(400, 0)[:, None]
        waves = prior.draw(x, 0.3, generator(2)).view(1, 3, 400, 32)
        distance = measures.energy_distance(waves, tempered.waves)
        assert distance.abs().max() < 0.03
        mean = prior.denoise(single.mix[:, None], 0.3)[:, 0]
        deviation = tempered.waves[0].std(1)
        assert ((tempered.waves[0].mean(1) - mean) / deviation).abs().max() < 0.25


def test_the_posterior_is_calibrated():
    """Simulation-based calibration of the exact posterior itself: ranks of the true parameters are even."""
    mixes, truth = problem(["sine", "square"], 48, 48, 0.3, seed=5)
    short = Tempering(ensembles=2, chains=6, levels=10, top=3.0, burn_in=200, steps=500, draws=60)
    draws = tempering.draws(mixes, short, generator(1)).transpose(0, 1).flatten(1, 2)
    sampled, true = measures.of_parameters(mixes, draws), measures.of_parameters(mixes, truth)
    centre = measures.centres(sampled)
    shares = measures.ranks(measures.quantities(sampled, centre), measures.quantities(true, centre))
    inside = measures.coverage(shares, 0.5)
    assert inside.mean().item() == pytest.approx(0.5, abs=0.1)
    assert measures.coverage(shares, 0.95).mean().item() == pytest.approx(0.95, abs=0.05)


def test_moves_between_levels_keep_the_law_without_data():
    """In noise of any size, the uniform law of the parameters stays: the moves alone are in balance."""
    wide = tempering.Problem(torch.zeros(40, 16, dtype=torch.float64), [law("sine"), law("saw")], [1, 1], 1e6)
    settings = Tempering(ensembles=2, chains=6, levels=3, top=1.0, burn_in=10, steps=200, draws=40)
    shares = tempering.draws(wide, settings, generator(1)).flatten(0, 2)
    assert (shares.mean(0) - 0.5).abs().max() < 0.02
    assert (shares.var(0) - 1 / 12).abs().max() < 0.01


def test_a_burn_in_that_was_too_short_shows_between_the_halves():
    """Ensembles that are far from the posterior at first are alike, so only their halves differ."""
    mixes, _ = problem(["sine", "square", "saw"], 3, 128, 0.1)
    settings = Tempering(ensembles=2, chains=6, levels=12, top=3.0, burn_in=400, steps=800, draws=200)
    _, errors = running.exact_posterior(mixes, {"name": "many"}, settings, 1.0, ("test",))
    assert errors.max() < 0.15
    short = dataclasses.replace(settings, burn_in=40, steps=440)
    with pytest.raises(running.Unresolved, match=r"independent runs, or the halves of these, differ by 0\.[2-9]"):
        running.exact_posterior(mixes, {"name": "many"}, short, 0.15, ("test",))


def test_the_error_is_the_larger_one_of_ensembles_and_halves():
    values = torch.zeros(1, 1, 2, 200, dtype=torch.float64)
    values[..., 1::2] = 1.0
    assert measures.error(values).item() == pytest.approx(0)
    apart = values.clone()
    apart[:, :, 0] += 1
    assert measures.error(apart).item() == pytest.approx(0.5 / apart.std().item())
    drifting = values.clone()
    drifting[..., :100] += 2
    assert measures.error(drifting).item() == pytest.approx(1 / drifting.std().item())


def test_what_cannot_be_resolved_is_refused_by_name():
    mixes, _ = problem(["sine", "saw"], 4, 64, 0.1)
    short = Tempering(ensembles=2, chains=6, levels=3, top=3.0, burn_in=1, steps=4, draws=6)
    with pytest.raises(UserError, match="mix loud: its exact posterior is not resolved: independent runs, or"):
        running.exact_posterior(mixes, {"name": "loud"}, short, 0.1, ("test",))


def test_a_sampler_without_spread_is_named():
    mixes, truth = problem(["sine", "saw"], 2, 32, 0.3)
    same = measures.of_parameters(mixes, truth).waves.float()[:, :, :, None]
    sampler = SimpleNamespace(
        all_particles=lambda mix, generator, number: same.expand(-1, -1, number, 1, -1), calls=1,
        method={"sampler": "oracle"},
    )  # fmt: skip
    with pytest.raises(UserError, match="the sampler oracle has no spread: all 39 particles of a mix are the same"):
        running.of_sampler(mixes, exact_priors(["sine", "saw"]), truth.expand(-1, 9, -1, -1), sampler, FIDELITY, (0,))


def gaussians(items, number, deviation=1.0, shift=0.0, seed=0):
    """Values (1, B, n)."""
    return shift + deviation * torch.randn(1, items, number, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("deviation", [1.0, 0.5, 2.0])
def test_coverage_is_that_of_the_particles_regions(deviation):
    """Regions are between order statistics: of the 10th and 30th of 39, and of the first and last."""
    shares = measures.ranks(gaussians(400, 39, deviation), gaussians(400, 200, seed=1))
    assert shares.shape == (1, 400, 40) and shares.sum(2).allclose(torch.ones(1, 400, dtype=torch.float64))
    ordered = np.sort(deviation * np.random.default_rng(0).standard_normal((100_000, 39)), 1)
    for level, ends in ((0.5, (9, 29)), (0.95, (0, 38))):
        low, high = (special.ndtr(ordered[:, end]) for end in ends)
        assert measures.coverage(shares, level).mean().item() == pytest.approx((high - low).mean(), abs=0.02)
        if deviation == 1:
            assert (high - low).mean() == pytest.approx(level, abs=0.002)
    evenness = (shares.mean((0, 1)) - 1 / 40).abs().max()
    assert evenness < 0.005 if deviation == 1 else evenness > 0.01


def test_energy_distance_is_zero_for_one_law_and_grows_with_the_shift():
    exact_draws = torch.randn(2, 30, 200, 8, generator=generator(1), dtype=torch.float64)
    values = []
    for shift in (0.0, 0.5, 2.0):
        particles = shift + torch.randn(2, 30, 39, 8, generator=generator(2), dtype=torch.float64)
        values.append(measures.energy_distance(particles, exact_draws).mean().item())
    assert abs(values[0]) < 0.01 < values[1] < values[2]


def test_explanations_and_their_frequencies():
    """Two clusters, 70 % and 30 %; a particle far from both is at none."""
    random = generator(3)
    first = 0.05 * torch.randn(1, 1, 200, 4, generator=random, dtype=torch.float64)
    first[:, :, :140] += 1
    first[:, :, 140:] -= 1
    (group,) = measures.explanations(first[:, :, torch.randperm(200, generator=random)])
    assert group.shares.tolist() == pytest.approx([0.7, 0.3])
    particles = torch.tensor([1.0, 1.0, -1.0, 5.0], dtype=torch.float64)[:, None].expand(4, 4)
    assert group.chosen(particles).tolist() == [0.5, 0.25]


def test_mean_error_counts_effective_draws():
    exact_draws, errors = gaussians(300, 2000, seed=1), []
    for number in (10, 40):
        errors.append(measures.mean_error(gaussians(300, number, seed=2), exact_draws).mean().item())
    assert errors == pytest.approx([1 / 10, 1 / 40], rel=0.25)


def test_stein_discrepancy_sees_a_wrong_spread_by_the_score_alone():
    """Samples of the exact posterior have none; those whose spread is half or twice as much have some."""
    mixes, _ = problem(["sine", "saw"], 12, 32, 0.5, seed=7)
    draws = tempering.draws(mixes, SETTINGS, generator(1)).transpose(0, 1).flatten(1, 2)[:, ::8]
    waves = measures.of_parameters(mixes, draws).waves
    priors = [Scaled(prior) for prior in exact_priors(["sine", "saw"])]
    points = measures.stein_points(mixes, priors, waves, generator(2))
    right = measures.stein_discrepancy(points)
    assert abs(right.mean().item()) < 4 * right.std().item() / math.sqrt(len(right))
    middle = points.points.mean(1, keepdim=True)
    for factor in (0.5, 2.0):
        moved = middle + factor * (points.points - middle)
        number, length = len(priors), waves.shape[3]
        sigma = 0.5 / math.sqrt(2 * number)
        parts = moved.unflatten(2, (number, length)).permute(2, 0, 1, 3)
        left = mixes.mix[:, None] - parts.sum(0)
        scores = torch.stack([
            (prior.denoise(part.flatten(0, 1)[:, None], sigma)[:, 0].view(part.shape) - part) / sigma**2
            for prior, part in zip(priors, parts, strict=True)
        ]) + left / (0.5**2 / 2)  # fmt: skip
        wrong = measures.stein_discrepancy(measures.Stein(moved, measures._joined(scores), points.width))
        assert wrong.mean() > right.mean() + 4 * right.std() / math.sqrt(len(right))


def test_the_noisy_sources_of_stein_points_have_the_mixs_noise():
    """sum z + noise of half the variance is the mix: what is left of it has that variance."""
    mixes, truth = problem(["sine", "saw"], 400, 16, 0.4)
    priors = [SimpleNamespace(denoise=lambda x, sigma: x)] * 2
    waves = measures.of_parameters(mixes, truth).waves
    points = measures.stein_points(mixes, priors, waves, generator())
    parts = points.points.unflatten(2, (2, 16)).permute(2, 0, 1, 3)
    left = mixes.mix[:, None] - parts.sum(0)
    assert left.var().item() == pytest.approx(0.4**2 / 2, rel=0.05)
    noise = parts - waves
    assert noise.var().item() == pytest.approx(0.4**2 / 4, rel=0.05)
    assert (noise[0] * noise[1]).mean().abs() < 0.003 and (noise[0] * left).mean().abs() < 0.003


def fidelity_rows(**of_sampler):
    """Rows of ten mixes: exact draws with five replicates, and one sampler."""
    even = {f"rank_{place}": 1 / 8 for place in range(8)}
    base = {"dataset": "d", "mix": "easy", "coverage_50": 0.5, "coverage_95": 0.95, "energy_distance": 0.0, "stein": 0,
            "mean_error": 1 / 39, "explanations": 1, "mode_distance": 0.0, "elsewhere": 0.0, **even}  # fmt: skip
    items = pd.DataFrame({"item": range(10)})
    wobble = np.linspace(-0.05, 0.05, 10)
    best = pd.concat([
        items.assign(**base, replicate=replicate, method=running.EXACT, prior="exact", error=0.05, truth_50=0.4,
                     truth_95=1.0) for replicate in range(5)
    ])  # fmt: skip
    own = items.assign(**base | of_sampler, method="some", prior="score", calls=7)
    for name in ("coverage_50", "coverage_95"):
        own[name] = (own[name] + wobble).clip(0, 1)
    return pd.concat([best, own], ignore_index=True)


@pytest.mark.parametrize(
    ("of_sampler", "verdict"),
    [
        ({}, "samples"),
        ({"coverage_95": 0.6}, "points: too narrow"),
        ({"coverage_50": 0.8}, "points: too wide"),
        ({"energy_distance": 0.5}, "points: wrong places"),
        ({"elsewhere": 0.7, "coverage_95": 0.2}, "misses"),
    ],
)
def test_the_verdict_follows_from_the_row(of_sampler, verdict):
    rows = table.posterior_fidelity(fidelity_rows(**of_sampler), 128)
    assert rows["mix"].tolist() == ["all", "all", "easy", "easy"]
    assert rows["verdict"].tolist() == ["exact", verdict] * 2
    assert rows["calls"].tolist()[1::2] == [7, 7] and rows["effective_particles"][1] == pytest.approx(39)
    assert rows["truth_50"].tolist()[::2] == [0.4] * 2 and rows["truth_50"][1::2].isna().all()


def test_of_few_mixes_there_is_no_verdict():
    few = fidelity_rows()
    few = few[few["item"] < 3]
    assert table.posterior_fidelity(few, 128)["verdict"].tolist() == ["exact", "undecided"] * 2
