"""Emphasised waves: the filter, a prior with a second denoiser, and the sampler that begins with them."""

import math

import numpy as np
import pytest
import torch
from audiopriors import registry
from audiopriors.audio.emphasis import Emphasis
from audiopriors.checkpoints import build_prior
from audiopriors.errors import UserError
from audiopriors.separation import acceptance, samplers, schedules
from audiopriors.separation import running as separation
from audiopriors.separation.methods import alternating_pairs
from families import EMPHASISED, Gaussian

LENGTH, VARIANCES = 40, {"loud": 1.0, "soft": 0.4, "softest": 0.1}
SOURCES = list(VARIANCES)
MIX = {"name": "all", "sources": SOURCES, "gains": [1, 0.5, 1], "unison": 0, "noise": 0, "skip": 0}
PLAN = {"levels": 6, "settle": 2, "entry": 0.5, "end": 0.1}
EMPHASIS = Emphasis(1.5, 0.05)
CPU = torch.device("cpu")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.double)


class Emphasised(Gaussian):
    """White Gaussian waves. With emphasis they have the variance v |g|^2 at a frequency, and a Wiener filter."""

    emphasis = EMPHASIS

    def restore_emphasised(self, x, sigma):
        impulse = torch.zeros(x.shape[-1], dtype=x.dtype)
        impulse[0] = 1
        power = self.variance * torch.fft.rfft(EMPHASIS.apply(impulse)).abs().square()
        return torch.fft.irfft(torch.fft.rfft(x) * power / (power + sigma**2), n=x.shape[-1])


def rows_of(prior, emphasised=True):
    """What the error_curve program writes of a prior."""
    clean, sigmas = prior.variance**0.5 * normal(300, 1, LENGTH, seed=7), np.geomspace(0.01, 30, 25).tolist()

    def noise(level):
        return normal(*clean.shape, seed=level + 10)

    rows = schedules.errors(prior.denoise, clean, sigmas, noise)
    if emphasised:
        second = schedules.errors(prior.restore_emphasised, EMPHASIS.apply(clean), sigmas, noise)
        rows = rows.assign(**{name: second[key] for key, name in schedules.EMPHASISED.items()})
    return rows


PRIORS = {source: Emphasised(variance) for source, variance in VARIANCES.items()}
CURVES = {source: schedules.curve(rows_of(prior)) for source, prior in PRIORS.items()}


def sampler(curves=CURVES, pairs=5, **changes):
    method = {"sampler": "alternating_pairs", "plan": PLAN, "particles": 1, "rounds": 1, "accept": 1}
    method |= {"settings": {"kept": 0.2, "pairs": pairs}}
    priors = {(source, "all"): prior for source, prior in PRIORS.items()}
    return separation.sampler_of(method, MIX | changes, priors, curves, CPU)


@pytest.mark.parametrize("length", [63, 64])
def test_the_filter_has_its_gain_and_an_inverse(length):
    waves = normal(3, 2, length)
    torch.testing.assert_close(EMPHASIS.undo(EMPHASIS.apply(waves)), waves)
    times = torch.arange(length, dtype=torch.double)
    low, high = (torch.cos(2 * math.pi * cycles * times / length) for cycles in (2, 20))
    ratio = EMPHASIS.apply(high).norm() / EMPHASIS.apply(low).norm() * low.norm() / high.norm()
    expected = (((20 / length) ** 2 + 0.05**2) / ((2 / length) ** 2 + 0.05**2)) ** 0.75
    assert ratio.item() == pytest.approx(expected)
    noise = EMPHASIS.apply(normal(4000, length))
    assert noise.square().mean().item() == pytest.approx(1, abs=0.03)  # white noise keeps its deviation


def test_both_denoisers_are_trained_on_the_same_noise():
    """The loss is the mean of a plain score prior's two losses, and each starts at its own waves' deviation."""
    prior = build_prior("score_emphasised", EMPHASISED | {"altered": 0.0}).double()
    clean, noise, sigma = normal(4, 1, 32), normal(4, 1, 32, seed=1), torch.full((4,), 0.3, dtype=torch.double)
    prior.initialise(clean + 0.3 * noise, clean, sigma)
    emphasised = prior.emphasis.apply(clean)
    torch.testing.assert_close(prior.deviation, clean.square().mean().sqrt())
    torch.testing.assert_close(prior.second.deviation, emphasised.square().mean().sqrt())
    plain = super(type(prior), prior).loss(clean + 0.3 * noise, clean, sigma)
    second = prior.second.loss(emphasised + 0.3 * noise, emphasised, sigma)
    torch.testing.assert_close(prior.loss(clean + 0.3 * noise, clean, sigma), (plain + second) / 2)
    torch.testing.assert_close(prior.restore_emphasised(emphasised, 0.3), prior.second.denoise(emphasised, 0.3))


def test_settings_of_a_family_contain_those_of_the_one_it_extends():
    base, extended = registry.schema("priors", "score"), registry.schema("priors", "score_emphasised")
    own = {key: field for key, field in extended["properties"].items() if key not in base["properties"]}
    assert extended["properties"] == base["properties"] | own and list(own) == ["exponent", "corner"]
    assert extended["required"] == [*base["required"], "exponent", "corner"]


def test_a_curve_has_the_one_of_the_second_denoiser_and_scales_it():
    plain, curve = schedules.curve(rows_of(PRIORS["soft"], emphasised=False)), CURVES["soft"].scaled(0.5)
    assert plain.emphasised is None and plain.scaled(2).emphasised is None
    np.testing.assert_array_equal(plain.relative, CURVES["soft"].relative)
    assert curve.emphasised.power == pytest.approx(0.25 * 0.4, rel=0.06)
    np.testing.assert_allclose(curve.emphasised.sigmas, plain.sigmas / 2)
    frequency = torch.fft.fftfreq(LENGTH, dtype=torch.double)
    power = (frequency.square() + 0.05**2) ** 1.5
    power = 0.1 * power / power.mean()
    expected = (power * 0.01 / (power + 0.01)).mean() / 0.1  # of the Wiener filter
    assert curve.emphasised.at(0.1) == pytest.approx(expected.item(), rel=0.1)
    assert curve.at(0.1) == pytest.approx(1 / 11, rel=0.03)


def test_priors_without_emphasis_and_mixes_with_noise_are_refused():
    plain = {source: schedules.curve(rows_of(prior, emphasised=False)) for source, prior in PRIORS.items()}
    with pytest.raises(UserError, match="alternating_pairs needs priors with emphasised waves, such as the family"):
        sampler(plain)
    with pytest.raises(UserError, match="alternating_pairs takes no mix with noise of its own"):
        sampler(noise=0.05)


def test_it_begins_with_emphasised_waves_and_goes_on_where_sources_are_kept():
    """Two runs of the pure function: in emphasised waves, and from their estimates at the level of `kept`."""
    mix, none, same = normal(3, 1, LENGTH, seed=3), sampler(pairs=1, sources=["loud"], gains=[1]), generator()
    priors = [PRIORS["loud"]]
    first = schedules.plan([CURVES["loud"].emphasised], **PLAN)
    start = samplers.alternating(EMPHASIS.apply(mix), [priors[0].restore_emphasised], first, same)
    entry = min(CURVES["loud"].level(0.2), none.plan.entries[0])
    shorter = samplers.Plan(tuple(s for s in none.plan.sigmas if s <= entry), none.plan.settle, (entry,))
    fit = acceptance.Misfit(shorter, none.curves)
    expected = samplers.alternating(mix, [priors[0].denoise], shorter, same, fit, start=EMPHASIS.undo(start))
    energies = acceptance.energies(expected, none.judging, none.curves, none.plan, same)
    seen = []
    separated = none(mix, generator(), lambda level, *_: seen.append(level))
    torch.testing.assert_close(separated.estimates, expected)
    torch.testing.assert_close(separated.misfit, (fit.value * energies[0]).sqrt())
    assert 0 < len(shorter.sigmas) < len(none.plan.sigmas)
    assert seen == list(range(len(none.sigmas) - len(shorter.sigmas + shorter.settle), len(none.sigmas)))


def test_a_pair_is_drawn_anew_while_others_stay():
    one, start, states = sampler(), normal(3, 2, 1, LENGTH), []

    def note(level, step, energy, residual, estimates):
        states.append((one.sigmas[level], estimates.clone()))

    one._annealed(start.sum(0), start, (0, 2), generator(), note)
    kept, entries = min(curve.level(0.2) for curve in one.curves), one.plan.entries
    assert states[0][0] == max(sigma for sigma in one.plan.sigmas if sigma <= max(entries[0], entries[2]))
    above = [estimates for sigma, estimates in states if sigma > kept]
    assert above and all(torch.equal(estimates[1], start[1]) for estimates in above)
    assert not any(torch.equal(states[-1][1][k], start[k]) for k in range(3))


def test_another_pair_is_taken_only_where_all_energies_together_fall(monkeypatch):
    """Of three mixes the first is accepted from the start, the second gets better, the third does not."""
    one, asked = sampler(pairs=2), []
    one.accept = 1.0

    def scripted(self, mix, start, anew, generator, callback=None):
        asked.append((anew, len(mix)))
        if not anew:
            energies = [[0.5, 3.0, 3.0], [0.9, 2.0, 2.0], [1.0, 1.0, 1.0]]
            return alternating_pairs._State(start, torch.ones(3).double(), torch.tensor(energies).double())
        energies = torch.tensor([[1.0, 2.5], [1.0, 2.5], [0.2, 0.2]]).double()[:, -len(mix) :]
        return alternating_pairs._State(start + 1, torch.full((len(mix),), 0.5).double(), energies)

    monkeypatch.setattr(alternating_pairs.Sampler, "_annealed", scripted)
    monkeypatch.setattr(alternating_pairs.Sampler, "_begun", lambda self, mix, generator: torch.stack(3 * [mix]))
    mix = normal(3, 1, LENGTH)
    separated = one(mix, generator())
    assert asked == [((), 3), ((0, 1), 2), ((0, 2), 1)]  # what is accepted is not drawn anew
    torch.testing.assert_close(separated.estimates[0], mix + torch.tensor([0.0, 1.0, 0.0])[:, None, None])
    torch.testing.assert_close(separated.misfit, torch.tensor([1.0, 0.5, 3.0]).double().sqrt())
