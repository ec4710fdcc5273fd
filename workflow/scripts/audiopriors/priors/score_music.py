"""A score prior of music: a small U-Net on the spectrogram that begins as the static Wiener filter (see diffusion.py).

D = iSTFT(m X + r). The mask is m = sigmoid(logit of P / (P + sigma^2) + net), with the source's long-term average power
P per bin; r is a complex remainder. A U-Net over frequency and time, with sigma as an input, gives both.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..audio.spectra import spectra, waves
from ..diffusion import Diffusion
from ..layers import EMBEDDING, Modules, embedding_of_noise, zero
from ..precision import convolve
from .base import Sigma


@dataclass(frozen=True)
class Config:
    """Settings of a score prior of music."""

    sigma_min: float
    "The smallest noise level in training."
    sigma_max: float
    "The largest noise level: there the wave is drowned."
    window: int
    "Samples of the window; a power of two."
    width: int
    "Channels at the full resolution; twice at a quarter, four times at a sixteenth."
    blocks: int
    "Residual blocks at each of the coarser resolutions, down and up."
    ode_steps: int
    "Midpoint steps of the ODE from sigma_max to sigma_min, by which samples are drawn; fewer to a larger sigma."
    likelihood_levels: int
    "Noises that are added for a likelihood at sigma_min; fewer at a larger sigma, in proportion to log sigma."


FEATURES = 6


class _Block(nn.Module):
    """h + conv(silu(conv(h) (1 + scale) + shift)), with scale and shift from the noise's embedding.

    Shape: (B, C, bins, times), (B, E) -> (B, C, bins, times).
    """

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.modulation = nn.Linear(EMBEDDING, 2 * width)
        for start in (self.modulation, self.second):
            zero(start)

    def forward(self, hidden: Tensor, embedded: Tensor) -> Tensor:
        scale, shift = self.modulation(embedded)[..., None, None].chunk(2, 1)
        inner = functional.silu(convolve(self.first, hidden) * (1 + scale) + shift)
        return hidden + convolve(self.second, inner)


class ScoreMusic(Diffusion):
    """The density p_sigma of a source, for any sigma.

    >>> prior = build(Config(0.01, 3, 64, 4, 1, 10, 10))
    >>> prior.log_prob(torch.zeros(5, 1, 256), sigma=0.1).shape
    torch.Size([5])
    """

    average: Tensor

    def __init__(self, config: Config, outputs: int = 1):
        super().__init__(config)
        self.outputs = outputs
        widths = [config.width, 2 * config.width, 4 * config.width]
        self.embed = embedding_of_noise()
        self.first = nn.Conv2d(FEATURES, widths[0], 3, padding=1)
        self.down = Modules(
            nn.Conv2d(wide, narrow, (4, 1), stride=(4, 1)) for wide, narrow in itertools.pairwise(widths)
        )
        self.up = Modules(
            nn.ConvTranspose2d(narrow, wide, (4, 1), stride=(4, 1)) for wide, narrow in itertools.pairwise(widths)
        )
        self.going_down, self.going_up = (
            Modules(Modules(_Block(width) for _ in range(config.blocks)) for width in widths[1:]) for _ in range(2)
        )
        self.last = nn.Conv2d(widths[0], 3 * outputs, 3, padding=1)
        zero(self.last)  # training starts at the static Wiener filter
        self.register_buffer("average", torch.ones(config.window // 2 + 1))

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Set the deviation and the average power spectrum of the clean waves."""
        super().initialise(x, clean, sigma)
        power = spectra(clean[:, 0], self.config.window).abs().square().mean((0, 2))
        # In units of white noise of variance 1, whose power is the sum of the squared window.
        self.average.copy_(power / (3 / 8 * self.config.window) + 1e-9)

    def filtered(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The U-Net's output for x (B, 1, T) at sigma (B, 1, 1), as waves: (B, outputs, T)."""
        config = self.config
        unit = (3 / 8 * config.window) ** 0.5
        spectrum = spectra(x[:, 0], config.window) / unit
        batch, bins, times = spectrum.shape
        average = self.average[:, None].expand(batch, -1, times)
        wiener = torch.log(average / sigma**2)  # the filter's logit
        power = spectrum.real.square() + spectrum.imag.square()
        loud = torch.sqrt(average + sigma**2)
        place = torch.linspace(-1, 1, bins, device=x.device, dtype=x.dtype)[:, None].expand(batch, -1, times)
        compressed = spectrum / loud / (1 + power / loud**2) ** 0.35
        features = [torch.log1p(power / sigma**2) / 3, torch.log((power + 1e-9) / average) / 5, wiener / 5, place,
                    compressed.real, compressed.imag]  # fmt: skip
        # Coarse resolutions divide the bins by 16: the highest bin is left out, and filtered as its neighbour.
        # Convolutions of few channels are fastest with channels last in memory.
        hidden = self.first(torch.stack(features, 1)[:, :, :-1].contiguous(memory_format=torch.channels_last))
        embedded = self.embed(sigma[:, 0])
        skips = []
        for down, blocks in zip(self.down, self.going_down, strict=True):
            skips.append(hidden)
            hidden = convolve(down, functional.silu(hidden))
            for block in blocks:
                hidden = block(hidden, embedded)
        for up, blocks, skip in zip(reversed(self.up), reversed(self.going_up), reversed(skips), strict=True):
            for block in blocks:
                hidden = block(hidden, embedded)
            hidden = skip + convolve(up, hidden)
        outputs = self.last(functional.silu(hidden))
        outputs = torch.cat(
            [outputs, outputs[:, :, -1:]], 2
        )  # not `pad`, whose gradient has no fixed order of sums on a GPU
        logit, real, imaginary = outputs.unflatten(1, (3, self.outputs)).unbind(1)
        mask = torch.sigmoid(wiener[:, None] + logit)
        # The remainder is as large as the filter's uncertainty.
        unsure = torch.sqrt(average * sigma**2 / (average + sigma**2))[:, None]
        estimates = mask * spectrum[:, None] + unsure * torch.complex(real, imaginary)
        return waves(estimates.flatten(0, 1) * unit, x.shape[2], config.window).unflatten(0, (batch, self.outputs))

    def network(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The network F of the base class, such that D is `filtered`."""
        sigma, skip, out = self._scales(x, sigma[:, 0, 0])
        return (self.filtered(x, sigma) - skip * x) / out

    def estimates(self, mix: Tensor, sigma: float | None = None) -> Tensor:
        """The outputs of a separator: (B, 1, T) -> (B, outputs, T).

        sigma: the noise level that the network is given; by default the clean waves' deviation.
        """
        level = float(self.deviation) if sigma is None else sigma
        return self.filtered(mix, torch.full_like(mix[:, :, :1], level))

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """Squared error per item, in units of the static Wiener filter's own."""
        sigma, _, _ = self._scales(x, sigma)
        white = sigma[:, 0] ** 2
        expected = (self.average * white / (self.average + white)).mean(1)
        return ((self.filtered(x, sigma) - clean).square().mean((1, 2)) / expected).mean()


def build(config: Config, outputs: int = 1) -> ScoreMusic:
    """A new, untrained prior, with weights from torch's global generator. outputs: of its network, 1 for a prior."""
    return ScoreMusic(config, outputs)
