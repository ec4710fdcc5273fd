"""Score priors: one denoiser of a source for all noise levels (EDM preconditioning, Karras et al., 2022).

A prior of this kind is a file in priors/ with a network F: D(x; sigma) = x s^2 / (sigma^2 + s^2) + F sigma s /
sqrt(sigma^2 + s^2), s the data's deviation, is trained to be E[clean | x]. It gives the score of p_sigma,
(D - x) / sigma^2 (Tweedie), and the likelihood by the probability-flow ODE dx / d sigma = (x - D) / sigma from sigma up
to `sigma_max`, where p_sigma is N(0, sigma_max^2 I) but for tenths of a nat. For u = x / sqrt(sigma^2 + s^2) and
tau = atan(sigma / s) it is du / d tau = -F, so

    log p_sigma(x) = log p(u_end) - (T / 2) log(sigma^2 + s^2) - int tr(dF/du) d tau,
    tr(dF/du) d tau = tr(dD/dx) d log sigma - T d log sin tau.

The second part, the noise's own, is most of it and has no error; the first, how many of T directions D lets pass, is
estimated with one probe a step (Hutchinson), the same for every prior and item. Too few steps leave an error: quick's
10, against 96, make a source's own waves less likely by some .02 nats/sample at most (a square at sigma .01: more, by
.01), others at sigma .01 more likely by up to 1.6, where they are far below its own.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor

from .priors.base import Prior, Sigma
from .seeds import torch_generator

LEVELS = 7  # of `denoising_score`
PROBE_REACH = 0.01  # to both sides of u, for the trace


class Diffusion(Prior):
    """D(x; sigma) and what follows from it. A family gives `network`.

    config: has sigma_min and sigma_max, the noise levels that it is trained for, and ode_steps, the steps of the ODE
    from one to the other.
    """

    loss_unit = "of the variance"

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.register_buffer("deviation", torch.ones(()))

    def network(self, x: Tensor, sigma: Tensor) -> Tensor:
        """F, of x (B, 1, T) and sigma (B, 1, 1). Shape: (B, 1, T) -> (B, 1, T)."""
        raise NotImplementedError

    @property
    def noise_range(self) -> tuple[float, float]:
        """The noise levels it is trained for."""
        return self.config.sigma_min, self.config.sigma_max

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Take the deviation of the clean waves, which scales input and output."""
        self.deviation.copy_(clean.square().mean().sqrt())

    def _scales(self, x: Tensor, sigma: Sigma) -> tuple[Tensor, Tensor, Tensor]:
        """Sigma (B, 1, 1), and the factors of x and of F in D."""
        sigma = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).expand(x.shape[0])[:, None, None]
        total = sigma**2 + self.deviation**2
        return sigma, self.deviation**2 / total, sigma * self.deviation / total.sqrt()

    def denoise(self, x: Tensor, sigma: Sigma) -> Tensor:
        """D(x; sigma) = E[clean | x]. Shape: (B, 1, T) -> (B, 1, T)."""
        sigma, skip, out = self._scales(x, sigma)
        return skip * x + out * self.network(x, sigma)

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """EDM's weighted squared error, 1 where D knows no more than the variance."""
        sigma, skip, out = self._scales(x, sigma)
        return ((clean - skip * x) / out - self.network(x, sigma)).square().mean()

    def estimates(self, mix: Tensor) -> Tensor:
        """Of a supervised separator with this network, one output a source: (B, 1, T) -> (B, outputs, T)."""
        return self.deviation * self.network(mix, torch.full_like(mix[:, :, :1], self.config.sigma_min))

    @torch.no_grad()
    def score(self, x: Tensor, sigma: float) -> Tensor:
        """grad log p_sigma(x) = (D - x) / sigma^2 (Tweedie). Shape: (B, 1, T) -> (B, 1, T)."""
        return (self.denoise(x, sigma) - x) / sigma**2

    def log_prob_and_score(self, x: Tensor, sigma: float, *, need_log_prob: bool = True) -> tuple[Tensor, Tensor]:
        """By autograd through the ODE; where log p is not needed, NaN and `score`. (B, 1, T) -> (B,), (B, 1, T)."""
        if need_log_prob:
            return super().log_prob_and_score(x, sigma)
        return torch.full(x.shape[:1], float("nan"), dtype=torch.float64, device=x.device), self.score(x, sigma)

    def _angles(self, low: float, high: float) -> list[float]:
        """tau = atan(sigma / s) at noise levels from one to the other that are evenly spaced in their logarithm."""
        whole = math.log(self.config.sigma_max / self.config.sigma_min)
        steps = max(4, math.ceil(self.config.ode_steps * abs(math.log(high / low)) / whole))
        deviation = self.deviation.item()
        return np.arctan(np.geomspace(low, high, steps + 1) / deviation).tolist()

    def _velocity(self, u: Tensor, angle: float) -> Tensor:
        """du / d tau = -F of x = u sqrt(sigma^2 + s^2), sigma = s tan tau."""
        sigma = torch.full_like(u[:, :, :1], math.tan(angle)) * self.deviation
        return -self.network(u * torch.sqrt(sigma**2 + self.deviation**2), sigma)

    def log_prob(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, by the probability-flow ODE. Shape: (B, 1, T) -> (B,) float64."""
        length, sigma_max = x.shape[2], self.config.sigma_max
        deviation = self.deviation.double()
        scale = torch.sqrt(sigma**2 + deviation**2)
        u, total = x / scale.to(x), -length * scale.log().expand(x.shape[0])
        angles = self._angles(sigma, max(sigma, sigma_max))
        velocity = self._velocity(u, angles[0])
        for step, (before, after) in enumerate(itertools.pairwise(angles)):
            middle = (before + after) / 2
            half_way = u + (middle - before) * velocity  # of the middle before: of second order, and no call of its own
            sign = torch.randint(2, (length,), generator=torch_generator("score", "probe", step)) * 2 - 1
            probe = sign.to(x)
            # The velocity and its Jacobian's product with the probe, from two points on both sides.
            pair = torch.cat([half_way + PROBE_REACH * probe, half_way - PROBE_REACH * probe])
            ahead, behind = self._velocity(pair, middle).chunk(2)
            trace = ((ahead - behind).double() * probe).sum((1, 2)) / (2 * PROBE_REACH)
            seen = (length / math.tan(middle) - trace) * math.sin(middle) * math.cos(middle)  # tr dD/dx
            total = total - math.log(math.tan(after) / math.tan(before)) * seen
            velocity = (ahead + behind) / 2
            u = u + (after - before) * velocity
        total = total + length * math.log(math.sin(angles[-1]) / math.sin(angles[0]))
        # At sigma_max the wave is drowned: x is noise alone.
        end = torch.log(sigma_max / torch.sqrt(sigma_max**2 + deviation**2))
        normal = -0.5 * (u.double() / end.exp()).square().sum((1, 2)) - length * (end + 0.5 * math.log(2 * math.pi))
        return total + normal

    def denoising_score(self, x: Tensor, sigma: float) -> Tensor:
        """The cheaper relative of log_prob: how well x is found again under more noise (nats, up to a constant).

        -int E|x - E[x | x + tau n]|^2 / tau^2 d log tau, the diffusion loss (Kingma et al., 2021), at a few tau from
        sigma on, with one noise n for all of them, all priors and items. Shape: (B, 1, T) -> (B,).
        """
        added = np.geomspace(sigma, max(3 * sigma, self.config.sigma_max / 2), LEVELS).tolist()
        noise = torch.randn(x.shape[2], generator=torch_generator("score", "noise")).to(x)
        width = math.log(added[-1] / added[0]) / (len(added) - 1)
        total = x.new_zeros(x.shape[0], dtype=torch.float64)
        for tau in added:
            level = math.hypot(sigma, tau)
            noisy = x + tau * noise
            denoised = noisy + (tau / level) ** 2 * (self.denoise(noisy, level) - noisy)
            total -= width * (x - denoised).double().square().sum((1, 2)) / tau**2
        return total

    def measures(self, x: Tensor, sigma: float) -> dict[str, Tensor]:
        """`log_prob` and `denoising_score` of x (B, 1, T), each (B,) in nats."""
        # In pieces that stay in the cache; a GPU takes the batch whole.
        items = max(1, 4096 // x.shape[2]) if x.device.type == "cpu" else x.shape[0]
        pieces = x.split(items)
        return {
            name: torch.cat([measure(piece, sigma) for piece in pieces])
            for name, measure in (("log_prob", self.log_prob), ("denoising_score", self.denoising_score))
        }

    @torch.no_grad()
    def sample(self, n: int, length: int, sigma: float, generator: torch.Generator) -> Tensor:
        """n draws (n, 1, length) of p_sigma, by the ODE from N(0, sigma_max^2 I) down to sigma."""
        angles = self._angles(self.config.sigma_max, sigma)
        u = torch.randn(n, 1, length, generator=generator, dtype=torch.float64).to(self.deviation) * math.sin(angles[0])
        velocity = self._velocity(u, angles[0])
        for before, after in itertools.pairwise(angles):
            middle = (before + after) / 2
            velocity = self._velocity(u + (middle - before) * velocity, middle)
            u = u + (after - before) * velocity
        return u * torch.sqrt(sigma**2 + self.deviation**2)
