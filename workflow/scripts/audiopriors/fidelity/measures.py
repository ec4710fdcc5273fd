"""How far the particles of a sampler are from the exact posterior of each mix.

Particles and exact draws are compared by ranks of named quantities, by the distance of waves, by the explanations of
the mix that they choose, and by their score. Exact draws in place of particles show what each measure is at its best:
every measure is taken of as many of them, again and again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.cluster import hierarchy
from torch import Tensor

from ..priors.exact import Exact
from ..separation.scaled import Scaled
from .tempering import Problem

BINS = 8  # of ranks
# Draws in waves nearer than this share of the sources' power are one explanation, and so are chains of such draws.
_NEAR = 0.1
_LINKED = 256  # draws that are linked to explanations
_LEAST = 0.05  # the share of draws that an explanation has at least
_FINE = 1 / 16  # of the mix's noise: the noise at which a wave's parameters are read


@dataclass(frozen=True)
class Draws:
    """Samples of the sources of each mix: parameters (N, 3, B, n): f T, p, A; waves (N, B, n, T); residual (B, n).

    f T is in cycles a frame, p in cycles at the middle of the frame, A without the source's gain. The residual is the
    mean square of M - sum s.
    """

    parameters: Tensor
    waves: Tensor
    residual: Tensor

    def some(self, places: Tensor) -> Draws:
        """The samples at these places (n',) of each mix."""
        return Draws(self.parameters[..., places], self.waves[:, :, places], self.residual[:, places])


def of_parameters(problem: Problem, shares: Tensor) -> Draws:
    """The draws with parameters in [0, 1], see tempering.py. Shape: (B, n, N, 3)."""
    items, number, length = *shares.shape[:2], problem.mix.shape[1]
    parameters, waves = [], []
    for k in range(len(problem.laws)):
        flat = shares[:, :, k].flatten(0, 1).T
        f, p, amplitude = problem.values(k, flat)
        parameters.append(torch.stack((f * length, p, amplitude)).view(3, items, number))
        waves.append(problem.waves(k, flat).view(items, number, length))
    return _draws(problem, torch.stack(parameters), torch.stack(waves))


def of_waves(problem: Problem, priors: list[Exact], waves: Tensor, generator: torch.Generator) -> Draws:
    """The samples with these waves (N, B, n, T); their parameters are drawn given each wave in very little noise."""
    length, parameters = problem.mix.shape[1], []
    for prior, gain, of_source in zip(priors, problem.gains, waves, strict=True):
        flat = (of_source.flatten(0, 1) / gain)[:, None]
        f, p, amplitude = prior.parameters_of(flat, problem.noise * _FINE / gain, generator)
        parameters.append(torch.stack((f * length, p % 1, amplitude)).view(3, *waves.shape[1:3]))
    return _draws(problem, torch.stack(parameters), waves.double())


def _draws(problem: Problem, parameters: Tensor, waves: Tensor) -> Draws:
    return Draws(parameters, waves, (problem.mix[:, None] - waves.sum(0)).square().mean(2))


def quantities(draws: Draws, centre: Tensor) -> Tensor:
    """Numbers that have an order: each source's f T, p and A, and the residual. Shape: (3 N + 1, B, n).

    centre: phases (N, B) on whose far side the circle of phases is cut.
    """
    ordered = draws.parameters.clone()
    ordered[:, 1] = (ordered[:, 1] - centre[:, :, None] + 0.5) % 1
    return torch.cat((ordered.flatten(0, 1), draws.residual[None]))


def centres(draws: Draws) -> Tensor:
    """The middle of each source's phases, (N, B)."""
    return torch.exp(2j * math.pi * draws.parameters[:, 1]).mean(2).angle() / (2 * math.pi)


def ranks(particles: Tensor, exact: Tensor) -> Tensor:
    """The shares of exact values at each rank among particles' values. Shape: (Q, B, P), (Q, B, n) -> (Q, B, P + 1).

    A rank is the number of particles below (simulation-based calibration; Talts et al., 2018). If particles and exact
    values have one law, all ranks are as frequent.
    """
    place = torch.searchsorted(particles.sort(2).values.contiguous(), exact.contiguous())
    counts = torch.zeros(*particles.shape[:2], particles.shape[2] + 1, dtype=torch.float64)
    return counts.scatter_add_(2, place, torch.ones_like(exact)) / exact.shape[2]


def coverage(shares: Tensor, level: float) -> Tensor:
    """The share of exact values in the central region of that level, mean over quantities. (Q, B, P + 1) -> (B,).

    Of P particles the region is between two order statistics, such that its level is exact if (1 - level) / 2 of P + 1
    is whole.
    """
    outside = round((1 - level) / 2 * shares.shape[2])
    return shares[:, :, outside : shares.shape[2] - outside].sum(2).mean(0)


def energy_distance(particles: Tensor, exact: Tensor) -> Tensor:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| over E|Y - Y'| (Szekely & Rizzo, 2013), unbiased up to the ratio. (B,).

    particles X, exact Y: waves (N, B, n, T), whose distance is that of all sources together. Two sets of parameters are
    as far from each other as their waves, so no scale has to be chosen for f, p and A.
    """
    one, other = (_joined(waves) for waves in (particles, exact))
    within = _mean_distance(other)
    return (2 * torch.cdist(one, other).mean((1, 2)) - _mean_distance(one) - within) / within


def _joined(waves: Tensor) -> Tensor:
    """(N, B, n, T) -> (B, n, N T)."""
    return waves.permute(1, 2, 0, 3).flatten(2)


def _mean_distance(points: Tensor) -> Tensor:
    """The mean distance of two different points. Shape: (B, n, d) -> (B,)."""
    number = points.shape[1]
    return torch.cdist(points, points).sum((1, 2)) / (number * (number - 1))


@dataclass(frozen=True)
class Explanations:
    """The explanations of one mix: of each linked draw its number (from 0, the most frequent first; -1: rare)."""

    waves: Tensor
    number: np.ndarray
    shares: np.ndarray
    "Of all draws, of each explanation."
    reach: float

    def chosen(self, waves: Tensor) -> np.ndarray:
        """The shares of these waves (n, N T) that are at each explanation; the rest is at rare ones or at none."""
        near = torch.cdist(waves, self.waves).min(1)
        number = np.where(near.values.numpy() <= self.reach, self.number[near.indices.numpy()], -1)
        return np.array([(number == one).mean() for one in range(len(self.shares))])


def explanations(exact: Tensor) -> list[Explanations]:
    """The explanations of each mix: single linkage of exact draws, waves (N, B, n, T)."""
    joined, every = _joined(exact), []
    linked = joined[:, :: max(1, joined.shape[1] // _LINKED)][:, :_LINKED]
    for waves in linked:
        reach = math.sqrt(_NEAR * waves.square().sum(1).mean().item())
        label = hierarchy.fcluster(hierarchy.linkage(waves.numpy(), "single"), reach, "distance")
        values, counts = np.unique(label, return_counts=True)
        order = [value for value, count in sorted(zip(values, counts, strict=True), key=lambda one: -one[1])
                 if count >= _LEAST * len(label)]  # fmt: skip
        number = np.select([label == value for value in order], range(len(order)), -1)
        every.append(Explanations(waves, number, np.array([(label == value).mean() for value in order]), reach))
    return every


@dataclass(frozen=True)
class Stein:
    """Samples for the kernelised Stein discrepancy: noisy sources z (B, n, d), their scores, and the kernel's width."""

    points: Tensor
    scores: Tensor
    width: float

    def some(self, places: Tensor) -> Stein:
        """The samples at these places (n',) of each mix."""
        return Stein(self.points[:, places], self.scores[:, places], self.width)


def stein_points(problem: Problem, priors: list[Scaled], waves: Tensor, generator: torch.Generator) -> Stein:
    """Noisy sources z_k = s_k + sigma n_k of samples (N, B, n, T), as they are given the mix, and their exact score.

    Clean waves have no density, noisy ones have. The mix's noise is divided: N sigma^2 is one half of its variance, and
    M = sum z + noise of the other half. Given s and M, the mean of n is not 0 but what s leaves of M. The score of z_k
    is grad log p_sigma(z_k) + (M - sum z) / Gamma^2.
    """
    number, variance = len(priors), problem.noise**2
    sigma, gamma = math.sqrt(variance / (2 * number)), math.sqrt(variance / 2)
    left = problem.mix[None, :, None] - waves.sum(0, keepdim=True)
    noise = sigma * torch.randn(waves.shape, generator=generator, dtype=torch.float64)
    total = noise.sum(0, keepdim=True) + gamma * torch.randn(left.shape, generator=generator, dtype=torch.float64)
    points = waves + noise + (left - total) * sigma**2 / variance
    left = problem.mix[None, :, None] - points.sum(0, keepdim=True)
    scores = [
        (prior.denoise(one.flatten(0, 1)[:, None], sigma)[:, 0].view(one.shape) - one) / sigma**2
        for prior, one in zip(priors, points, strict=True)
    ]
    return Stein(_joined(points), _joined(torch.stack(scores) + left / gamma**2), sigma * math.sqrt(points.shape[3]))


def stein_discrepancy(stein: Stein) -> Tensor:
    """The squared kernelised Stein discrepancy (Liu et al., 2016), over what each point has with itself. (B,).

    It is 0 in the mean for samples of the law of those scores (a U-statistic, so it may be below 0). The kernel is the
    inverse multiquadric (Gorham & Mackey, 2017). It needs no exact draw; it does not see what share of the samples is
    at which of two distant modes.
    """
    points, scores, width = stein.points, stein.scores, stein.width
    number, size = points.shape[1], points.shape[2]
    square = torch.cdist(points, points).square()
    base = width**2 + square
    along = (scores * points).sum(2)
    across = scores @ points.transpose(1, 2)
    # (s - s') . (z - z')
    both = along[:, :, None] + along[:, None] - across - across.transpose(1, 2)
    value = scores @ scores.transpose(1, 2) * base**-0.5 + both * base**-1.5
    value = value + size * base**-1.5 - 3 * square * base**-2.5
    own = value.diagonal(dim1=1, dim2=2).sum(1)
    return (value.sum((1, 2)) - own) / (number * (number - 1)) / (own / number)


def mean_error(particles: Tensor, exact: Tensor) -> Tensor:
    """The squared error of the particles' means over the variance; mean over quantities. (Q, B, n) -> (B,).

    The variance is that of particles and exact draws together, so that a rare particle far away has no boundless error.

    One over it is the number of exact draws whose mean would be as good: the effective number of particles.
    """
    variance = torch.cat((particles, exact), 2).var(2).clamp_min(1e-12)
    return ((particles.mean(2) - exact.mean(2)).square() / variance - 1 / exact.shape[2]).mean(0)


def compared(particles: Draws, exact: Draws, groups: list[Explanations]) -> dict[str, np.ndarray]:
    """Every measure of particles that needs exact draws, by name, each (B,)."""
    centre = centres(exact)
    one, other = quantities(particles, centre), quantities(exact, centre)
    shares = ranks(one, other)
    measures = {"coverage_50": coverage(shares, 0.5), "coverage_95": coverage(shares, 0.95)}
    binned = shares.mean(0).unflatten(1, (BINS, -1)).sum(2)
    measures |= {f"rank_{place}": binned[:, place] for place in range(BINS)}
    measures["energy_distance"] = energy_distance(particles.waves, exact.waves)
    measures["mean_error"] = mean_error(one, other)
    chosen = [group.chosen(waves) for group, waves in zip(groups, _joined(particles.waves), strict=True)]
    pairs = list(zip(groups, chosen, strict=True))
    values = {name: value.numpy() for name, value in measures.items()}
    values["explanations"] = np.array([len(group.shares) for group in groups])
    values["mode_distance"] = np.array([0.5 * np.abs(one - group.shares).sum() for group, one in pairs])
    values["elsewhere"] = np.array([1 - one.sum() for one in chosen])
    return values


def error(quantities: Tensor) -> Tensor:
    """How far means of parts of the draws are from each other, in deviations of all; root mean square. (B,).

    quantities: (Q, B, ensembles, n), n in time. It is the larger one of two: between ensembles, and between the first
    and the second half of all. Ensembles that begin far from the posterior are alike, but their halves are not.
    """
    deviation = quantities.flatten(2).std(2)[:, :, None].clamp_min(1e-12)
    half = quantities.shape[3] // 2
    halves = torch.stack([part.mean((2, 3)) for part in (quantities[..., :half], quantities[..., half:])], 2)
    apart = [(means - means.mean(2, keepdim=True)) / deviation for means in (quantities.mean(3), halves)]
    return torch.stack([part.square().mean((0, 2)).sqrt() for part in apart]).amax(0)
