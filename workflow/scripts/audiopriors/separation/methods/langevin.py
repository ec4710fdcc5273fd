"""Langevin dynamics under a prior of each noise level in turn (`samplers.langevin`, `samplers.metropolis`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...types import Count, Positive
from .. import samplers
from ..scaled import Scaled
from . import base


@dataclass(frozen=True)
class Config:
    """Settings of Langevin dynamics."""

    steps: Count
    "Steps for each sigma."
    step_size: Positive
    "delta: the step eta is delta sigma^2."
    mixture_width: Positive
    "Gamma / sigma, the width of p(mix | sources) in the sum domain."
    metropolis: bool
    "Accept or reject each step (MALA), by log p, or by scores under priors whose log p is dear."


class Sampler(base.Sampler):
    """The Langevin sampler. Its misfit is the energy before the last step, or the residual if no log p is computed."""

    needs_plan = False

    def last_level(self) -> float:
        """Where little noise is left in the sources."""
        return self.noise / 8

    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix, see the base class."""
        last: list[Tensor] = []

        def note(level, step, energy, residual, sources):
            last[:] = energy, residual
            callback(level, step, energy, residual, sources)

        levels = [self._level(*level) for level in zip(self.priors, self.sigmas, strict=True)]
        number, first, final = len(self.gains), levels[0], levels[-1]
        noise = torch.randn(number, *mix.shape, generator=generator).to(mix.device)
        start = mix / number + first.sigma * noise
        if self.config.metropolis:
            state, stopped = samplers.metropolis(start, mix, levels, generator, note, by_scores=self._by_scores)
        else:
            state, stopped = samplers.langevin(start, mix, levels, generator, note)
        if self.plan or float(self.method["sigmas"][-1]) > 0:
            state = samplers.denoise(state, final.prior, final.sigma)
        energy, residual = last
        return state, stopped, residual if energy.isnan().all() else energy

    @property
    def _by_scores(self) -> bool:
        """Whether Metropolis steps compare scores, as log p of some prior is dear."""
        return any(scaled.prior.log_prob_is_dear for scaled in self.priors[0])

    def _level(self, priors: list[Scaled], sigma: float) -> samplers.Level:
        """Langevin steps at one sigma, under the product of the sources' priors."""

        need_log_prob = self.config.metropolis and not self._by_scores

        def joint(state: Tensor) -> tuple[Tensor, Tensor]:
            self.asked += state.shape[0] * state.shape[1]
            pairs = [
                prior.log_prob_and_score(part, sigma, need_log_prob=need_log_prob)
                for prior, part in zip(priors, state, strict=True)
            ]
            return torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs])

        config = self.config
        return samplers.Level(joint, sigma, config.steps, config.step_size, config.mixture_width, self.noise)
