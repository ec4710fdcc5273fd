"""Mixes to separate, the samplers of the config's methods, and the rows that result from a separation."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from .. import metrics, registry, risk
from ..checkpoints import CheckpointError, load_prior
from ..data.base import Frames
from ..errors import UserError
from ..likelihood import test_noise
from ..priors.base import Prior
from ..seeds import torch_generator
from .encoder import Encoder
from .kept import Kept
from .methods.base import Sampler, Separated
from .overlap import Overlapping
from .schedules import Curve

log = logging.getLogger(__name__)


def mixes(data: Frames, mix: dict, items: int, frame: int) -> tuple[Tensor, Tensor, Tensor]:
    """The true sources (N, B, 1, T), their mix M (B, 1, T) in the sum domain, and the numbers of the test items (B,).

    mix: its name, sources, gains, unison, noise, and how many test items are skipped (see the config's schema).

    Raises
    ------
    UserError: no test item is left.
    """
    first = mix["skip"]
    if first >= data.count("test"):
        raise UserError(f"mix {mix['name']} skips {first} test items, and there are {data.count('test')}")
    numbers = torch.arange(first, min(first + items, data.count("test")))
    truth, total = data.mixed(mix, numbers, frame)
    return truth, test_noise(total, mix["noise"], "mix", mix["name"]), numbers


def priors_of(paths: list[str], device: torch.device) -> dict[tuple[str, str], Prior]:
    """Trained priors on the device, by the source and the sigma in their checkpoints. The paths may be in any order.

    Raises
    ------
    CheckpointError: a prior is broken, or two have the same source and sigma.
    """
    priors: dict[tuple[str, str], Prior] = {}
    for path in paths:
        prior = load_prior(path).to(device)
        key = (prior.description["prior_source"], prior.description["sigma"])
        if key in priors:
            raise CheckpointError(f"{path}: is a second prior of {key[0]} at sigma {key[1]}")
        priors[key] = prior
    return priors


def sampler_of(
    method: dict, mix: dict, priors: dict[tuple[str, str], Prior], curves: dict[str, Curve], device: torch.device,
    encoder: Encoder | None = None,
) -> Sampler:  # fmt: skip
    """The sampler of one of the config's methods, for one mix.

    method: its keys, see the config's schema. priors: from `priors_of`. curves: from `schedules.curves`; empty for a
    method without a plan. encoder: the posterior model whose estimates a method with a `posterior` begins with.

    Raises
    ------
    UserError: the sampler, a prior or a curve does not exist.
    """
    kind, name = "separation/methods", method["sampler"]
    config = registry.settings(kind, name, method["settings"])
    return registry.load(kind, name).Sampler(config, method, mix, priors, curves, device, encoder)


@dataclass
class Notes:
    """What is noted while mixes are separated, beside the estimates."""

    trace: list[dict] = field(default_factory=list)
    tried: list[pd.DataFrame] = field(default_factory=list)
    forming: list[Tensor] = field(default_factory=list)


def separate_all(
    separate: Sampler, mix: Tensor, *, batch_samples: int, seed: tuple, truth: Tensor | None = None
) -> tuple[Separated, pd.DataFrame, pd.DataFrame, Tensor]:
    """Separate all mixes M (B, 1, T), as many at once as `batch_samples` allows, with lines of progress.

    Returns
    -------
    separated: the estimates, with what the sampler says of them.
    trace: rows item, particle, level, sigma, step, energy, residual, of the first round.
    particles: rows item, round, particle, misfit, accept (the misfit accepted; 0: none), calls (of denoisers),
        agreement_db (least SI-SDR of its estimates against the round's best particle's), and, with the truth
        (N, B, 1, T), worst_si_sdr and share_right (of the sources, above risk.RIGHT dB).
    forming: (levels, N, T), estimates of the first mix by the first round's best particle, at each level's first step.
    """
    notes = Notes()
    parts = list(in_batches(separate, mix, batch_samples=batch_samples, seed=seed, truth=truth, notes=notes))
    whole = Separated(
        torch.cat([part.estimates for part in parts], 1),
        torch.cat([part.stopped for part in parts]),
        torch.cat([part.misfit for part in parts]),
        torch.cat([part.accepted for part in parts]),
    )
    traced = pd.concat([pd.DataFrame(rows) for rows in notes.trace], ignore_index=True)
    return whole, traced, pd.concat(notes.tried, ignore_index=True), torch.stack(notes.forming)


def in_batches(
    separate: Sampler, mix: Tensor | Overlapping, *, batch_samples: int, seed: tuple, truth: Tensor | None = None,
    notes: Notes | None = None, kept: Kept | None = None,
) -> Iterator[Separated]:  # fmt: skip
    """Separate as `separate_all`, one batch of mixes after the other. What is noted is added to `notes`.

    kept: where batches are kept; those that are there already are not separated again, and of them only `forming` is
    noted.
    """
    particles = separate.particles[0]
    size = max(1, batch_samples // (mix.shape[2] * max(separate.particles)))
    starts, begun, lines, fresh = range(0, mix.shape[0], size), time.monotonic(), itertools.count(1), 0
    for place, start in enumerate(starts):
        done = kept.load(start) if kept else None
        if done:
            batch, forming = done
            if notes:
                notes.forming += forming
            log.info("mixes %d to %d of %d were done before", start + 1, start + batch.stopped.numel(), mix.shape[0])
            yield batch
            continue
        fresh += 1
        left = (len(starts) - place - 1) / fresh

        def note(level, step, energy, residual, state, start=start):
            if notes:
                if start == 0 and step == 0:
                    notes.forming.append(state[:, :particles, 0].cpu().clone())
                notes.trace.append(
                    {"item": start + np.arange(len(energy)) // particles,
                     "particle": np.arange(len(energy)) % particles,
                     "level": level, "sigma": separate.sigmas[level], "step": step, "energy": energy.cpu().numpy(),
                     "residual": residual.cpu().numpy()}
                )  # fmt: skip
            if next(lines) % 20 == 1:
                log.info(
                    "mixes %d to %d of %d, level %d, step %d: median residual %.3g, %.0f s",
                    start + 1, min(start + size, mix.shape[0]), mix.shape[0], level + 1, step + 1,
                    residual.median().item(), time.monotonic() - begun,
                )  # fmt: skip

        def watch(number, waiting, estimates, misfit, start=start, left=left):
            if notes:
                _note_particles(notes, separate, start, number, waiting, estimates, misfit, truth)
            log.info(
                "mixes %d to %d of %d, round %d: %d of %d accepted, %.0f s left",
                start + 1, min(start + size, mix.shape[0]), mix.shape[0], number + 1,
                int((misfit.amin(1) <= separate.accept).sum()), len(waiting),
                (time.monotonic() - begun) * left,
            )  # fmt: skip

        batch = separate(mix[start : start + size], torch_generator(*seed, start), note, watch)
        if kept:
            kept.save(start, batch, torch.stack(notes.forming) if notes and start == 0 else torch.empty(0))
        yield batch


def _note_particles(
    notes: Notes, separate: Sampler, start: int, number: int, waiting: Tensor, estimates: Tensor, misfit: Tensor,
    truth: Tensor | None,
) -> None:  # fmt: skip
    """Note the particles of a batch's round. waiting: numbers of its mixes in the batch, which begins at `start`."""
    place = misfit.argmin(1)
    best = estimates[:, torch.arange(len(place), device=estimates.device), place]
    if start == 0 and number == 0:
        notes.forming[:] = [state[:, int(place[0])] for state in notes.forming]
    rows = {
        "item": start + waiting,
        "round": number,
        "misfit": misfit,
        "accept": separate.accept,
        "calls": separate.calls,
        "agreement_db": metrics.si_sdr(estimates, best[:, :, None].expand_as(estimates))[..., 0].amin(0),
    }
    if truth is not None:
        right = truth[:, start + waiting.cpu()][:, :, None].to(estimates.device).expand_as(estimates)
        value = metrics.si_sdr(estimates, right)[..., 0]
        rows["worst_si_sdr"], rows["share_right"] = value.amin(0), (value > risk.RIGHT).double().mean(0)
    notes.tried.append(_particle_rows(rows, (len(misfit), misfit.shape[1])))


def _particle_rows(columns: dict, shape: tuple[int, int]) -> pd.DataFrame:
    """One row for each particle. Columns are one number, (n,), or (n, particles)."""
    table = {"particle": np.arange(shape[1])[None].repeat(shape[0], 0)}
    for name, values in columns.items():
        values = torch.as_tensor(values).cpu()
        table[name] = (values[:, None] if values.ndim == 1 else values).expand(shape).numpy()
    return pd.DataFrame({name: values.reshape(-1) for name, values in table.items()})


def rows(
    settings: dict, data: Frames, prior: str, method: str, truth: Tensor, mix: Tensor, items: Tensor,
    separated: Separated,
) -> pd.DataFrame:  # fmt: skip
    """Metrics of each item and source, as rows. truth, mix and items: from `mixes`."""
    estimates = separated.estimates
    value = metrics.si_sdr(estimates, truth)  # (N, B, 1)
    improvement = value - metrics.si_sdr(mix.expand_as(truth), truth)
    to_mix = metrics.si_sdr(estimates, mix.expand_as(truth))
    consistency = metrics.consistency(estimates, mix)
    tracks = [data.tracks("test")[item] for item in items.tolist()]
    others = metrics.bss_eval(estimates, truth, tracks) if data.bss_eval else {}
    return pd.concat([
        pd.DataFrame({
            "dataset": settings["dataset"], "method": method, "prior": prior,
            "mix": settings["mix"]["name"], "source": source, "item": items.numpy(), "track": tracks,
            "si_sdr": value[k, :, 0].numpy(), "si_sdr_improvement": improvement[k, :, 0].numpy(),
            "si_sdr_to_mix": to_mix[k, :, 0].numpy(),
            "consistency": consistency.numpy(), "stopped": separated.stopped.numpy(),
            "misfit": separated.misfit.numpy(), "accepted": separated.accepted.numpy(),
            **{name: values[k] for name, values in others.items()},
        })
        for k, source in enumerate(settings["mix"]["sources"])
    ], ignore_index=True)  # fmt: skip


def unjudged(estimates: Tensor) -> Separated:
    """Estimates (N, B, 1, T) of no sampler, such as a reference, as `Separated`."""
    none = torch.full(estimates.shape[1:2], float("nan"))
    return Separated(estimates, torch.zeros(none.shape, dtype=torch.bool), none, none)
