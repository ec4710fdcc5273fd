"""The reverse diffusion of all sources at once under the mix (`samplers.guided`; MSDM, Mariani et al., 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...types import NonNegative, Positive
from .. import acceptance, samplers
from . import base


@dataclass(frozen=True)
class Config:
    """Settings of the guided sampler."""

    guidance: Literal["dirac", "gaussian"]
    "How the mix guides the reverse diffusion."
    width: Positive
    "gaussian: the width of p(mix | sources) over sigma."
    churn: NonNegative
    "The share by which the noise is raised before each step."


class Sampler(base.Sampler):
    """The guided sampler. Its misfit is the residual's (acceptance.py).

    The misfit chooses between particles, but does not show that they are right.
    """

    def last_level(self) -> float:
        """Where little noise is left in the sources."""
        return self.noise / 8

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class."""
        misfit, config = acceptance.Misfit(self.planned, self.curves, callback), self.config
        estimates = samplers.guided(
            mix, self.denoisers, self.planned, generator, misfit, guidance=config.guidance, width=config.width,
            churn=config.churn, coloured=self.coloured, noise=self.noise,
        )  # fmt: skip
        assert misfit.value is not None  # the last sweeps have set it
        return estimates, self.none_stopped(mix), misfit.value
