"""Each source denoised once, from the mix itself: to it, the other sources are white noise of their power.

An example of a sampler of your own. Copy it to workflow/scripts/audiopriors/separation/methods/, and name it in the
config as the `sampler` of a method under `separation.methods`:

    one_shot: {sampler: one_shot, plan: *plan, particles: 1, rounds: 1, accept: 1, settings: {returned: 1.0}}

It is no sampler of the posterior: nothing in it is random. Other sources are not white, and no source is found in what
the others leave; so it says what the rest of a sampler is worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Share
from .. import samplers
from . import base


@dataclass(frozen=True)
class Config:
    returned: Share
    "The part of what the estimates leave of the mix that is returned to them, in equal parts."


class Sampler(base.Sampler):
    """d_k = D_k(M; sigma_k), sigma_k^2 the power of all other sources; then a share of M - sum_k d_k."""

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One particle for each mix M (B, 1, T); the misfit is the residual's root mean square before the return."""
        total = sum(curve.power for curve in self.curves)
        levels = [math.sqrt(total - curve.power) for curve in self.curves]
        estimates = torch.stack([denoiser(mix, sigma) for denoiser, sigma in zip(self.denoisers, levels, strict=True)])
        left = mix - estimates.sum(0)
        residual = left.double().square().mean((1, 2)).sqrt()
        estimates = estimates + self.config.returned * left / len(estimates)
        for level, sigma in enumerate(self.sigmas):
            callback(level, 0, 0.5 * mix.shape[2] * (residual / sigma) ** 2, residual, estimates)
        return estimates, self.none_stopped(mix), residual
