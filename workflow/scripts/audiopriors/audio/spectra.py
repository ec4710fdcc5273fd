"""Short-time spectra, and a mix shared out by weights on them."""

from __future__ import annotations

import torch
from torch import Tensor

WINDOW = 1024  # samples


def spectra(waves: Tensor, window: int = WINDOW) -> Tensor:
    """Short-time Fourier transform with a Hann window, a quarter of it apart. (n, T) -> (n, bins, times), complex."""
    shape = torch.hann_window(window, dtype=waves.dtype, device=waves.device)
    return torch.stft(waves, window, window // 4, window=shape, pad_mode="constant", return_complex=True)


def waves(spectrum: Tensor, length: int, window: int = WINDOW) -> Tensor:
    """The waves of `spectra`. Shape: (n, bins, times) -> (n, length)."""
    shape = torch.hann_window(window, dtype=spectrum.real.dtype, device=spectrum.device)
    return torch.istft(spectrum, window, window // 4, window=shape, length=length)


def masked(weights: Tensor, mix: Tensor) -> Tensor:
    """The mix (B, 1, T), its spectrum shared out by weights (N, B or 1, bins, times or 1). Shape: (N, B, 1, T)."""
    shares = weights / weights.sum(0).clamp_min(1e-20)
    spectrum = spectra(mix[:, 0])
    return torch.stack([waves(share * spectrum, mix.shape[2]) for share in shares])[:, :, None]
