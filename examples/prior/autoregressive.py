"""An autoregressive Gaussian prior: each noisy sample is a weighted sum of those before, an offset, and noise.

An example of a prior of your own. Copy it to workflow/scripts/audiopriors/priors/, and give it numbers under
`families`, and a name under `priors`, in the config:

    families:
      autoregressive: {model: {order: 32}, levels: each, training: *training, finetune: *finetune, chain: noise_free}
    priors:
      autoregressive: {family: autoregressive}

It is the density of the noisy wave itself, so one model serves one noise level, at which it was trained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..types import Count
from .base import Prior, Sigma


@dataclass(frozen=True)
class Config:
    order: Count
    "Samples before, of which the next is a weighted sum."


class Autoregressive(Prior):
    """x_t = sum_i a_i x_{t-i} + b + s eps_t, eps_t ~ N(0, 1), with zeros before the frame.

    >>> prior = build(Config(4))
    >>> prior.log_prob(torch.zeros(5, 1, 64), sigma=0.1).shape
    torch.Size([5])
    """

    def __init__(self, config: Config):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(config.order))  # a_1 is the last one: oldest sample first
        self.offset = nn.Parameter(torch.zeros(()))
        self.log_deviation = nn.Parameter(torch.zeros(()))

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Begin at white noise of the data's deviation."""
        with torch.no_grad():
            self.log_deviation.copy_(x.std().log())

    def log_prob(self, x: Tensor, sigma: Sigma) -> Tensor:
        """log p(x) in nats, summed over time in float64. Shape: (B, 1, T) -> (B,)."""
        past = functional.pad(x, (len(self.weights), -1))  # a sample does not see itself
        expected = functional.conv1d(past, self.weights[None, None]) + self.offset
        standardised = ((x - expected) * torch.exp(-self.log_deviation)).double()
        constant = self.log_deviation.double() + 0.5 * math.log(2 * math.pi)
        return -(0.5 * standardised.square() + constant).sum((1, 2))

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """Minus the mean log-likelihood, in nats/sample."""
        return -self.log_prob(x, sigma).mean() / x.shape[2]

    @torch.no_grad()
    def sample(self, n: int, length: int, sigma: Sigma, generator: torch.Generator) -> Tensor:
        """n waveforms (n, 1, length), one sample after the other."""
        order = len(self.weights)
        noise = torch.randn(length, n, generator=generator).to(self.weights) * self.log_deviation.exp()
        wave = self.weights.new_zeros(n, order + length)
        for now in range(length):
            wave[:, order + now] = wave[:, now : order + now] @ self.weights + self.offset + noise[now]
        return wave[:, None, order:]


def build(config: Config) -> Autoregressive:
    """A fresh prior."""
    return Autoregressive(config)
