"""Score priors: one denoiser of a source for all noise levels (EDM preconditioning, Karras et al., 2022).

A prior of this kind is a file in priors/ with a network F. With s the data's standard deviation,

    D(x; sigma) = x s^2 / (sigma^2 + s^2) + F sigma s / sqrt(sigma^2 + s^2)

is trained to be E[clean | x]. It gives the score of p_sigma, (D - x) / sigma^2 (Tweedie's formula). Samples follow from
the probability-flow ODE dx / d sigma = (x - D) / sigma. The likelihood is that of x given the denoised wave, minus a
cost: with more noise, tau n, the denoiser finds another wave, d away,

    log p_sigma(x) = log N(x; D(x; sigma), sigma^2 I) - int E_n[tau^2 d(d - 2 (x - D(x; sigma))) + 2 sigma^2 tau n d] /
    (sigma^2 + tau^2)^2 d log tau,    d = D(x + tau n; sqrt(sigma^2 + tau^2)) - D(x; sigma).

This is the pointwise I-MMSE relation (Kong, Brekelmans & Ver Steeg, 2023) less its value for d = 0, which is known in
closed form. With a perfect denoiser it is exact for any x. With any other denoiser, its mean over items of p_sigma is
at most the true mean, as no denoiser's error is below the least possible. The denoiser is asked only where it was
trained, on x with noise; the ODE's path carries no such noise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import score_detectors
from .gate import Gate, altered
from .priors.base import Prior, Sigma
from .seeds import torch_generator

GATE_WEIGHT = 0.01  # so small that the bound on the gradient's norm stays the denoiser's
# For `waves`: step in log sigma (nats); correlation of the noise between levels, down to this share of sigma_max.
WAVE_STEP, KEPT, KEPT_TO = 0.25, 0.85, 1 / 6
BEGIN = 0.25  # times sigma: with less noise added, the integrand is as if the denoiser did not change


def _integral(values: Tensor, added: np.ndarray, sigma: float) -> tuple[Tensor, Tensor]:
    """The integral over log tau of an integrand at evenly spaced log `added`, and its error: (levels, B) -> (B,), (B,).

    Beyond both ends the integrand is continued as tau^2 / (sigma^2 + tau^2)^2, which is exact where the denoiser's
    output does not depend on tau. The error is twice the standard error, estimated from fourth differences, as each
    value has noise of its own. With few levels these differences also contain the integrand's own changes.
    """
    step = math.log(added[1] / added[0])
    beyond = np.exp(step * np.arange(1, 40))

    def course(tau):
        return (tau / sigma + sigma / tau) ** -2.0

    below, above = (
        course(added[0] / beyond).sum() / course(added[0]),
        course(added[-1] * beyond).sum() / course(added[-1]),
    )
    rough = values.diff(n=4, dim=0).square().mean(0) / 70  # the sum of squared binomials, times the variance
    error = 2 * step * (len(added) * rough).sqrt()
    return step * (values.sum(0) + below * values[0] + above * values[-1]), error


def _pieces(x: Tensor) -> tuple[Tensor, ...]:
    """x (B, 1, T) cut into pieces that stay in the cache. A GPU takes the whole batch."""
    return x.split(max(1, 4096 // x.shape[2]) if x.device.type == "cpu" else x.shape[0])


class Diffusion(Prior):
    """The base class of score priors: a denoiser D(x; sigma) and what follows from it. A family gives `network`.

    config: has sigma_min and sigma_max, the range of noise levels in training; ode_steps, the ODE's steps from one to
    the other; and likelihood_levels, the number of added noises for a likelihood at sigma_min. A family that sets
    `gate` also has `altered`: the share of training items that the gate also sees altered.
    """

    loss_unit = "of the variance"
    log_prob_is_dear = True
    deviation: Tensor

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.register_buffer("deviation", torch.ones(()))
        self.gate: Gate | None = None

    def network(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The network F, of x (B, 1, T) and sigma (B, 1, 1). Shape: (B, 1, T) -> (B, 1, T)."""
        raise NotImplementedError

    @property
    def noise_range(self) -> tuple[float, float]:
        """The lowest and the highest noise level in training."""
        return self.config.sigma_min, self.config.sigma_max

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Set the deviation of the clean waves, which scales input and output."""
        self.deviation.copy_(clean.square().mean().sqrt())
        if self.gate:
            self.gate.initialise(clean)

    def _scales(self, x: Tensor, sigma: Sigma) -> tuple[Tensor, Tensor, Tensor]:
        """Sigma as (B, 1, 1), and the factors of x and of F in D."""
        sigma = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).expand(x.shape[0])[:, None, None]
        total = sigma**2 + self.deviation**2
        return sigma, self.deviation**2 / total, sigma * self.deviation / total.sqrt()

    def denoise(self, x: Tensor, sigma: Sigma) -> Tensor:
        """The denoised wave D(x; sigma) = E[clean | x]. Shape: (B, 1, T) -> (B, 1, T)."""
        sigma, skip, out = self._scales(x, sigma)
        return skip * x + out * self.network(x, sigma)

    def judged(self, x: Tensor, sigma: float) -> Tensor:
        """D(x; sigma), but a wave far from any other where the gate sees no wave of the source in it. (B, 1, T)."""
        denoised = self.denoise(x, sigma)
        if self.gate is None:
            return denoised
        share = self.gate.share(x, denoised, torch.full_like(x[:, :, :1], sigma))
        far = self.deviation * (1 - 2 * (torch.arange(x.shape[2], device=x.device) % 2).to(x))
        return share * denoised + (1 - share) * far

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """EDM's weighted squared error, plus the gate's cross-entropy if there is a gate.

        The error is 1 for a denoiser that knows the variance only.
        """
        sigma, skip, out = self._scales(x, sigma)
        raw = self.network(x, sigma)
        error = ((clean - skip * x) / out - raw).square().mean()
        if self.gate is None:
            return error
        return error + GATE_WEIGHT * self._gate_loss(x, (skip * x + out * raw).detach(), clean, sigma)

    def _gate_loss(self, x: Tensor, denoised: Tensor, clean: Tensor, sigma: Tensor) -> Tensor:
        """The gate's cross-entropy on these items and on some altered ones.

        An altered item counts if its change has more power than chance variations of its noise's power.
        """
        assert self.gate is not None
        generator = torch_generator("altered", x[0, 0, 0].item())
        # On average over steps this is the share.
        number = int(self.config.altered * len(x) + torch.rand((), generator=generator).item())
        ones, counts = torch.ones_like(x[:, 0, 0]), x.new_zeros(number)
        if number:
            some = torch.randperm(len(x), generator=generator)[:number].to(x.device)
            change, level = altered(clean[some], generator) - clean[some], sigma[some]
            counts = (change.square().mean((1, 2)) > 3 * math.sqrt(2 / x.shape[2]) * level[:, 0, 0] ** 2).to(x)
            others = x[some] + change
            with torch.no_grad():
                denoised = torch.cat([denoised, self.denoise(others, level[:, 0, 0])])
            x, sigma = torch.cat([x, others]), torch.cat([sigma, level])
        whole, weight = torch.cat([ones, 0 * counts]), torch.cat([ones, counts])
        return functional.binary_cross_entropy_with_logits(self.gate(x, denoised, sigma), whole, weight)

    def estimates(self, mix: Tensor, sigma: float | None = None) -> Tensor:
        """The outputs of a separator with this network, one for each source: (B, 1, T) -> (B, outputs, T).

        sigma: the noise level that the network is given; by default sigma_min.
        """
        level = self.config.sigma_min if sigma is None else sigma
        return self.deviation * self.network(mix, torch.full_like(mix[:, :, :1], level))

    @torch.no_grad()
    def score(self, x: Tensor, sigma: float) -> Tensor:
        """The score grad log p_sigma(x) = (D - x) / sigma^2 (Tweedie). Shape: (B, 1, T) -> (B, 1, T)."""
        return (self.denoise(x, sigma) - x) / sigma**2

    def log_prob_and_score(self, x: Tensor, sigma: float, *, need_log_prob: bool = True) -> tuple[Tensor, Tensor]:
        """log p_sigma(x) and its gradient by autograd. Shape: (B, 1, T) -> (B,), (B, 1, T).

        If log p is not needed, NaN and `score`.
        """
        if need_log_prob:
            return super().log_prob_and_score(x, sigma)
        return torch.full(x.shape[:1], float("nan"), dtype=torch.float64, device=x.device), self.score(x, sigma)

    def _angles(self, low: float, high: float) -> list[float]:
        """The angles tau = atan(sigma / s) of noise levels from `low` to `high`, evenly spaced in their logarithm."""
        whole = math.log(self.config.sigma_max / self.config.sigma_min)
        steps = max(4, math.ceil(self.config.ode_steps * abs(math.log(high / low)) / whole))
        deviation = self.deviation.item()
        return np.arctan(np.geomspace(low, high, steps + 1) / deviation).tolist()

    def _velocity(self, u: Tensor, angle: float) -> Tensor:
        """The derivative du / d tau = -F, where x = u sqrt(sigma^2 + s^2) and sigma = s tan tau."""
        sigma = torch.full_like(u[:, :, :1], math.tan(angle)) * self.deviation
        return -self.network(u * torch.sqrt(sigma**2 + self.deviation**2), sigma)

    def log_prob(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, by the pointwise I-MMSE relation. Shape: (B, 1, T) -> (B,) float64."""
        return self.log_prob_and_error(x, sigma)[0]

    def log_prob_and_error(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """log p_sigma(x), and the error of its integral (see `_integral`), each (B,)."""
        return self._log_prob(x, sigma, lambda terms: terms.sum((1, 2)), x.shape[2])

    @torch.no_grad()
    def log_prob_map(self, x: Tensor, sigma: float) -> Tensor:
        """The summands of `log_prob` at each time t, see the base class. Shape: (B, 1, T) -> (B, T)."""
        return torch.cat([self._log_prob(piece, sigma, lambda terms: terms[:, 0], 1)[0] for piece in _pieces(x)])

    def _log_prob(
        self, x: Tensor, sigma: float, add_up: Callable[[Tensor], Tensor], samples: int
    ) -> tuple[Tensor, Tensor]:
        """log p and the error of its integral, of `samples` samples at once.

        add_up: takes terms (B, 1, T) and gives their sum over those samples.
        """
        levels = self.config.likelihood_levels
        whole = math.log(self.config.sigma_max / (BEGIN * self.config.sigma_min))
        first, last = BEGIN * sigma, max(self.config.sigma_max, 4 * sigma)
        added = np.geomspace(first, last, max(4, math.ceil(levels * math.log(last / first) / whole)))
        wave = self.judged(x, sigma)
        values = []
        for place, tau in enumerate(added.tolist()):
            noise = torch.randn(x.shape[2], generator=torch_generator("likelihood", place))
            noise = (noise / noise.square().mean().sqrt()).to(x)  # else its chance power would be most of the error
            total = sigma**2 + tau**2
            change = (self.judged(x + tau * noise, math.sqrt(total)) - wave).double()
            nearer = add_up(change * (change - 2 * (x - wave)))
            values.append((tau**2 * nearer + 2 * sigma**2 * tau * add_up(noise * change)) / total**2)
        integral, error = _integral(torch.stack(values), added, sigma)
        own = -0.5 * add_up(((x - wave).double() / sigma).square())
        return own - samples * (math.log(sigma) + 0.5 * math.log(2 * math.pi)) - integral, error

    def measures(self, x: Tensor, sigma: float) -> dict[str, Tensor]:
        """`log_prob` and its `integration_error` for x (B, 1, T), each (B,) in nats."""
        parts = [self.log_prob_and_error(piece, sigma) for piece in _pieces(x)]
        return dict(zip(("log_prob", "integration_error"), map(torch.cat, zip(*parts, strict=True)), strict=True))

    @torch.no_grad()
    def detectors(self, x: Tensor, sigma: float) -> dict[str, Tensor]:
        """The local dimension of x (B, 1, T), and the norms along its path to noise (score_detectors.py), each (B,)."""
        highest = max(self.config.sigma_max, 4 * sigma)
        parts = [score_detectors.both(self.denoise, piece, sigma, highest) for piece in _pieces(x)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    @torch.no_grad()
    def sample(self, n: int, length: int, sigma: float, generator: torch.Generator) -> Tensor:
        """n draws (n, 1, length) from p_sigma, by the ODE from N(0, sigma_max^2 I) down to sigma."""
        angles = self._angles(self.config.sigma_max, sigma)
        u = torch.randn(n, 1, length, generator=generator, dtype=torch.float64).to(self.deviation) * math.sin(angles[0])
        velocity = self._velocity(u, angles[0])
        for before, after in itertools.pairwise(angles):
            middle = (before + after) / 2
            velocity = self._velocity(u + (middle - before) * velocity, middle)
            u = u + (after - before) * velocity
        return u * torch.sqrt(sigma**2 + self.deviation**2)

    @torch.no_grad()
    def waves(self, n: int, length: int, sigma: float, generator: torch.Generator) -> Tensor:
        """Clean waves (n, 1, length), by a reverse diffusion down to sigma that draws new noise at each level.

        The ODE of `sample` carries each mistake to the end; with new noise, D corrects it. At the high levels, where
        waves emerge, part of the noise is kept from level to level; without this, none would emerge. At the lower
        levels all noise is new. These waves are nearer to the data than those of `sample` with as many calls of D. But
        they are no draws of p_sigma: their spread is too small.
        """
        count = max(4, math.ceil(math.log(self.config.sigma_max / sigma) / WAVE_STEP))
        levels = np.geomspace(self.config.sigma_max, sigma, count).tolist()
        noise = torch.randn(n, 1, length, generator=generator).to(self.deviation)
        wave = torch.zeros_like(noise)
        for level in levels:
            x = wave + level * noise
            wave = self.denoise(x, level)
            kept = KEPT if level > KEPT_TO * self.config.sigma_max else 0.0
            anew = torch.randn(n, 1, length, generator=generator).to(self.deviation)
            noise = kept * (x - wave) / level + math.sqrt(1 - kept**2) * anew
        return wave
