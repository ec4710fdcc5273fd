"""The exact smoothed prior of the toy waves: computed from the law of their parameters, not learned.

p_sigma(x) = E[N(x; A g(f, p), sigma^2 I)]. The frequency f (cycles/sample) has the data set's law, the amplitude A is
uniform, and p is uniform on [0, 1): the phase in cycles at the middle of the frame, because there it is uncorrelated
with f given x. With C = <x, g> and S = |g|^2,

    log p_sigma(x) = log N(x; 0, sigma^2 I) + log E_{f,p}[exp L],    L = log E_A[exp((A C - A^2 S / 2) / sigma^2)].

L is known in closed form. f and p are summed over a lattice that is refined where the integrand is large
(integral.py). The gradient of log p is (E[w | x] - x) / sigma^2, where w = A g, with the expectation over the same
nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import toy
from ..errors import UserError
from ..integral import Integral
from ..lattice import Lattice, Law, wave
from ..types import ShareAboveZero
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
    wide: ShareAboveZero = 1.0
    "Where more than this share of its cells are near the best, the first lattice is summed: faster, and coarser."


_LAWS = ("uniform", "log_uniform")


class _LogProb(torch.autograd.Function):
    """log p_sigma(x), with the gradient (E[w | x] - x) / sigma^2 from the same nodes, if x needs one."""

    @staticmethod
    def forward(ctx, x: Tensor, integral: Integral, gradient: bool) -> Tensor:
        flat = x[:, 0].double()
        parts = [integral.posterior(part, gradient) for part in flat.split(integral.at_once)]
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


class Exact(Prior):
    """The exact prior of one source of a toy data set, at any sigma above 0.

    >>> prior = build(Config(16, 64, 16, 256)).fit(data, "saw")
    >>> prior.log_prob(x, sigma=0.1).shape
    torch.Size([5])
    """

    draws_exactly = True
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
    def law(self) -> Law:
        """The law that is stored in the buffers."""
        source, kind = self.law_kind.tolist()
        if not source:
            raise RuntimeError("the exact prior has no law yet: call fit, or load a checkpoint")
        numbers = self.law_bits.cpu().view(torch.float64).tolist()
        return Law(toy.SOURCES[source - 1], _LAWS[kind] == "log_uniform", tuple(numbers[:2]), tuple(numbers[2:]))

    def lattice(self, length: int) -> Lattice:
        """The first lattice for frames of that length. It is kept while the law and the device stay the same."""
        key = (self.law, self.law_bits.device, length)
        if key not in self._lattices:
            self._lattices = {key: Lattice(*key, self.config.padding, self.config.phases)}
        return self._lattices[key]

    def _integral(self, length: int, sigma: float) -> Integral:
        return Integral(self.lattice(length), self.config, sigma)

    def log_prob(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, summed over time in float64, differentiable once. Shape: (B, 1, T) -> (B,).

        Raises
        ------
        UserError: sigma is not above 0.
        """
        if not sigma > 0:
            raise UserError(f"the exact prior exists for sigma > 0 only, not {sigma:g}: a clean wave has no density")
        return _LogProb.apply(x, self._integral(x.shape[2], sigma), torch.is_grad_enabled() and x.requires_grad)

    @torch.no_grad()
    def parameters_of(self, x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """f (cycles/sample), p (cycles, at the middle) and amplitude, each (B,) float64, drawn given x (B, 1, T)."""
        integral, flat = self._integral(x.shape[2], sigma), x[:, 0].double()
        parts = [integral.draw(part, generator) for part in flat.split(integral.at_once)]
        f, p, amplitude = (torch.cat(part) for part in zip(*parts, strict=True))
        return f, p, amplitude

    def draw(self, x: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
        """A wave from p(clean | x), exact up to the integral's error. Shape: (B, 1, T) -> (B, 1, T)."""
        f, p, amplitude = self.parameters_of(x, sigma, generator)
        return (amplitude[:, None] * wave(self.law.source, f, p, x.shape[2]))[:, None].to(x.dtype)

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
