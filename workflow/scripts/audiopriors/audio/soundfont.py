"""Notes that are played on the instruments of a soundfont: events in time become stereo waves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ..errors import UserError
from .decoding import BrokenTrack
from .instruments import DRUMS
from .stored import PIECE

RATE = 44100
DRUM_CHANNEL = 9
_DRUM_BANK = 128
_FADE = 0.05  # s, at the end: a piece that is cut does not end with a click


class Event(NamedTuple):
    """What happens on a MIDI channel at some time."""

    seconds: float
    kind: Literal["program", "control", "bend", "on", "off"]
    channel: int
    number: int
    "The programme, the controller or the key; the place of the wheel, 0 to 16383."
    value: int = 0
    "Of a controller, or the velocity."
    source: str = ""
    "Of `on`: the source that the note belongs to; empty if to none, so that nobody plays it."


@dataclass(frozen=True)
class Score:
    """A piece: events in the order of time, and how long they last with their decay (s)."""

    events: list[Event]
    seconds: float
    programs: frozenset[int]
    "The programmes that its sources need; DRUMS for channel 10."

    @property
    def sources(self) -> set[str]:
        """The sources that have notes."""
        return {event.source for event in self.events if event.source}


class Soundfont:
    """A soundfont (.sf2, .sf3).

    Raises
    ------
    UserError: the file is no soundfont. OSError: it cannot be read.
    """

    def __init__(self, path: Path):
        import tinysoundfont

        self.path = path
        self._synth = tinysoundfont.Synth(samplerate=RATE)
        try:
            self._number = self._synth.sfload(path.read_bytes())
        except RuntimeError as error:
            raise UserError(f"{path}: is no soundfont that can be read; give a whole .sf2 or .sf3") from error

    def check(self, score: Score, path: Path) -> None:
        """Raise BrokenTrack unless it has the instruments that the score at `path` needs."""
        for program in sorted(score.programs):
            bank, preset = (_DRUM_BANK, 0) if program == DRUMS else (0, program)
            if self._synth.sfpreset_name(self._number, bank, preset) is None:
                what = "drums" if program == DRUMS else f"programme {program}"
                raise BrokenTrack(f"{path}: needs {what}, which {self.path} lacks; set `soundfont` to one that has it")

    def play(self, score: Score, source: str) -> Iterator[np.ndarray]:
        """The notes of one source, in blocks (n, 2) float32 at RATE: as many samples for every source."""
        self._synth.soundfonts[self._number].reset()
        for channel in range(16):
            self._select(channel, 0)
        samples = round(score.seconds * RATE)
        place = 0
        for event in score.events:
            start = min(samples, round(event.seconds * RATE))
            yield from self._until(place, start, samples)
            place = max(place, start)
            if event.kind != "on" or event.source == source:
                self._do(event)
        yield from self._until(place, samples, samples)

    def _do(self, event: Event) -> None:
        if event.kind == "program":
            self._select(event.channel, event.number)
        elif event.kind == "control":
            self._synth.control_change(event.channel, event.number, event.value)
        elif event.kind == "bend":
            self._synth.pitchbend(event.channel, event.number)
        elif event.kind == "on":
            self._synth.noteon(event.channel, event.number, event.value)
        else:
            self._synth.noteoff(event.channel, event.number)

    def _select(self, channel: int, program: int) -> None:
        drums = channel == DRUM_CHANNEL
        with contextlib.suppress(RuntimeError):  # of an instrument that no source needs, see `check`
            self._synth.program_select(channel, self._number, _DRUM_BANK if drums else 0, program, drums)

    def _until(self, place: int, stop: int, samples: int) -> Iterator[np.ndarray]:
        """What sounds from a sample to another, faded at the end of the piece."""
        for start in range(place, stop, PIECE):
            count = min(PIECE, stop - start)
            block = np.frombuffer(self._synth.generate_simple(count), np.float32).reshape(-1, 2)
            left = samples - start - np.arange(count, dtype=np.float32)
            yield block * np.minimum(1, left / np.float32(_FADE * RATE))[:, None]


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events in the order of time; those of one time stay as they are, but notes end before others begin."""
    return sorted(events, key=lambda event: (event.seconds, event.kind == "on"))
