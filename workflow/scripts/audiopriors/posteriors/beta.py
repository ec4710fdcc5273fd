"""The Beta law scaled to [-1, 1] (thesis, "Modeling the posteriors"), for waves whose amplitude has hard ends."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import special
from torch import Tensor

from . import base

LEAST = 0.5  # least concentration: a sine wave's arcsine law; with less, much of the mass is at the ends
START, RANGE = 0.3, 3.0  # the deviation at log-deviation 0, and its range around that in nats


class Law(base.Law):
    """The Beta law. Its parameters are the two concentrations.

    The location is its mean, apart from LEAST, which draws the mean slightly towards 0.
    """

    @staticmethod
    def parameters(location: Tensor, log_deviation: Tensor) -> base.Parameters:
        """The concentrations c (1 +- mean) / 2 + LEAST, c = 1 / deviation^2.

        The law's deviation is about that given, and less near the ends.
        """
        mean = base.bounded(location, 1.0, 16)
        deviation = START * torch.exp(RANGE * torch.tanh(log_deviation.double() / RANGE))
        total = 1 / deviation**2
        return total * (1 + mean) / 2 + LEAST, total * (1 - mean) / 2 + LEAST

    @staticmethod
    def log_prob(sample: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """log Beta((s + 1) / 2) - log 2, for samples at least EDGE from the ends."""
        part = ((sample.double() + 1) / 2).clamp(base.EDGE / 2, 1 - base.EDGE / 2)
        whole = torch.lgamma(first + second) - torch.lgamma(first) - torch.lgamma(second)
        return whole + (first - 1) * part.log() + (second - 1) * torch.log1p(-part) - math.log(2)

    @staticmethod
    def cdf(sample: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The regularised incomplete Beta function."""
        return special.betainc(first, second, (np.clip(sample, -1, 1) + 1) / 2)

    @staticmethod
    def quantile(share: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The quantile, counted from the nearer end, as values near 1 lose digits there."""
        low = share <= 0.5
        one, other = np.where(low, first, second), np.where(low, second, first)
        near = special.betaincinv(one, other, np.minimum(share, 1 - share))
        return np.where(low, 2 * near - 1, 1 - 2 * near)

    @classmethod
    def slopes(cls, share: np.ndarray, sample: np.ndarray, first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
        """The slopes by central differences of the CDF, in steps of about a ten-thousandth of its width."""
        part = (sample + 1) / 2
        # 2 dx = ds, and the CDF's derivative in x is the Beta density.
        log_density = (first - 1) * np.log(part) + (second - 1) * np.log1p(-part) - special.betaln(first, second)
        slopes = []
        for which, value in enumerate((first, second)):
            step = 1e-4 * value / np.sqrt(1 + first + second)
            ends = []
            for end in (value - step, value + step):
                one, other = (end, second) if which == 0 else (first, end)
                below = special.betainc(one, other, part)
                above = -special.betainc(other, one, 1 - part)  # the same minus 1, which is precise near the end
                ends.append(np.where(share <= 0.5, below, above))
            slopes.append(-2 * (ends[1] - ends[0]) / (2 * step) * np.exp(-log_density))
        return slopes

    @staticmethod
    def mean(first: Tensor, second: Tensor) -> Tensor:
        """The mean of the scaled law."""
        return (first - second) / (first + second)
