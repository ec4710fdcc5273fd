"""The interface of a law of q(s | mix): a density of each sample of a source on [-1, 1].

A law is one file of this folder with the class `Law`. Its name is the file's name. Nothing else lists it. An encoder
(separation/encoder.py) gives a location and a log-deviation for every sample. Everything else is float64, as log q of
many samples is a sum of large terms.
"""

from __future__ import annotations

import abc

import numpy as np
import torch
from torch import Tensor

EDGE = 1e-9  # least distance of samples from -1 and 1, where a density can be 0 or infinite

Parameters = tuple[Tensor, Tensor]


class Law(abc.ABC):
    """A density on [-1, 1] with two parameters, of any shape, float64."""

    @staticmethod
    @abc.abstractmethod
    def parameters(location: Tensor, log_deviation: Tensor) -> Parameters:
        """The two parameters, finite with finite gradients for any two float32 numbers. Shapes as given."""

    @staticmethod
    @abc.abstractmethod
    def log_prob(sample: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """log q of samples in [-1, 1], in nats, differentiable in all three arguments."""

    @staticmethod
    @abc.abstractmethod
    def cdf(sample: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The probability of a value below `sample`."""

    @staticmethod
    @abc.abstractmethod
    def quantile(share: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The value with this probability below it: the inverse of `cdf` in its first argument."""

    @staticmethod
    @abc.abstractmethod
    def slopes(share: np.ndarray, sample: np.ndarray, first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
        """The derivatives of `quantile` with respect to the two parameters, at sample = quantile(share, first, second).

        They follow from cdf(sample) = share by implicit differentiation (Figurnov et al., 2018): -(d cdf / d parameter)
        / density.
        """

    @staticmethod
    @abc.abstractmethod
    def mean(first: Tensor, second: Tensor) -> Tensor:
        """The mean E_q[sample]."""

    @classmethod
    def draw(cls, share: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Samples quantile(share) for shares uniform in (0, 1), differentiable in the parameters. Shapes as given."""
        return _Draw.apply(cls, share, first, second)


class _Draw(torch.autograd.Function):
    """Quantiles, computed on the CPU by scipy, with their slopes as gradients."""

    @staticmethod
    def forward(ctx, law, share, first, second):
        of = [values.detach().cpu().double().numpy() for values in (share, first, second)]
        sample = law.quantile(*of)
        inside = np.abs(sample) <= 1 - EDGE
        sample = sample.clip(EDGE - 1, 1 - EDGE)
        if any(ctx.needs_input_grad):
            slopes = (np.where(inside, slope, 0.0) for slope in law.slopes(of[0], sample, *of[1:]))
            ctx.save_for_backward(*(torch.from_numpy(slope).to(first.device) for slope in slopes))
        return torch.from_numpy(sample).to(first.device)

    @staticmethod
    def backward(ctx, grad):
        return None, None, *(grad * slope for slope in ctx.saved_tensors)


def bounded(values: Tensor, bound: float, power: int) -> Tensor:
    """The values, smoothly kept between -bound and bound; float64."""
    part = (values.double() / bound).clamp(-4, 4)
    return bound * part / (1 + part**power) ** (1 / power)
