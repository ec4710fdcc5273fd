"""Short-time spectra, and masks that share out a mix on them."""

from __future__ import annotations

import torch
from torch import Tensor

WINDOW = 1024  # samples


def spectra(waves: Tensor, window: int = WINDOW) -> Tensor:
    """Short-time Fourier transform with Hann windows, a quarter window apart. (n, T) -> (n, bins, times), complex."""
    shape = torch.hann_window(window, dtype=waves.dtype, device=waves.device)
    return torch.stft(waves, window, window // 4, window=shape, pad_mode="constant", return_complex=True)


def waves(spectrum: Tensor, length: int, window: int = WINDOW) -> Tensor:
    """The waves of such spectra: the inverse of `spectra`. Shape: (n, bins, times) -> (n, length)."""
    shape = torch.hann_window(window, dtype=spectrum.real.dtype, device=spectrum.device)
    return torch.istft(spectrum, window, window // 4, window=shape, length=length)


def masked(weights: Tensor, mix: Tensor) -> Tensor:
    """The mix (B, 1, T) shared out on its spectrum by weights (N, B or 1, bins, times or 1). Shape: (N, B, 1, T)."""
    shares = weights / weights.sum(0).clamp_min(1e-20)
    spectrum = spectra(mix[:, 0])
    return torch.stack([waves(share * spectrum, mix.shape[2]) for share in shares])[:, :, None]
