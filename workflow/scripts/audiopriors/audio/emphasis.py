"""Pre-emphasis: a filter that raises high frequencies, and its inverse."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Emphasis:
    """A filter of gain (f^2 + corner^2)^(exponent / 2), times what makes the mean square of the gains 1.

    White noise keeps its deviation. The filter is circular: it takes a frame as one period.
    """

    exponent: float
    corner: float
    "Below this frequency, in cycles per sample, the gain is nearly constant; above 0."

    def apply(self, waves: Tensor) -> Tensor:
        """The waves with high frequencies raised. Shape: (..., T) -> (..., T)."""
        return self._filtered(waves, self._gain(waves))

    def undo(self, waves: Tensor) -> Tensor:
        """The inverse of `apply`. Shape: (..., T) -> (..., T)."""
        return self._filtered(waves, 1 / self._gain(waves))

    def _gain(self, waves: Tensor) -> Tensor:
        frequency = torch.fft.fftfreq(waves.shape[-1], dtype=torch.float64)
        gain = (frequency.square() + self.corner**2) ** (self.exponent / 2)
        return (gain / gain.square().mean().sqrt())[: waves.shape[-1] // 2 + 1].to(waves)

    @staticmethod
    def _filtered(waves: Tensor, gain: Tensor) -> Tensor:
        return torch.fft.irfft(torch.fft.rfft(waves) * gain, n=waves.shape[-1])
