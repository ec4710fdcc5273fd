"""FloWaveNet: a normalizing flow on the waveform (Kim et al., 2019; Table 2 and appendix 5.2 of the paper).

A block squeezes time into channels, then runs flows. A flow is ActNorm, an affine coupling and a swap of the halves of
the channels. A non-causal gated WaveNet on one half gives the coupling's scale and shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import UserError
from ..layers import EMBEDDING, GatedStack, Modules, embedding_of_noise, log_normal, zero
from ..types import Count
from .base import Prior, Sigma


@dataclass(frozen=True)
class Config:
    """Settings of a FloWaveNet."""

    blocks: int
    "Squeezes; the frame must be a multiple of 2 to this power."
    flows: int
    "Flows (ActNorm, coupling, swap) per block."
    layers: int
    "Layers of the WaveNet in a coupling; layer i has dilation 2^i."
    kernel_size: Count
    "Taps of a dilated convolution; odd."
    width: int
    "Channels of the WaveNet in a coupling."
    blocks_per_split: int
    "After so many blocks half of the channels leave with a learned Gaussian (the authors' code: 2); 0: never."
    partition: Literal["interleaved", "half"]
    "Which channels a coupling transforms: every other one (paper) or the second half (thesis)."
    log_scale_bound: float
    "Bound b on a coupling's log s, as b tanh(. / b); 0: none."
    log_det_weight: float
    "Weight of the log-determinant in the training objective: 1 is maximum likelihood, 0.25 what was published."
    sigma_min: float
    "The smallest noise level of a flow whose input includes the noise level."
    sigma_max: float
    "The largest noise level, if one flow serves all and has the level as an input (levels: one); 0: it has not."


def _squeeze(x: Tensor) -> Tensor:
    """Move every other sample into channels of their own. Shape: (B, C, T) -> (B, 2 C, T / 2)."""
    batch, channels, length = x.shape
    return x.view(batch, channels, length // 2, 2).permute(0, 1, 3, 2).reshape(batch, 2 * channels, length // 2)


def _unsqueeze(x: Tensor) -> Tensor:
    """The inverse of `_squeeze`. Shape: (B, 2 C, T / 2) -> (B, C, T)."""
    batch, channels, length = x.shape
    return x.view(batch, channels // 2, 2, length).permute(0, 1, 3, 2).reshape(batch, channels // 2, 2 * length)


def _zero_conv(in_channels: int, out_channels: int) -> nn.Conv1d:
    """A pointwise convolution that starts at zero, so that a coupling starts as the identity (Glow, section 3.3)."""
    conv = nn.Conv1d(in_channels, out_channels, 1)
    zero(conv)
    return conv


def _zero_linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer that starts at zero, so that the noise level has no effect at first."""
    linear = nn.Linear(inputs, outputs, bias=False)
    zero(linear)
    return linear


class _WaveNet(nn.Module):
    """A non-causal WaveNet, one-to-one in time. Shape: (B, in_channels, T) -> (B, out_channels, T)."""

    def __init__(self, in_channels: int, out_channels: int, layers: int, config: Config):
        super().__init__()
        self.first = nn.Conv1d(in_channels, config.width, 3, padding=1)
        self.rest = nn.Sequential(
            nn.ReLU(),
            GatedStack(config.width, config.width, layers, config.kernel_size),
            nn.ReLU(),
            nn.Conv1d(config.width, config.width, 1),
            nn.ReLU(),
            _zero_conv(config.width, out_channels),
        )
        self.of_noise = _zero_linear(EMBEDDING, config.width) if config.sigma_max else None

    def forward(self, x: Tensor, embedded: Tensor | None) -> Tensor:
        """embedded: the noise level's embedding (B, EMBEDDING), if it is an input."""
        hidden = self.first(x)
        if self.of_noise is not None:
            hidden = hidden + self.of_noise(embedded)[:, :, None]
        return self.rest(hidden)


class _Flow(nn.Module):
    """ActNorm y = s x + b on all channels, then x_b <- (x_b - t(x_a)) exp(-log s(x_a)); the halves are a and b."""

    def __init__(self, half: int, config: Config):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(2, half, 1))
        self.bias = nn.Parameter(torch.zeros(2, half, 1))
        self.network = _WaveNet(half, 2 * half, config.layers, config)
        self.bound = config.log_scale_bound

    @torch.no_grad()
    def initialise(self, a: Tensor, b: Tensor) -> None:
        """Set ActNorm such that its output has mean 0 and variance 1 per channel on this batch (Glow, section 3.1)."""
        for side, half in enumerate((a, b)):
            mean = half.mean((0, 2), keepdim=True)[0]
            deviation = half.std((0, 2), keepdim=True)[0].clamp_min(1e-3)
            self.log_scale[side] = -deviation.log()
            self.bias[side] = -mean / deviation

    def _scale_and_shift(self, a: Tensor, embedded: Tensor | None) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.network(a, embedded).chunk(2, 1)
        if self.bound:
            log_scale = self.bound * torch.tanh(log_scale / self.bound)
        return log_scale, shift

    def forward(
        self, a: Tensor, b: Tensor, embedded: Tensor | None, log_scales: list[Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The halves, and the log-determinant (B,). The coupling's log s is added to `log_scales`, if given."""
        a, b = (half * self.log_scale[i].exp() + self.bias[i] for i, half in enumerate((a, b)))
        log_scale, shift = self._scale_and_shift(a, embedded)
        if log_scales is not None:
            log_scales.append(log_scale)
        b = (b - shift) * torch.exp(-log_scale)
        log_det = a.shape[2] * self.log_scale.double().sum() - log_scale.double().sum((1, 2))
        return a, b, log_det

    def inverse(self, a: Tensor, b: Tensor, embedded: Tensor | None) -> tuple[Tensor, Tensor]:
        log_scale, shift = self._scale_and_shift(a, embedded)
        b = b * torch.exp(log_scale) + shift
        a, b = ((half - self.bias[i]) * torch.exp(-self.log_scale[i]) for i, half in enumerate((a, b)))
        return a, b


class FloWaveNet(Prior):
    """The density ``log p(x) = log N(z) + log|det dz/dx|`` on x in R^T.

    With `sigma_max` it serves all noise levels, and sigma is an input of its networks. Otherwise it serves one level,
    and ignores sigma.

    >>> prior = build(Config(2, 2, 2, 3, 8, 2, "interleaved", 3.0, 1.0, 0.0, 0.0))
    >>> prior.log_prob(torch.zeros(5, 1, 64), sigma=0.1).shape
    torch.Size([5])
    """

    has_latents = True
    deviation: Tensor

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        if config.sigma_max:
            self.embed = embedding_of_noise()
            self.register_buffer("deviation", torch.ones(()))  # of the clean waves
        self.blocks: Modules[Modules[_Flow]] = Modules()
        self.splits = nn.ModuleDict()  # by the number of the block after which it stands
        channels = 1
        for block in range(config.blocks):
            channels *= 2
            self.blocks.append(Modules(_Flow(channels // 2, config) for _ in range(config.flows)))
            if self._splits_after(block):
                channels //= 2
                self.splits[str(block)] = _WaveNet(channels, 2 * channels, 2, config)

    def _splits_after(self, block: int) -> bool:
        every = self.config.blocks_per_split
        return bool(every) and (block + 1) % every == 0 and block + 1 < self.config.blocks

    def _halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.config.partition == "interleaved":
            return x[:, 0::2].contiguous(), x[:, 1::2].contiguous()
        first, second = x.chunk(2, 1)
        return first.contiguous(), second.contiguous()

    def _join(self, a: Tensor, b: Tensor) -> Tensor:
        if self.config.partition == "interleaved":
            return torch.stack((a, b), 2).flatten(1, 2)
        return torch.cat((a, b), 1)

    def _check(self, length: int) -> None:
        if length % 2**self.config.blocks:
            raise UserError(
                f"a FloWaveNet of {self.config.blocks} blocks needs frames of a multiple of "
                f"{2**self.config.blocks} samples, not {length}"
            )

    def transform(
        self, x: Tensor, sigma: Sigma, *, initialise: bool = False, log_scales: list[Tensor] | None = None
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """The latents, the latent log-density and the log-determinant.

        log_scales: if given, log s of each coupling and log sigma of each split are added to it, in turn.

        Returns
        -------
        latents: standardised, each N(0, 1) under the model: one (B, C, T') a split, then the rest.
        latent_log_prob: (B,) float64; sum of log N(z; mu, sigma), with the learned Gaussians of the splits.
        log_det: (B,) float64; sum of the log-determinants of ActNorm and couplings.
        """
        self._check(x.shape[2])
        latents = []
        scale, embedded = self._noise_level(sigma, x.shape[0])
        log_det = -x.shape[2] * scale.double().log().expand(x.shape[0])
        latent_log_prob = torch.zeros_like(log_det)
        if embedded is not None:
            x = x / scale[:, None, None]
        for number, flows in enumerate(self.blocks):
            a, b = self._halves(_squeeze(x))
            for flow in flows:
                if initialise:
                    flow.initialise(a, b)
                a, b, flow_log_det = flow(a, b, embedded, log_scales)
                log_det = log_det + flow_log_det
                a, b = b, a
            x = self._join(a, b)
            if self._splits_after(number):
                x, z = (half.contiguous() for half in x.chunk(2, 1))
                mean, log_sigma = self.splits[str(number)](x, embedded).chunk(2, 1)
                latents.append((z - mean) * torch.exp(-log_sigma))
                if log_scales is not None:
                    log_scales.append(log_sigma)
                of_latents = log_normal(latents[-1]).sum((1, 2))
                latent_log_prob = latent_log_prob + of_latents - log_sigma.double().sum((1, 2))
        latents.append(x)
        return latents, latent_log_prob + log_normal(x).sum((1, 2)), log_det

    def inverse(self, latents: list[Tensor], sigma: Sigma) -> Tensor:
        """The waveform (B, 1, T) of the standardised latents that `transform` gives."""
        *split_latents, x = latents
        scale, embedded = self._noise_level(sigma, x.shape[0])
        for number in reversed(range(self.config.blocks)):
            if self._splits_after(number):
                mean, log_sigma = self.splits[str(number)](x, embedded).chunk(2, 1)
                x = torch.cat((x, mean + torch.exp(log_sigma) * split_latents.pop()), 1)
            a, b = self._halves(x)
            for flow in reversed(self.blocks[number]):
                a, b = flow.inverse(b, a, embedded)
            x = _unsqueeze(self._join(a, b))
        return x if embedded is None else x * scale[:, None, None]

    def _noise_level(self, sigma: Sigma, items: int) -> tuple[Tensor, Tensor | None]:
        """The deviation of the noisy waves (B,), and the noise level's embedding; 1 and None if it is no input."""
        like = next(self.parameters())
        if not self.config.sigma_max:
            return like.new_ones(items), None
        sigma = torch.as_tensor(sigma, dtype=like.dtype, device=like.device).expand(items)
        return torch.sqrt(sigma**2 + self.deviation**2), self.embed(sigma[:, None])

    @property
    def noise_range(self) -> tuple[float, float] | None:
        """The range of noise levels in training, if the level is an input."""
        return (self.config.sigma_min, self.config.sigma_max) if self.config.sigma_max else None

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Data-dependent initialisation of every ActNorm on x (B, 1, T): once, before training."""
        with torch.no_grad():
            if self.config.sigma_max:
                self.deviation.copy_(clean.square().mean().sqrt())
            self.transform(x, sigma, initialise=True)

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """The training objective in nats/sample; lower is better. x (B, 1, T) has the noise; `clean` is not used."""
        _, latent_log_prob, log_det = self.transform(x, sigma)
        return -(latent_log_prob + self.config.log_det_weight * log_det).mean() / x.shape[2]

    def log_prob(self, x: Tensor, sigma: Sigma) -> Tensor:
        """log p_sigma(x) in nats, summed over time in float64. Shape: (B, 1, T) -> (B,)."""
        return self.measures(x, sigma)["log_prob"]

    def measures(self, x: Tensor, sigma: Sigma) -> dict[str, Tensor]:
        """`log_prob`, and `latent_log_prob`: log N(z) alone, as the authors' evaluation reports. Each (B,) in nats."""
        _, latent_log_prob, log_det = self.transform(x, sigma)
        return {"log_prob": latent_log_prob + log_det, "latent_log_prob": latent_log_prob}

    @torch.no_grad()
    def log_prob_map(self, x: Tensor, sigma: Sigma) -> Tensor:
        """-log(2 pi) / 2 - z^2 / 2 - log s of each latent at its sample, see the base class. (B, 1, T) -> (B, T).

        Couplings and ActNorm mix no channels. Given the other samples, a latent is an affine function of one sample.
        The logarithms of all scales on its way belong to that sample.
        """
        log_scales: list[Tensor] = []
        (*split_latents, z), _, _ = self.transform(x, sigma, log_scales=log_scales)
        terms = log_normal(z)
        for number in reversed(range(self.config.blocks)):
            if self._splits_after(number):
                terms = torch.cat((terms, log_normal(split_latents.pop()) - log_scales.pop()), 1)
            a, b = self._halves(terms)
            for flow in reversed(self.blocks[number]):
                a, b = b + flow.log_scale[0], a + flow.log_scale[1] - log_scales.pop()
            terms = _unsqueeze(self._join(a, b))
        scale, _ = self._noise_level(sigma, x.shape[0])
        return terms[:, 0] - scale.double().log()[:, None]

    @torch.no_grad()
    def sample(self, n: int, length: int, sigma: Sigma, generator: torch.Generator) -> Tensor:
        """n waveforms (n, 1, length): the inverse of normal latents."""
        self._check(length)
        like = next(self.parameters())
        shapes, channels = [], 1
        for block in range(self.config.blocks):
            channels, length = 2 * channels, length // 2
            if self._splits_after(block):
                channels //= 2
                shapes.append((n, channels, length))
        shapes.append((n, channels, length))
        return self.inverse([torch.randn(shape, generator=generator).to(like) for shape in shapes], sigma)


def build(config: Config) -> FloWaveNet:
    """A new, untrained prior. Its weights come from torch's global generator."""
    return FloWaveNet(config)
