"""A long wave cut into overlapping frames, and put together again, in pieces: neither is in memory as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..audio.stored import Wave


def long_frame(length: int, frame: int, together: int) -> int:
    """Samples of long frames that overlap by `frame`: at most `together` times that, if a wave needs so much.

    All of a wave's long frames are about equally long, so that little of the last one is beyond its end. `together`: at
    least 2. length: of the wave, in samples.
    """
    most = (together - 1) * frame  # new samples of each
    number = math.ceil((length + frame) / most)
    return frame * (math.ceil((length + frame) / number / frame) + 1)


class Overlapping:
    """Waves (mono, of one length) as frames (C * F, 1, frame) that overlap by so many samples; zeros beyond the ends.

    The frames of the first wave come first. A slice reads those frames only.
    """

    def __init__(self, waves: Sequence[Wave], frame: int, overlap: int):
        self._waves, self._frame, self._overlap, self._hop = waves, frame, overlap, frame - overlap
        self.each = math.ceil((overlap + len(waves[0])) / self._hop)  # frames; the last overlap is beyond the end
        self.shape = (len(waves) * self.each, 1, frame)

    def __getitem__(self, place: slice) -> Tensor:
        parts = []
        for wave, first, last in self.spans(*place.indices(self.shape[0])[:2]):
            start = first * self._hop - self._overlap
            samples = self._waves[wave].read(start, start + (last - first) * self._hop + self._overlap)[:, 0]
            parts.append(torch.from_numpy(samples).unfold(0, self._frame, self._hop))
        return torch.cat(parts)[:, None]

    def spans(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """The frames from `start` to before `stop`, by wave: its number, and the first and last + 1 of its frames."""
        for wave in range(start // self.each, math.ceil(stop / self.each)):
            begin = wave * self.each
            yield wave, max(start - begin, 0), min(stop - begin, self.each)


class CrossFade:
    """Puts the frames of a wave, as of `Overlapping`, together again: they fade in and out linearly, by `fade` samples.

    The fade is the middle of the overlap. What lies before and behind it was context for the frame, and is left out, as
    a frame knows least of its ends. The fades add up to one. `length` samples are appended to `wave`.
    """

    def __init__(self, wave: Wave, length: int, frame: int, overlap: int, fade: int):
        self.wave, self._overlap, self._left = wave, overlap, length
        fade = max(1, fade)
        time = torch.arange(overlap) - (overlap - fade) // 2 + 0.5
        self._weight = torch.ones(frame)
        self._weight[:overlap] = (time / fade).clamp(0, 1)
        self._weight[frame - overlap :] = ((fade - time) / fade).clamp(0, 1)
        self._tail = torch.zeros(overlap)
        self._before = overlap  # samples before the wave's beginning

    def add(self, frames: Tensor) -> None:
        """The next frames (n, frame)."""
        weighted = self._weight * frames
        hop = frames.shape[1] - self._overlap
        body, tails = weighted[:, :hop], weighted[:, hop:]
        body[:, : self._overlap] += torch.cat([self._tail[None], tails[:-1]])
        self._tail = tails[-1].clone()
        samples = body.reshape(-1)[self._before :][: self._left]
        self._before = max(0, self._before - body.numel())
        self._left -= len(samples)
        self.wave.extend(iter([np.asarray(samples)[:, None]]))
