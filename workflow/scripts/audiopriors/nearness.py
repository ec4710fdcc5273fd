"""Which pairs of sources are near: those whose spectra are alike. It is decided by the data alone, by no prior."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from .data.base import Frames

FLOOR = 60.0  # dB below an item's strongest bin: what is weaker does not count
ITEMS = 256  # at most, of each source


def mean_spectrum(waves: Tensor) -> Tensor:
    """The mean over items of the spectrum in dB, relative to each item's strongest bin. Shape: (n, 1, T) -> (bins,)."""
    window = torch.hann_window(waves.shape[2], dtype=waves.dtype)
    power = torch.fft.rfft(waves[:, 0] * window).abs().square()
    relative = power / power.amax(1, keepdim=True).clamp_min(1e-20)
    return 10 * relative.clamp_min(10 ** (-FLOOR / 10)).log10().mean(0)


def near_pairs(data: Frames, sources: list[str], frame: int) -> dict[tuple[str, str], float]:
    """The near half of all pairs of sources (the greater half of an odd number), with the distance of their spectra.

    The distance is the rms difference, over bins, of the mean spectra of validation items (dB). So the rule has no
    limit to choose, looks at no result, and is the same for tones and music.
    """
    items = torch.arange(min(ITEMS, data.count("validation")))
    spectra = {source: mean_spectrum(data.frames("validation", source, items, frame)) for source in sources}
    distances = {
        (one, other): (spectra[one] - spectra[other]).square().mean().sqrt().item()
        for one, other in itertools.combinations(sources, 2)
    }
    nearest = sorted(distances, key=lambda pair: distances[pair])
    return {pair: distances[pair] for pair in nearest[: (len(nearest) + 1) // 2]}
