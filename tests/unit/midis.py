"""MIDI files for tests, what they sound like, and the data set that they become."""

import itertools
from pathlib import Path

import mido
import numpy as np
from audiopriors.audio import instruments, midi
from audiopriors.audio.soundfont import RATE, Score, Soundfont
from audiopriors.data import music
from audiopriors.pipeline import config as configurations
from audiopriors.pipeline.scale import Scale
from configurations import with_changes
from mido import Message

FLUTE, PIANO, ORGAN, BASS = 73, 0, 19, 33
SOURCES = ["piano", "bass"]
CONFIG = {
    "layout": "midi", "root": "", "rate": 16000, "channel": "mean", "frames": 4, "validation": 1, "test": 1,
    "silence_db": -60.0, "skip_broken": False, "songs": 0, "seconds": 0.0, "soundfont": "", "classes": "slakh",
}  # fmt: skip
SOURCE_OF = instruments.source_of_program("general_midi", ["piano", "bass", "pipe", "drums"])


def note(key: int, begin: float, end: float, channel: int = 0, velocity: int = 84) -> list[tuple[float, Message]]:
    """Two messages, with their time in quarter notes."""
    return [
        (begin, Message("note_on", channel=channel, note=key, velocity=velocity)),
        (end, Message("note_off", channel=channel, note=key)),
    ]


def played_by(program: int, channel: int = 0, at: float = 0) -> tuple[float, Message]:
    return at, Message("program_change", channel=channel, program=program)


def control(number: int, value: int, at: float = 0, channel: int = 0) -> tuple[float, Message]:
    return at, Message("control_change", channel=channel, control=number, value=value)


def write(path: Path, *tracks: list, kind: int = 1, ticks: int = 480) -> Path:
    """A MIDI file of (quarter notes, message) in any order; a quarter note is half a second, unless a track says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for events in tracks:
        track, last = file.add_track(), 0
        for begin, message in sorted(events, key=lambda event: event[0]):
            track.append(message.copy(time=round(begin * ticks) - last))
            last = round(begin * ticks)
    file.save(path)
    return path


def song(path: Path, shift: int = 0, velocity: int = 84) -> Path:
    """A piano and a bass, two seconds together."""
    keys = [note(60 + shift + step, step / 2, step / 2 + 0.5, velocity=velocity) for step in range(8)]
    low = [note(36 + shift, step, step + 1, 1, velocity) for step in range(4)]
    return write(path, [played_by(PIANO), *itertools.chain(*keys)], [played_by(BASS, 1), *itertools.chain(*low)])


def score(path: Path, seconds: float = 0, **changes) -> Score:
    return midi.score(path, SOURCE_OF | changes, seconds)


def stem(font: Soundfont, score: Score, source: str) -> np.ndarray:
    return np.concatenate(list(font.play(score, source)))


def flute(font: Soundfont, tmp_path: Path, *events) -> np.ndarray:
    """What a flute plays, beside a bass, (samples, 2)."""
    path = write(tmp_path / "flute.mid", [played_by(FLUTE), *events], [played_by(BASS, 1), *note(36, 0, 1, 1)])
    return stem(font, score(path), "pipe")


def level(wave: np.ndarray, begin: float, end: float) -> float:
    """The root mean square between two times (s)."""
    return float(np.sqrt(np.square(wave[round(begin * RATE) : round(end * RATE)]).mean()))


def pitch(wave: np.ndarray, begin: float, end: float) -> float:
    """The key between two times (s), by the autocorrelation of a mono wave."""
    part = wave[round(begin * RATE) : round(end * RATE)].mean(1)
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part))) ** 2
    correlation = np.fft.irfft(spectrum)[: RATE // 30]
    first = np.flatnonzero(correlation < 0)[0]
    lags = np.arange(first, len(correlation))
    lag = lags[np.flatnonzero(correlation[first:] > 0.9 * correlation[first:].max())[0] :][:8]
    return 69 + 12 * np.log2(RATE / lag[correlation[lag].argmax()] / 440)


def onset(wave: np.ndarray) -> float:
    """When it begins to sound (s)."""
    return float(np.flatnonzero(np.abs(wave).max(1) > 1e-3)[0] / RATE)


def make(root: Path, folder: Path, sources=SOURCES, seed=(0,), **changes):
    settings = music.Config(**CONFIG | {"root": str(root)} | changes)
    table = music.make(settings, sources, seed, folder, 2048)
    table.to_parquet(folder / "items.parquet")
    return table, music.Frames(str(folder / "items.parquet"), settings)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.flac"))}


def folder_of_songs(folder: Path) -> Path:
    """Four different songs, in folders of any depth."""
    for number, name in enumerate(("a.mid", "deep/er/b.MIDI", "c.mid", "d.mid")):
        song(folder / name, number)
    return folder


def dataset(name: str, **settings):
    merged = configurations.scales(with_changes({"datasets": {name: {"settings": settings}}}))
    return Scale("smoke", merged["smoke"]).dataset(name)
