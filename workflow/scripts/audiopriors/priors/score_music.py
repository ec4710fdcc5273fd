"""A score prior of music: a small U-Net on the spectrogram that begins as the static Wiener filter (see diffusion.py).

D = iSTFT(m X + r). The mask is m = sigmoid(logit of P / (P + V) + net), with the source's long-term average power P and
the noise's power V per bin; r is a complex remainder. A U-Net over frequency and time, with sigma as an input, gives
both. After each block, dense layers mix all bins of a time, as the harmonics of a note are far apart.

Music has most of its power at low frequencies. White noise that drowns these hides all high frequencies, and with them
what tells instruments apart. So samplers ask the prior in coloured noise, whose power also falls with frequency. White
noise is for likelihoods. One network serves both, as it sees V.
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
from ..precision import convolve, rounds
from ..seeds import torch_generator
from ..types import NonNegative, Share
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
    dense: int
    "Units of the dense layers over all bins of a time, one after each block (Choi et al., 2020); 0: no such layers."
    colour: NonNegative
    "Exponent of the coloured noise's power: 1 / (f^2 + CORNER^2)^colour; 0: white."
    coloured_items: Share
    "The share of training items whose noise is coloured; the others' is white."
    ode_steps: int
    "Midpoint steps of the ODE from sigma_max to sigma_min, by which samples are drawn; fewer to a larger sigma."
    likelihood_levels: int
    "Noises that are added for a likelihood at sigma_min; fewer at a larger sigma, in proportion to log sigma."


FEATURES = 6
CORNER = 3 / 160  # cycles per sample, 300 Hz at 16 kHz: below it, coloured noise is as good as white


def _falling(bins: int, exponent: float) -> Tensor:
    """1 / (f^2 + CORNER^2)^exponent at `bins` frequencies f from 0 to half the rate: (bins,) float64."""
    return (torch.linspace(0, 0.5, bins, dtype=torch.float64) ** 2 + CORNER**2) ** -exponent


def _weights(layer: nn.Linear | nn.Conv2d, like: Tensor) -> tuple[Tensor, Tensor]:
    """The layer's weight and bias, in the type of `like`."""
    assert layer.bias is not None
    return layer.weight.to(like), layer.bias.to(like)


def _convolved(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """convolution(x) in the type of x, without more rounding than that type has."""
    return functional.conv2d(x, *_weights(convolution, x), convolution.stride, convolution.padding)


class _Dense(nn.Module):
    """h + W silu(V h + v) + w over the bins, alike at each time and for each channel: (B, C, bins, times) as it is."""

    def __init__(self, bins: int, units: int):
        super().__init__()
        self.first, self.second = nn.Linear(bins, units), nn.Linear(units, bins)
        zero(self.second)

    def forward(self, hidden: Tensor) -> Tensor:
        # With channels last in memory, these products need no copy.
        columns = hidden.permute(0, 2, 3, 1).flatten(2)  # (B, bins, times C)
        (first, shift), (second, last_shift) = (_weights(layer, hidden) for layer in (self.first, self.second))
        inner = functional.silu(first @ columns + shift[:, None])
        outer = second @ inner + last_shift[:, None]
        return hidden + outer.unflatten(2, (hidden.shape[3], hidden.shape[1])).permute(0, 3, 1, 2)


class _Block(nn.Module):
    """h + conv(silu(conv(h) (1 + scale) + shift)), with scale and shift from the noise's embedding; then dense layers.

    Shape: (B, C, bins, times), (B, E) -> (B, C, bins, times).
    """

    def __init__(self, width: int, bins: int, dense: int):
        super().__init__()
        self.dense = _Dense(bins, dense) if dense else nn.Identity()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.modulation = nn.Linear(EMBEDDING, 2 * width)
        for start in (self.modulation, self.second):
            zero(start)

    def forward(self, hidden: Tensor, embedded: Tensor) -> Tensor:
        scale, shift = self.modulation(embedded)[..., None, None].to(hidden).chunk(2, 1)
        inner = functional.silu(convolve(self.first, hidden) * (1 + scale) + shift)
        return self.dense(hidden + convolve(self.second, inner))


class ScoreMusic(Diffusion):
    """The density p_sigma of a source, for any sigma.

    >>> prior = build(Config(0.01, 3, 64, 4, 1, 8, 0.75, 0.5, 10, 10))
    >>> prior.log_prob(torch.zeros(5, 1, 256), sigma=0.1).shape
    torch.Size([5])
    """

    takes_long_waves = True  # the network is convolutions over time

    average: Tensor
    colour: Tensor

    def __init__(self, config: Config, outputs: int = 1):
        super().__init__(config)
        self.outputs = outputs
        self.has_colour = config.coloured_items > 0
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
            Modules(
                Modules(_Block(width, bins, config.dense) for _ in range(config.blocks))
                for width, bins in zip(widths[1:], (config.window // 8, config.window // 32), strict=True)
            )
            for _ in range(2)
        )
        self.last = nn.Conv2d(widths[0], 3 * outputs, 3, padding=1)
        zero(self.last)  # training starts at the static Wiener filter
        self.register_buffer("average", torch.ones(config.window // 2 + 1))
        self._mean_power = _falling(1 << 14, config.colour).mean()  # once: noise is drawn at every step of a sampler
        self.register_buffer("colour", self._colour(config.window // 2 + 1), persistent=False)

    def _colour(self, bins: int) -> Tensor:
        """The coloured noise's power at `bins` frequencies from 0 to half the rate, in units of its mean: (bins, 1)."""
        return (_falling(bins, self.config.colour) / self._mean_power).float()[:, None]

    def coloured(self, white: Tensor) -> Tensor:
        """Noise of deviation 1 whose power falls with frequency, from white noise: (..., T) -> (..., T)."""
        if not self.has_colour:
            return white
        power = self._colour(white.shape[-1] // 2 + 1)[:, 0].to(white)
        return torch.fft.irfft(torch.fft.rfft(white) * power.sqrt(), n=white.shape[-1])

    def restore(self, x: Tensor, sigma: float) -> Tensor:
        """D for coloured noise of that deviation, see the base class. Shape: (B, 1, T) -> (B, 1, T)."""
        if not self.has_colour:
            return self.denoise(x, sigma)
        return self.filtered(x, torch.full_like(x[:, :, :1], sigma), self.colour)

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Set the deviation and the average power spectrum of the clean waves."""
        super().initialise(x, clean, sigma)
        power = spectra(clean[:, 0], self.config.window).abs().square().mean((0, 2))
        # In units of white noise of variance 1, whose power is the sum of the squared window.
        self.average.copy_(power / (3 / 8 * self.config.window) + 1e-9)

    def filtered(self, x: Tensor, sigma: Tensor, colour: Tensor | float = 1.0) -> Tensor:
        """The U-Net's output for x (B, 1, T) at sigma (B, 1, 1), as waves: (B, outputs, T).

        colour: the noise's power at each bin, (bins, 1) or (B, bins, 1), in units of its mean.
        """
        config, noise = self.config, sigma**2 * colour
        unit = (3 / 8 * config.window) ** 0.5
        spectrum = spectra(x[:, 0], config.window) / unit
        batch, bins, times = spectrum.shape
        average = self.average[:, None]
        wiener = torch.log(average / noise)  # the filter's logit
        power = spectrum.real.square() + spectrum.imag.square()
        loud = torch.sqrt(average + noise)
        place = torch.linspace(-1, 1, bins, device=x.device, dtype=x.dtype)[:, None].expand(batch, -1, times)
        compressed = spectrum / loud / (1 + power / loud**2) ** 0.35
        features = [torch.log1p(power / noise) / 3, torch.log((power + 1e-9) / average) / 5,
                    (wiener / 5).expand_as(power), place, compressed.real, compressed.imag]  # fmt: skip
        # Coarse resolutions divide the bins by 16: the highest bin is left out, and filtered as its neighbour.
        # Convolutions of few channels are fastest with channels last in memory.
        hidden = torch.stack(features, 1)[:, :, :-1].contiguous(memory_format=torch.channels_last)
        if rounds(x.device) and not torch.is_grad_enabled():
            hidden = hidden.bfloat16()  # nothing is trained, so that sums may be rounded, too, which is faster
        hidden = _convolved(self.first, hidden)
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
        outputs = _convolved(self.last, functional.silu(hidden)).to(x)
        outputs = torch.cat(
            [outputs, outputs[:, :, -1:]], 2
        )  # not `pad`, whose gradient has no fixed order of sums on a GPU
        logit, real, imaginary = outputs.unflatten(1, (3, self.outputs)).unbind(1)
        mask = torch.sigmoid(wiener[:, None] + logit)
        # The remainder is as large as the filter's uncertainty.
        unsure = torch.sqrt(average * noise / (average + noise))[:, None]
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
        """Squared error per item, in units of the static Wiener filter's own; some items' noise is coloured."""
        sigma, _, _ = self._scales(x, sigma)
        colour = torch.ones_like(self.colour).expand(len(x), -1, 1)
        if self.has_colour:
            generator = torch_generator("coloured", x[0, 0, 0].item())
            chosen = torch.rand(len(x), 1, 1, generator=generator).to(x.device) < self.config.coloured_items
            x = torch.where(chosen, clean + self.coloured(x - clean), x)
            colour = torch.where(chosen, self.colour, colour)
        noise, average = sigma**2 * colour, self.average[:, None]
        expected = (average * noise / (average + noise)).mean((1, 2))
        return ((self.filtered(x, sigma, colour) - clean).square().mean((1, 2)) / expected).mean()


def build(config: Config, outputs: int = 1) -> ScoreMusic:
    """A new, untrained prior, with weights from torch's global generator. outputs: of its network, 1 for a prior."""
    return ScoreMusic(config, outputs)
