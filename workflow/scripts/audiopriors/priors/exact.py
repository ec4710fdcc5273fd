"""The exact smoothed prior of the toy waves: computed from the law of their parameters, not learned.

p_sigma(x) = E[N(x; A g(f, p), sigma^2 I)]. The frequency f (cycles/sample) has the data set's law, the amplitude A is
uniform, and p is uniform on [0, 1): the phase in cycles at the middle of the frame, because there it is uncorrelated
with f given x. With C = <x, g> and S = |g|^2,

    log p_sigma(x) = log N(x; 0, sigma^2 I) + log E_{f,p}[exp L],    L = log E_A[exp((A C - A^2 S / 2) / sigma^2)].

L is known in closed form. f and p are summed over a lattice of cells, each with its mass under the law. The lattice is
refined where the integrand is large: cells are halved in f and p until enough of them lie near the maximum. The nodes
depend on x only through which cells are visited. So log p is the log of a part of a mixture of Gaussians, and never
much too high. Its gradient is (E[w | x] - x) / sigma^2, where w = A g, with the expectation over the same nodes.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import toy
from ..errors import UserError
from .base import Prior

# Error of log_prob in nats in total: the largest that tests have seen against 64 times as many nodes, on items of the
# prior's own source, at T = 24 to 1024 and sigma sqrt(1024 / T) up to .65. Its rms is .02 for square and saw, and below
# .0005 for sine and triangle. Where the posterior is as wide as its law (1 and above) square and saw are within 0.2.
ERROR = 0.1


@dataclass(frozen=True)
class Config:
    """Settings of the exact prior."""

    padding: int
    "Rows of the first lattice per 1/T of frequency (T: samples of the frame)."
    phases: int
    "Columns of the first lattice; half as many harmonics are used to search it."
    peaks: int
    "Local maxima of the first lattice that are refined."
    nodes: int
    "Refine until so many cells are within 16 nats of the best; twice as many for waves with jumps."


_DEPTH = 16.0  # nats: a cell so far below the best does not count
# An edge can cut a cell that counts. Then its middle may be this many nats lower. So many such cells are kept.
_EDGE_DEPTH, _EDGE_CELLS = 48.0, 128
_BEAM = 8  # cells kept per peak while cells are too coarse to show which of them has the mass
# With more cells than this within _DEPTH of the best, the first lattice is summed: its cells are small enough.
_FLAT = {"sine": 2**12, "triangle": 2**12, "square": 2**14, "saw": 2**14}
_LEVELS = 40
_THIN = 4  # fewer rows or columns than this near the best do not resolve the integrand
_LAWS = ("uniform", "log_uniform")
# Mean of the squared difference of two waves d cycles apart, as slope x d (square, saw: they jump) or slope x d^2.
_SLOPE = {"sine": 2 * math.pi**2, "square": 8.0, "saw": 4.0, "triangle": 16.0}
_JUMPS = ("square", "saw")


class _Lattice:
    """The first lattice of cells for frames of one length: rows at f = j / (P T), columns at p = q / M."""

    def __init__(self, law: _Law, device, length: int, config: Config):
        self.law, self.source, self.length = law, law.source, length
        self.points, self.phases = config.padding * length, config.phases
        low, high = (math.floor(f * self.points + 0.5) for f in law.frequency)
        self.rows = torch.arange(low, high + 1, device=device)
        harmonics = torch.arange(self.phases // 2, device=device)
        self.bins = self.rows[:, None] * harmonics % self.points
        # Fourier coefficients of the wave, by the midpoint rule.
        fine = 2**16
        place = (torch.arange(fine, dtype=torch.float64, device=device) + 0.5) / fine
        self.series = torch.fft.rfft(toy._naive(self.source, place))[: len(harmonics)] / fine
        self.series *= torch.exp(-1j * math.pi * harmonics / fine)
        self.log_mass = self.log_mass_of(self.rows, self.rows.new_zeros(()), self.rows.new_zeros(()))
        self.energy = self._energies().clamp_min(1e-12)
        self.energy32 = self.energy.float()

    def _energies(self) -> Tensor:
        """The energies S = |g|^2 at every cell, (rows, columns)."""
        if self.source in _JUMPS:
            first, slope = self._pattern()
            patterns = (first.square(), 2 * first * slope, slope.square())
            parts = []
            for _, column, rest in self._columns():
                sums = [self._bin(column, rest**power) for power in range(3)]
                terms = (_correlate(part, pattern) for part, pattern in zip(sums, patterns, strict=True))
                parts.append(functools.reduce(torch.add, terms))
            return torch.cat(parts)
        square = torch.fft.irfft(self.series, 4 * self.phases, norm="forward").square()
        square = torch.fft.rfft(square, norm="forward")[: self.phases]
        ones = torch.fft.fft(self._padded(torch.ones(1, self.length, dtype=torch.float64, device=self.rows.device)))[0]
        terms = square * ones[self.rows[:, None] * torch.arange(self.phases, device=ones.device) % self.points].conj()
        return torch.fft.irfft(terms, 2 * self.phases, norm="forward")[:, ::2].contiguous()

    def _pattern(self) -> tuple[Tensor, Tensor]:
        """The wave at the beginning of each column, and its rise to the column's end. For waves of straight lines."""
        edges = torch.arange(self.phases, dtype=torch.float64, device=self.rows.device) / self.phases
        first = toy._naive(self.source, edges)
        return first, torch.full_like(edges, 2 / self.phases if self.source == "saw" else 0.0)

    def _columns(self):
        """For some rows at a time: the rows, the column of each sample at p = 0, and its place in the column. (n, T)"""
        time = torch.arange(self.length, device=self.rows.device) - self.length // 2
        for rows in torch.arange(len(self.rows), device=time.device).split(max(1, 2**20 // self.length)):
            place = self.rows[rows, None] * time % self.points * self.phases
            yield rows, place // self.points, (place % self.points).double() / self.points

    def _bin(self, column: Tensor, weight: Tensor) -> Tensor:
        """The sum of the samples' weights in each column. Shape: (n, T), (n, T) -> (n, columns)."""
        place = column + self.phases * torch.arange(len(column), device=column.device)[:, None]
        return torch.bincount(place.flatten(), weight.flatten(), len(column) * self.phases).view(-1, self.phases)

    def exact_products(self, x: Tensor) -> Tensor:
        """C at every cell without a truncated series, for waves with jumps. Shape: (B, T) -> (B, rows, columns)."""
        products = x.new_empty(len(x), *self.energy.shape)
        first, slope = self._pattern()
        for rows, column, rest in self._columns():
            for item, one in enumerate(x):
                one = one.expand_as(rest)
                products[item, rows] = _correlate(self._bin(column, one), first)
                if self.source == "saw":
                    products[item, rows] += _correlate(self._bin(column, one * rest), slope)
        return products

    def exact_mean(self, weight: Tensor) -> Tensor:
        """The sum of the cells' waves times a weight: the adjoint. Shape: (B, rows, columns) -> (B, T)."""
        mean = weight.new_zeros(len(weight), self.length)
        first, slope = self._pattern()
        for rows, column, rest in self._columns():
            for item, part in enumerate(weight[:, rows]):
                mean[item] += _correlate(part, first).gather(1, column).sum(0)
                if self.source == "saw":
                    mean[item] += (_correlate(part, slope).gather(1, column) * rest).sum(0)
        return mean

    def _padded(self, x: Tensor) -> Tensor:
        """x (B, T) with zeros up to P T samples, and the middle of the frame at time 0."""
        middle = self.length // 2
        zeros = x.new_zeros(len(x), self.points - self.length)
        return torch.cat((x[:, middle:], zeros, x[:, :middle]), 1)

    def products(self, x: Tensor) -> Tensor:
        """C = <x, g> at every cell, by the harmonics of g. Shape: (B, T) -> (B, rows, columns)."""
        spectrum = torch.fft.fft(self._padded(x))[:, self.bins].conj()
        return torch.fft.irfft(spectrum * self.series.to(spectrum), self.phases, norm="forward")

    def place(self, row: Tensor, column: Tensor, in_f: Tensor, in_p: Tensor) -> tuple[Tensor, Tensor]:
        """f (cycles/sample) and p (cycles) at the middle of cells that are halved so many times in f and in p."""
        low, high = (f.clamp(*self.law.frequency) for f in self._edges(row, in_f))
        return (low + high) / 2, ((column.double() + 0.5) / 2**in_p - 0.5) / self.phases

    def log_mass_of(self, row: Tensor, in_f: Tensor, in_p: Tensor) -> Tensor:
        """The log of the cells' mass under the law of f and p."""
        low, high = map(self.law.quantile, self._edges(row, in_f))
        return torch.log(high - low) - torch.log(self.phases * 2.0**in_p)

    def _edges(self, row: Tensor, in_f: Tensor) -> list[Tensor]:
        return [(index.double() / 2**in_f - 0.5) / self.points for index in (row, row + 1)]


def _correlate(sums: Tensor, pattern: Tensor) -> Tensor:
    """At column m the sum over columns b of sums[b] pattern[b + m], around the period. Shape: (n, columns) -> same."""
    return torch.fft.irfft(torch.fft.rfft(sums).conj() * torch.fft.rfft(pattern), len(pattern))


def _wave(source: str, f: Tensor, p: Tensor, length: int) -> Tensor:
    """The wave g at the cells' nodes, with phase p (cycles) at the middle of the frame. Shape: (n,), (n,) -> (n, T)."""
    time = torch.arange(length, dtype=torch.float64, device=f.device) - length // 2
    if source == "sine":
        return torch.addcmul((2 * math.pi * p)[:, None], (2 * math.pi * f)[:, None], time).sin_()
    cycles = torch.addcmul((p - 0.25 if source == "triangle" else p)[:, None], f[:, None], time)
    place = cycles.sub_(cycles.floor())
    if source == "square":
        return place.lt_(0.5).mul_(2).sub_(1)
    if source == "saw":
        return place.mul_(2).sub_(1)
    return place.sub_(0.5).abs_().mul_(4).sub_(1)


class _Integral:
    """The sums over cells for one sigma."""

    def __init__(self, exact: Exact, sigma: float):
        self.exact, self.sigma = exact, float(sigma)

    def _amplitude(self, product: Tensor, energy: Tensor) -> tuple[Tensor, Tensor]:
        """L and E[A | x, f, p] for C = `product` and S = `energy`, with A uniform on [a, b].

        Given f and p, A is a Gaussian of mean C / S and deviation sigma / sqrt(S), cut off at a and b.
        """
        (a, b), variance = self.exact.law.amplitude, self.sigma**2
        at_a, at_b = (a * (product - 0.5 * a * energy) / variance, b * (product - 0.5 * b * energy) / variance)
        if a == b:
            return at_a, torch.full_like(at_a, a)
        mean, scale = product / energy, energy.sqrt() / (self.sigma * math.sqrt(2))
        u, v = (a - mean) * scale, (b - mean) * scale
        # The half of the Gaussian that [a, b] reaches furthest into is taken as the upper one.
        mirrored = u + v < 0
        u, v = torch.where(mirrored, -v, u), torch.where(mirrored, -u, v)
        outside = u > 0
        tail = torch.special.erfcx(u.clamp_min(0)) - torch.special.erfcx(v) * torch.exp((u - v) * (u + v))
        inside = torch.erf(v) - torch.erf(u)
        edge = torch.where(mirrored, at_b, at_a)
        log_integral = torch.where(outside, edge, 0.5 * product * mean / variance) + torch.log(
            torch.where(outside, tail, inside) * (math.sqrt(math.pi) / 2 / (b - a)) / scale
        )
        # Integrating the derivative of exp((A C - A^2 S / 2) / sigma^2) from a to b gives E[A].
        slope = torch.exp(at_a - log_integral) - torch.exp(at_b - log_integral)
        return log_integral, (mean + slope * variance / (energy * (b - a))).clamp(a, b)

    def posterior(self, x: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
        """log E[exp L] (B,), and if `gradient` E[w | x] (B, T), for x (B, T) float64."""
        lattice = self.exact.lattice(x.shape[1])
        a, b = self.exact.law.amplitude
        product = lattice.products(x.float())
        best = (product / lattice.energy32).clamp_(a, b)
        search = best * (product - 0.5 * best * lattice.energy32) / self.sigma**2
        search = torch.where(lattice.log_mass[:, None] > -math.inf, search, -math.inf)
        below = search.amax((1, 2), keepdim=True) - search
        flat = (below <= _DEPTH).sum((1, 2)) > _FLAT[lattice.source]
        depth, slack = below.new_full((len(x),), _DEPTH), self._slack_of_an_edge()
        if slack:
            least = below.flatten(1).topk(min(_EDGE_CELLS, below[0].numel()), largest=False).values[:, -1]
            depth = least.clamp(_DEPTH, _DEPTH + slack)
        near = below <= depth[:, None, None]
        log_integral = x.new_empty(len(x))
        mean = torch.empty_like(x) if gradient else None
        for rows, method in ((flat, self._sum), (~flat, self._refine)):
            if rows.any():
                arguments = () if method == self._sum else (search[rows], near[rows])
                log_integral[rows], part = method(lattice, x[rows], gradient, *arguments)
                if mean is not None and part is not None:
                    mean[rows] = part
        return log_integral, mean

    def _sum(self, lattice: _Lattice, x: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
        """The sum over the first lattice, for x whose posterior is wide."""
        jumps = lattice.source in _JUMPS
        with torch.set_grad_enabled(gradient and not jumps):
            x = x.detach().requires_grad_(gradient and not jumps)
            product = lattice.exact_products(x) if jumps else lattice.products(x)
        value, amplitude = self._amplitude(product.detach(), lattice.energy)
        value += lattice.log_mass[:, None]
        total = value.flatten(1).logsumexp(1)
        if not gradient:
            return total, None
        weight = (value - total[:, None, None]).exp_() * amplitude
        if jumps:
            return total, lattice.exact_mean(weight)
        return total, torch.autograd.grad(product, x, weight)[0]

    def _slack_of_an_edge(self) -> float:
        """The cost of one sample on the wrong side of an edge, in nats, up to a bound."""
        return min(_EDGE_DEPTH, 2 / self.sigma**2) if self.exact.law.source in _JUMPS else 0.0

    def _start(self, search: Tensor, near: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Item, row, column and peak of the cells to refine: those near the best, and around the highest peaks.

        A peak is a local maximum, at most one a row. Peaks matter at small sigma, where a cell is much wider than the
        integrand and the best cell need not contain the best peak.
        """
        batch, rows, columns = search.shape
        ring = torch.maximum(search.roll(1, 2), search.roll(-1, 2)).maximum(search)
        ring[:, 1:], ring[:, :-1] = ring[:, 1:].maximum(ring[:, :-1]), ring[:, :-1].maximum(ring[:, 1:])
        height, column = torch.where(search == ring, search, -math.inf).max(2)
        height, row = height.topk(min(self.exact.config.peaks, rows), 1)
        column = column.gather(1, row)
        around = torch.arange(-1, 2, device=search.device)
        shape = (*row.shape, 3, 3)
        row = (row[:, :, None, None] + around[:, None]).clamp(0, rows - 1).expand(shape)
        column = ((column[:, :, None, None] + around) % columns).expand(shape)
        item = torch.arange(batch, device=search.device)[:, None, None, None].expand(shape)
        peak = torch.arange(shape[1], device=search.device)[:, None, None].expand(shape)
        cells = torch.stack((item, row, column), -1).reshape(-1, 3)
        cells = torch.cat((cells, near.nonzero()))
        peak = torch.cat((peak.reshape(-1), peak.new_full((len(cells) - peak.numel(),), shape[1])))
        first = _first(cells.T)
        return *cells[first].T, peak[first]

    def _refine(self, lattice: _Lattice, x: Tensor, gradient: bool, search: Tensor, near: Tensor):
        """The sum over cells that are halved in both directions until `nodes` of them are near the best."""
        config, source, length = self.exact.config, lattice.source, lattice.length
        item, row, column, peak = self._start(search, near)
        row = row + lattice.rows[0]
        wanted = config.nodes * (2 if source in _JUMPS else 1)
        halved = torch.zeros(2, len(x), dtype=torch.int64, device=x.device)  # times, in f and in p, for each item
        leaves = []
        for level in range(_LEVELS):
            f, p = lattice.place(row, column, *halved[:, item])
            product, energy = self._products(x, source, item, f, p)
            value, amplitude = self._amplitude(product, energy)
            value += lattice.log_mass_of(row, *halved[:, item])
            best = value.new_full((len(x),), -math.inf).scatter_reduce(0, item, value, "amax")
            below = best[item] - value
            near = below <= _DEPTH
            # Enough cells near the best, and not all in a line: then halve across the line only.
            enough = torch.bincount(item[near], minlength=len(x)) >= wanted
            thin = torch.stack([_distinct(item[near], index[near], len(x)) < _THIN for index in (row, column)])
            done = enough & ~thin.any(0) | (level == _LEVELS - 1)
            leaf = done[item]
            leaves.append((item[leaf], f[leaf], p[leaf], value[leaf], amplitude[leaf]))
            # How far a node can be below the best of its cell, for x a wave of the source: which cells may still win.
            widths = 0.5**halved / torch.tensor(
                [[2 * config.padding * math.sqrt(12)], [2 * config.phases]], device=x.device
            )
            spread = widths.square().sum(0).sqrt()
            slack = _SLOPE[source] * (spread if source in _JUMPS else spread**2) * length / (2 * self.sigma**2)
            coarse = slack > 1
            if source in _JUMPS:
                coarse &= spread * length > 0.1
            keep = near
            if source in _JUMPS:
                keep = near | ((below <= _DEPTH + self._slack_of_an_edge()) & (_rank(item, below) < _EDGE_CELLS))
            if coarse.any():
                rank = _rank(item * (config.peaks + 1) + peak, below)
                keep = keep | coarse[item] & (below <= _DEPTH + 2 * slack[item]) & (rank < _BEAM)
            keep &= ~leaf
            if not keep.any():
                break
            cells = [part[keep] for part in (item, row, column, peak)]
            if source in _JUMPS:
                cells = self._with_neighbours(lattice, halved[:, item], near & keep, (item, row, column, peak), cells)
            split = torch.where(enough, thin, True)
            halved += split
            item, row, column, peak = cells
            count = 2 ** split.sum(0)[item]
            item, row, column, peak = (part.repeat_interleave(count) for part in cells)
            part = torch.arange(len(item), device=x.device) - (count.cumsum(0) - count).repeat_interleave(count)
            in_f, in_p = split[:, item].long()
            row = (1 + in_f) * row + torch.where(in_p == 1, part // 2, part) * in_f
            column = (1 + in_p) * column + part % 2 * in_p
        item, f, p, value, amplitude = (torch.cat(parts) for parts in zip(*leaves, strict=True))
        best = value.new_full((len(x),), -math.inf).scatter_reduce(0, item, value, "amax")
        weight = torch.exp(value - best[item])
        total = torch.zeros_like(best).index_add_(0, item, weight)
        mean = None
        if gradient:
            mean = torch.zeros_like(x)
            weight = weight / total[item] * amplitude
            used = weight > 1e-12
            parts = (part[used].split(_chunk(length)) for part in (item, f, p, weight))
            for item, f, p, weight in zip(*parts, strict=True):
                mean.index_add_(0, item, weight[:, None] * _wave(source, f, p, length))
        return best + total.log(), mean

    @staticmethod
    def _with_neighbours(lattice: _Lattice, halved: Tensor, near: Tensor, cells: tuple, kept: list) -> list[Tensor]:
        """The kept cells, and the eight around each near one. A cell is its item, row, column and peak.

        An edge of the integrand cuts cells: one whose middle is beyond it may have a part before it. Without these
        parts every refinement would lose some of the sum.
        """
        item, row, column, peak = (part[near] for part in cells)
        columns = lattice.phases * 2 ** halved[1, near]
        around = torch.arange(-1, 2, device=row.device)
        ring = [(item, row + down, (column + right) % columns, peak) for down in around for right in around]
        both = [torch.cat(parts) for parts in zip(kept, *ring, strict=True)]
        first = _first(torch.stack(both[:3]))
        return [part[first] for part in both]

    def _products(self, x: Tensor, source: str, item: Tensor, f: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
        """C = <x, g> and S = |g|^2 of each node, each (n,), summed over time."""
        product, energy = torch.empty_like(f), torch.full_like(f, x.shape[1])
        size = _chunk(x.shape[1])
        for start in range(0, len(f), size):
            part = slice(start, start + size)
            wave = _wave(source, f[part], p[part], x.shape[1])
            product[part] = torch.linalg.vecdot(wave, x[item[part]])
            if source != "square":
                energy[part] = torch.linalg.vecdot(wave, wave)
        return product, energy.clamp_min_(1e-12)


def _chunk(length: int) -> int:
    """The number of nodes whose waves stay in the cache."""
    return max(1, 2**16 // length)


def _first(cells: Tensor) -> Tensor:
    """The columns of a table (k, n) of integers to keep so that each occurs once: the first ones, in order."""
    span = cells.amax(1) - cells.amin(1) + 1
    key = torch.zeros_like(cells[0])
    for part, width in zip(cells, span, strict=True):
        key = key * width + part - part.amin()
    key, order = key.sort(stable=True)
    new = torch.ones_like(key, dtype=torch.bool)
    new[1:] = key[1:] != key[:-1]
    return order[new]


def _distinct(item: Tensor, index: Tensor, items: int) -> Tensor:
    """The number of different indices of each item. Shape: (n,), (n,) -> (items,)."""
    first = _first(torch.stack((item, index)))
    return torch.bincount(item[first], minlength=items)


def _rank(group: Tensor, below: Tensor) -> Tensor:
    """The place of each element in the order of `below` within its group, from 0. Shape: (n,), (n,) -> (n,)."""
    order = below.argsort()
    order = order[group[order].argsort(stable=True)]
    _, count = torch.unique_consecutive(group[order], return_counts=True)
    start = (count.cumsum(0) - count).repeat_interleave(count)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device) - start
    return rank


class _LogProb(torch.autograd.Function):
    """log p_sigma(x), with the gradient (E[w | x] - x) / sigma^2 from the same nodes, if x needs one."""

    @staticmethod
    def forward(ctx, x: Tensor, integral: _Integral, gradient: bool) -> Tensor:
        flat = x[:, 0].double()
        cells = integral.exact.lattice(x.shape[2]).energy.numel()
        parts = [integral.posterior(part, gradient) for part in flat.split(max(1, 2**21 // cells))]
        log_integral = torch.cat([part[0] for part in parts])
        variance = integral.sigma**2
        if gradient:
            mean = torch.cat([part for _, part in parts if part is not None])
            ctx.save_for_backward(((mean - flat) / variance)[:, None].to(x.dtype))
        log_noise = 0.5 * flat.square().sum(1) / variance + 0.5 * x.shape[2] * math.log(2 * math.pi * variance)
        return log_integral - log_noise

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, upstream: Tensor):
        (gradient,) = ctx.saved_tensors
        return upstream[:, None, None].to(gradient) * gradient, None, None


@dataclass(frozen=True)
class _Law:
    """The law of a source's parameters: frequency in cycles per sample, amplitude uniform."""

    source: str
    log_uniform: bool
    frequency: tuple[float, float]
    amplitude: tuple[float, float]

    def frequency_at(self, quantile: Tensor) -> Tensor:
        """The frequency (cycles/sample) with this share of the mass below it."""
        low, high = self.frequency
        return low * (high / low) ** quantile if self.log_uniform else low + (high - low) * quantile

    def quantile(self, f: Tensor) -> Tensor:
        """The mass below f (cycles/sample)."""
        low, high = self.frequency
        f = f.clamp(low, high)
        return torch.log(f / low) / math.log(high / low) if self.log_uniform else (f - low) / (high - low)


class Exact(Prior):
    """The exact prior of one source of a toy data set, at any sigma above 0.

    >>> prior = build(Config(16, 64, 16, 256)).fit(data, "saw")
    >>> prior.log_prob(x, sigma=0.1).shape
    torch.Size([5])
    """

    law_bits: Tensor
    law_kind: Tensor

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        # Frequencies (cycles/sample) and amplitudes, lowest and highest: float64 as int64, which .float() leaves alone.
        self.register_buffer("law_bits", torch.zeros(4, dtype=torch.int64))
        self.register_buffer("law_kind", torch.zeros(2, dtype=torch.int64))  # source + 1 (0: not fitted), frequency law
        self._lattices: dict = {}

    def fit(self, data, source: str) -> Exact:
        """Take the law of that source from the toy data's settings.

        Raises
        ------
        UserError: the law is not one that this prior integrates.
        """
        law = data.config
        for name, wanted in (("variant", ("paper",)), ("frequency", _LAWS), ("bandlimited", (False,))):
            if getattr(law, name) not in wanted:
                raise UserError(
                    f"the exact prior needs {name} {' or '.join(map(str, wanted))}, "
                    f"but this data set has {name} {getattr(law, name)}"
                )
        numbers = [*(f / law.rate for f in law.frequency_range), *law.amplitude_range]
        self.law_bits.copy_(torch.tensor(numbers, dtype=torch.float64).view(torch.int64))
        self.law_kind.copy_(torch.tensor([toy.SOURCES.index(source) + 1, _LAWS.index(law.frequency)]))
        return self

    @property
    def law(self) -> _Law:
        """The law that is stored in the buffers."""
        source, kind = self.law_kind.tolist()
        if not source:
            raise RuntimeError("the exact prior has no law yet: call fit, or load a checkpoint")
        numbers = self.law_bits.cpu().view(torch.float64).tolist()
        return _Law(toy.SOURCES[source - 1], _LAWS[kind] == "log_uniform", tuple(numbers[:2]), tuple(numbers[2:]))

    def lattice(self, length: int) -> _Lattice:
        """The first lattice for frames of that length. It is kept while the law and the device stay the same."""
        key = (self.law, self.law_bits.device, length)
        if key not in self._lattices:
            self._lattices = {key: _Lattice(*key, self.config)}
        return self._lattices[key]

    def log_prob(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, summed over time in float64, differentiable once. Shape: (B, 1, T) -> (B,).

        Raises
        ------
        UserError: sigma is not above 0.
        """
        if not sigma > 0:
            raise UserError(f"the exact prior exists for sigma > 0 only, not {sigma:g}: a clean wave has no density")
        return _LogProb.apply(x, _Integral(self, sigma), torch.is_grad_enabled() and x.requires_grad)

    @torch.no_grad()
    def sample(self, n: int, length: int, sigma: float, generator: torch.Generator) -> Tensor:
        """n noisy waves (n, 1, length) float32."""
        law = self.law
        uniform = torch.rand(3, n, generator=generator, dtype=torch.float64)
        frequency = law.frequency_at(uniform[0])
        low, high = law.amplitude
        wave = toy.render(
            law.source, frequency, low + (high - low) * uniform[1], 2 * math.pi * uniform[2], length, rate=1
        )
        noise = torch.randn(wave.shape, generator=generator, dtype=torch.float64)
        return (wave + sigma * noise).float().to(self.law_bits.device)


def build(config: Config) -> Exact:
    """A prior that has to be fitted to a data set: to the law of its parameters, not to its items."""
    return Exact(config)
