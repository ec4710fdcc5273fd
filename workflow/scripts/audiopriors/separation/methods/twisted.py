"""The twisted particle filter down the noise levels (`twisted.twisted`; Wu et al., 2023)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Positive
from .. import acceptance, samplers
from ..twisted import twisted
from . import base


@dataclass(frozen=True)
class Config:
    """Settings of the twisted particle filter."""

    probe: Positive
    "The length, over sigma, of the difference that gives a denoiser's Jacobian."


class Sampler(base.Sampler):
    """The sampler. The particles of a mix are resampled together. Its misfit is the residual's (acceptance.py).

    A mix without noise of its own is taken to have as much as the plan's lowest level.
    """

    def last_level(self) -> float:
        """Where little noise is left in the sources."""
        return self.noise / 8

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class."""
        residual, plan = acceptance.Misfit(self.planned, self.curves, callback), self.planned
        samples, _ = twisted(
            mix, self.denoisers, plan, generator, residual, powers=[one.power for one in self.curves],
            noise=self.noise or plan.settle[-1], group=self.group, probe=self.config.probe,
        )  # fmt: skip
        return samples, self.none_stopped(mix), self.misfit(samples, residual, generator)
