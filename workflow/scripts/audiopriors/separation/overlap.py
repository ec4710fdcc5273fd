"""A long wave cut into overlapping frames, and put together again."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def overlapping(waves: Tensor, frame: int, fade: int) -> Tensor:
    """Waves (C, n) cut into frames that overlap by `fade` samples, with zeros at both ends. Shape: (C, F, frame)."""
    hop, length = frame - fade, fade + waves.shape[1]
    count = math.ceil(length / hop)  # the last fade is beyond the end
    return torch.nn.functional.pad(waves, (fade, count * hop + fade - length)).unfold(1, frame, hop)


def cross_faded(frames: Tensor, length: int, fade: int) -> Tensor:
    """The waves (..., length) of overlapping frames (..., F, frame), as of `overlapping`, put together again.

    The frames are faded in and out linearly; the fades add up to one.
    """
    *_, count, frame = frames.shape
    ramp = (torch.arange(fade) + 0.5) / max(1, fade)
    weight = torch.ones(frame)
    weight[:fade] = ramp
    weight[frame - fade :] = ramp.flip(0)
    hop = frame - fade
    total = torch.zeros(*frames.shape[:-2], count * hop + fade)
    for number in range(count):
        total[..., number * hop : number * hop + frame] += weight * frames[..., number, :]
    return total[..., fade : fade + length]
