"""A long wave cut into overlapping frames, and put together again, in pieces: neither is in memory as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..audio.stored import Wave


class Overlapping:
    """Waves (mono, of one length) as frames (C * F, 1, frame) that overlap by `fade` samples; zeros beyond the ends.

    The frames of the first wave come first. A slice reads those frames only.
    """

    def __init__(self, waves: Sequence[Wave], frame: int, fade: int):
        self._waves, self._frame, self._fade, self._hop = waves, frame, fade, frame - fade
        self.each = math.ceil((fade + len(waves[0])) / self._hop)  # frames; the last fade is beyond the end
        self.shape = (len(waves) * self.each, 1, frame)

    def __getitem__(self, place: slice) -> Tensor:
        parts = []
        for wave, first, last in self.spans(*place.indices(self.shape[0])[:2]):
            start = first * self._hop - self._fade
            samples = self._waves[wave].read(start, start + (last - first) * self._hop + self._fade)[:, 0]
            parts.append(torch.from_numpy(samples).unfold(0, self._frame, self._hop))
        return torch.cat(parts)[:, None]

    def spans(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """The frames from `start` to before `stop`, by wave: its number, and the first and last + 1 of its frames."""
        for wave in range(start // self.each, math.ceil(stop / self.each)):
            begin = wave * self.each
            yield wave, max(start - begin, 0), min(stop - begin, self.each)


class CrossFade:
    """Puts the frames of a wave, as of `Overlapping`, together again: they fade in and out linearly, by `fade` samples.

    The fades add up to one. `length` samples are appended to `wave`.
    """

    def __init__(self, wave: Wave, length: int, frame: int, fade: int):
        self.wave, self._fade, self._left = wave, fade, length
        ramp = (torch.arange(fade) + 0.5) / max(1, fade)
        self._weight = torch.ones(frame)
        self._weight[:fade] = ramp
        self._weight[frame - fade :] = ramp.flip(0)
        self._tail = torch.zeros(fade)
        self._before = fade  # samples before the wave's beginning

    def add(self, frames: Tensor) -> None:
        """The next frames (n, frame)."""
        weighted = self._weight * frames
        body, tails = weighted[:, : frames.shape[1] - self._fade], weighted[:, frames.shape[1] - self._fade :]
        body[:, : self._fade] += torch.cat([self._tail[None], tails[:-1]])
        self._tail = tails[-1].clone()
        samples = body.reshape(-1)[self._before :][: self._left]
        self._before = max(0, self._before - body.numel())
        self._left -= len(samples)
        self.wave.extend(iter([np.asarray(samples)[:, None]]))
