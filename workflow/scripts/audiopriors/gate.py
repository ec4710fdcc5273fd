"""A gate: a classifier that says whether a denoiser's output is a wave of its source at all.

A denoiser that has seen only its source's waves lets a constant, a shrunk wave or a wave of another shape pass
unchanged, as if it were likely (section 3.4). So some training items are altered, and the gate learns to tell these
from the others. All are made from the source's own waves; no other source is used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

POWERS = (2, 3, 4, 5)
MOMENTS = 6
ODDS = 3.0  # added to the logit: in use, x is a wave of the source more often than in training


def altered(clean: Tensor, generator: torch.Generator) -> Tensor:
    """Alter items (B, 1, T): each is bent (a power is added), shrunk, silenced, shifted, several of these, or none."""
    number = clean.shape[0]

    def chosen(part: float) -> Tensor:
        return (torch.rand(number, 1, 1, generator=generator) < part).to(clean)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(number, 1, 1, generator=generator).to(clean)

    def sign() -> Tensor:
        return 1 - 2 * chosen(0.5)

    power = torch.randint(len(POWERS), (number,), generator=generator).to(clean.device)
    bends = torch.stack([clean**exponent for exponent in POWERS])[power, torch.arange(number, device=clean.device)]
    bent = clean + chosen(0.7) * sign() * uniform(0.2, 0.6) * bends
    loud = clean.abs().amax(2, keepdim=True) / bent.abs().amax(2, keepdim=True).clamp_min(1e-6)
    bent = torch.where(chosen(0.7) > 0, loud * bent, bent)  # else its amplitude would give it away
    silent, shrunk = chosen(0.2), chosen(0.3)
    gain = (1 - shrunk * uniform(0.3, 1)) * (1 - silent)
    return gain * bent + chosen(0.4) * sign() * uniform(0.1, 1)


def moments(wave: Tensor) -> Tensor:
    """Features of a wave: log power, mean, and of the wave at power 1 four more. Shape: (B, T) -> (B, 6).

    These four are the mean modulus, the mean cube, the mean fourth power, and the peak.
    """
    power = wave.square().mean(1) + 1e-4
    unit = wave / power.sqrt()[:, None]
    of_unit = [unit.abs().mean(1), unit.pow(3).mean(1), unit.pow(4).mean(1), unit.abs().amax(1)]
    return torch.stack([power.log(), wave.mean(1), *of_unit], 1)


class Gate(nn.Module):
    """A network that gives a logit from the denoised wave's moments and spectrum, and from the spectrum of the rest."""

    centre: Tensor
    spread: Tensor

    def __init__(self, width: int = 16):
        super().__init__()
        self.register_buffer("centre", torch.zeros(MOMENTS))
        self.register_buffer("spread", torch.ones(MOMENTS))
        self.along = nn.Sequential(
            nn.Conv1d(3, width, 5, padding=2), nn.SiLU(), nn.Conv1d(width, width, 5, padding=2), nn.SiLU()
        )
        inputs = 2 * MOMENTS + 2 + 2 * width
        first, middle, last = nn.Linear(inputs, 32), nn.Linear(32, 32), nn.Linear(32, 1)
        self.last = nn.Sequential(first, nn.SiLU(), middle, nn.SiLU(), last)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, 4.0)  # most items are whole

    def initialise(self, clean: Tensor) -> None:
        """Store the mean and the spread of the moments of the source's own waves (B, 1, T)."""
        of_own = moments(clean[:, 0])
        self.centre.copy_(of_own.mean(0))
        self.spread.copy_(of_own.std(0) + 0.01)

    def forward(self, x: Tensor, denoised: Tensor, sigma: Tensor) -> Tensor:
        """The logit (B,) of the denoised wave being one of the source. x and denoised: (B, 1, T); sigma: (B, 1, 1)."""
        wave, taken, sigma = denoised[:, 0], (x - denoised)[:, 0], sigma[:, 0]
        off = torch.asinh((moments(wave) - self.centre) / self.spread)
        left = (taken / sigma).square().mean(1, keepdim=True).clamp(0.1, 1e4).log()
        window = torch.hann_window(x.shape[2], dtype=x.dtype, device=x.device)
        noise = sigma**2 * window.square().sum()
        of_wave, of_taken = (torch.fft.rfft(part * window).abs().square() for part in (wave, taken))
        relative = torch.log(of_wave / (of_wave.amax(1, keepdim=True) + 1e-12) + 1e-8)
        spectra = [torch.log1p(of_wave / noise) / 4, relative / 4, torch.log1p(of_taken / noise) / 2]
        along = self.along(torch.stack(spectra, 1))
        seen = torch.cat([off, off.abs(), left, sigma.log() / 3, along.mean(2), along.amax(2)], 1)
        return self.last(seen)[:, 0]

    def share(self, x: Tensor, denoised: Tensor, sigma: Tensor) -> Tensor:
        """How sure the gate is of a wave of the source, 0 to 1: (B, 1, 1). Arguments as in `forward`."""
        return torch.sigmoid(self(x, denoised, sigma) + ODDS)[:, None, None]
