"""A score prior of tones: it makes filters along frequency, then runs layers in time (see diffusion.py).

Spectral layers see the power of every bin, relative to the noise and to the strongest bin, and make a few filters.
Layers in time see the wave and its filtered copies. Without the spectral part, a wave is recovered only at a fraction
of the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..diffusion import Diffusion
from ..gate import Gate
from ..layers import ResidualStack, embedding_of_noise, zero
from ..types import Share


@dataclass(frozen=True)
class Config:
    """Settings of a score prior of tones."""

    sigma_min: float
    "The smallest noise level in training."
    sigma_max: float
    "The largest noise level: there the wave is drowned."
    width: int
    "Channels of the layers in time."
    layers: int
    "Residual layers in time; layer i has dilation 2^i."
    masks: int
    "Filtered copies of the input that the layers in time see."
    mask_width: int
    "Channels of the layers along frequency, which make the filters."
    mask_layers: int
    "Residual layers along frequency; layer i has dilation 2^i."
    ode_steps: int
    "Midpoint steps of the ODE from sigma_max to sigma_min, by which samples are drawn; fewer to a larger sigma."
    likelihood_levels: int
    "Noises that are added for a likelihood at sigma_min; fewer at a larger sigma, in proportion to log sigma."
    altered: Share
    "Share of training items that the gate also sees altered (gate.py); 0: no gate."


class Score(Diffusion):
    """The density p_sigma of a source, for any sigma.

    >>> prior = build(Config(0.01, 10, 8, 4, 2, 8, 2, 10, 10, 0))
    >>> prior.log_prob(torch.zeros(5, 1, 64), sigma=0.1).shape
    torch.Size([5])
    """

    def __init__(self, config: Config, outputs: int = 1):
        super().__init__(config)
        self.embed = embedding_of_noise()
        self.into_masks = nn.Conv1d(3, config.mask_width, 3, padding=1)
        self.along = ResidualStack(config.mask_width, config.mask_layers)
        self.masks = nn.Conv1d(config.mask_width, config.masks, 1)
        self.first = nn.Conv1d(2 + config.masks, config.width, 3, padding=1)
        self.layers = ResidualStack(config.width, config.layers)
        self.last = nn.Conv1d(config.width, outputs, 3, padding=1)
        zero(self.last)  # training starts at the best linear denoiser of white noise
        if config.altered and outputs == 1:  # a separator has no gate
            self.gate = Gate()

    def network(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The network F of the base class."""
        length = x.shape[2]
        scaled = x / torch.sqrt(sigma**2 + self.deviation**2)
        embedded = self.embed(sigma[:, 0])
        spectrum = torch.fft.rfft(scaled[:, 0], 2 * length)
        power = spectrum.real.square() + spectrum.imag.square()
        over_noise = torch.log1p(power * (1 + (self.deviation / sigma[:, 0]) ** 2) / length)
        relative = torch.log(power / power.amax(1, keepdim=True).clamp_min(1e-20) + 1e-8) / 4
        hidden = self.into_masks(torch.stack([over_noise, relative, torch.ones_like(relative)], 1))
        hidden = self.along(hidden, embedded)
        filtered = torch.fft.irfft(torch.sigmoid(self.masks(hidden)) * spectrum[:, None], 2 * length)[..., :length]
        hidden = self.first(torch.cat([scaled, torch.ones_like(scaled), filtered], 1))
        return self.last(self.layers(hidden, embedded))


def build(config: Config, outputs: int = 1) -> Score:
    """A new, untrained prior, with weights from torch's global generator. outputs: of its network, 1 for a prior."""
    return Score(config, outputs)
