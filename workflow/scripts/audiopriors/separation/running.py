"""Mixes to separate, the methods of the config, and the rows that a separation leaves."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from .. import metrics
from ..checkpoints import load_prior
from ..seeds import torch_generator
from . import plans, samplers
from .scaled import Scaled

log = logging.getLogger(__name__)


def mixes(data, mix: dict, items: int, frame: int) -> tuple[Tensor, Tensor]:
    """The true sources (N, B, 1, T) and their mix M (B, 1, T) in the sum domain, of the first test items.

    mix: its name, sources, their gains, and unison (see the config's schema).
    """
    return data.mixed(mix, torch.arange(min(items, data.count("test"))), frame)


@dataclass(frozen=True)
class Separated:
    """Estimates (N, B, 1, T); of each item, (B,): whether all particles stopped, misfit, whether accepted; on the CPU.

    NaN where a method has no misfit or accepts everything.
    """

    estimates: Tensor
    stopped: Tensor
    misfit: Tensor
    accepted: Tensor


class Separator:
    """A method of the config under the priors at `paths`: for each sigma of the method in turn, each source in turn.

    curves: of each source's prior, for a method whose levels are planned. `sigmas` are the levels.
    """

    def __init__(self, paths: list[str], mix: dict, method: dict, device, curves: list[plans.Curve] = ()):
        self.method, self.settings, self.device, self.gains = method, method["settings"], device, mix["gains"]
        number = len(mix["sources"])
        loaded = [
            load_prior(path, expect={"prior_source": mix["sources"][place % number]}).to(device)
            for place, path in enumerate(paths)
        ]
        self.curves = [curve.scaled(gain) for curve, gain in zip(curves, mix["gains"], strict=False)]
        self.plan = plans.plan(self.curves, **method["plan"]) if "plan" in method else None
        self.combine = method.get("combine", "best")
        # A residual says something only of this sampler, whose estimates do not see the mix but through denoisers, of
        # one particle, and of priors that can find their source.
        self.judges = method["sampler"] == "alternating" and self.combine == "best"
        able = self.judges and plans.can_find(self.curves, method["plan"]["found"])
        self.accept = method["accept"] if able else 0.0
        if self.plan:
            self.sigmas = [*self.plan.sigmas, *self.plan.settle]
        else:
            self.sigmas = [float(sigma) or method["noise_free_sigma"] for sigma in method["sigmas"]]
        if method["sampler"] == "langevin":
            # One prior a source and level, or, if one serves all levels, one a source.
            of_level = [loaded[level * number : (level + 1) * number] or loaded for level in range(len(self.sigmas))]
            self.levels = [self._level(*level) for level in zip(of_level, self.sigmas, strict=True)]
        else:
            self.denoisers = [Scaled(prior, gain).denoise for prior, gain in zip(loaded, mix["gains"], strict=True)]

    def __call__(self, mix: Tensor, generator: torch.Generator, callback=None, watch=None) -> Separated:
        """Sources of M (B, 1, T); callback (of the first round) and watch as in samplers."""
        rounds = []

        def once(some: Tensor) -> tuple[Tensor, Tensor]:
            state, stopped, misfit = self._run(some, generator, None if rounds else callback)
            rounds.append(stopped)
            return state, misfit

        particles = self.method["particles"]
        estimates, misfit = samplers.restarted(
            once, mix.to(self.device), particles=particles, rounds=self.method["rounds"] if self.accept else 1,
            accept=self.accept, watch=watch, combine={"mean": samplers.mean, "mask": samplers.mask}.get(self.combine),
        )  # fmt: skip
        stopped = rounds[0].view(-1, particles).all(1)
        accepted = (misfit <= self.accept).double()
        if not self.judges:
            accepted[:] = float("nan")
        return Separated(estimates.cpu(), stopped.cpu(), misfit.cpu(), accepted.cpu())

    def _run(self, mix: Tensor, generator: torch.Generator, callback) -> tuple[Tensor, Tensor, Tensor]:
        """One particle for each mix M (B, 1, T): estimates, which stopped (B,), misfit (B,)."""
        if self.method["sampler"] == "langevin":
            return self._langevin(mix, generator, callback)
        misfit = plans.Misfit(self.plan, self.curves, callback)
        if self.method["sampler"] == "alternating":
            share, turns = self.settings["share"] or None, self.settings["turns"]
            state = samplers.alternating(mix, self.denoisers, self.plan, generator, misfit, share, turns)
        else:
            state = samplers.guided(mix, self.denoisers, self.plan, generator, misfit, **self.settings)
        value = misfit.value
        if self.accept:
            value = torch.maximum(value, plans.energy(state, self.denoisers, self.curves, self.plan, generator))
        return state, torch.zeros(mix.shape[0], dtype=torch.bool, device=mix.device), value

    def _langevin(self, mix: Tensor, generator: torch.Generator, callback) -> tuple[Tensor, Tensor, Tensor]:
        """The misfit is the energy before the last step, or the residual where no log p is computed."""
        last = []

        def note(level, step, energy, residual, sources):
            last[:] = energy, residual
            if callback:
                callback(level, step, energy, residual, sources)

        number, first, final = len(self.gains), self.levels[0], self.levels[-1]
        noise = torch.randn(number, *mix.shape, generator=generator).to(mix.device)
        sample = samplers.metropolis if self.settings["metropolis"] else samplers.langevin
        state, stopped = sample(mix / number + first.sigma * noise, mix, self.levels, generator, note)
        if self.plan or float(self.method["sigmas"][-1]) > 0:
            state = samplers.denoise(state, final.prior, final.sigma)
        energy, residual = last
        return state, stopped, residual if energy.isnan().all() else energy

    def _level(self, priors: list, sigma: float) -> samplers.Level:
        wanted = self.settings["metropolis"]

        def joint(state: Tensor) -> tuple[Tensor, Tensor]:
            pairs = [
                Scaled(prior, gain).log_prob_and_score(part, sigma, need_log_prob=wanted)
                for prior, part, gain in zip(priors, state, self.gains, strict=True)
            ]
            return torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs])

        return samplers.Level(
            joint, sigma, **{key: self.settings[key] for key in ("steps", "step_size", "mixture_width")}
        )


def separate_all(
    separate: Separator, mix: Tensor, *, batch_samples: int, seed: tuple, truth: Tensor | None = None
) -> tuple[Separated, pd.DataFrame, pd.DataFrame, Tensor]:
    """All mixes M (B, 1, T), as many at once as `batch_samples` says, with lines of progress.

    Returns
    -------
    what was separated
    trace: rows item, particle, level, sigma, step, energy, residual, of the first round.
    particles: rows item, round, particle, misfit, accept (the misfit accepted; 0: none), agreement_db (least SI-SDR of
        its estimates against the round's best particle's), and, with the truth (N, B, 1, T), worst_si_sdr.
    forming: (levels, N, T), estimates of the first mix by the first round's best particle, at each level's first step.
    """
    particles = separate.method["particles"]
    size = max(1, batch_samples // (mix.shape[2] * particles))
    starts = range(0, mix.shape[0], size)
    parts, trace, tried, forming, begun = [], [], [], [], time.monotonic()
    for start in starts:

        def note(level, step, energy, residual, state, start=start):
            if start == 0 and step == 0:
                forming.append(state[:, :particles, 0].cpu().clone())
            trace.append(
                {"item": start + np.arange(len(energy)) // particles, "particle": np.arange(len(energy)) % particles,
                 "level": level, "sigma": separate.sigmas[level], "step": step, "energy": energy.cpu().numpy(),
                 "residual": residual.cpu().numpy()}
            )  # fmt: skip
            if len(trace) % 20 == 1:
                log.info(
                    "mixes %d to %d of %d, level %d, step %d: median residual %.3g, %.0f s",
                    start + 1, min(start + size, mix.shape[0]), mix.shape[0], level + 1, step + 1,
                    residual.median().item(), time.monotonic() - begun,
                )  # fmt: skip

        def watch(number, waiting, found, misfit, start=start):
            place = misfit.argmin(1)
            best = found[:, torch.arange(len(place), device=found.device), place]
            if start == 0 and number == 0:
                forming[:] = [state[:, place[0].item()] for state in forming]
            agreement = metrics.si_sdr(found, best[:, :, None].expand_as(found))[..., 0].amin(0)
            rows = {
                "item": start + waiting,
                "round": number,
                "misfit": misfit,
                "accept": separate.accept,
                "agreement_db": agreement,
            }
            if truth is not None:
                right = truth[:, start + waiting.cpu()][:, :, None].to(found.device).expand_as(found)
                rows["worst_si_sdr"] = metrics.si_sdr(found, right)[..., 0].amin(0)
            tried.append(_particle_rows(rows, misfit.shape))
            log.info(
                "mixes %d to %d of %d, round %d: %d of %d accepted, %.0f s left",
                start + 1, min(start + size, mix.shape[0]), mix.shape[0], number + 1,
                int((misfit.amin(1) <= separate.accept).sum()), len(waiting),
                (time.monotonic() - begun) * (len(starts) / (1 + start / size) - 1),
            )  # fmt: skip

        parts.append(separate(mix[start : start + size], torch_generator(*seed, start), note, watch))
    whole = Separated(
        torch.cat([part.estimates for part in parts], 1),
        torch.cat([part.stopped for part in parts]),
        torch.cat([part.misfit for part in parts]),
        torch.cat([part.accepted for part in parts]),
    )
    traced = pd.concat([pd.DataFrame(rows) for rows in trace], ignore_index=True)
    return whole, traced, pd.concat(tried, ignore_index=True), torch.stack(forming)


def _particle_rows(columns: dict, shape: tuple[int, int]) -> pd.DataFrame:
    """Columns of one number, of (n,), or of (n, particles), as one row a particle."""
    there = {"particle": np.arange(shape[1])[None].repeat(shape[0], 0)}
    for name, values in columns.items():
        values = torch.as_tensor(values).cpu()
        there[name] = (values[:, None] if values.ndim == 1 else values).expand(shape).numpy()
    return pd.DataFrame({name: values.reshape(-1) for name, values in there.items()})


def overlapping(waves: Tensor, frame: int, fade: int) -> Tensor:
    """Waves (C, n) cut into frames that overlap by `fade` samples, with zeros at both ends. Shape: (C, F, frame)."""
    hop, length = frame - fade, fade + waves.shape[1]
    count = math.ceil(length / hop)  # the last fade is beyond the end
    return torch.nn.functional.pad(waves, (fade, count * hop + fade - length)).unfold(1, frame, hop)


def cross_faded(frames: Tensor, length: int, fade: int) -> Tensor:
    """Frames (..., F, frame) of `overlapping`, put together again: linear fades that add up to one. (..., length)."""
    *_, count, frame = frames.shape
    ramp = (torch.arange(fade) + 0.5) / max(1, fade)
    weight = torch.ones(frame)
    weight[:fade] = ramp
    weight[frame - fade :] = ramp.flip(0)
    hop = frame - fade
    total = torch.zeros(*frames.shape[:-2], count * hop + fade)
    for number in range(count):
        total[..., number * hop : number * hop + frame] += weight * frames[..., number, :]
    return total[..., fade : fade + length]


def rows(
    settings: dict, data, prior: str, method: str, truth: Tensor, mix: Tensor, separated: Separated
) -> pd.DataFrame:
    """Metrics of each item and source."""
    estimates = separated.estimates
    value = metrics.si_sdr(estimates, truth)  # (N, B, 1)
    improvement = value - metrics.si_sdr(mix.expand_as(truth), truth)
    consistency = metrics.consistency(estimates, mix)
    tracks = data.tracks("test")[: mix.shape[0]]
    others = metrics.bss_eval(estimates, truth, tracks) if data.bss_eval else {}
    return pd.concat([
        pd.DataFrame({
            "dataset": settings["dataset"], "method": method, "prior": prior,
            "mix": settings["mix"]["name"], "source": source, "item": np.arange(mix.shape[0]), "track": tracks,
            "si_sdr": value[k, :, 0].numpy(), "si_sdr_improvement": improvement[k, :, 0].numpy(),
            "consistency": consistency.numpy(), "stopped": separated.stopped.numpy(),
            "misfit": separated.misfit.numpy(), "accepted": separated.accepted.numpy(),
            **{name: values[k] for name, values in others.items()},
        })
        for k, source in enumerate(settings["mix"]["sources"])
    ], ignore_index=True)  # fmt: skip


def as_given(estimates: Tensor) -> Separated:
    """Estimates (N, B, 1, T) that no sampler made."""
    none = torch.full(estimates.shape[1:2], float("nan"))
    return Separated(estimates, torch.zeros(none.shape, dtype=torch.bool), none, none)
