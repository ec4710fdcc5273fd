"""Diffusion-within-Gibbs: p(sources | mix) sampled by a reverse diffusion of one source after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .samplers import Callback, Colour, Denoiser, Plan, drawn, report


def diffusion_within_gibbs(
    mix: Tensor,
    denoisers: list[Denoiser],
    plan: Plan,
    generator: torch.Generator,
    callback: Callback | None = None,
    *,
    steps: int,
    turns: int = 1,
    coloured: Colour | None = None,
) -> Tensor:
    """Gibbs sampling at falling noise: each source in turn is drawn by a reverse diffusion.

    This is Diffusion-within-Gibbs (arXiv 2509.12857; Zhang, Guo & Eldar, 2026, arXiv 2602.10792). Given the other
    samples, the rest M - sum_{j != k} s_j is s_k at noise level sigma. So `reverse_diffusion` draws s_k, from
    sigma down to the plan's lowest level. At a fixed sigma the law tends to p(s | M) at Gamma = sigma, with more
    sweeps, more steps and a lower end. `samplers.alternating` adds noise to the rest; this does not.

    Levels, entries, turns and the last sweeps, without noise, are those of `samplers.alternating`. Before its entry a
    sample is 0. steps: calls of the denoiser for each draw; 1 takes the posterior's mean. mix: M (B, 1, T). The
    callback gets the samples. coloured: the noise that the denoisers know, by default white. Returns the estimates of
    the last sweeps (N, B, 1, T).
    """
    order, levels = plan.order, plan.sigmas + plan.settle
    samples = mix.new_zeros(len(denoisers), *mix.shape)
    for level, sigma in enumerate(levels):
        sigmas = np.geomspace(sigma, levels[-1], steps).tolist() if level < len(plan.sigmas) else [sigma]
        for place in range(len(order)):
            for turn in range(min(turns, len(mix))):
                items, k = slice(turn, None, turns), order[(place + turn) % len(order)]
                if sigma <= plan.entries[k]:
                    rest = (mix - samples.sum(0) + samples[k])[items]
                    samples[k, items] = reverse_diffusion(rest, denoisers[k], sigmas, generator, coloured)
        if callback:
            report(callback, level, sigma, mix, samples)
    return samples


def reverse_diffusion(
    x: Tensor, denoiser: Denoiser, sigmas: Sequence[float], generator: torch.Generator, coloured: Colour | None = None
) -> Tensor:
    """A draw from p(s | x) for x = s + sigmas[0] n, by ancestral steps (Ho et al., 2020) down the levels.

    From s + a n to s + b n, of b < a:

        x <- D(x; a) + (b / a)^2 (x - D(x; a)) + b sqrt(1 - (b / a)^2) n.

    The last step goes to b = 0 and returns D. A step leaves out the variance (1 - (b / a)^2)^2 Var[s | x], so a draw
    varies too little: the less so, the more levels there are and the lower the last one. For Gaussian sources its mean
    is exact. x: (B, 1, T). Returns (B, 1, T).
    """
    for sigma, after in zip(sigmas, (*sigmas[1:], 0.0), strict=True):
        denoised, kept = denoiser(x, sigma), (after / sigma) ** 2
        x = denoised + kept * (x - denoised)
        if after:
            x = x + after * (1 - kept) ** 0.5 * drawn(x.shape, x, generator, coloured)
    return x
