"""The interface of a sampler of p(sources | mix): it estimates all sources of a mix under a prior of each.

A sampler is one file of this folder. It has a frozen dataclass `Config`, with a docstring under each field, and the
class `Sampler`. Its name is the file's name. Nothing else lists it. A method of the config is a sampler with its
settings, its noise levels, and a number of particles.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import UserError
from ...precision import products_of
from ...priors.base import Prior
from ...types import Count, Positive
from .. import acceptance, gibbs, samplers, schedules
from ..encoder import Encoder
from ..scaled import Scaled


@dataclass(frozen=True)
class Separated:
    """What a sampler returns, on the CPU: estimates (N, B, 1, T), and three values for each item, (B,).

    stopped: whether all of the item's particles broke off. misfit: how badly the estimates fit. accepted: 1 if they
    were accepted, else 0. misfit and accepted are NaN where a method has no misfit or accepts everything.
    """

    estimates: Tensor
    stopped: Tensor
    misfit: Tensor
    accepted: Tensor


@dataclass(frozen=True)
class Drawing:
    """Settings of a sampler that draws sources with their full spread, see `Sampler.drawing`."""

    steps: Count
    "Denoising steps of the reverse diffusion that draws a source, for priors without draws of their own."
    probe: Positive
    "How that draw gets its spread, see gibbs.reverse_diffusion."


COMBINED = {"mean": samplers.mean, "mask": samplers.mask, "shared": samplers.shared}


class Sampler(abc.ABC):
    """A method of the config, for one mix. A file gives `run`; restarts, combining and acceptance are here.

    config: the file's `Config`. method: the method's other keys, see the config's schema. mix: its name, sources and
    gains. priors: by source and by the noise level they were trained at, as in paths ("all" for one model of all
    levels). curves: the error curve of each source's prior, by source, for a method with a plan. encoder: the posterior
    model of this mix whose estimates the method begins with, for a method with a `posterior`.

    Raises
    ------
    UserError: a prior, a curve or a plan is missing.
    """

    begins = False
    "Whether the sampler can begin with a posterior model's estimates."

    needs_plan = True
    "Whether its levels are planned from the priors' error curves; else the method may name the priors' levels."

    judges = False
    "Whether `run`'s misfit shows that estimates are right: then `accept` counts, and fresh particles are run."

    def __init__(
        self, config, method: dict, mix: dict, priors: dict[tuple[str, str], Prior], curves: dict[str, schedules.Curve],
        device: torch.device, encoder: Encoder | None = None,
    ):  # fmt: skip
        self.config, self.method, self.device, self.encoder = config, method, device, encoder
        self.round = 0
        "Which round of particles `run` is called for."
        self.asked = 0
        "Waves that denoisers or scores were asked for, since the last round began."
        self.calls = 0
        "Of denoisers or scores, for one particle of the last round."
        self.sources, self.gains, self._priors = mix["sources"], mix["gains"], priors
        self.noise = float(mix["noise"])
        "The deviation of the noise that the mix has itself."
        self.group = 1
        "Particles of the same mix, which follow each other in the mixes of `run`."
        self.plan: samplers.Plan | None = None
        self.curves: list[schedules.Curve] = []
        "Of each source, times its gain."
        if "plan" in method:
            for source in self.sources:
                if source not in curves:
                    raise UserError(f"a plan needs the error curve of each prior; there is none of {source!r}")
            self.curves = [curves[source].scaled(gain) for source, gain in zip(self.sources, self.gains, strict=True)]
            last = self.last_level() if self.noise else None
            self.plan = schedules.plan(self.curves, **method["plan"], last=last)
            self.sigmas = [*self.plan.sigmas, *self.plan.settle]
            self.priors = [self.priors_at("all")] * len(self.sigmas)
        elif self.needs_plan:
            raise UserError(f"the sampler {method['sampler']} needs a plan")
        else:
            self.sigmas = [float(sigma) or method["noise_free_sigma"] for sigma in method["sigmas"]]
            self.priors = [self.priors_at(sigma) for sigma in method["sigmas"]]
        self.combine = method.get("combine", "best")
        # A misfit is informative only for one particle, and for priors that can find their source, in white noise.
        self.judged = self.judges and self.combine == "best"
        white = not any(scaled.prior.has_colour for scaled in self.priors[0])
        able = (
            self.judged
            and self.plan
            and white
            and not self.noise
            and schedules.can_find(self.curves, method["plan"]["end"])
        )
        self.accept = method["accept"] if able else 0.0
        "The misfit up to which estimates are accepted; 0: none is."

    def last_level(self) -> float:
        """For a mix with noise of its own, the level at which the sampler's law has that noise: here the same."""
        return self.noise

    @abc.abstractmethod
    def run(
        self, mix: Tensor, generator: torch.Generator, callback: samplers.Callback
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one particle for each mix M (B, 1, T), on `device`.

        `self.sigmas` are the levels, `self.priors` the sources' priors at each level. A method with a plan also has
        `self.denoisers`, `self.plan` and `self.curves`. All randomness comes from the generator, a CPU one. The
        callback (see samplers.Callback) is called at least once at each level.

        Returns
        -------
        estimates: (N, B, 1, T). stopped: (B,), whether the run of that mix broke off. misfit: (B,), lower is better. It
        must not use the true sources; it chooses the best of several particles.
        """

    def priors_at(self, sigma: str) -> list[Scaled]:
        """The prior of each source times its gain: the prior of that level, as in paths, or the one of all levels."""
        scaled = []
        for source, gain in zip(self.sources, self.gains, strict=True):
            prior = self._priors.get((source, sigma)) or self._priors.get((source, "all"))
            if prior is None:
                names = ", ".join(f"{source} at {sigma}" for source, sigma in self._priors)
                raise UserError(f"there is no prior of {source} at sigma {sigma}; there are {names}")
            scaled.append(Scaled(prior, gain))
        return scaled

    @property
    def takes_long_waves(self) -> bool:
        """Whether mixes may be longer than the frames that its priors were trained on."""
        return all(scaled.prior.takes_long_waves for at_level in self.priors for scaled in at_level)

    @property
    def planned(self) -> samplers.Plan:
        """The plan of a method that has one."""
        assert self.plan is not None
        return self.plan

    @property
    def particles(self) -> list[int]:
        """The number of particles in each round, for the greatest number of rounds."""
        return [self.method["particles"]] * self.method["rounds"]

    @property
    def denoisers(self) -> list[samplers.Denoiser]:
        """E[s_k | x] for each source, from x and sigma, for priors that serve all levels, in noise of `coloured`."""
        return [self._counted(prior.restore) for prior in self.priors[0]]

    @property
    def coloured(self) -> Callable[[Tensor], Tensor]:
        """The noise that the priors know, from white noise. Shape as it is."""
        return self.priors[0][0].prior.coloured

    @property
    def judging(self) -> list[samplers.Denoiser]:
        """The same denoisers with the priors' gates: far from any wave of the source where its prior sees none."""
        return [self._counted(prior.judged) for prior in self.priors[0]]

    def drawing(self, steps: int, probe: float, generator: torch.Generator) -> list[gibbs.Draw]:
        """Draws of each source given it in noise: the prior's own, or by a reverse diffusion (see gibbs.py).

        The reverse diffusion ends at the plan's lowest level, or a sixteenth of the mix's own noise.
        """
        lowest = self.noise / 16 if self.noise else self.planned.settle[-1]

        def one(prior: Scaled, denoiser: samplers.Denoiser) -> gibbs.Draw:
            if probe and prior.prior.draws_exactly:
                return self._counted(lambda x, sigma: prior.draw(x, sigma, generator))
            return gibbs.by_reverse_diffusion(denoiser, lowest, steps, generator, self.coloured, probe)

        return [one(*pair) for pair in zip(self.priors[0], self.denoisers, strict=True)]

    def _counted(self, denoiser: samplers.Denoiser) -> samplers.Denoiser:
        def counted(x: Tensor, sigma: float) -> Tensor:
            self.asked += len(x)
            return denoiser(x, sigma)

        return counted

    def misfit(self, estimates: Tensor, residual: acceptance.Misfit, generator: torch.Generator) -> Tensor:
        """The misfit (B,) of a sampler that judges: the residual's, or a mean of that and the energy.

        estimates: (N, B, 1, T), of a run with `residual` as its callback. Where estimates can be accepted, it is the
        geometric mean of the two (acceptance.py). It is informative where estimates see the mix only through denoisers.
        Wrong estimates have both near 1, and right ones seldom have one of them there. So the mean leaves a wider gap
        than the larger one. The energy uses denoisers with the priors' gates.
        """
        value = residual.value
        assert value is not None  # the last sweeps have set it
        if self.accept:
            energy = acceptance.energies(estimates, self.judging, self.curves, self.planned, generator)
            value = (value * energy.amax(0)).sqrt()
        return value

    @staticmethod
    def none_stopped(mix: Tensor) -> Tensor:
        """The `stopped` (B,) of mixes M (B, 1, T) whose runs never break off."""
        return torch.zeros(mix.shape[0], dtype=torch.bool, device=mix.device)

    def all_particles(self, mix: Tensor, generator: torch.Generator, number: int) -> Tensor:
        """So many samples of each mix M (B, 1, T), good or bad, on the CPU. Shape: (N, B, number, 1, T)."""
        self.group, self.asked = number, 0
        with products_of(self.method.get("precision", "float32")):
            estimates = self.run(mix.to(self.device).repeat_interleave(number, 0), generator, _silent)[0]
        self.calls = self.asked // (number * len(mix))
        return estimates.unflatten(1, (-1, number)).cpu()

    def __call__(self, mix: Tensor, generator: torch.Generator, callback=None, watch=None) -> Separated:
        """Separate the sources of M (B, 1, T). callback (for the first round) and watch: as in samplers."""
        rounds: list[Tensor] = []

        def once(some: Tensor) -> tuple[Tensor, Tensor]:
            self.round, self.asked, self.group = len(rounds), 0, particles[len(rounds)]
            first = callback if callback and not rounds else _silent
            with products_of(self.method.get("precision", "float32")):
                estimates, stopped, misfit = self.run(some, generator, first)
            self.calls = self.asked // len(some)
            rounds.append(stopped)
            return estimates, misfit

        particles = self.particles if self.accept else self.particles[:1]
        estimates, misfit = samplers.restarted(
            once, mix.to(self.device), particles=particles, accept=self.accept, watch=watch,
            combine=COMBINED.get(self.combine),
        )  # fmt: skip
        stopped = rounds[0].view(-1, particles[0]).all(1)
        accepted = (misfit <= self.accept).double()
        if not self.judged:
            accepted[:] = float("nan")
        return Separated(estimates.cpu(), stopped.cpu(), misfit.cpu(), accepted.cpu())


def _silent(level: int, step: int, energy: Tensor, residual: Tensor, sources: Tensor) -> None:
    """The callback of rounds that nobody watches."""
