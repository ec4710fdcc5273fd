"""A score prior of tones with a second denoiser, of the same waves with high frequencies raised (audio/emphasis.py).

In white noise the fundamental of a tone emerges long before its harmonics. Sources in unison share it, so that a
sampler shares it out before it sees what tells them apart. With emphasis, harmonics emerge together with the
fundamental: a square and a saw become impulses. So the sampler `alternating_pairs` begins there.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from torch import Tensor

from ..audio.emphasis import Emphasis
from ..types import NonNegative, Positive
from . import score
from .base import Sigma


@dataclass(frozen=True)
class Config(score.Config):
    """Settings of a score prior of tones with a second denoiser."""

    exponent: NonNegative
    "How steeply the emphasis rises: its gain is (f^2 + corner^2)^(exponent / 2)."
    corner: Positive
    "The frequency, in cycles per sample, below which the emphasis is nearly constant."


class ScoreEmphasised(score.Score):
    """The density p_sigma of a source, as `Score`, and a denoiser of emphasised waves.

    >>> prior = build(Config(0.01, 10, 8, 4, 2, 8, 2, 10, 10, 0, 1.5, 0.03))
    >>> prior.restore_emphasised(torch.zeros(5, 1, 64), 0.1).shape
    torch.Size([5, 1, 64])
    """

    emphasis: Emphasis

    def __init__(self, config: Config):
        super().__init__(config)
        self.emphasis = Emphasis(config.exponent, config.corner)
        self.second = score.Score(dataclasses.replace(config, altered=0))

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Set the deviations of the clean waves without and with emphasis."""
        super().initialise(x, clean, sigma)
        self.second.initialise(x, self.emphasis.apply(clean), sigma)

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """The mean loss of both denoisers, with the same noise."""
        emphasised = self.emphasis.apply(clean)
        return 0.5 * (super().loss(x, clean, sigma) + self.second.loss(emphasised + x - clean, emphasised, sigma))

    def restore_emphasised(self, x: Tensor, sigma: float) -> Tensor:
        """E[w | x] of emphasised waves w, from x = w + sigma n with white noise n. Shape: (B, 1, T) -> (B, 1, T)."""
        return self.second.denoise(x, sigma)


def build(config: Config) -> ScoreEmphasised:
    """A new, untrained prior, with weights from torch's global generator."""
    return ScoreEmphasised(config)
