"""Samplers of Gaussian sources against their own closed-form law, plans and acceptance against what they say."""

import math

import numpy as np
import pytest
import torch
from audiopriors.separation import acceptance, gibbs, references, samplers, schedules

VARIANCES = (1.0, 0.3, 0.05)  # of three Gaussian sources
MIX = 0.9
PLAN = samplers.Plan((3.0, 1.5, 0.7, 0.3), (0.2, 0.05), (2.0, 5.0, 1.0))
RUNS = 200_000


def denoisers(calls=None):
    """E[s | s + sigma n] of each source."""

    def one(number, variance):
        def denoise(x, sigma):
            if calls is not None:
                calls.append((number, sigma))
            return variance / (variance + sigma**2) * x

        return denoise

    return [one(*source) for source in enumerate(VARIANCES)]


def mixes(runs=RUNS):
    return torch.full((runs, 1, 1), MIX, dtype=torch.double)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Law:
    """A Gaussian state, under affine maps of it and of fresh noise: mean and a factor whose rows are noises."""

    def __init__(self, size):
        self.mean, self.noise = np.zeros(size), np.zeros((0, size))

    def set(self, row, weights, constant, *deviations):
        """state[row] = weights . state + constant + noises that are fresh."""
        mean, noise = weights @ self.mean + constant, self.noise @ weights
        self.mean[row] = mean
        self.noise[:, row] = noise
        for deviation in deviations:
            fresh = np.zeros((1, len(self.mean)))
            fresh[0, row] = deviation
            self.noise = np.concatenate([self.noise, fresh])

    def covariance(self):
        return self.noise.T @ self.noise


def agree(state, mean, covariance):
    """Samples (N, runs, 1, 1) have that mean and covariance, within five standard errors."""
    samples = state[:, :, 0, 0].numpy()
    deviation = np.sqrt(np.diag(covariance)) + 1e-12
    assert np.abs(samples.mean(1) - mean).max() < 5 * deviation.max() / math.sqrt(RUNS)
    scale = np.outer(deviation, deviation)
    assert (np.abs(np.cov(samples) - covariance) / scale).max() < 5 * math.sqrt(2 / RUNS) + 1e-9


@pytest.mark.parametrize(
    ("share", "turns", "turn", "noise"), [(None, 1, 0, 0.0), (0.15, 1, 0, 0.0), (None, 3, 2, 0.0), (0.15, 1, 0, 0.4)]
)
def test_alternating_has_its_own_law(share, turns, turn, noise):
    """Also of a mix with noise of its own, which takes the place of noise that is added where there is some."""
    state = samplers.alternating(
        mixes(turns * RUNS), denoisers(), PLAN, generator(), share=share, turns=turns, noise=noise
    )
    state = state[:, turn::turns]
    number = len(VARIANCES)
    part = share or 1 / number
    kept, fresh = math.sqrt(part), math.sqrt(1 - (number - 1) * part)
    law = Law(2 * number)  # the samples' noises, then estimates
    for k in range(number):
        law.set(k, np.zeros(2 * number), 0.0, kept)
    for level, sigma in enumerate(PLAN.sigmas + PLAN.settle):
        settling = level >= len(PLAN.sigmas)
        added = math.sqrt(max(0.0, (fresh * sigma) ** 2 - noise**2))
        for k in ((1, 0, 2) * 2)[turn : turn + 3]:  # by entry
            if sigma <= PLAN.entries[k]:
                gain = VARIANCES[k] / (VARIANCES[k] + sigma**2)
                others = np.zeros(2 * number)
                for j in set(range(number)) - {k}:
                    others[[j, number + j]] = 0 if settling else -gain * sigma, -gain
                law.set(number + k, others, gain * MIX, *([] if settling else [gain * added]))
            if not settling:
                law.set(k, np.zeros(2 * number), 0.0, kept)
    agree(state, law.mean[number:], law.covariance()[number:, number:])


@pytest.mark.parametrize("share", [None, 0.2, 0.9])
def test_alternating_gives_each_denoiser_its_noise_level(share):
    """Far above the sources, what a denoiser sees has the deviation sigma that it is told, whatever was before."""
    seen = []

    def spy(x, sigma):
        seen.append(x.std().item() / sigma)
        return torch.zeros_like(x)

    plan = samplers.Plan((9.0, 6.0, 2.0), (0.1, 0.05), (10.0, 10.0, 10.0))
    samplers.alternating(mixes(), [spy] * 3, plan, generator(), share=share)
    assert seen[:9] == pytest.approx([1.0] * 9, abs=0.01)


def test_fewer_items_than_turns_ask_nobody_for_nothing():
    calls = []

    def asked(x, sigma):
        calls.append(len(x))
        return 0.5 * x

    few = samplers.alternating(mixes(2), [asked] * 3, PLAN, generator(), turns=4)
    gibbs.diffusion_within_gibbs(mixes(2), [asked] * 3, [asked] * 3, PLAN, turns=4)
    assert set(calls) == {1} and few.isfinite().all()


def test_samplers_draw_the_noise_that_denoisers_know():
    """Noise of three times the deviation is as three times the levels, for denoisers that are asked so."""
    louder = samplers.Plan(tuple(3 * s for s in PLAN.sigmas), PLAN.settle, tuple(3 * s for s in PLAN.entries))
    third = [lambda x, sigma, ask=ask: ask(x, sigma / 3) for ask in denoisers()]

    def asked(part):  # the last sweeps have no noise, and the same levels
        return [lambda x, sigma, ask=ask: ask(x, sigma if sigma in PLAN.settle else part * sigma) for ask in third]

    shaped = samplers.alternating(mixes(8), asked(3), PLAN, generator(), coloured=lambda white: 3 * white)
    torch.testing.assert_close(shaped, samplers.alternating(mixes(8), asked(1), louder, generator()))
    plain = {"guidance": "gaussian", "width": 2.0}
    shaped = samplers.guided(mixes(8), denoisers(), PLAN, generator(), **plain, coloured=torch.zeros_like)
    assert torch.equal(
        shaped, samplers.guided(mixes(8), denoisers(), PLAN, generator(9), **plain, coloured=torch.zeros_like)
    )


def test_sources_take_part_from_their_entry_on():
    calls = []
    samplers.alternating(mixes(2), denoisers(calls), PLAN, generator())
    assert [call for call in calls if call[1] == 3.0] == [(1, 3.0)]
    assert [call for call in calls if call[1] == 1.5] == [(1, 1.5), (0, 1.5)]
    assert [number for number, sigma in calls if sigma == 0.7] == [1, 0, 2]


@pytest.mark.parametrize("guidance", ["dirac", "gaussian"])
@pytest.mark.parametrize("churn", [0.0, 0.2])
def test_guided_has_its_own_law(guidance, churn):
    width = 1.3
    state = samplers.guided(mixes(), denoisers(), PLAN, generator(1), guidance=guidance, width=width, churn=churn)
    levels = PLAN.sigmas + PLAN.settle
    number = len(VARIANCES)
    free = number - (guidance == "dirac")
    # whole = lift . state + offset
    lift, offset = np.eye(number, free), np.zeros(number)
    if guidance == "dirac":
        lift[-1], offset[-1] = -1.0, MIX
    mean = np.full(free, MIX / number if guidance == "dirac" else 0.0)
    covariance = levels[0] ** 2 * np.eye(free)
    for sigma, after in zip(levels, (*levels[1:], 0.0), strict=True):
        raised = sigma * (1 + churn)
        covariance = covariance + (raised**2 - sigma**2) * np.eye(free)
        pull = np.diag([v / (v + raised**2) - 1 for v in VARIANCES])
        slope, constant = pull @ lift, pull @ offset
        if guidance == "dirac":
            slope, constant = slope[:-1] - slope[-1], constant[:-1] - constant[-1]
        else:
            slope, constant = slope - np.ones((number, number)) / width**2, constant + MIX / width**2
        step = 1 - after / raised
        matrix = np.eye(free) + step * slope
        mean, covariance = matrix @ mean + step * constant, matrix @ covariance @ matrix.T
    agree(state, lift @ mean + offset, lift @ covariance @ lift.T)


@pytest.mark.parametrize("by_scores", [False, True])
def test_metropolis_has_the_posterior_and_plain_langevin_has_not(by_scores):
    """For Gaussians, differences of log p by scores are exact, and log p may be missing."""
    sigma, width = 0.5, 0.8
    variances = torch.tensor(VARIANCES[:2], dtype=torch.double)[:, None, None, None]

    def prior(state):
        total = variances + sigma**2
        log_prob = (-0.5 * state.square() / total).sum((2, 3))
        return torch.full_like(log_prob, torch.nan) if by_scores else log_prob, -state / total

    level = samplers.Level(prior, sigma, steps=120, step_size=0.3, mixture_width=width)
    precision = np.diag([1 / (v + sigma**2) for v in VARIANCES[:2]]) + np.ones((2, 2)) / (width * sigma) ** 2
    covariance = np.linalg.inv(precision)
    mean = covariance @ np.ones(2) * MIX / (width * sigma) ** 2
    start = torch.zeros(2, RUNS, 1, 1, dtype=torch.double)
    state, stopped = samplers.metropolis(start, mixes(), [level], generator(2), by_scores=by_scores)
    agree(state, mean, covariance)
    assert not stopped.any()
    plain, _ = samplers.langevin(start, mixes(), [level], generator(2))
    eta = level.step_size * sigma**2
    inflated = np.linalg.inv(precision @ (np.eye(2) - eta / 2 * precision))
    agree(plain, mean, inflated)


def test_a_level_leaves_room_for_the_noise_of_the_mix():
    """Gamma^2 + N sigma^2 is at least the variance of the noise that the mix has itself."""
    level = samplers.Level(None, sigma=0.1, steps=1, step_size=0.1, mixture_width=0.5, noise=0.3)
    assert level.gamma(2) ** 2 + 2 * 0.1**2 == pytest.approx(0.3**2)
    assert level.gamma(20) == 0.5 * 0.1
    assert samplers.Level(None, 0.1, 1, 0.1, 0.5).gamma(2) == 0.05


def test_a_plan_for_a_mix_with_noise_ends_there():
    curves = [schedules.curve(gaussian_rows(power)) for power in (1.0, 0.2)]
    plan = {"levels": 9, "settle": 3, "entry": 0.8, "end": 0.01}
    noisy = schedules.plan(curves, **plan, last=0.4)
    assert noisy.settle == () and noisy.sigmas[-1] == pytest.approx(0.4) and len(noisy.sigmas) == 9
    assert noisy.entries == schedules.plan(curves, **plan).entries


def test_alternating_begins_at_a_start():
    """Denoisers that keep what they see: without noise the first source gets what the other's start leaves."""
    mix, start = torch.full((1, 1, 3), 5.0), torch.stack([torch.full((1, 1, 3), value) for value in (1.0, 2.0)])
    plan = samplers.Plan((), (0.1,), (1.0, 0.01))  # the second source does not take part yet
    estimates = samplers.alternating(mix, [lambda x, sigma: x] * 2, plan, generator(), start=start)
    assert estimates[:, 0, 0, 0].tolist() == [3.0, 2.0] and start[0, 0, 0, 0] == 1


def test_restarts_until_accepted():
    """Items need 1, 2, ... rounds; the best of all rounds is kept, also of an item that is never accepted."""
    rounds = []

    def run(mix):
        """Item m is found in round m: its misfit is then 0.5, before 2 + noise."""
        number = len(rounds)
        rounds.append(mix[:, 0, 0].tolist())
        misfit = torch.where(mix[:, 0, 0] == number, 0.5, 2.0 - 0.1 * number)
        return torch.stack([mix * 0 + number, mix]), misfit

    watched = []
    mix = torch.tensor([0.0, 2.0, 9.0])[:, None, None]
    estimates, misfit = samplers.restarted(
        run, mix, particles=[2] * 4, accept=1.0, watch=lambda *seen: watched.append(seen)
    )
    assert rounds == [[0, 0, 2, 2, 9, 9], [2, 2, 9, 9], [2, 2, 9, 9], [9, 9]]
    assert misfit.tolist() == [0.5, 0.5, pytest.approx(1.7)]
    assert estimates[0].flatten().tolist() == [0, 2, 3] and estimates[1].flatten().tolist() == [0, 2, 9]
    assert [seen[1].tolist() for seen in watched] == [[0, 1, 2], [1, 2], [1, 2], [2]]
    assert watched[0][2].shape == (2, 3, 2, 1, 1) and watched[0][3].shape == (3, 2)


def test_particles_combined():
    mix = torch.randn(2, 1, 4096, generator=generator())
    truth = torch.stack([0.3 * mix, 0.7 * mix])
    noise = 0.01 * torch.randn(2, 2, 4, 1, 4096, generator=generator(1))
    estimates = truth[:, :, None] + noise
    torch.testing.assert_close(samplers.mean(estimates, mix), truth + noise.mean(2))
    for combine in (samplers.mask, samplers.shared):
        combined = combine(estimates, mix)
        torch.testing.assert_close(combined.sum(0), mix, rtol=0, atol=1e-5)
        assert (combined - truth).std() < 0.01 * mix.std()
    silent = torch.stack([estimates[0], 0 * estimates[1]])  # what the average leaves is the other's, by its power
    torch.testing.assert_close(samplers.shared(silent, mix)[0], mix, rtol=0, atol=1e-5)
    combined, _ = samplers.restarted(
        lambda some: (torch.stack([some, some + 2]), torch.ones(len(some))), mix, particles=[2], accept=0.0,
        combine=lambda estimates, mix: estimates.mean(2) + mix,
    )  # fmt: skip
    torch.testing.assert_close(combined, torch.stack([2 * mix, 2 * mix + 2]))


def test_not_a_number_is_never_the_best():
    def run(mix):
        return mix[None].clone(), torch.tensor([float("nan"), 3.0])

    _, misfit = samplers.restarted(run, torch.zeros(1, 1, 4), particles=[2] * 2, accept=1.0)
    assert misfit.tolist() == [3.0]


# Gaussian sources N(0, v) and mixture width Gamma: everything is known.
def gaussian_prior(variance):
    def prior(state):
        log_prob = -0.5 * state.double().square().sum((2, 3)) / variance
        return log_prob, -state / variance

    return prior


@pytest.mark.parametrize(("sources", "step_size"), [(2, 0.02), (2, 0.5), (4, 0.3)])
def test_langevin_has_its_own_stationary_law(sources, step_size):
    """On a Gaussian of precision L: the posterior's mean, and covariance L^-1 (1 - eta L / 2)^-1."""
    variance, sigma, width, items = 0.8, 0.5, 0.9, 60_000
    gamma, eta = width * sigma, step_size * sigma**2
    mix = torch.full((items, 1, 1), 1.7, dtype=torch.double)
    precision = torch.eye(sources, dtype=torch.double) / variance + torch.ones(sources, sources) / gamma**2
    mean = torch.linalg.solve(precision, torch.full((sources,), 1.7 / gamma**2, dtype=torch.double))
    # the chain's law contracts as (1 - eta / variance)^steps in its slowest direction
    steps = int(np.ceil(np.log(1e-3) / np.log(1 - eta / variance)))
    level = samplers.Level(gaussian_prior(variance), sigma, steps, step_size, width)
    generator = torch.Generator().manual_seed(0)
    start = torch.zeros(sources, items, 1, 1, dtype=torch.double)
    state, stopped = samplers.langevin(start, mix, [level], generator)
    state = state[:, :, 0, 0]
    assert not stopped.any()
    expected = torch.linalg.inv(precision @ (torch.eye(sources) - eta / 2 * precision))
    error = 5 * expected.diagonal().max() / items**0.5
    assert (state.mean(1) - mean).abs().max() < 5 * (expected.diagonal().max() / items) ** 0.5 + 2e-3
    assert (torch.cov(state) - expected).abs().max() < 1.5 * error + 2e-3
    if step_size == 0.02:  # a small step: the posterior itself
        assert (torch.cov(state) - torch.linalg.inv(precision)).abs().max() < 0.03


def test_langevin_levels_in_turn_and_callback():
    seen = []
    levels = [samplers.Level(gaussian_prior(1.0), sigma, 3, 0.1, 1.0) for sigma in (1.0, 0.1)]
    start, mix = torch.zeros(2, 5, 1, 8), torch.ones(5, 1, 8)
    samplers.langevin(start, mix, levels, torch.Generator().manual_seed(0), lambda *values: seen.append(values))
    assert [(number, step) for number, step, *_ in seen] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    _, _, energy, residual, _ = seen[0]
    assert energy.tolist() == pytest.approx([8 / 2] * 5) and residual.tolist() == pytest.approx([1.0] * 5)


def test_langevin_stops_only_the_item_that_diverges():
    def prior(state):
        gradient = torch.zeros_like(state)
        gradient[:, 1] = 1e9
        gradient[0, 2] = torch.nan
        return torch.zeros(state.shape[:2]), gradient

    level = samplers.Level(prior, 1.0, 3, 0.1, 1.0)
    start = torch.full((2, 4, 1, 8), 0.25)
    state, stopped = samplers.langevin(start, torch.ones(4, 1, 8), [level], torch.Generator().manual_seed(0))
    assert stopped.tolist() == [False, True, True, False]
    assert torch.isfinite(state).all() and torch.equal(state[:, 1:3], start[:, 1:3])


def test_denoise_is_tweedie():
    """For N(0, v) smoothed by sigma, E[s | s + noise] = x v / (v + sigma^2)."""
    x = torch.randn(2, 3, 1, 8)
    denoised = samplers.denoise(x, gaussian_prior(0.8 + 0.25), 0.5)
    torch.testing.assert_close(denoised, x * 0.8 / 1.05)


def test_parametric_oracle_finds_the_amplitudes():
    waves = torch.randn(3, 4, 1, 100, dtype=torch.double)
    truth = waves * torch.tensor([0.8, 0.9, 1.0], dtype=torch.double)[:, None, None, None]
    torch.testing.assert_close(references.amplitudes_by_least_squares(waves, truth.sum(0)), truth)
    unison = torch.cat([waves[:1], waves[:1]])  # no unique answer: the smallest, and still consistent
    estimate = references.amplitudes_by_least_squares(unison, 2 * waves[0])
    torch.testing.assert_close(estimate.sum(0), 2 * waves[0])


def gaussian_denoiser(power):
    return lambda x, sigma: power / (power + sigma**2) * x


def gaussian_rows(power, items=2000, length=50):
    """Rows of `schedules.errors` of a Gaussian source of that power and its own denoiser."""
    torch.manual_seed(0)
    clean = power**0.5 * torch.randn(items, 1, length, dtype=torch.double)
    return schedules.errors(
        gaussian_denoiser(power), clean, np.geomspace(0.01, 30, 25).tolist(),
        lambda level: torch.randn(clean.shape, generator=generator(level + 1), dtype=torch.double),
    )  # fmt: skip


def test_error_curve_is_the_denoisers():
    curve = schedules.curve(gaussian_rows(0.3))
    expected = curve.sigmas**2 / (0.3 + curve.sigmas**2)
    np.testing.assert_allclose(curve.relative, expected, rtol=0.03)
    assert curve.power == pytest.approx(0.3, rel=0.02)
    assert curve.level(0.5) == pytest.approx(math.sqrt(0.3), rel=0.03)
    assert curve.scaled(0.5).level(0.5) == pytest.approx(0.5 * math.sqrt(0.3), rel=0.03)
    assert curve.scaled(0.5).power == pytest.approx(0.075, rel=0.02)


def test_plan_follows_the_curves():
    curves = [schedules.curve(gaussian_rows(power)) for power in (1.0, 0.01)]
    plan = schedules.plan(curves, levels=40, settle=4, entry=0.5, end=0.1)
    assert plan.entries == pytest.approx((1.0, 0.1), rel=0.05)
    assert plan.sigmas[0] == pytest.approx(1.0, rel=0.05) and len(plan.sigmas) == 40
    assert plan.sigmas[-1] == pytest.approx(0.1 / 3, rel=0.1)  # 0.1 = s^2 / (P + s^2) of the smaller source
    assert list(plan.sigmas) == sorted(plan.sigmas, reverse=True)
    assert plan.settle[0] == pytest.approx(plan.sigmas[-1]) and plan.settle[-1] == pytest.approx(0.01)
    # Items of 50 samples: the error's mean plus 1.645 of its standard deviations, sqrt(2 / 50) of each source's.
    parts = np.array([0.04 / 1.04, 0.04 * 0.01 / 0.05])
    expected = parts.sum() + 1.645 * math.sqrt(2 / 50) * np.linalg.norm(parts)
    assert acceptance.reachable(curves, 0.2) == pytest.approx(math.sqrt(expected), rel=0.05)
    # A source scaled by 10, with its mix, gives the same plan, 10 times as large.
    scaled = schedules.plan([curve.scaled(10) for curve in curves], levels=40, settle=4, entry=0.5, end=0.1)
    np.testing.assert_allclose(scaled.sigmas, 10 * np.array(plan.sigmas), rtol=1e-9)


def test_misfit_is_the_worst_residual_without_noise():
    curves = [schedules.curve(gaussian_rows(1.0, 50))]
    plan = samplers.Plan((3.0, 1.0), (0.5, 0.1), (5.0,))
    seen = []
    misfit = acceptance.Misfit(plan, curves, lambda *call: seen.append(call[0]))
    for level, residual in enumerate([9.0, 9.0, 0.2, 0.3]):
        misfit(level, 0, torch.zeros(1), torch.tensor([residual], dtype=torch.double), torch.zeros(1, 1, 1, 1))
    expected = max(0.2 / acceptance.reachable(curves, 0.5), 0.3 / acceptance.reachable(curves, 0.1))
    assert misfit.value.item() == pytest.approx(expected) and seen == [0, 1, 2, 3]
    # Two estimates of correlation .6 could trade what the residual does not see.
    waves = torch.eye(3, dtype=torch.double)[:, None, None]  # three sources, orthogonal
    waves[2] = 0.6 * waves[0] + 0.8 * waves[2]
    assert acceptance.correlation(torch.cat([5 * waves, waves[[0, 1, 1]]], 1)).tolist() == pytest.approx([0.6, 1.0])
    doubtful = acceptance.Misfit(plan, curves)
    doubtful(2, 0, torch.zeros(1), torch.tensor([0.2], dtype=torch.double), waves)
    assert doubtful.value.item() == pytest.approx(0.2 / acceptance.reachable(curves, 0.5) / 0.8)


def test_a_denoiser_that_does_nothing_finds_nothing():
    def curve(denoiser):
        clean = torch.ones(4, 1, 50, dtype=torch.double)
        noise = torch.randn(clean.shape, generator=generator(1), dtype=torch.double)
        return schedules.curve(
            schedules.errors(denoiser, clean, np.geomspace(0.01, 10, 20).tolist(), lambda level: noise)
        )

    nothing = curve(lambda x, sigma: x)
    knows = curve(lambda x, sigma: x.mean(2, keepdim=True).expand_as(x))  # all but a fiftieth of the noise is removed
    assert nothing.relative[0] < 0.01 and not schedules.can_find([knows, nothing], 0.01)
    assert schedules.can_find([knows, knows], 0.01)


def test_energy_tells_whose_source_was_found():
    powers, plan = (1.0, 0.01), samplers.Plan((2.0, 0.05), (), (2.0, 0.2))
    denoisers = [gaussian_denoiser(power) for power in powers]

    def energy(*sources, length):
        curves = [schedules.curve(gaussian_rows(power, 200, length)) for power in powers]
        return acceptance.energies(torch.stack(sources), denoisers, curves, plan, generator(1)).amax(0)

    # Short frames, of items that differ: 95 % of a prior's own or more, each with an error, are below 1.
    loud, quiet = (power**0.5 * torch.randn(4000, 1, 50, dtype=torch.double) for power in powers)
    left = [(0.05**2 * power / (power + 0.05**2)) ** 0.5 * torch.randn_like(loud) for power in powers]
    share = (energy(loud + left[0], quiet + left[1], length=50) <= 1).double().mean()
    assert share >= 0.95
    assert (energy(quiet, loud, length=50) > 1).all()
    # Long frames: the loss of a source of power Q under a prior of power P in closed form.
    expected = []
    for power, other, entry in zip(powers, (0.5, 0.01), plan.entries, strict=True):
        square = np.geomspace(0.05, entry, 8) ** 2
        error = power * square / (power + square)
        loss = (square / (power + square)) ** 2 * other + (power / (power + square)) ** 2 * square
        expected.append((loss / error).sum() / (1 + error[0] / error).sum())
    half = 0.5**0.5 * torch.randn(20, 1, 5000, dtype=torch.double)
    assert energy(half, 0.1 * torch.randn_like(half), length=5000).mean() == pytest.approx(
        max(expected) ** 0.5, rel=0.03
    )
