"""Glow: a flow on a spectral representation of the waveform (Kingma & Dhariwal, 2018).

This is the thesis's "Modelling on top of a spectral transformation". A block squeezes two bins and two times into
channels, then runs flows: ActNorm, an invertible 1x1 convolution, and an affine coupling. A 2-D convolution network on
one half of the channels gives the coupling's scale and shift.

- `mdct`: the transform is an orthogonal matrix (audio/mdct.py), so the density of its coefficients is `log_prob`, that
  of the waveform.
- `mel`, the thesis's: a log-mel spectrogram has lost the phase, and many waves have the same one. A density of it is no
  density of the waveform. Its measure `mel_log_prob` says something only as a ratio of two such priors.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..audio.mdct import inverse_mdct, mdct
from ..audio.mel import log_mel, window_of
from ..errors import UserError
from ..layers import Modules, log_normal, zero
from ..types import Count, Positive
from .base import Prior, Sigma

_NO_DENSITY = "a glow on mel is no density of the waveform: it has ratios of two priors only"
_LEAST = 0.03  # least divisor of a bin, relative to the loudest bin's deviation


@dataclass(frozen=True)
class Config:
    """Settings of a Glow."""

    representation: Literal["mdct", "mel"]
    "mdct: an orthogonal transform, and a density of waves; mel: log-mel spectrograms, which have ratios only."
    bins: Count
    "Bins of the MDCT, or mel bands: a multiple of 2 to the power of `blocks`."
    blocks: Count
    "Squeezes of two bins and two times into channels; after each but the last, half of the channels leave."
    flows: Count
    "Flows (ActNorm, invertible 1x1 convolution, coupling) per block."
    layers: int
    "Residual layers of the network in a coupling; layer i has dilation 2^i along time."
    width: int
    "Channels of the network in a coupling."
    log_scale_bound: Positive
    "Bound b on a coupling's log s, as b tanh(. / b)."


class _Network(nn.Module):
    """A network from one half of the channels, and its place in frequency, to the other's scale and shift.

    Shape: (B, C, N, M) -> (B, D, N, M).
    """

    def __init__(self, inputs: int, outputs: int, config: Config):
        super().__init__()
        self.first = nn.Conv2d(inputs + 2, config.width, 3, padding=1)
        self.layers = Modules(
            nn.Conv2d(config.width, config.width, 3, padding=(1, 2**layer), dilation=(1, 2**layer))
            for layer in range(config.layers)
        )
        self.last = nn.Conv2d(config.width, outputs, 3, padding=1)
        zero(self.last)  # a coupling starts as the identity (Glow, section 3.3)

    def forward(self, half: Tensor) -> Tensor:
        batch, _, bins, times = half.shape
        place = torch.linspace(-1, 1, bins, device=half.device, dtype=half.dtype)[:, None].expand(batch, 1, bins, times)
        hidden = self.first(torch.cat([half, place, torch.ones_like(place)], 1))
        for layer in self.layers:
            hidden = hidden + layer(functional.silu(hidden))
        return self.last(functional.silu(hidden))


class _Flow(nn.Module):
    """ActNorm y = s x + b, then y <- W y at each position, then y_b <- (y_b - t(y_a)) exp(-log s(y_a)).

    It takes x (B, C, N, M), and returns y and the log-determinant at each time (B, M) float64.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int, config: Config):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        # W = P L (U + diag(s)), from a random rotation (Glow, section 3.2).
        permutation, lower, upper = torch.linalg.lu(torch.linalg.qr(torch.randn(channels, channels))[0])
        self.register_buffer("permutation", permutation)
        self.register_buffer("sign", upper.diagonal().sign())
        self.log_size = nn.Parameter(upper.diagonal().abs().log())
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.network = _Network(channels - channels // 2, 2 * (channels // 2), config)
        self.bound = config.log_scale_bound

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Set ActNorm such that its output has mean 0 and variance 1 per channel on this batch (Glow, section 3.1)."""
        deviation = x.std((0, 2, 3)).clamp_min(1e-3)[:, None, None]
        self.log_scale.copy_(-deviation.log())
        self.bias.copy_(-x.mean((0, 2, 3))[:, None, None] / deviation)

    def _matrix(self) -> Tensor:
        lower = self.lower.tril(-1) + torch.eye(len(self.sign), device=self.sign.device, dtype=self.lower.dtype)
        return self.permutation @ lower @ (self.upper.triu(1) + torch.diag(self.sign * self.log_size.exp()))

    def _scale_and_shift(self, a: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.network(a).chunk(2, 1)
        return self.bound * torch.tanh(log_scale / self.bound), shift

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x * self.log_scale.exp() + self.bias
        x = torch.einsum("cd,bdnm->bcnm", self._matrix(), x)
        a, b = x[:, : x.shape[1] - x.shape[1] // 2], x[:, x.shape[1] - x.shape[1] // 2 :]
        log_scale, shift = self._scale_and_shift(a)
        fixed = x.shape[2] * (self.log_scale.double().sum() + self.log_size.double().sum())
        return torch.cat([a, (b - shift) * torch.exp(-log_scale)], 1), fixed - log_scale.double().sum((1, 2))

    def inverse(self, x: Tensor) -> Tensor:
        a, b = x[:, : x.shape[1] - x.shape[1] // 2], x[:, x.shape[1] - x.shape[1] // 2 :]
        log_scale, shift = self._scale_and_shift(a)
        x = torch.cat([a, b * torch.exp(log_scale) + shift], 1)
        x = torch.einsum("cd,bdnm->bcnm", torch.linalg.inv(self._matrix().double()).to(x), x)
        return (x - self.bias) * torch.exp(-self.log_scale)


def _add_up(terms: Iterable[Tensor]) -> Tensor:
    return functools.reduce(torch.add, terms)


class Glow(Prior):
    """The density ``log p(y) = log N(z) + log|det dz/dy|`` of the representation y. A model serves its own sigma only.

    >>> prior = build(Config("mdct", 8, 2, 2, 1, 8, 3.0))
    >>> prior.log_prob(torch.zeros(5, 1, 64), sigma=0.1).shape
    torch.Size([5])
    """

    level: Tensor
    spectrum: Tensor

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.is_density = config.representation == "mdct"
        self.register_buffer("level", torch.zeros(config.bins, 1))  # mean and deviation of each bin
        self.register_buffer("spectrum", torch.ones(config.bins, 1))
        self.blocks: Modules[Modules[_Flow]] = Modules()
        self.splits: Modules[_Network] = Modules()
        channels = 1
        for block in range(config.blocks):
            channels *= 4
            self.blocks.append(Modules(_Flow(channels, config) for _ in range(config.flows)))
            if block + 1 < config.blocks:
                channels //= 2
                self.splits.append(_Network(channels, 2 * channels, config))

    def _check(self, length: int) -> None:
        bins, squeezed = self.config.bins, 2**self.config.blocks
        whole = squeezed * (bins if self.is_density else window_of(bins) // 4)
        what = f"a glow of {self.config.blocks} blocks"
        if bins % squeezed:
            raise UserError(f"{what} needs bins of a multiple of {squeezed}, not {bins}")
        if length % whole:
            raise UserError(f"{what} and {bins} bins needs frames of a multiple of {whole} samples, not {length}")

    def represented(self, x: Tensor) -> Tensor:
        """The MDCT coefficients, or the log-mel spectrogram. Shape: (B, 1, T) -> (B, 1, bins, times).

        Raises
        ------
        UserError: the frame or the bins cannot be squeezed so often.
        """
        self._check(x.shape[2])
        return mdct(x, self.config.bins) if self.is_density else log_mel(x[:, 0], self.config.bins)[:, None]

    def transform(
        self, x: Tensor, *, initialise: bool = False, terms: list[Tensor] | None = None
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """The latents, the latent log-density and the log-determinant.

        terms: if given, the summands of both are added to it, each (B, times) at evenly spaced times.

        Returns
        -------
        latents: standardised, each N(0, 1) under the model: one (B, C, N', M') a split, then the rest.
        latent_log_prob: (B,) float64; sum of log N(z; mu, sigma), with the learned Gaussians of the splits.
        log_det: (B,) float64; of bins' scales, ActNorm, 1x1 convolutions and couplings; the MDCT's is 0.
        """
        hidden = self.represented(x)
        if initialise:
            deviation = hidden.std((0, 1, 3))[:, None]
            self.level.copy_(hidden.mean((0, 1, 3))[:, None])
            # A bin that is empty without noise is not amplified so much that a fine-tuning's noise drowns the rest.
            self.spectrum.copy_(deviation.clamp_min(_LEAST * deviation.amax().clamp_min(1e-6)))
        hidden = (hidden - self.level) / self.spectrum
        log_dets = [-self.spectrum.double().log().sum().expand(x.shape[0], hidden.shape[3])]
        latents, log_probs = [], []
        for number, flows in enumerate(self.blocks):
            hidden = functional.pixel_unshuffle(hidden, 2)
            for flow in flows:
                if initialise:
                    flow.initialise(hidden)
                hidden, log_det = flow(hidden)
                log_dets.append(log_det)
            if number < len(self.splits):
                hidden, z = hidden.chunk(2, 1)
                mean, log_sigma = self.splits[number](hidden).chunk(2, 1)
                latents.append((z - mean) * torch.exp(-log_sigma))
                log_probs.append((log_normal(latents[-1]) - log_sigma.double()).sum((1, 2)))
        latents.append(hidden)
        log_probs.append(log_normal(hidden).sum((1, 2)))
        if terms is not None:
            terms += log_probs + log_dets
        latent_log_prob, log_det = (_add_up(one.sum(1) for one in values) for values in (log_probs, log_dets))
        return latents, latent_log_prob, log_det

    def inverse(self, latents: list[Tensor]) -> Tensor:
        """The waveform (B, 1, T) of the standardised latents that `transform` gives."""
        *split_latents, hidden = latents
        for number in reversed(range(len(self.blocks))):
            if number < len(self.splits):
                mean, log_sigma = self.splits[number](hidden).chunk(2, 1)
                hidden = torch.cat([hidden, mean + torch.exp(log_sigma) * split_latents.pop()], 1)
            for flow in reversed(self.blocks[number]):
                hidden = flow.inverse(hidden)
            hidden = functional.pixel_shuffle(hidden, 2)
        return inverse_mdct(hidden * self.spectrum + self.level)

    @torch.no_grad()
    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Set the bins' levels and every ActNorm from a batch x (B, 1, T): once, before training."""
        self.transform(x, initialise=True)

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """Minus the mean log-density of the representation, divided by the frame's samples, in nats."""
        _, latent_log_prob, log_det = self.transform(x)
        return -(latent_log_prob + log_det).mean() / x.shape[2]

    def log_prob(self, x: Tensor, sigma: Sigma) -> Tensor:
        """log p_sigma(x) in nats, summed in float64. Shape: (B, 1, T) -> (B,).

        Raises
        ------
        UserError: the representation is `mel`.
        """
        if not self.is_density:
            raise UserError(_NO_DENSITY)
        return self.measures(x, sigma)["log_prob"]

    def measures(self, x: Tensor, sigma: Sigma) -> dict[str, Tensor]:
        """Each (B,) in nats: for `mdct` log_prob and its latent term, latent_log_prob; for `mel` mel_log_prob."""
        _, latent_log_prob, log_det = self.transform(x)
        if not self.is_density:
            return {"mel_log_prob": latent_log_prob + log_det}
        return {"log_prob": latent_log_prob + log_det, "latent_log_prob": latent_log_prob}

    @torch.no_grad()
    def log_prob_map(self, x: Tensor, sigma: Sigma) -> Tensor:
        """The term of each latent, over the time span of its place, see the base class. (B, 1, T) -> (B, T) float64.

        In a block, a place is 2^(number of squeezes) windows long, and 1x1 convolutions mix all that it holds. This
        also works at sigma = 0.

        Raises
        ------
        UserError: the representation is `mel`.
        """
        if not self.is_density:
            raise UserError(_NO_DENSITY)
        terms: list[Tensor] = []
        self.transform(x, terms=terms)
        spans = [x.shape[2] // term.shape[1] for term in terms]
        return _add_up(term.repeat_interleave(span, 1) / span for term, span in zip(terms, spans, strict=True))

    @torch.no_grad()
    def sample(self, n: int, length: int, sigma: Sigma, generator: torch.Generator) -> Tensor:
        """n waveforms (n, 1, length): the inverse of normal latents.

        Raises
        ------
        UserError: the representation is `mel`.
        """
        if not self.is_density:
            raise UserError("a glow on mel cannot be sampled: a log-mel spectrogram has no phase to make a wave of")
        self._check(length)
        bins, times, channels, latents = self.config.bins, length // self.config.bins, 1, []
        for number in range(len(self.blocks)):
            bins, times, channels = bins // 2, times // 2, 4 * channels
            if number < len(self.splits):
                channels //= 2
            latents.append(torch.randn(n, channels, bins, times, generator=generator, dtype=torch.float64))
        return self.inverse([latent.to(self.spectrum) for latent in latents])


def build(config: Config) -> Glow:
    """A new, untrained prior. Its weights come from torch's global generator."""
    return Glow(config)
