"""The modified discrete cosine transform of a frame, as an orthogonal matrix (Princen & Bradley, 1986; Malvar, 1992).

A frame of T samples is cut into blocks of N. At each border between two blocks, samples that mirror each other are
rotated by the window's angle. This folds the overlap, and cancels its aliasing on the way back. Then each block is
transformed by an orthonormal DCT-IV. The two ends of the frame are not rotated, as nothing is beyond them. Rotations
and DCT-IV are orthogonal, so the whole transform is, too: its determinant is 1 or -1. A density of the coefficients is
therefore a density of the waveform.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from ..errors import UserError


@functools.lru_cache(maxsize=8)
def _dct_iv(size: int) -> Tensor:
    """The orthonormal DCT-IV, a symmetric matrix and its own inverse. (size, size) float64."""
    middles = torch.arange(size, dtype=torch.float64) + 0.5
    return math.sqrt(2 / size) * torch.cos(torch.outer(middles, middles) * (math.pi / size))


@functools.lru_cache(maxsize=8)
def _angles(bins: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine by which the samples n = 0, 1, ... after a border are rotated with their mirror images. (N / 2,)

    They are those of the sine window: w(n) = sin(pi / 2N (N / 2 + n + 1/2)) beyond the border, mirrored before it.
    """
    angle = math.pi / (2 * bins) * (bins / 2 + torch.arange(bins // 2, dtype=torch.float64) + 0.5)
    return angle.sin(), angle.cos()


def _blocks(frames: Tensor, bins: int) -> Tensor:
    """Cut frames into blocks. Shape: (..., T) -> (..., T / bins, bins)."""
    if bins % 2 or frames.shape[-1] % bins:
        raise UserError(
            f"an MDCT of {bins} bins needs an even number of bins, and frames of a multiple of that, not "
            f"{frames.shape[-1]} samples"
        )
    return frames.unflatten(-1, (-1, bins))


def _rotate(blocks: Tensor, bins: int, direction: int) -> Tensor:
    """Rotate the samples at each border between blocks. Shape: (..., M, N) -> (..., M, N)."""
    half = bins // 2
    cosine, sine = (part.to(blocks) for part in _angles(bins))
    before, after = blocks[..., :-1, half:].flip(-1), blocks[..., 1:, :half]  # nearest to the border first
    rotated = blocks.clone()
    rotated[..., :-1, half:] = (cosine * before - direction * sine * after).flip(-1)
    rotated[..., 1:, :half] = cosine * after + direction * sine * before
    return rotated


def mdct(frames: Tensor, bins: int) -> Tensor:
    """The MDCT coefficients of frames: N bins, evenly spaced from 0 to half of the rate, at T / N times.

    Shape: (..., T) -> (..., N, T / N).

    Raises
    ------
    UserError: T is no multiple of N, or N is odd.
    """
    rotated = _rotate(_blocks(frames, bins), bins, 1)
    return (rotated @ _dct_iv(bins).to(frames)).transpose(-1, -2)


def inverse_mdct(coefficients: Tensor) -> Tensor:
    """The frames with these MDCT coefficients. Shape: (..., N, T / N) -> (..., T)."""
    bins = coefficients.shape[-2]
    blocks = coefficients.transpose(-1, -2) @ _dct_iv(bins).to(coefficients)
    return _rotate(blocks, bins, -1).flatten(-2)
