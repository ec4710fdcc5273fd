"""Long waves, kept on disk and read in pieces, so that the memory needed does not grow with a recording's length."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import UserError

PIECE = 2**18  # samples of each channel that are in memory at once


class Wave:
    """A wave of float32 on disk, (samples, channels). It is written once, by appending, and read at any place."""

    def __init__(self, path: Path, channels: int = 1):
        self.channels, self.loudest = channels, 0.0
        self._path, self._length = path, 0
        path.write_bytes(b"")

    def __len__(self) -> int:
        return self._length

    def extend(self, blocks: Iterator[np.ndarray]) -> Wave:
        """Append blocks (n, channels), and return itself."""
        with self._path.open("ab") as file:
            for block in blocks:
                append(file, block)
                self._length += len(block)
                self.loudest = max(self.loudest, float(np.abs(block).max(initial=0)))
        return self

    def read(self, start: int, stop: int) -> np.ndarray:
        """The samples from `start` to before `stop`, (stop - start, channels); zeros beyond the wave's ends."""
        first, last = max(0, start), max(0, min(stop, self._length))
        with self._path.open("rb") as file:
            file.seek(4 * self.channels * first)
            samples = np.fromfile(file, np.float32, self.channels * max(0, last - first)).reshape(-1, self.channels)
        if len(samples) == stop - start:
            return samples
        return np.pad(samples, ((first - start, stop - start - len(samples) - (first - start)), (0, 0)))

    def pieces(self, size: int = PIECE) -> Iterator[np.ndarray]:
        """Its samples in turn, at most `size` at once."""
        for start in range(0, self._length, size):
            yield self.read(start, min(start + size, self._length))


def append(file: BinaryIO, samples: np.ndarray) -> None:
    """Append samples as 32-bit floats. An error names the file."""
    try:
        file.write(np.ascontiguousarray(samples, "<f4").data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, file.name) from error


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder below `folder` for such waves. What a killed program left there is removed first.

    Raises
    ------
    UserError: another program has it now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, place = os.open(folder, os.O_RDONLY), folder / "scratch"
    with ExitStack() as stack:
        stack.callback(os.close, descriptor)
        _lock(descriptor, folder)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        yield place


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"{folder}: another run is writing here; wait for it, or choose another folder") from None
    except OSError:
        pass  # a disk that knows no locks


def wav_header(rate: int, channels: int, samples: int) -> bytes:
    """What begins a wav of 32-bit floats, before its samples: as scipy writes it, RF64 from 4 GiB on.

    libsndfile would put the time of writing into it.
    """
    size = 4 * channels * samples
    form = b"fmt " + struct.pack("<IHHIIHHH", 18, 3, channels, rate, 4 * channels * rate, 4 * channels, 32, 0)
    fact = b"fact" + struct.pack("<II", 4, min(samples, 0xFFFFFFFF))
    riff = 4 + len(form) + len(fact) + 8 + size
    if riff <= 0xFFFFFFFF:
        return b"RIFF" + struct.pack("<I", riff) + b"WAVE" + form + fact + b"data" + struct.pack("<I", size)
    large = b"ds64" + struct.pack("<IQQQI", 28, riff + 36, size, samples, 0)
    return b"RF64" + b"\xff" * 4 + b"WAVE" + large + form + fact + b"data" + b"\xff" * 4
