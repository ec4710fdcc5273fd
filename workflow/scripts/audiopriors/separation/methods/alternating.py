"""A sampler that estimates one source at a time from what the others leave of the mix, at falling noise.

See `samplers.alternating`. A method with a `posterior` begins with the estimates of that model's encoder. Mixes whose
estimates are then not accepted begin again at noise.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Count, Share
from .. import acceptance, samplers
from . import base

# Noise over error. On validation mixes of quick's toy data, 3, 5 and 7 lead to 75, 81 and 81 % accepted first rounds,
# for 80, 96 and 108 denoised waves a mix.
DROWNS = 5.0


@dataclass(frozen=True)
class Config:
    """Settings of the alternating sampler."""

    turns: Count
    "Particles begin with the first, second, ... of so many sources in turn."
    share: Share
    "The share of the noise's variance that each sample carries; 0: 1 / N."


class Sampler(base.Sampler):
    """The alternating sampler. Its misfit is the base's, as its estimates see the mix only through denoisers."""

    judges = True
    begins = True

    def last_level(self) -> float:
        """The level at which the samples' own noise leaves that of the mix, and no other."""
        number = len(self.gains)
        share = min(self.config.share or 1 / number, 0.999 / max(1, number - 1))
        return self.noise / math.sqrt(1 - (number - 1) * share)

    @property
    def particles(self) -> list[int]:
        """The number of particles in each round. With an encoder, one more round of one particle is the first.

        It is the only one where nothing is accepted.
        """
        return [*([1] if self.encoder else []), *super().particles]

    def _begin(self, mix: Tensor) -> tuple[samplers.Plan, Tensor | None]:
        """The levels of this round, and the estimates (N, B, 1, T) at which it starts; None if it starts at noise.

        With an encoder the first round starts at its estimates, in noise that drowns their errors: DROWNS times the
        encoder's largest error of a source on validation mixes.
        """
        if not self.encoder or self.round:
            return self.planned, None
        level = DROWNS * max(self.encoder.description["errors"])
        sigmas = tuple(sigma for sigma in self.planned.sigmas if sigma <= level)
        with torch.no_grad():
            estimates = self.encoder.estimates(mix)
        return dataclasses.replace(self.planned, sigmas=sigmas), estimates.transpose(0, 1)[:, :, None]

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class."""
        plan, start = self._begin(mix)
        skipped = len(self.planned.sigmas) - len(plan.sigmas)
        residual = acceptance.Misfit(plan, self.curves, samplers.from_level(skipped, callback))
        estimates = samplers.alternating(
            mix, self.denoisers, plan, generator, residual, self.config.share or None, self.config.turns, start,
            self.coloured, self.noise,
        )  # fmt: skip
        return estimates, self.none_stopped(mix), self.misfit(estimates, residual, generator)
