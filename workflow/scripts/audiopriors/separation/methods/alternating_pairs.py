"""The alternating sampler for sources that share their frequencies, as in unison.

It begins with emphasised waves (audio/emphasis.py), in which sources in unison differ most. Then pairs of sources are
drawn anew, from noise, while the others stay. What a pair takes from each other, no change of a single source mends.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import UserError
from ...types import Count, Share
from .. import acceptance, samplers, schedules
from . import base


@dataclass(frozen=True)
class Config:
    """Settings of the alternating sampler with pairs."""

    kept: Share
    "The error, as a share of its power, at whose noise level a source still stays what it was."
    pairs: Count
    "How many pairs of sources are drawn anew, one after the other, in mixes that are not yet accepted."


@dataclass
class _State:
    """Estimates (N, B, 1, T), and how they fit the mix (B,) and their priors (N, B), see acceptance.py."""

    estimates: Tensor
    fit: Tensor
    energies: Tensor

    @property
    def misfit(self) -> Tensor:
        """The misfit of each mix (B,), as in the base class."""
        return (self.fit * self.energies.amax(0)).sqrt()

    @property
    def excess(self) -> Tensor:
        """By how much all sources are above the energies of right estimates, on a log scale (B,)."""
        return self.energies.clamp_min(1).log().sum(0)

    def replace(self, items: Tensor, other: _State, chosen: Tensor) -> None:
        """Take over the chosen ones (b,), a mask, of another state's b items, which have these numbers here."""
        places = items[chosen]
        self.estimates[:, places], self.energies[:, places] = other.estimates[:, chosen], other.energies[:, chosen]
        self.fit[places] = other.fit[chosen]


class Sampler(base.Sampler):
    """The sampler, for priors with a second denoiser, of emphasised waves.

    Raises
    ------
    UserError: a prior has none, or the mix has noise of its own.
    """

    judges = True

    def __init__(self, config: Config, method: dict, *others):
        super().__init__(config, method, *others)
        self.emphasised: list[schedules.Curve] = [one.emphasised for one in self.curves if one.emphasised]
        if len(self.emphasised) < len(self.curves):
            raise UserError(
                f"the sampler {method['sampler']} needs priors with emphasised waves, such as the family "
                "score_emphasised"
            )
        if self.noise:
            raise UserError(f"the sampler {method['sampler']} takes no mix with noise of its own")

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class. The callback is not called where pairs are drawn anew."""
        state = self._annealed(mix, self._begun(mix, generator), (), generator, callback)
        pairs = list(itertools.combinations(range(len(self.sources)), 2))
        for number in range(self.config.pairs if pairs else 0):
            waiting = (state.misfit > self.accept).nonzero()[:, 0]
            if not len(waiting):
                break
            pair = pairs[number % len(pairs)]
            other = self._annealed(mix[waiting], state.estimates[:, waiting], pair, generator)
            state.replace(waiting, other, other.excess < state.excess[waiting])
        return state.estimates, self.none_stopped(mix), state.misfit

    def _begun(self, mix: Tensor, generator: torch.Generator) -> Tensor:
        """Estimates (N, B, 1, T) of the alternating sampler in emphasised waves."""
        emphasis = self.priors[0][0].prior.emphasis
        assert emphasis is not None  # the curves say so
        plan = schedules.plan(self.emphasised, **self.method["plan"])
        denoisers = [self._counted(prior.restore_emphasised) for prior in self.priors[0]]
        return emphasis.undo(samplers.alternating(emphasis.apply(mix), denoisers, plan, generator))

    def _annealed(
        self, mix: Tensor, start: Tensor, anew: tuple[int, ...], generator: torch.Generator,
        callback: samplers.Callback | None = None,
    ) -> _State:  # fmt: skip
        """The alternating sampler from a start (N, B, 1, T). Sources `anew` come from noise; others enter when kept."""
        plan, kept = self.planned, min(one.level(self.config.kept) for one in self.curves)
        entries = tuple(entry if k in anew else min(kept, entry) for k, entry in enumerate(plan.entries))
        sigmas = tuple(sigma for sigma in plan.sigmas if sigma <= max(entries))
        note = callback and samplers.from_level(len(plan.sigmas) - len(sigmas), callback)
        shorter = dataclasses.replace(plan, sigmas=sigmas, entries=entries)
        fit = acceptance.Misfit(shorter, self.curves, note)
        estimates = samplers.alternating(mix, self.denoisers, shorter, generator, fit, start=start)
        assert fit.value is not None  # the last sweeps have set it
        energies = acceptance.energies(estimates, self.judging, self.curves, plan, generator)
        return _State(estimates, fit.value.double(), energies)
