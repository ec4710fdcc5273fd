"""Noise levels for samplers, planned from each prior's own denoising error.

The error curve of a prior is ``e(sigma) = E|D(s + sigma n; sigma) - s|^2 / E|s|^2`` over validation items. The source
emerges where the curve falls from 1 to 0. Above, the denoiser sees nothing; below, it only sharpens the wave. So a
sampler's schedule follows from the curves. Its constants are shares of errors, the same for all toy sources and
lengths.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor

from .samplers import Denoiser, Plan

# Columns that rows of errors also have, of a prior with a second denoiser.
EMPHASISED = {"error": "emphasised_error", "power": "emphasised_power"}
# Resolution of schedules in log sigma, and the width over which a curve's slope is smoothed (nats).
_FINE, _SMOOTH = 4000, 0.15


@dataclass(frozen=True)
class Curve:
    """The error of one prior by noise level, ascending.

    relative: mean over items, made monotone, in units of the source's power (mean square). errors: (levels, items),
    mean squares per sample.
    """

    sigmas: np.ndarray
    relative: np.ndarray
    power: float
    errors: np.ndarray
    emphasised: Curve | None = None
    "That of the prior's second denoiser, of emphasised waves."

    def at(self, sigma) -> np.ndarray:
        """The error at any level, interpolated linearly in log sigma."""
        return np.interp(np.log(sigma), np.log(self.sigmas), self.relative)

    def level(self, error: float) -> float:
        """The level at which the error reaches `error`; if there is none, the lowest or highest measured level."""
        return float(np.exp(np.interp(error, self.relative, np.log(self.sigmas))))

    def scaled(self, gain: float) -> Curve:
        """The curve of the source times `gain`."""
        emphasised = self.emphasised.scaled(gain) if self.emphasised else None
        return Curve(self.sigmas * gain, self.relative, self.power * gain**2, self.errors * gain**2, emphasised)

    def items_at(self, sigma: float) -> np.ndarray:
        """The error of each item, (items,), at any level."""
        place = np.interp(np.log(sigma), np.log(self.sigmas), np.arange(len(self.sigmas)))
        low = min(int(place), len(self.sigmas) - 2)
        return (low + 1 - place) * self.errors[low] + (place - low) * self.errors[low + 1]


def errors(denoiser: Denoiser, clean: Tensor, sigmas: list[float], noise: Callable[[int], Tensor]) -> pd.DataFrame:
    """Rows (sigma, item, error, power) for clean items (n, 1, T): mean squares per sample. noise(level): (n, 1, T)."""
    power = clean.double().square().mean((1, 2)).cpu().numpy()
    rows = []
    for level, sigma in enumerate(sigmas):
        error = (denoiser(clean + sigma * noise(level), sigma) - clean).double().square().mean((1, 2))
        rows.append(
            pd.DataFrame({"sigma": sigma, "item": np.arange(len(power)), "error": error.cpu().numpy(), "power": power})
        )
    return pd.concat(rows, ignore_index=True)


def curve(rows: pd.DataFrame) -> Curve:
    """The error curve from the rows of `errors`, and of the second denoiser, if they have its errors, too."""
    emphasised = None
    if EMPHASISED["error"] in rows:
        second = rows.drop(columns=list(EMPHASISED)).rename(columns={name: key for key, name in EMPHASISED.items()})
        emphasised = curve(second)
    errors, power = rows.pivot(index="sigma", columns="item", values="error"), float(rows["power"].mean())
    relative = np.maximum.accumulate(errors.mean(axis=1).to_numpy() / power).clip(max=1.0)
    # Strictly ascending, so that each error has one level.
    relative += 1e-9 * np.arange(len(relative))
    return Curve(errors.index.to_numpy(float), relative, power, errors.to_numpy(), emphasised)


def curves(rows: pd.DataFrame) -> dict[str, Curve]:
    """The error curve of each prior source in the rows that the error_curve program writes."""
    return {str(source): curve(part) for source, part in rows.groupby("prior_source", sort=False)}


def plan(curves: list[Curve], *, levels: int, settle: int, entry: float, end: float, last: float | None = None) -> Plan:
    """The schedule of a sampler for these sources.

    levels, settle: numbers of levels with and without noise. entry: a source takes part once its error is below this
    share of its power. end: the noise ends where every source's error is below this share. last: for a mix with noise
    of its own, the level where the noise ends; then there are no levels without noise.

    Between the first entry and the end, the density of levels in log sigma is even for three tenths. The rest is, in
    equal parts, the slope of the root of each source's error: many levels where a source emerges, few where nothing
    happens.
    """
    entries = [one.level(entry) for one in curves]
    top, noisy = max(entries), last is not None
    last = min(one.level(end) for one in curves) if last is None else last
    last = min(last, top / 2)
    fine = np.linspace(math.log(last), math.log(top), _FINE)
    width = max(1, round(_SMOOTH / (fine[1] - fine[0])))
    density = np.full(_FINE, 0.3 / _FINE)
    for one in curves:
        slope = np.convolve(np.gradient(np.sqrt(one.at(np.exp(fine)))), np.ones(width) / width, "same").clip(0)
        density += 0.7 / len(curves) * slope / max(slope.sum(), 1e-12)
    reached = np.cumsum(density)
    reached = (reached - reached[0]) / (reached[-1] - reached[0])
    sigmas = np.exp(np.interp(np.linspace(1, 0, levels), reached, fine))
    lowest = min(max(one.sigmas[0] for one in curves), last / 2)
    settling = () if noisy else tuple(np.geomspace(last, lowest, settle).tolist())
    return Plan(tuple(sigmas.tolist()), settling, tuple(entries))


def can_find(curves: list[Curve], end: float) -> bool:
    """Whether each prior's error falls below this share of its source's power while the noise has more than twice that.

    With less noise, a denoiser that does nothing has as little error.
    """
    return all(one.relative[0] <= end and 2 * end * one.power <= one.level(end) ** 2 for one in curves)
