"""The exact posterior of a toy mix's parameters, by parallel tempering (Geyer, 1991; Earl & Deem, 2005).

The mix is M = sum_k g_k A_k w(f_k, p_k) + noise n. Each source has three parameters in [0, 1]: the share of its
frequency law below f, the phase p in cycles at the middle of the frame, and the place of A between its bounds. Their
law is uniform. Chains run at noise levels from that of the mix to one where the sources drown, and exchange their
states. At high noise a source is drawn anew from a lattice, so that chains find every explanation of the mix. At low
noise small steps and the differences of other chains' states (ter Braak, 2006) move within an explanation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..lattice import Lattice, Law, wave
from ..settings import Tempering

# Noise times sqrt(128 / T) above which a lattice's cells are small enough to propose from.
_HOT = 0.35
_PADDING, _PHASES = 4, 24  # of the lattice, see lattice.py
_AMPLITUDE = 0.9  # the place of A between its bounds at which the lattice is weighed: a proposal only
_SMALLEST, _LARGEST = 1e-4, 0.3  # steps, in cycles of phase
# Steps from one time that a source is drawn anew to the next: while burning in, and after. In mixes of three sources at
# T = 128, 75 % of the chains at the lowest level were at no explanation after 200 steps with 8, 1 % with 2.
_ANEW = (2, 8)


@dataclass(frozen=True)
class Problem:
    """Mixes M (B, T) float64 of sources with these laws and gains, in noise of that deviation."""

    mix: Tensor
    laws: list[Law]
    gains: list[float]
    noise: float

    def waves(self, source: int, parameters: Tensor) -> Tensor:
        """The waves g A w of a source, from its parameters in [0, 1]. Shape: (3, n) -> (n, T) float64."""
        law, (f, p, amplitude) = self.laws[source], self.values(source, parameters)
        return (self.gains[source] * amplitude)[:, None] * wave(law.source, f, p, self.mix.shape[1])

    def values(self, source: int, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """f (cycles/sample), p (cycles) and A of a source, from its parameters (3, n) in [0, 1]."""
        law, (share, p, place) = self.laws[source], parameters
        low, high = law.amplitude
        return law.frequency_at(share), p, low + (high - low) * place


class _Chains:
    """States of all chains: parameters (N, 3, ensembles, levels, B, chains), and what the mix leaves of them."""

    def __init__(self, problem: Problem, settings: Tempering, generator: torch.Generator):
        self.problem, self.generator = problem, generator
        length, self.number = problem.mix.shape[1], len(problem.laws)
        top = max(settings.top * math.sqrt(length / 128), 2 * problem.noise)
        self.levels = torch.logspace(0, 1, settings.levels, top / problem.noise, dtype=torch.float64) * problem.noise
        self.shape = (settings.ensembles, settings.levels, len(problem.mix), settings.chains)
        self.beta = (0.5 / self.levels**2)[None, :, None, None].expand(self.shape)
        self.hot = self.levels > _HOT * math.sqrt(length / 128)
        self.lattices = [Lattice(law, problem.mix.device, length, _PADDING, _PHASES) for law in problem.laws]
        self.cells = [lattice.waves().float() for lattice in self.lattices]
        self.parameters = self.uniform(self.number, 3, *self.shape)
        self.waves = torch.stack([self.waves_of(k, self.parameters[k]) for k in range(self.number)])
        self.residual = problem.mix[:, None] - self.waves.sum(0)
        self.energy = self.residual.square().sum(-1)

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, dtype=torch.float64)

    def waves_of(self, source: int, parameters: Tensor) -> Tensor:
        """The waves of parameters (3, ...). Shape: (..., T)."""
        return self.problem.waves(source, parameters.flatten(1)).view(*parameters.shape[1:], -1)

    def propose(self, sources: list[int], proposal: Tensor, where: Tensor | None = None, log_ratio=0.0) -> Tensor:
        """Take proposals (sources, 3, ...) by Metropolis's rule. Returns which (...).

        where: the states that are proposed to, by default all. log_ratio: of the densities of proposing back and forth.
        """
        waves = torch.stack([self.waves_of(k, part) for k, part in zip(sources, proposal, strict=True)])
        residual = self.residual + self.waves[sources].sum(0) - waves.sum(0)
        energy = residual.square().sum(-1)
        chance = self.beta * (self.energy - energy) + log_ratio
        taken = self.uniform(*self.shape).log() < chance
        if where is not None:
            taken = taken & where
        self.parameters[sources] = torch.where(taken, proposal, self.parameters[sources])
        self.waves[sources] = torch.where(taken[..., None], waves, self.waves[sources])
        self.residual = torch.where(taken[..., None], residual, self.residual)
        self.energy = torch.where(taken, energy, self.energy)
        return taken

    def walk(self, sources: list[int]) -> Tensor:
        """Steps of random size for these sources together."""
        size = _SMALLEST * (_LARGEST / _SMALLEST) ** self.uniform(*self.shape)
        steps = torch.randn(len(sources), 3, *self.shape, generator=self.generator, dtype=torch.float64) * size
        for place, k in enumerate(sources):
            law = self.problem.laws[k]
            # A change of phase by one cycle is as large as one of 1 / T in f, or 2 pi in A.
            steps[place, 0] /= self.problem.mix.shape[1] * (law.frequency[1] - law.frequency[0])
            steps[place, 2] *= 2 * math.pi / max(law.amplitude[1] - law.amplitude[0], 1e-9)
        return self.propose(sources, _folded(self.parameters[sources] + steps))

    def differ(self, half: int) -> Tensor:
        """Steps of half of the chains by the difference of two chains of the other half, at the same level."""
        chains, number = self.shape[3], self.number
        others = torch.arange(chains).view(2, -1)[1 - half]
        pick = self.uniform(2, *self.shape[:3], chains)
        first = (pick[0] * len(others)).long()
        second = (first + 1 + (pick[1] * (len(others) - 1)).long()) % len(others)
        of_others = self.parameters[..., others]
        ends = [of_others.gather(-1, one.expand(number, 3, *self.shape)) for one in (first, second)]
        step = ends[0] - ends[1]
        step[:, 1] -= step[:, 1].round()
        jump = self.uniform(*self.shape) < 0.2
        step = step * torch.where(jump, 1.0, 2.38 / math.sqrt(6 * number))
        step += 1e-6 * torch.randn(step.shape, generator=self.generator, dtype=torch.float64)
        where = (torch.arange(chains) // (chains // 2) == half).expand(self.shape)
        return self.propose(list(range(number)), _folded(self.parameters + step), where)

    def trade(self) -> Tensor:
        """Two sources exchange their parameters."""
        pair = torch.randperm(self.number, generator=self.generator)[:2].tolist()
        return self.propose(pair, self.parameters[pair[::-1]].clone())

    def renew(self, source: int) -> Tensor:
        """At high noise, draw a source anew: a cell of the lattice by its weight, and a place in it."""
        hot, lattice = self.hot, self.lattices[source]
        rest = (self.residual + self.waves[source])[:, hot]
        law, gain = lattice.law, self.problem.gains[source]
        amplitude = gain * (law.amplitude[0] + _AMPLITUDE * (law.amplitude[1] - law.amplitude[0]))
        product = rest.flatten(0, 3).float() @ self.cells[source].T
        weight = amplitude * (product - 0.5 * amplitude * lattice.energy32.flatten())
        weight = weight * (2 * self.beta[:, hot]).reshape(-1, 1).float()
        log_mass = lattice.log_mass[:, None].expand_as(lattice.energy).flatten()
        cell = torch.multinomial(torch.softmax(weight + log_mass.float(), 1), 1, generator=self.generator)
        own = self.parameters[source][:, :, hot].flatten(1)
        row = (law.frequency_at(own[0]) * lattice.points).round().long() - lattice.rows[0]
        own_cell = row.clamp(0, len(lattice.rows) - 1) * lattice.phases
        own_cell += (own[1] * lattice.phases).round().long() % lattice.phases
        log_ratio = weight.gather(1, own_cell[:, None]) - weight.gather(1, cell)
        low, high = map(law.quantile, lattice.ends(lattice.rows[cell[:, 0] // lattice.phases], row.new_zeros(())))
        uniform = self.uniform(3, len(cell))
        column = (cell[:, 0] % lattice.phases + uniform[1] - 0.5) / lattice.phases
        drawn = torch.stack((low + (high - low) * uniform[0], column % 1, uniform[2]))
        proposal, ratio = self.parameters[source].clone(), torch.zeros(self.shape, dtype=torch.float64)
        proposal[:, :, hot] = drawn.view(3, *rest.shape[:-1])
        ratio[:, hot] = log_ratio.double().view(rest.shape[:-1])
        where = hot[None, :, None, None].expand(self.shape)
        return self.propose([source], proposal[None], where, ratio)

    def swap(self, odd: int) -> Tensor:
        """Neighbouring levels exchange their states. Returns which pairs did (ensembles, pairs, B, chains)."""
        lower = torch.arange(odd, self.shape[1] - 1, 2)
        chance = (self.beta[:, lower] - self.beta[:, lower + 1]) * (self.energy[:, lower] - self.energy[:, lower + 1])
        taken = self.uniform(*chance.shape).log() < chance
        for name, dim in (("parameters", 3), ("waves", 2), ("residual", 1), ("energy", 1)):
            state = getattr(self, name)
            one, other = state.index_select(dim, lower), state.index_select(dim, lower + 1)
            which = taken[..., None] if name in ("waves", "residual") else taken
            state.index_copy_(dim, lower, torch.where(which, other, one))
            state.index_copy_(dim, lower + 1, torch.where(which, one, other))
        return taken


def _folded(parameters: Tensor) -> Tensor:
    """Parameters (N, 3, ...) beyond [0, 1] reflected into it; a phase is a place on a circle."""
    folded = (parameters % 2 - 1).abs()
    folded = 1 - folded
    folded[:, 1] = parameters[:, 1] % 1
    return folded


def draws(
    problem: Problem, settings: Tempering, generator: torch.Generator, watch: Callable[[int, int], None] | None = None
) -> Tensor:
    """Draws from p(parameters | M), (ensembles, B, draws, N, 3) in [0, 1], in time. Ensembles do not see each other.

    watch: called now and then with the number of steps done and of all.
    """
    chains = _Chains(problem, settings, generator)
    kept, every = [], max(1, (settings.steps - settings.burn_in) * settings.chains // settings.draws)
    sources = list(range(chains.number))
    for step in range(settings.steps):
        for k in sources:
            chains.walk([k])
        chains.differ(step % 2)
        if chains.number > 1 and step % 2:
            chains.walk(sources)
        if chains.number > 1 and step % 4 == 0:
            chains.trade()
        every_so_many = _ANEW[step >= settings.burn_in]
        if step % every_so_many == 0:
            chains.renew(step // every_so_many % chains.number)
        chains.swap(step % 2)
        if step >= settings.burn_in and (step - settings.burn_in) % every == 0:
            kept.append(chains.parameters[:, :, :, 0].clone())
        if watch and step % 50 == 0:
            watch(step, settings.steps)
    every_draw = torch.stack(kept, 4)  # (N, 3, ensembles, B, kept, chains)
    return every_draw.flatten(4).permute(2, 3, 4, 0, 1)
