"""The law of a toy wave's parameters, the waves themselves, and a lattice of cells over frequency and phase.

The phase p is in cycles at the middle of the frame, because there it is uncorrelated with the frequency given a wave.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .data import toy

JUMPS = ("square", "saw")
_DENSE = 2**22  # up to so many samples of all cells' waves, they are kept


@dataclass(frozen=True)
class Law:
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


class Lattice:
    """A lattice of cells for frames of one length: rows at f = j / (P T), columns at p = q / M.

    padding: P, rows per 1/T of frequency. phases: M, columns. T is the samples of the frame.
    """

    def __init__(self, law: Law, device, length: int, padding: int, phases: int):
        self.law, self.source, self.length = law, law.source, length
        self.points, self.phases = padding * length, phases
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
        if self.source in JUMPS:
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

    def waves(self) -> Tensor:
        """The waves of all cells, (rows * columns, T) float64."""
        if self.source not in JUMPS:
            f, p = torch.meshgrid(self.rows / self.points, torch.arange(self.phases) / self.phases, indexing="ij")
            return wave(self.source, f.double().flatten(), p.double().flatten(), self.length)
        first, slope = self._pattern()
        parts = []
        for _, column, rest in self._columns():
            place = (column[:, None] + torch.arange(self.phases, device=column.device)[:, None]) % self.phases
            parts.append((first[place] + slope[place] * rest[:, None]).flatten(0, 1))
        return torch.cat(parts)

    @functools.cached_property
    def _few_waves(self) -> Tensor | None:
        """The same if they are few, else None."""
        return self.waves() if self.energy.numel() * self.length <= _DENSE else None

    def exact_products(self, x: Tensor) -> Tensor:
        """C at every cell without a truncated series, for waves with jumps. Shape: (B, T) -> (B, rows, columns)."""
        if self._few_waves is not None:
            return (x @ self._few_waves.T).view(len(x), *self.energy.shape)
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
        if self._few_waves is not None:
            return weight.flatten(1) @ self._few_waves
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
        low, high = self.ends(row, in_f)
        return (low + high) / 2, ((column.double() + 0.5) / 2**in_p - 0.5) / self.phases

    def log_mass_of(self, row: Tensor, in_f: Tensor, in_p: Tensor) -> Tensor:
        """The log of the cells' mass under the law of f and p."""
        low, high = map(self.law.quantile, self._edges(row, in_f))
        return torch.log(high - low) - torch.log(self.phases * 2.0**in_p)

    def ends(self, row: Tensor, in_f: Tensor) -> list[Tensor]:
        """The lowest and the highest f of cells within the law's range."""
        return [f.clamp(*self.law.frequency) for f in self._edges(row, in_f)]

    def _edges(self, row: Tensor, in_f: Tensor) -> list[Tensor]:
        return [(index.double() / 2**in_f - 0.5) / self.points for index in (row, row + 1)]


def _correlate(sums: Tensor, pattern: Tensor) -> Tensor:
    """At column m the sum over columns b of sums[b] pattern[b + m], around the period. Shape: (n, columns) -> same."""
    return torch.fft.irfft(torch.fft.rfft(sums).conj() * torch.fft.rfft(pattern), len(pattern))


def wave(source: str, f: Tensor, p: Tensor, length: int) -> Tensor:
    """The wave g of amplitude 1 with frequency f (cycles/sample) and phase p. Shape: (n,), (n,) -> (n, T) float64."""
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
