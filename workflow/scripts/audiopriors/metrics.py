"""Metrics of how good an estimate of a source is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

CAP = 60.0  # dB; beyond it two estimates are equally perfect


def si_sdr(estimate: Tensor, truth: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, -60 to 60 (Le Roux et al., 2019). Shape: (..., T) -> (...).

    It equals torchmetrics', as a test checks. Every separation would need longer to import torchmetrics than to import
    torch. One difference: a silent estimate has -60 here, and 0 there.
    """
    estimate, truth = (wave.double() - wave.double().mean(-1, keepdim=True) for wave in (estimate, truth))
    tiny = torch.finfo(torch.float64).eps
    scale = ((estimate * truth).sum(-1, keepdim=True) + tiny) / (truth.square().sum(-1, keepdim=True) + tiny)
    target = scale * truth
    ratio = (target.square().sum(-1) + tiny) / ((target - estimate).square().sum(-1) + tiny)
    return (10 * ratio.log10()).clamp(-CAP, CAP).masked_fill(estimate.square().sum(-1) == 0, -CAP)


class Sums:
    """The sums over time from which `si_sdr` follows, for waves that are too long for the memory."""

    def __init__(self) -> None:
        self._sums = np.zeros(6)

    def add(self, estimate: np.ndarray, truth: np.ndarray) -> None:
        """The next samples (n,) of both."""
        e, t = estimate.astype(float), truth.astype(float)
        self._sums += [len(e), e.sum(), t.sum(), e @ e, t @ t, e @ t]

    def si_sdr(self) -> float:
        """SI-SDR in dB of all that was added."""
        count, e, t, ee, tt, et = self._sums
        ee, tt, et = ee - e * e / count, tt - t * t / count, et - e * t / count
        tiny = np.finfo(float).eps
        scale = (et + tiny) / (tt + tiny)
        ratio = (scale**2 * tt + tiny) / (max(0.0, scale**2 * tt - 2 * scale * et + ee) + tiny)
        return -CAP if ee <= tiny else float(np.clip(10 * np.log10(ratio), -CAP, CAP))


def consistency(estimates: Tensor, mix_sum: Tensor) -> Tensor:
    """Root mean square of M - sum_k s_k. Shape: (N, B, 1, T), (B, 1, T) -> (B,)."""
    return torch.sqrt((mix_sum - estimates.sum(0)).double().square().mean((1, 2)))


def bss_eval(estimates: Tensor, truth: Tensor, tracks: list[str]) -> dict[str, np.ndarray]:
    """BSSEval v4 in dB (Stöter et al., 2018; museval): each item is a window, and each track's items are one recording.

    The 512 taps of the allowed distortion are fitted to a whole track. The result is NaN for a track, or a window, in
    which a true source or an estimate is silent. Estimates and truth: (N, B, 1, T); tracks: of the B items. Returns
    arrays (N, B): sdr, isr, sir, sar.
    """
    from .audio import decoding

    decoding.ffmpeg()  # museval imports musdb, which needs it
    from museval.metrics import bss_eval as museval_bss_eval

    number, items, _, frame = truth.shape
    measures = np.full((4, number, items), np.nan)
    for track in dict.fromkeys(tracks):
        places = [place for place, name in enumerate(tracks) if name == track]
        right, estimated = (part[:, places, 0].reshape(number, -1).double().numpy() for part in (truth, estimates))
        if right.any(1).all() and estimated.any(1).all():
            values = museval_bss_eval(right[..., None], estimated[..., None], window=frame, hop=frame, filters_len=512)
            measures[:, :, places] = np.stack(values[:4])
    return dict(zip(("sdr", "isr", "sir", "sar"), measures, strict=True))
