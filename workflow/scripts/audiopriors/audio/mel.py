"""Log-mel spectrograms: what is heard of a wave, without its phase."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

from .spectra import spectra

RATE = 16000  # Hz; the bands are laid out for this rate, and scale with the rate of the data
FLOOR = 1e-6  # added power, so that silence has a logarithm: 60 dB below white noise of deviation 1


def window_of(bands: int) -> int:
    """The window's length in samples: long enough that its bins are narrower than every band.

    Columns are a quarter of a window apart.
    """
    return 8 * bands


@functools.lru_cache(maxsize=8)
def _filters(bands: int) -> Tensor:
    """Triangular filters from 0 to half of the rate, evenly spaced in mel. Shape: (bands, bins)."""
    return melscale_fbanks(window_of(bands) // 2 + 1, 0.0, RATE / 2, bands, RATE).t().contiguous()


def log_mel(waves: Tensor, bands: int) -> Tensor:
    """The logarithm of the power in each band, with a column for each quarter window. (n, T) -> (n, bands, times)."""
    window = window_of(bands)
    spectrum = torch.view_as_real(spectra(waves, window)[..., :-1])  # the last column is beyond the frame
    power = spectrum.square().sum(-1) / window
    return torch.log(_filters(bands).to(power) @ power + FLOOR)
