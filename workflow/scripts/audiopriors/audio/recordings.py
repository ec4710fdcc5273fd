"""Recorded tracks: read and checked, resampled, cut into frames.

Frames are kept on disk as int16, one file a track, (1 + sources, frames, T) with the mixture first. They are read as
memory maps. Finished tracks are not cut again, so the program may be killed and started again.
"""

from __future__ import annotations

import functools
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torchaudio
from torch import Tensor

from ..errors import UserError
from ..files import digest, write_array, write_bytes
from ..seeds import numpy_generator, seed_of
from . import decoding
from .decoding import FULL_SCALE, Audio, BrokenTrack, open_audio, open_stem
from .roots import REAL_SONG, name_of_stems, short_name, visible
from .stored import Wave, scratch

MIXTURE = "mixture"
MUSDB_SOURCES = ("drums", "bass", "other", "vocals")
_STREAMS = (MIXTURE, *MUSDB_SOURCES)  # of a .stem.mp4
STORED = np.dtype("<i2")
_AT_ONCE = 2**21  # samples of a track that are resampled or summed together

# The filter for resampling: zero crossings on each side, its edge, and the Kaiser window's beta.
_CROSSINGS, _ROLLOFF, _BETA = 64, 0.9475937167399596, 14.769656459379492


@dataclass(frozen=True)
class Track:
    """One recording. `open(source)` opens a source's audio, or MIXTURE's, and raises BrokenTrack if it cannot."""

    name: str
    split: str | None
    "The split that its folder names; None if it names none."
    path: Path
    open: Callable[[str], Audio]
    has_mixture: bool = True
    "Whether the recorded mixture is the mix of exactly the sources asked for."
    sources: tuple[str, ...] = ()
    "The sources that a single file is known to contain."

    @property
    def key(self) -> str:
        """Split and name. No two tracks of a data set share them, and they do not depend on where the root lies."""
        return f"{self.split or ''}/{self.name}"


def stem_reader(path: Path) -> Callable[[str], Audio]:
    """What opens the sources of one .stem.mp4."""
    return lambda source: open_stem(path, _STREAMS.index(source), len(_STREAMS))


def recording(path: Path) -> Track:
    """One file as a track that has only a mixture. A .stem.mp4 also has MUSDB18's sources.

    Raises
    ------
    UserError: there is no such file. Reading it raises BrokenTrack.
    """
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}; give the path of a recording, such as song.wav")
    name = name_of_stems(path.name)
    if name is not None:
        return Track(name, None, path, stem_reader(path), sources=MUSDB_SOURCES)
    return Track(path.stem, None, path, folder_reader(path.parent, {MIXTURE: path}))


def check_name(path: Path, name: str | None) -> None:
    """Raise UserError if a recording that was read is not the one called `name` in paths, as it has changed since."""
    if name not in (None, REAL_SONG, short_name(path)):
        raise UserError(f"{path}: has changed since this run began; run the same command again")


def folder_reader(path: Path, files: dict[str, Path]) -> Callable[[str], Audio]:
    """What opens the sources of a track that has a file for each."""
    return lambda source: open_audio(files.get(source, path / f"{source}.wav"))


def to_mono(audio: np.ndarray, channel: str) -> np.ndarray:
    """Mono audio, (samples, channels) -> (samples,): the mean of the channels, or the left one."""
    return audio[:, 0] if channel == "left" else audio.mean(1)


def resample(wave: np.ndarray, rate: int, to: int) -> np.ndarray:
    """A whole wave (samples,) at another rate, float32, see `resampled`."""
    return np.concatenate(list(resampled([wave[:, None]], rate, to)))[:, 0]


def resampled(blocks: Iterable[np.ndarray], rate: int, to: int, at_once: int = _AT_ONCE) -> Iterator[np.ndarray]:
    """Blocks (samples, channels) of a wave at another rate, float32. What is above half of it is at least 80 dB down.

    at_once: how many samples are resampled together, about. The blocks are those of the whole wave, but for rounding,
    as a piece is resampled with what is before and after it, as far as the filter reaches.
    Waves of the same length and rate give blocks of the same lengths, whatever the lengths of their blocks.
    """
    up, down = (one // math.gcd(rate, to) for one in (to, rate))
    # Multiples of `down`, so that each piece begins at a sample of both rates.
    beside = down * math.ceil((_CROSSINGS * max(1, down / up) / _ROLLOFF + 1) / down)
    piece = down * math.ceil(at_once / down)
    kept: list[np.ndarray] = []  # blocks that are not resampled yet, after `left` samples that are
    left = 0
    for block in blocks:
        kept.append(np.asarray(block, np.float32))
        while sum(map(len, kept)) >= left + piece + beside:
            whole = np.concatenate(kept)
            yield _filtered(whole[: left + piece + beside], up, down)[left * up // down : (left + piece) * up // down]
            kept, left = [whole[left + piece - beside :]], beside
    if kept:
        yield _filtered(np.concatenate(kept), up, down)[left * up // down :]


def _filtered(wave: np.ndarray, up: int, down: int) -> np.ndarray:
    """A wave (samples, channels) with `up` samples for every `down`. torchaudio's default would alias at -8 dB."""
    if up == down:
        return wave
    length = -(-len(wave) * up // down)
    if max(up, down) > 1000:  # an odd rate such as 44101 Hz: torchaudio's table of filters would take gigabytes
        from scipy import signal

        return signal.resample_poly(wave.astype(np.float64), up, down, window=_taps(max(up, down))).astype(np.float32)
    channels = [
        torchaudio.functional.resample(
            torch.from_numpy(np.ascontiguousarray(channel)),
            down,
            up,
            lowpass_filter_width=_CROSSINGS,
            rolloff=_ROLLOFF,
            resampling_method="sinc_interp_kaiser",
            beta=_BETA,
        )
        for channel in wave.T
    ]
    filtered = torch.stack(channels, dim=1).numpy()
    # torchaudio counts in float32, and so gives a sample too few of some long waves.
    return np.pad(filtered[:length], ((0, max(0, length - len(filtered))), (0, 0)))


@functools.cache
def _taps(longest: int) -> np.ndarray:
    from scipy import signal

    return signal.firwin(2 * _CROSSINGS * longest + 1, _ROLLOFF / longest, window=("kaiser", _BETA))


def opened(track: Track, source: str) -> Audio:
    """The audio of a track's source.

    Raises
    ------
    BrokenTrack: the file is missing or cannot be read; or, later, its blocks: it is damaged, is empty, or has NaN.
    """
    audio = track.open(source)

    def blocks() -> Iterator[np.ndarray]:
        empty = True
        for block in audio.blocks():
            if not np.isfinite(block).all():
                raise BrokenTrack(f"{track.path}, {source}: has samples that are not finite (NaN or infinity)")
            empty = False
            yield block
        if empty:
            raise BrokenTrack(f"{track.path}, {source}: has no samples")

    return replace(audio, blocks=blocks)


def read(track: Track, source: str) -> tuple[np.ndarray, int]:
    """The audio of a whole track, (samples, channels) float32, and its rate.

    Raises
    ------
    BrokenTrack: as `opened`.
    """
    audio = opened(track, source)
    return np.concatenate(list(audio.blocks())), audio.rate


def gain(loudest: float) -> float:
    """One gain for a whole recording, which keeps its levels and its sum: 1, or less where a sample would clip."""
    return min(1.0, (FULL_SCALE - 1) / FULL_SCALE / max(loudest, 1e-12))


def dequantised(stored: Tensor, generator: torch.Generator) -> Tensor:
    """Stored samples, of any shape, plus uniform noise of one step of 16 bits: so they are draws of a density."""
    return stored + (torch.rand(stored.shape, generator=generator) - 0.5) / FULL_SCALE


def mono_wave(audio: Audio, path: Path, *, rate: int, channel: str) -> tuple[Wave, int]:
    """The audio as a mono wave at `rate`, on disk at `path`, and how many samples it has at its own rate.

    Raises
    ------
    BrokenTrack: as `opened`.
    """
    samples = 0

    def mono() -> Iterator[np.ndarray]:
        nonlocal samples
        for block in audio.blocks():
            samples += len(block)
            yield to_mono(block, channel)[:, None]

    wave = Wave(path).extend(resampled(mono(), audio.rate, rate))
    return wave, samples


def check_length(track: Track, source: str, samples: int, rate: int, first: tuple[str, int, int]) -> None:
    """Raise BrokenTrack unless a track's source has the samples and the rate of `first`: a name, samples, a rate."""
    if (samples, rate) != first[1:]:
        raise BrokenTrack(
            f"{track.path}, {source}: has {samples} samples at {rate} Hz, but {first[0]} has {first[1]} at {first[2]} "
            "Hz; the files of a track must be of one length and rate"
        )


def waves(track: Track, sources: list[str], folder: Path, *, rate: int, channel: str) -> list[Wave]:
    """Mixture and sources of a track as mono waves at `rate`, at their own levels, on disk below `folder`.

    A track without a mixture has the sum of its sources.

    Raises
    ------
    BrokenTrack: a file is missing, cannot be read, has NaN, no or too many channels, or is not as long as the others.
    """
    waves, first = [], None
    for source in ([MIXTURE] if track.has_mixture else []) + list(sources):
        audio = opened(track, source)
        if audio.channels > 2:
            raise BrokenTrack(f"{track.path}, {source}: has {audio.channels} channels; mix it down to one or two")
        wave, samples = mono_wave(audio, folder / source, rate=rate, channel=channel)
        first = first or (source, samples, audio.rate)
        check_length(track, source, samples, audio.rate, first)
        waves.append(wave)
    if not track.has_mixture:
        sums = (np.sum(pieces, axis=0) for pieces in zip(*(wave.pieces() for wave in waves), strict=True))
        waves.insert(0, Wave(folder / MIXTURE).extend(sums))
    return waves


def cut(track: Track, sources: list[str], folder: Path, *, rate: int, frame: int, frames: int, channel: str,
        seed: tuple) -> list[dict]:  # fmt: skip
    """Cut a track into `frames` frames of `frame` samples at seeded places, and keep them below `folder`.

    One gain for the whole track keeps its levels and its sum: 1, or less where a sample would clip.

    Returns one row a frame: track, file, row (in the file), offset (samples at `rate`), gain, residual_db (of the
    mixture against the sum of the sources), and rms_SOURCE and crc_SOURCE (a checksum) of each source and the mixture.

    Raises
    ------
    BrokenTrack: see `waves`; also if a track is shorter than one frame.
    """
    # Not the track's name, which may have any characters.
    stem = f"{seed_of(track.key):016x}"
    code = digest(__file__, decoding.__file__)
    fingerprint = json.dumps([str(track.path), _stamp(track.path), sources, rate, frame, frames, channel, seed, code])
    done = folder / f"{stem}.json"
    if done.exists():
        kept = json.loads(done.read_text())
        if kept["fingerprint"] == fingerprint and (folder / f"{stem}.npy").exists():
            return kept["rows"]
    with scratch(folder) as place:
        audio = waves(track, sources, place, rate=rate, channel=channel)
        length = len(audio[0])
        if length < frame:
            raise BrokenTrack(
                f"{track.path}: has {length} samples at {rate} Hz, but a frame needs {frame} ({frame / rate:.2f} s)"
            )
        scale = gain(max(wave.loudest for wave in audio))
        together = zip(*(wave.pieces(_AT_ONCE) for wave in audio), strict=True)
        pieces = ([scale * piece for piece in parts] for parts in together)
        powers = [(np.square(mix - np.sum(parts, axis=0), dtype=float).sum(), np.square(mix, dtype=float).sum())
                  for mix, *parts in pieces]  # fmt: skip
        left, recorded = (decibel(power / length) for power in np.sum(powers, axis=0))
        offsets = np.sort(numpy_generator(*seed, "frames", track.key).integers(0, length - frame + 1, frames))
        stored = np.empty((len(audio), frames, frame), STORED)
        for which, wave in enumerate(audio):
            for row, offset in enumerate(offsets):
                stored[which, row] = np.round(scale * wave.read(offset, offset + frame)[:, 0] * FULL_SCALE)
    levels = np.sqrt(np.square(stored / FULL_SCALE).mean(2))  # (1 + N, frames)
    rows = [
        {"track": track.name, "file": f"{stem}.npy", "row": row, "offset": int(offset), "gain": scale,
         "residual_db": left - recorded,
         **{f"rms_{name}": float(level) for name, level in zip([MIXTURE, *sources], levels[:, row], strict=True)},
         **{f"crc_{name}": zlib.crc32(one) for name, one in zip([MIXTURE, *sources], stored[:, row], strict=True)}}
        for row, offset in enumerate(offsets)
    ]  # fmt: skip
    write_array(stored, folder / f"{stem}.npy")
    write_bytes(done, json.dumps({"fingerprint": fingerprint, "rows": rows, "seconds": length / rate}).encode())
    return rows


def decibel(power: float) -> float:
    """A level in dB of full scale, at least -200, of the mean square of a wave."""
    return float(10 * np.log10(max(power, 1e-20)))


def _stamp(path: Path) -> list:
    """Names, sizes and times of a track's files; these change when the files do. A link to nothing is left out."""
    files = [file for file in visible(path) if file.exists()] if path.is_dir() else [path]
    of_files = [(file.name, file.stat()) for file in files]
    return [(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns) for name, status in of_files]
