"""How good an estimate of a source is."""

from __future__ import annotations

import torch
from torch import Tensor

CAP = 60.0  # dB; beyond it two estimates are equally perfect


def si_sdr(estimate: Tensor, truth: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, at most 60 (Le Roux et al., 2019). Shape: (..., T) -> (...)."""
    # Here, as it takes seconds to import, and programs that only need the mixes come this way too.
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

    value = scale_invariant_signal_distortion_ratio(estimate.double(), truth.double(), zero_mean=True)
    return value.clamp(-CAP, CAP)


def consistency(estimates: Tensor, mix_sum: Tensor) -> Tensor:
    """Root mean square of M - sum_k s_k. Shape: (N, B, 1, T), (B, 1, T) -> (B,)."""
    return torch.sqrt((mix_sum - estimates.sum(0)).double().square().mean((1, 2)))
