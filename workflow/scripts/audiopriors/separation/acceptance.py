"""Whether a sampler's estimates can be right, judged without the true sources, by each prior's denoising error."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ..seeds import numpy_generator
from .samplers import Callback, Denoiser, Plan
from .schedules import Curve

_ENERGY_LEVELS = 8  # with 4, the drawn noise hides half of the exchanged sources at T = 4096; 16 show no more than 8


def reachable(curves: list[Curve], sigma: float) -> float:
    """The rms of M - sum_k d_k that right estimates stay below in 95 % of mixes.

    An estimate is right if it has the error that its prior has at sigma, on some validation item, independent of the
    others.
    """
    random = numpy_generator("reachable")  # decides which items are combined
    total = sum(random.choice(one.items_at(sigma), 4096) for one in curves)
    return math.sqrt(np.quantile(total, 0.95))


def energies(
    sources: Tensor, denoisers: list[Denoiser], curves: list[Curve], plan: Plan, generator: torch.Generator
) -> Tensor:
    """How badly each prior denoises the estimate of its source; at most 1 for 95 % of right ones. (N, B) float64.

    It detects what a residual cannot: estimates that fit the mix, but of which one contains a part of another source.
    For source k it is the mean of ``|D_k(d_k + sigma n) - d_k|^2 / e_k(sigma)`` over levels from the plan's end to the
    source's entry. e_k is the mean error on its prior's own items. (This is the denoising loss, an energy as in Song et
    al., 2021, but each level counts the same.) It is divided by the 95 % quantile for these items, if each also carries
    the error that another item has at the plan's end. The result is the root. sources: d (N, B, 1, T).
    """
    end, random = plan.sigmas[-1], numpy_generator("energy")
    values = []
    for estimate, denoiser, one, entry in zip(sources, denoisers, curves, plan.entries, strict=True):
        loss, own, left, items_at_end = 0, 0, 0, one.items_at(end)
        for sigma in np.geomspace(end, entry, _ENERGY_LEVELS).tolist():
            noise = torch.randn(estimate.shape, generator=generator, dtype=estimate.dtype).to(estimate.device)
            items = one.items_at(sigma)
            error = (denoiser(estimate + sigma * noise, sigma) - estimate).double().square().mean((1, 2))
            loss = loss + error / items.mean()
            own, left = own + items / items.mean(), left + items_at_end / items.mean()
        usual = np.quantile(random.choice(own, 4096) + random.choice(left, 4096), 0.95)
        values.append((loss / usual).sqrt())
    return torch.stack(values)


def correlation(sources: Tensor) -> Tensor:
    """The largest correlation, in absolute value, of two of the sources. Shape: (N, B, 1, T) -> (B,) float64."""
    waves = sources[:, :, 0].double()
    waves = waves / waves.norm(dim=2, keepdim=True).clamp_min(1e-12)
    pairs = torch.einsum("jbt,kbt->bjk", waves, waves).abs()
    return pairs.triu(1).amax((1, 2)).clamp(max=1.0)


class Misfit:
    """A callback for a sampler that measures how well its estimates fit the mix, compared with what its priors can do.

    `value` (B,) is the largest, over the levels without noise, of the residual's rms over `reachable`, divided by
    sqrt(1 - c^2). Here c is the largest correlation of two estimates: near unison, the residual does not see what two
    estimates exchange. Most mixes with right estimates have less than 1.
    """

    def __init__(self, plan: Plan, curves: list[Curve], callback: Callback | None = None):
        self.first, self.callback = len(plan.sigmas), callback
        self.reachable = [reachable(curves, sigma) for sigma in plan.settle]
        self.value: Tensor | None = None

    def __call__(self, level: int, step: int, energy: Tensor, residual: Tensor, sources: Tensor) -> None:
        if self.callback:
            self.callback(level, step, energy, residual, sources)
        if not self.reachable:
            self.value = residual
        elif level >= self.first:
            ratio = (
                residual / self.reachable[level - self.first] / (1 - correlation(sources) ** 2).clamp_min(1e-9).sqrt()
            )
            self.value = ratio if self.value is None else torch.maximum(self.value, ratio)
