"""The integral of the exact prior over a toy wave's frequency, phase and amplitude (priors/exact.py).

f and p are summed over a lattice of cells, each with its mass under the law. The lattice is refined where the integrand
is large: cells are halved in f and p until enough of them lie near the maximum. The nodes depend on x only through
which cells are visited. So log p is the log of a part of a mixture of Gaussians, and never much too high. The symbols
are those of priors/exact.py.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from scipy import stats
from torch import Tensor

from .lattice import JUMPS, Lattice, wave

if TYPE_CHECKING:
    from .priors.exact import Config

_DEPTH = 16.0  # nats: a cell so far below the best does not count
# An edge can cut a cell that counts. Then its middle may be this many nats lower. So many such cells are kept.
_EDGE_DEPTH, _EDGE_CELLS = 48.0, 128
_BEAM = 8  # cells kept per peak while cells are too coarse to show which of them has the mass
# With more cells than this within _DEPTH of the best, the first lattice is summed: its cells are small enough.
_FLAT = {"sine": 2**12, "triangle": 2**12, "square": 2**14, "saw": 2**14}
_LEVELS = 40
_THIN = 4  # fewer rows or columns than this near the best do not resolve the integrand
# Mean of the squared difference of two waves d cycles apart, as slope x d (square, saw: they jump) or slope x d^2.
_SLOPE = {"sine": 2 * math.pi**2, "square": 8.0, "saw": 4.0, "triangle": 16.0}


class _Leaves(NamedTuple):
    """Cells of all items: item, f and p of the middle, L plus the log mass, E[A | x, f, p], each (n,), and sides.

    sides: a cell's low and high f, p at its middle, and its width in p, (4, n).
    """

    item: Tensor
    f: Tensor
    p: Tensor
    value: Tensor
    amplitude: Tensor
    sides: Tensor


class Integral:
    """The sums over cells for one sigma and one length of frames, with the settings of the exact prior."""

    def __init__(self, lattice: Lattice, config: Config, sigma: float):
        self.lattice, self.config, self.sigma = lattice, config, float(sigma)

    @property
    def at_once(self) -> int:
        """Items whose lattices are in memory together."""
        return max(1, 2**21 // self.lattice.energy.numel())

    def _amplitude(self, product: Tensor, energy: Tensor) -> tuple[Tensor, Tensor]:
        """L and E[A | x, f, p] for C = `product` and S = `energy`, with A uniform on [a, b].

        Given f and p, A is a Gaussian of mean C / S and deviation sigma / sqrt(S), cut off at a and b.
        """
        (a, b), variance = self.lattice.law.amplitude, self.sigma**2
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
        flat, search, near = self._search(x)
        log_integral = x.new_empty(len(x))
        mean = torch.empty_like(x) if gradient else None
        for rows, method in ((flat, self._sum), (~flat, self._refine)):
            if rows.any():
                arguments = () if method == self._sum else (search[rows], near[rows])
                log_integral[rows], part = method(x[rows], gradient, *arguments)
                if mean is not None and part is not None:
                    mean[rows] = part
        return log_integral, mean

    def draw(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """f (cycles/sample), p (cycles) and A, each (B,), drawn given x (B, T) float64.

        A cell is drawn by its weight, then a place in it (kept as by a Metropolis step from its middle), then A.
        """
        lattice = self.lattice
        flat, search, near = self._search(x)
        item = torch.arange(len(x), device=x.device)
        drawn = x.new_empty(4, len(x))  # low and high f of the cell, p at its middle, its width in p
        if flat.any():
            value, _ = self._values(x[flat], gradient=False)[1:]
            place = (value + _gumbel(value.shape, generator, x)).flatten(1).argmax(1)
            row, column = lattice.rows[place // lattice.phases], place % lattice.phases
            ends = lattice.ends(row, row.new_zeros(()))
            drawn[:, flat] = torch.stack((*ends, column / lattice.phases, torch.full_like(ends[0], 1 / lattice.phases)))
        if not flat.all():
            leaves = self._leaves(x[~flat], search[~flat], near[~flat])
            height = leaves.value + _gumbel(leaves.value.shape, generator, x)
            best = height.new_full((int((~flat).sum()),), -math.inf).scatter_reduce(0, leaves.item, height, "amax")
            chosen = (height == best[leaves.item]).nonzero()[:, 0]
            chosen = chosen[_first(leaves.item[chosen][None])]
            drawn[:, (~flat).nonzero()[:, 0][leaves.item[chosen]]] = leaves.sides[:, chosen]
        low, high, middle, width = drawn
        uniform = torch.rand(4, len(x), generator=generator, dtype=torch.float64).to(x.device)
        f = torch.stack(((low + high) / 2, low + (high - low) * uniform[0]))
        p = torch.stack((middle, middle + width * (uniform[1] - 0.5)))
        product, energy = self._products(x, item.repeat(2), f.flatten(), p.flatten())
        height = self._amplitude(product, energy)[0].view(2, -1)
        moved = (uniform[2].log() < height[1] - height[0]).long()[None]
        product, energy, f, p = (part.view(2, -1).gather(0, moved)[0] for part in (product, energy, f, p))
        return f, p, self._amplitude_at(product, energy, uniform[3])

    def _amplitude_at(self, product: Tensor, energy: Tensor, quantile: Tensor) -> Tensor:
        """The quantile of A given f and p, a Gaussian that is cut off, see `_amplitude`."""
        a, b = self.lattice.law.amplitude
        if a == b:
            return torch.full_like(product, a)
        mean, deviation = (product / energy).cpu().numpy(), (self.sigma / energy.sqrt()).cpu().numpy()
        ends = (a - mean) / deviation, (b - mean) / deviation
        value = stats.truncnorm.ppf(quantile.cpu().numpy(), *ends, mean, deviation)
        return torch.from_numpy(value).to(product).clamp(a, b)

    def _search(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Which x are summed over the first lattice (B,); of its cells the search's L, and which are near the best."""
        lattice, (a, b) = self.lattice, self.lattice.law.amplitude
        product = lattice.products(x.float())
        best = (product / lattice.energy32).clamp_(a, b)
        search = best * (product - 0.5 * best * lattice.energy32) / self.sigma**2
        search = torch.where(lattice.log_mass[:, None] > -math.inf, search, -math.inf)
        below = search.amax((1, 2), keepdim=True) - search
        flat = (below <= _DEPTH).sum((1, 2)) > min(_FLAT[lattice.source], self.config.wide * below[0].numel())
        depth, slack = below.new_full((len(x),), _DEPTH), self._slack_of_an_edge()
        if slack:
            least = below.flatten(1).topk(min(_EDGE_CELLS, below[0].numel()), largest=False).values[:, -1]
            depth = least.clamp(_DEPTH, _DEPTH + slack)
        return flat, search, below <= depth[:, None, None]

    def _values(self, x: Tensor, gradient: bool) -> tuple[Tensor, Tensor, Tensor]:
        """C, L plus the log mass, and E[A | x, f, p], of every cell of the first lattice."""
        lattice, jumps = self.lattice, self.lattice.source in JUMPS
        with torch.set_grad_enabled(gradient and not jumps):
            product = lattice.exact_products(x) if jumps else lattice.products(x)
        value, amplitude = self._amplitude(product.detach(), lattice.energy)
        value += lattice.log_mass[:, None]
        return product, value, amplitude

    def _sum(self, x: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
        """The sum over the first lattice, for x whose posterior is wide."""
        jumps = self.lattice.source in JUMPS
        x = x.detach().requires_grad_(gradient and not jumps)
        product, value, amplitude = self._values(x, gradient)
        total = value.flatten(1).logsumexp(1)
        if not gradient:
            return total, None
        weight = (value - total[:, None, None]).exp_() * amplitude
        if jumps:
            return total, self.lattice.exact_mean(weight)
        return total, torch.autograd.grad(product, x, weight)[0]

    def _slack_of_an_edge(self) -> float:
        """The cost of one sample on the wrong side of an edge, in nats, up to a bound."""
        return min(_EDGE_DEPTH, 2 / self.sigma**2) if self.lattice.source in JUMPS else 0.0

    def _start(self, search: Tensor, near: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Item, row, column and peak of the cells to refine: those near the best, and around the highest peaks.

        A peak is a local maximum, at most one a row. Peaks matter at small sigma, where a cell is much wider than the
        integrand and the best cell need not contain the best peak.
        """
        batch, rows, columns = search.shape
        ring = torch.maximum(search.roll(1, 2), search.roll(-1, 2)).maximum(search)
        ring[:, 1:], ring[:, :-1] = ring[:, 1:].maximum(ring[:, :-1]), ring[:, :-1].maximum(ring[:, 1:])
        height, column = torch.where(search == ring, search, -math.inf).max(2)
        height, row = height.topk(min(self.config.peaks, rows), 1)
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

    def _refine(self, x: Tensor, gradient: bool, search: Tensor, near: Tensor):
        """The sum over cells that are halved in both directions until `nodes` of them are near the best."""
        leaves = self._leaves(x, search, near)
        item, value = leaves.item, leaves.value
        best = value.new_full((len(x),), -math.inf).scatter_reduce(0, item, value, "amax")
        weight = torch.exp(value - best[item])
        total = torch.zeros_like(best).index_add_(0, item, weight)
        mean = None
        if gradient:
            mean = torch.zeros_like(x)
            weight = weight / total[item] * leaves.amplitude
            used = weight > 1e-12
            parts = (part[used].split(_chunk(x.shape[1])) for part in (item, leaves.f, leaves.p, weight))
            for item, f, p, weight in zip(*parts, strict=True):
                mean.index_add_(0, item, weight[:, None] * wave(self.lattice.source, f, p, x.shape[1]))
        return best + total.log(), mean

    def _leaves(self, x: Tensor, search: Tensor, near: Tensor) -> _Leaves:
        """The cells that are not halved any more."""
        config, lattice, source = self.config, self.lattice, self.lattice.source
        item, row, column, peak = self._start(search, near)
        row = row + lattice.rows[0]
        wanted = config.nodes * (2 if source in JUMPS else 1)
        halved = torch.zeros(2, len(x), dtype=torch.int64, device=x.device)  # times, in f and in p, for each item
        leaves = []
        for level in range(_LEVELS):
            f, p = lattice.place(row, column, *halved[:, item])
            product, energy = self._products(x, item, f, p)
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
            sides = torch.stack((*lattice.ends(row, halved[0, item]), p, 0.5 ** halved[1, item] / lattice.phases))
            leaves.append((item[leaf], f[leaf], p[leaf], value[leaf], amplitude[leaf], sides[:, leaf]))
            # How far a node can be below the best of its cell, for x a wave of the source: which cells may still win.
            widths = 0.5**halved / torch.tensor(
                [[2 * config.padding * math.sqrt(12)], [2 * config.phases]], device=x.device
            )
            spread = widths.square().sum(0).sqrt()
            slack = _SLOPE[source] * (spread if source in JUMPS else spread**2) * x.shape[1] / (2 * self.sigma**2)
            coarse = slack > 1
            if source in JUMPS:
                coarse &= spread * x.shape[1] > 0.1
            keep = near
            if source in JUMPS:
                keep = near | ((below <= _DEPTH + self._slack_of_an_edge()) & (_rank(item, below) < _EDGE_CELLS))
            if coarse.any():
                rank = _rank(item * (config.peaks + 1) + peak, below)
                keep = keep | coarse[item] & (below <= _DEPTH + 2 * slack[item]) & (rank < _BEAM)
            keep &= ~leaf
            if not keep.any():
                break
            cells = [part[keep] for part in (item, row, column, peak)]
            if source in JUMPS:
                cells = self._with_neighbours(halved[:, item], near & keep, (item, row, column, peak), cells)
            split = torch.where(enough, thin, True)
            halved += split
            item, row, column, peak = cells
            count = 2 ** split.sum(0)[item]
            item, row, column, peak = (part.repeat_interleave(count) for part in cells)
            part = torch.arange(len(item), device=x.device) - (count.cumsum(0) - count).repeat_interleave(count)
            in_f, in_p = split[:, item].long()
            row = (1 + in_f) * row + torch.where(in_p == 1, part // 2, part) * in_f
            column = (1 + in_p) * column + part % 2 * in_p
        return _Leaves(*(torch.cat(parts, -1) for parts in zip(*leaves, strict=True)))

    def _with_neighbours(self, halved: Tensor, near: Tensor, cells: tuple, kept: list) -> list[Tensor]:
        """The kept cells, and the eight around each near one. A cell is its item, row, column and peak.

        An edge of the integrand cuts cells: one whose middle is beyond it may have a part before it. Without these
        parts every refinement would lose some of the sum.
        """
        item, row, column, peak = (part[near] for part in cells)
        columns = self.lattice.phases * 2 ** halved[1, near]
        around = torch.arange(-1, 2, device=row.device)
        ring = [(item, row + down, (column + right) % columns, peak) for down in around for right in around]
        both = [torch.cat(parts) for parts in zip(kept, *ring, strict=True)]
        first = _first(torch.stack(both[:3]))
        return [part[first] for part in both]

    def _products(self, x: Tensor, item: Tensor, f: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
        """C = <x, g> and S = |g|^2 of each node, each (n,), summed over time."""
        product, energy = torch.empty_like(f), torch.full_like(f, x.shape[1])
        size = _chunk(x.shape[1])
        for start in range(0, len(f), size):
            part = slice(start, start + size)
            waves = wave(self.lattice.source, f[part], p[part], x.shape[1])
            product[part] = torch.linalg.vecdot(waves, x[item[part]])
            if self.lattice.source != "square":
                energy[part] = torch.linalg.vecdot(waves, waves)
        return product, energy.clamp_min_(1e-12)


def _gumbel(shape: torch.Size, generator: torch.Generator, like: Tensor) -> Tensor:
    """Noise such that the largest of log weights plus noise is drawn by its weight."""
    uniform = torch.rand(shape, generator=generator, dtype=torch.float64).to(like.device)
    return -torch.log(-torch.log(uniform.clamp_min(1e-300)))


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
