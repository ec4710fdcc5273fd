"""Gibbs sampling at falling noise with weighted particles (`gibbs.annealed_gibbs`)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Count
from .. import acceptance, gibbs, samplers
from . import base


@dataclass(frozen=True)
class Config(base.Drawing):
    """Settings of annealed Gibbs sampling."""

    sweeps: Count
    "Sweeps over the sources at each level."


class Sampler(base.Sampler):
    """The sampler. The particles of a mix are resampled together, so they are no independent runs.

    A mix without noise of its own is sampled at the plan's end, and then settles as in the alternating sampler.
    """

    judges = True

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class."""
        plan, config = self.planned, self.config
        residual = acceptance.Misfit(plan, self.curves, callback)
        draws = self.drawing(config.steps, config.probe, generator)
        samples, _ = gibbs.annealed_gibbs(
            mix, draws, plan, generator, residual, group=self.group, sweeps=config.sweeps
        )  # fmt: skip
        if plan.settle:
            settling = dataclasses.replace(plan, sigmas=())
            note = samplers.from_level(len(plan.sigmas), residual)
            samples = samplers.alternating(mix, self.denoisers, settling, generator, note, start=samples)
        return samples, self.none_stopped(mix), self.misfit(samples, residual, generator)
