"""Diffusion-within-Gibbs (`gibbs.diffusion_within_gibbs`; arXiv 2509.12857): draws in place of single steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Count, NonNegative
from .. import acceptance, gibbs, samplers
from . import base


@dataclass(frozen=True)
class Config:
    """Settings of Diffusion-within-Gibbs."""

    steps: Count
    "Denoising steps of the reverse diffusion that draws a source, down to the plan's lowest level."
    turns: Count
    "Particles begin with the first, second, ... of so many sources in turn."
    probe: NonNegative = 0.0
    "0: the published ancestral steps. Above: draws of full spread (gibbs.py), the prior's own where it has them."


class Sampler(base.Sampler):
    """The sampler. Its last sweeps and its misfit are the alternating sampler's, so that the draw alone differs."""

    judges = True

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class."""
        residual, config = acceptance.Misfit(self.planned, self.curves, callback), self.config
        estimates = gibbs.diffusion_within_gibbs(
            mix, self.drawing(config.steps, config.probe, generator), self.denoisers, self.planned, residual,
            turns=config.turns,
        )  # fmt: skip
        return estimates, self.none_stopped(mix), self.misfit(estimates, residual, generator)
