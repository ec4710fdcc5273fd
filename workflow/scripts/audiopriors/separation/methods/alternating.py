"""One source at a time is found in what the others leave of the mix, at falling noise (`samplers.alternating`).

A method that has a `posterior` begins at what that model's encoder says of the mix; what is refused of it begins at
noise.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Count, Share
from .. import acceptance, samplers
from . import base

# Noise over error. On validation mixes of quick's toy data, 3, 5 and 7 have 75, 81 and 81 % of first rounds accepted,
# for 80, 96 and 108 denoised waves a mix.
DROWNS = 5.0


@dataclass(frozen=True)
class Config:
    turns: Count
    "Particles begin with the first, second, ... of so many sources in turn."
    share: Share
    "The part of the noise's variance that each sample carries; 0: 1 / N."


class Sampler(base.Sampler):
    """The misfit is the residual's; where it can be accepted, the geometric mean of that and the energy.

    It tells something, as these estimates do not see the mix but through denoisers. What is wrong has both near 1, and
    what is right seldom has one of them there, so their mean leaves a wider gap than the larger one (acceptance.py).
    The energy is that of denoisers that heed the priors' gates.
    """

    judges = True
    begins = True

    @property
    def particles(self) -> list[int]:
        """With an encoder, one more round of one particle is the first; the only one where nothing is accepted."""
        return [*([1] if self.encoder else []), *super().particles]

    def _begin(self, mix: Tensor) -> tuple[samplers.Plan, Tensor | None]:
        """The levels of this round, and the estimates (N, B, 1, T) at which it starts; None: at noise.

        With an encoder the first round starts at its estimates, in noise that drowns what is wrong with them: DROWNS
        times the encoder's largest error of a source on validation mixes.
        """
        if not self.encoder or self.round:
            return self.plan, None
        level = DROWNS * max(self.encoder.description["errors"])
        sigmas = tuple(sigma for sigma in self.plan.sigmas if sigma <= level)
        with torch.no_grad():
            estimates = self.encoder.estimates(mix)
        return dataclasses.replace(self.plan, sigmas=sigmas), estimates.transpose(0, 1)[:, :, None]

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One particle for each mix, see the base class."""
        plan, start = self._begin(mix)
        skipped = len(self.plan.sigmas) - len(plan.sigmas)

        def note(level: int, *state) -> None:
            callback(skipped + level, *state)

        misfit = acceptance.Misfit(plan, self.curves, note)
        estimates = samplers.alternating(
            mix, self.denoisers, plan, generator, misfit, self.config.share or None, self.config.turns, start
        )
        value = misfit.value
        if self.accept:
            energy = acceptance.energy(estimates, self.judging, self.curves, self.plan, generator)
            value = (value * energy).sqrt()
        return estimates, self.none_stopped(mix), value
