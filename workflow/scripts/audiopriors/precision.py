"""Matrix products and convolutions whose factors may be rounded to bfloat16. Sums stay in float32.

torch's autocast would also pass bfloat16 results on to later operations, such as a flow's scales and shifts. Here the
result of every product and convolution is float32 again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_rounds = False  # whether products round now


@contextmanager
def products_of(precision: str) -> Iterator[None]:
    """A context in which this module's products and convolutions round their factors to `precision`."""
    global _rounds
    before, _rounds = _rounds, precision == "bfloat16"
    try:
        yield
    finally:
        _rounds = before


@functools.cache
def _multiplies_bfloat16(kind: str) -> bool:
    """Whether a kind of device multiplies bfloat16 faster than float32. A CPU without the instructions is slower."""
    if kind == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def rounds(device: torch.device) -> bool:
    """Whether products on that device are rounded now."""
    return _rounds and _multiplies_bfloat16(device.type)


def factor(x: Tensor, rounded: bool) -> Tensor:
    """x as a factor of a product: rounded to bfloat16, or x itself."""
    return x.bfloat16() if rounded else x


def add_product(total: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Compute total += left @ right in place, and return total.

    The factors are (M, K) and (K, N), or batches of these; both are rounded, or neither is.
    """
    if left.dtype != total.dtype:
        return total.add_(left @ right)
    return total.addmm_(left, right) if total.dim() == 2 else total.baddbmm_(left, right)


def product(left: Tensor, right: Tensor, like: Tensor) -> Tensor:
    """left @ right, in the type of `like`."""
    return (left @ right).to(like.dtype)


def convolve(convolution: nn.Module, x: Tensor) -> Tensor:
    """convolution(x), in the type of x. Its factors are rounded if products are rounded now."""
    if not rounds(x.device):
        return convolution(x)
    with torch.autocast(x.device.type, torch.bfloat16):
        return convolution(x).to(x.dtype)
