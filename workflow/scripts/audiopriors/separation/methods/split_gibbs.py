"""Split Gibbs sampling with draws by the priors (`gibbs.split_gibbs`; PnP-DM, Wu et al., 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .. import acceptance, gibbs, samplers
from . import base


@dataclass(frozen=True)
class Config(base.Drawing):
    """Settings of split Gibbs sampling."""


class Sampler(base.Sampler):
    """The sampler. Its misfit is the residual's (acceptance.py)."""

    def last_level(self) -> float:
        """N sigma^2 adds to the variance of the mix's noise: a sixteenth for each source."""
        return self.noise / 4

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class."""
        residual, config = acceptance.Misfit(self.planned, self.curves, callback), self.config
        draws = self.drawing(config.steps, config.probe, generator)
        samples = gibbs.split_gibbs(mix, draws, self.planned, generator, residual, noise=self.noise)
        return samples, self.none_stopped(mix), self.misfit(samples, residual, generator)
