"""One source at a time is found in what the others leave of the mix, at falling noise (`samplers.alternating`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Count, Share
from .. import acceptance, samplers
from . import base


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

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One particle for each mix, see the base class."""
        misfit = acceptance.Misfit(self.plan, self.curves, callback)
        estimates = samplers.alternating(
            mix, self.denoisers, self.plan, generator, misfit, self.config.share or None, self.config.turns
        )
        value = misfit.value
        if self.accept:
            energy = acceptance.energy(estimates, self.judging, self.curves, self.plan, generator)
            value = (value * energy).sqrt()
        return estimates, self.none_stopped(mix), value
