"""What a denoiser says of an item beside its likelihood: its local dimension, and its path to pure noise.

A denoiser is a function (x, sigma) -> E[clean | x] with x (B, 1, T) and one sigma. It gives the score of p_sigma, the
density of items with noise sigma: (D - x) / sigma^2 (Tweedie's formula).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .seeds import torch_generator

Denoiser = Callable[[Tensor, float], Tensor]

SCALE = 3.0  # times sigma: noise added to count dimensions, so that the items' own is a tenth of all
PROBES = 2  # random directions for a trace
STEP = 0.1  # times sigma: along such a direction
PATH_STEPS = 8  # of the ODE


def trace(denoise: Denoiser, x: Tensor, sigma: float) -> Tensor:
    """The trace of the Jacobian of D(x; sigma), by random signs (Hutchinson). Shape: (B, 1, T) -> (B,) float64.

    Each direction is the same for every item; its derivative is a central difference.
    """
    parts = []
    for number in range(PROBES):
        signs = 2 * torch.randint(2, (x.shape[2],), generator=torch_generator("trace", number)).to(x) - 1
        step = STEP * sigma * signs
        change = (denoise(x + step, sigma) - denoise(x - step, sigma)) / (2 * STEP * sigma)
        parts.append((signs * change).double().sum((1, 2)))
    return torch.stack(parts).mean(0)


def local_dimension(denoise: Denoiser, x: Tensor, sigma: float, scale: float) -> Tensor:
    """The local intrinsic dimension at x of the density p_sigma, counted at `scale`. Shape: (B, 1, T) -> (B,) float64.

    Noise of deviation `scale` lowers log p near a manifold of d dimensions by T - d for each factor e of its size. So
    d = T + the derivative of log p in log scale, scale^2 (div s + |s|^2) by the heat equation, with the score s at all
    noise, sigma and scale (FLIPD; Kamkari et al., 2024, A geometric view of data complexity). Here the score is that of
    the denoiser D, so div s = (div D - T) / variance.
    """
    total = math.hypot(sigma, scale)
    left = ((x - denoise(x, total)).double() / total).square().sum((1, 2))
    return x.shape[2] + (scale / total) ** 2 * (trace(denoise, x, total) - x.shape[2] + left)


def path_norms(denoise: Denoiser, x: Tensor, low: float, high: float) -> dict[str, Tensor]:
    """Norms along the path of the ODE dx / d sigma = (x - D) / sigma, from x at noise `low` to `high`, each (B,).

    `path_noise_k` is the sum over steps of the mean k-th power of the noise's modulus, (x - D) / sigma, and
    `path_change_k` the same of its change from step to step over that of log sigma (DiffPath's six statistics; Heng et
    al., 2024; without the outer root, which keeps the order of each). Steps are Euler's, even in log sigma.
    """
    levels = np.geomspace(low, high, PATH_STEPS + 1).tolist()
    noises = []
    for level, after in zip(levels, [*levels[1:], levels[-1]], strict=True):
        noises.append((x - denoise(x, level)) / level)
        x = x + (after - level) * noises[-1]
    path = torch.stack(noises).double()
    rates = path.diff(dim=0) / math.log(levels[1] / levels[0])
    return {
        f"path_{name}_{power}": values.abs().pow(power).mean((2, 3)).sum(0)
        for name, values in (("noise", path), ("change", rates))
        for power in (1, 2, 3)
    }


def both(denoise: Denoiser, x: Tensor, sigma: float, highest: float) -> dict[str, Tensor]:
    """The local dimension of x at SCALE times sigma, and the norms of its path to the noise `highest`, each (B,)."""
    dimension = local_dimension(denoise, x, sigma, SCALE * sigma)
    return {"local_dimension": dimension} | path_norms(denoise, x, sigma, highest)
