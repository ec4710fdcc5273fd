"""The normal law truncated to [-1, 1] (thesis, "Modeling the posteriors"; SPEC's inverse-CDF draws), for music."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import special
from torch import Tensor

from . import base

START, RANGE = 0.3, 3.0  # the deviation at log-deviation 0, and its range around that in nats
BOUND = 1.25  # of the location; beyond 1 it is for samples at the end
_LOG_ROOT = 0.5 * math.log(2 * math.pi)


class Law(base.Law):
    """The truncated normal law. Its parameters are location and deviation of the normal law before truncation."""

    @staticmethod
    def parameters(location: Tensor, log_deviation: Tensor) -> base.Parameters:
        """Location and deviation, kept where log q and its gradients are finite."""
        deviation = START * torch.exp(RANGE * torch.tanh(log_deviation.double() / RANGE))
        return base.bounded(location, BOUND, 8), deviation

    @staticmethod
    def log_prob(sample: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """The log of the normal density, divided by the probability that the truncation leaves."""
        normal = -0.5 * ((sample.double() - first) / second) ** 2 - second.log() - _LOG_ROOT
        return normal - _log_mass((-1 - first) / second, (1 - first) / second)

    @staticmethod
    def cdf(sample: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The share of the truncated law's mass below `sample`."""
        low, high, at = (torch.as_tensor((end - first) / second) for end in (-1, 1, np.clip(sample, -1, 1)))
        return torch.exp(_log_mass(low, at) - _log_mass(low, high)).numpy()

    @staticmethod
    def quantile(share: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The quantile by the inverse of the normal law's log-CDF, on the side where this keeps its digits."""
        # Mirrored where the location is below 0: then the interval's far end is the upper tail.
        sign = np.where(first < 0, -1.0, 1.0)
        location, share = sign * first, np.where(first < 0, 1 - share, share)
        log_low, log_high = (special.log_ndtr((end - location) / second) for end in (-1, 1))
        ratio = np.exp(log_low - log_high)
        log_share = log_high + np.log(ratio + share * (1 - ratio))
        return (sign * (location + second * special.ndtri_exp(log_share))).clip(-1, 1)

    @staticmethod
    def slopes(share: np.ndarray, sample: np.ndarray, first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
        """The slopes in closed form; z, a, b are the standardised sample and ends, phi is the normal density.

        The slope in the location is 1 - (1 - share) phi(a) / phi(z) - share phi(b) / phi(z). The slope in the deviation
        has the same terms, times z, a and b.
        """
        at, low, high = ((end - first) / second for end in (sample, -1, 1))
        of_low = (1 - share) * np.exp((at**2 - low**2) / 2)
        of_high = share * np.exp((at**2 - high**2) / 2)
        return [1 - of_low - of_high, at - low * of_low - high * of_high]

    @staticmethod
    def mean(first: Tensor, second: Tensor) -> Tensor:
        """The mean: location + deviation (phi(a) - phi(b)) / mass."""
        low, high = (-1 - first) / second, (1 - first) / second
        mass = _log_mass(low, high)
        ends = (torch.exp(-0.5 * end**2 - _LOG_ROOT - mass) for end in (low, high))
        return (first + second * (next(ends) - next(ends))).clamp(-1, 1)


def _log_mass(low: Tensor, high: Tensor) -> Tensor:
    """log (Phi(high) - Phi(low)), counted from the tail that both are nearer to."""
    mirrored = low + high > 0
    low, high = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
    log_low, log_high = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    return log_high + torch.log1p(-torch.exp(log_low - log_high).clamp(max=1 - 1e-16))
