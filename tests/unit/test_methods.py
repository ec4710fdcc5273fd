"""Samplers as the config names them: what they compute, what the base derives, and an example of an own one."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors.errors import UserError
from audiopriors.separation import acceptance, gibbs, samplers, schedules
from audiopriors.separation import running as separation
from audiopriors.separation.methods import alternating, base
from copied import copy_examples
from families import Gaussian

VARIANCES = {"loud": 1.0, "soft": 0.1}
MIX = {"name": "two", "sources": ["loud", "soft"], "gains": [1, 0.5], "unison": 0, "noise": 0, "skip": 0}
PLAN = {"levels": 6, "settle": 2, "entry": 0.5, "end": 0.1}
CPU = torch.device("cpu")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def curve_rows() -> pd.DataFrame:
    """What the error_curve program writes of these priors."""
    rows = []
    for source, variance in VARIANCES.items():
        clean = variance**0.5 * torch.randn(300, 1, 50, generator=generator(len(source)), dtype=torch.double)
        of_source = schedules.errors(
            Gaussian(variance).denoise, clean, np.geomspace(0.01, 30, 25).tolist(),
            lambda level, clean=clean: torch.randn(clean.shape, generator=generator(level + 1), dtype=torch.double),
        )  # fmt: skip
        rows.append(of_source.assign(prior="gaussian", prior_source=source))
    return pd.concat(rows, ignore_index=True)


CURVES = schedules.curves(curve_rows())
SETTINGS = {
    "langevin": {"steps": 3, "step_size": 0.1, "mixture_width": 1.0, "metropolis": True},
    "alternating": {"turns": 2, "share": 0.3},
    "gibbs": {"steps": 3, "turns": 2},
    "guided": {"guidance": "gaussian", "width": 1.2, "churn": 0.1},
    "split_gibbs": {"steps": 3, "probe": 0.5},
    "annealed_gibbs": {"steps": 3, "probe": 0.5, "sweeps": 1},
    "twisted": {"probe": 0.5},
    "one_shot": {"returned": 0.0},
}


@pytest.fixture(autouse=True)
def examples(tmp_path, monkeypatch):
    copy_examples(tmp_path / "library", monkeypatch)


def sampler(name, *, levels=("all",), curves=CURVES, mix=MIX, **changes):
    method = {"sampler": name, "plan": PLAN, "particles": 1, "rounds": 1, "accept": 1, "settings": SETTINGS[name]}
    method |= changes
    if method["plan"] is None:
        del method["plan"]
    priors = {(source, level): Gaussian(VARIANCES[source]) for source in mix["sources"] for level in levels}
    return separation.sampler_of(method, mix, priors, curves, CPU)


def mixes(n=3, length=20):
    return torch.randn(n, 1, length, generator=generator(5), dtype=torch.double)


def test_curves_are_told_apart_by_their_source():
    assert list(CURVES) == ["loud", "soft"]
    assert CURVES["soft"].power == pytest.approx(0.1, rel=0.03)
    shuffled = schedules.curves(curve_rows().sample(frac=1, random_state=0))
    np.testing.assert_allclose(shuffled["loud"].relative, CURVES["loud"].relative)
    with pytest.raises(UserError, match="needs the error curve of each prior; there is none of 'soft'"):
        sampler("guided", curves={"loud": CURVES["loud"]})


def test_planned_samplers_are_the_pure_functions_of_the_plan():
    mix = mixes()
    curves = [CURVES["loud"], CURVES["soft"].scaled(0.5)]
    plan = schedules.plan(curves, **PLAN)
    denoisers = [lambda x, sigma, v=v: v / (v + sigma**2) * x for v in (1.0, 0.25 * 0.1)]
    alternating, misfit = sampler("alternating", combine="mean"), acceptance.Misfit(plan, curves)
    expected = samplers.alternating(mix, denoisers, plan, generator(), misfit, share=0.3, turns=2)
    separated = alternating(mix, generator())
    torch.testing.assert_close(separated.estimates, expected)
    torch.testing.assert_close(separated.misfit, misfit.value)
    assert alternating.sigmas == [*plan.sigmas, *plan.settle] and separated.accepted.isnan().all()
    drawn, misfit = sampler("gibbs", combine="mean"), acceptance.Misfit(plan, curves)
    same = generator()
    draws = [gibbs.by_reverse_diffusion(one, plan.settle[-1], 3, same) for one in denoisers]
    expected = gibbs.diffusion_within_gibbs(mix, draws, denoisers, plan, misfit, turns=2)
    separated = drawn(mix, generator())
    torch.testing.assert_close(separated.estimates, expected)
    torch.testing.assert_close(separated.misfit, misfit.value)
    expected = samplers.guided(mix, denoisers, plan, generator(), guidance="gaussian", width=1.2, churn=0.1)
    torch.testing.assert_close(sampler("guided")(mix, generator()).estimates, expected)


@pytest.mark.parametrize("name", ["alternating", "gibbs"])
def test_what_can_be_accepted_is_judged_by_residual_and_energy(name):
    judged, plain, curves = sampler(name), sampler(name), [CURVES["loud"], CURVES["soft"].scaled(0.5)]
    judged.accept = 1.0  # as if the priors could find their sources
    seen, same = [], generator()
    separated = judged(mixes(), generator(), lambda level, *_: seen.append(level))
    of_residual = plain(mixes(), same)
    torch.testing.assert_close(separated.estimates, of_residual.estimates)
    energy = acceptance.energies(separated.estimates, plain.judging, curves, plain.plan, same).amax(0)
    torch.testing.assert_close(separated.misfit, (of_residual.misfit * energy).sqrt())
    assert seen == list(range(len(judged.sigmas))) and not separated.stopped.any()


def test_langevin_is_the_pure_function_at_the_methods_sigmas():
    mix, sigmas = mixes(), ["0.5", "0.1"]

    def level(sigma):
        total = torch.tensor([1 + sigma**2, 0.25 * (0.1 + (sigma / 0.5) ** 2)])[:, None, None, None]
        constant = 10 * torch.log(2 * math.pi * total)[:, 0, 0]
        return samplers.Level(
            lambda state: (-0.5 * (state.square() / total).sum((2, 3)) - constant, -state / total), sigma, 3, 0.1, 1.0
        )

    levels = [level(float(sigma)) for sigma in sigmas]
    start = mix / 2 + 0.5 * torch.randn(2, *mix.shape, generator=(same := generator()))
    expected, _ = samplers.metropolis(start, mix, levels, same)
    expected = samplers.denoise(expected, levels[-1].prior, 0.1)
    for of_levels in (sigmas, ["all"]):  # a model of each sigma, or one of all
        langevin = sampler("langevin", plan=None, sigmas=sigmas, noise_free_sigma=0.01, levels=of_levels)
        torch.testing.assert_close(langevin(mix, generator()).estimates, expected, rtol=1e-4, atol=1e-4)
    noise_free = sampler("langevin", plan=None, sigmas=["0"], noise_free_sigma=0.02, levels=["0"])
    assert noise_free.sigmas == [0.02]


def test_what_is_missing_is_named():
    with pytest.raises(UserError, match=r"no prior of loud at sigma 0.5; there are loud at 0.1, soft at 0.1"):
        sampler("langevin", plan=None, sigmas=["0.5"], noise_free_sigma=0.01, levels=["0.1"])
    with pytest.raises(UserError, match="the sampler guided needs a plan"):
        sampler("guided", plan=None, sigmas=["0.5"], levels=["0.5"])
    samplers_that_exist = (
        "there are alternating, alternating_pairs, annealed_gibbs, gibbs, guided, langevin, one_shot, split_gibbs, "
        "twisted"
    )
    with pytest.raises(UserError, match=f"no 'nope' in separation/methods: {samplers_that_exist}"):
        separation.sampler_of({"sampler": "nope", "settings": {}}, MIX, {}, {}, CPU)


@pytest.mark.parametrize(
    "name", ["alternating", "gibbs", "guided", "langevin", "split_gibbs", "annealed_gibbs", "twisted"]
)
def test_particles_of_a_mix_with_noise(name):
    """Levels end by the mix's noise, nothing is accepted, and all particles are returned, those of a mix together."""
    noisy = MIX | {"noise": 0.05, "gains": [1, 1]}
    one = sampler(name, mix=noisy)
    last = {"alternating": 0.05 / math.sqrt(1 - 0.3), "split_gibbs": 0.05 / 4, "gibbs": 0.05, "annealed_gibbs": 0.05}
    assert one.sigmas[-1] == pytest.approx(last.get(name, 0.05 / 8)) and len(one.sigmas) == PLAN["levels"]
    assert one.accept == 0
    mix = torch.cat([torch.full((1, 1, 400), 1.0), torch.full((1, 1, 400), -1.0)]).double()
    particles = one.all_particles(mix, generator(), 7)
    assert particles.shape == (2, 2, 7, 1, 400) and particles.isfinite().all() and one.calls > 0
    assert (particles[:, 0].mean((1, 2, 3)) > 0).all() and (particles[:, 1].mean((1, 2, 3)) < 0).all()
    if name != "twisted":  # its last step resamples: of few particles in 400 dimensions, one is left
        assert (particles[:, :, 0] - particles[:, :, 1]).abs().amax((2, 3)).min() > 0
    assert one(mix, generator()).accepted.ne(1).all()


class Scripted(base.Sampler):
    """Its misfit is the script's, one a round."""

    judges = True
    script = (2.0, 0.5)

    def run(self, mix, generator, callback):
        self.rounds = getattr(self, "rounds", 0) + 1
        zeros = torch.zeros(len(mix))
        callback(0, 0, zeros, zeros, torch.stack([mix, mix]))
        return torch.stack([mix, 0 * mix]), self.none_stopped(mix), zeros.double() + self.script[self.rounds - 1]


def scripted(**changes):
    method = {"sampler": "scripted", "plan": PLAN | {"end": 0.3}, "particles": 2, "rounds": 2, "accept": 1} | changes
    sources = ["loud", "soft"]
    priors = {(source, "all"): Gaussian(VARIANCES[source]) for source in sources}
    # As a denoiser that knows all but a fiftieth of the noise, so that its source can be found.
    able = {
        source: schedules.Curve(one.sigmas, (one.sigmas**2 / 50).clip(max=1), 1.0, one.errors)
        for source, one in CURVES.items()
    }
    return Scripted(None, method, MIX | {"gains": [1, 1]}, priors, able, CPU)


def test_rounds_go_on_until_the_misfit_is_accepted():
    seen = []
    accepting = scripted()
    separated = accepting(mixes(), generator(), lambda level, *_: seen.append(level))
    assert accepting.accept == 1 and accepting.rounds == 2 and seen == [0]  # the callback sees the first round only
    assert separated.misfit.tolist() == [0.5] * 3 and separated.accepted.tolist() == [1] * 3
    refusing = scripted(rounds=1)(mixes(), generator())
    assert refusing.misfit.tolist() == [2.0] * 3 and refusing.accepted.tolist() == [0] * 3
    averaged = scripted(combine="mean")
    assert averaged.accept == 0 and averaged(mixes(), generator()).accepted.isnan().all() and averaged.rounds == 1


def test_a_posterior_model_begins_the_first_round():
    """One particle a mix, at its estimates, in noise above their error; what is refused begins at noise."""
    truth = torch.stack([mixes(), 0.3 * mixes().flip(0)])
    encoder = SimpleNamespace(description={"errors": [0.1, 0.05]}, estimates=lambda mix: truth[:, :, 0].transpose(0, 1))
    method = {"sampler": "alternating", "plan": PLAN, "particles": 2, "rounds": 2, "accept": 1e9}
    method |= {"settings": SETTINGS["alternating"]}
    priors = {(source, "all"): Gaussian(VARIANCES[source]) for source in MIX["sources"]}
    begun = separation.sampler_of(method, MIX, priors, CURVES, CPU, encoder)
    seen = []
    begun(truth.sum(0), generator(), lambda level, step, energy, residual, state: seen.append((level, state.clone())))
    assert begun.particles == [1, 2, 2] and begun.round == 0  # none can be accepted, as no prior can find its source
    levels = [level for level, sigma in enumerate(begun.plan.sigmas) if sigma <= alternating.DROWNS * 0.1]
    assert 0 < len(levels) < len(begun.plan.sigmas) and [level for level, _ in seen] == [*levels, 6, 7]
    begun.accept = 1e-9  # as if they could, but nothing is good enough
    watched = []
    separated = begun(truth.sum(0), generator(), None, lambda *round: watched.append(round))
    assert [round[3].shape for round in watched] == [(3, 1), (3, 2), (3, 2)] and begun.round == 2
    assert separated.estimates.shape == truth.shape
    entries = [[sum(sigma <= entry for sigma in begun.sigmas) for entry in begun.plan.entries]]
    assert begun.calls == sum(entries[0]) + 2 * 8  # of the last round: its levels, and eight to judge each source


@pytest.mark.parametrize("returned", [0.0, 1.0])
def test_the_one_shot_example_is_the_wiener_filter_of_gaussians(returned):
    mix = mixes()
    one_shot = sampler("one_shot", mix=MIX | {"gains": [1, 1]}, settings={"returned": returned})
    levels = []
    separated = one_shot(mix, generator(), lambda level, *_: levels.append(level))
    expected = torch.stack([variance / 1.1 * mix for variance in VARIANCES.values()])
    torch.testing.assert_close(separated.estimates, expected, rtol=0, atol=0.03)
    assert levels == list(range(len(one_shot.sigmas))) and not separated.stopped.any()
    if returned:
        torch.testing.assert_close(separated.estimates.sum(0), mix)


def test_the_one_shot_example_runs_over_all_mixes():
    settings = {"dataset": "d", "mix": MIX}
    data = type("Data", (), {"bss_eval": False, "tracks": lambda self, split: list("abc")})()
    truth = torch.stack([mixes(), 0.1 * mixes().flip(0)])
    one_shot = sampler("one_shot")
    separated, trace, particles, forming = separation.separate_all(
        one_shot, truth.sum(0), batch_samples=40, seed=(0,), truth=truth
    )
    assert separated.estimates.shape == truth.shape and len(particles) == 3
    assert len(trace) == 3 * len(one_shot.sigmas) and forming.shape == (len(one_shot.sigmas), 2, 20)
    rows = separation.rows(
        settings, data, "gaussian", "one_shot", truth, truth.sum(0), torch.arange(truth.shape[1]), separated
    )
    assert len(rows) == 6 and rows["si_sdr"].notna().all()
