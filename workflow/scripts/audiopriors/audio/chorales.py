"""Bach's chorales of four parts, out of music21's corpus, as four instruments play them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..seeds import numpy_generator
from .decoding import BrokenTrack
from .soundfont import Event, Score, in_order

VOICES = {"violin": 40, "clarinet": 71, "saxophone": 66, "bassoon": 70}
"Instruments from soprano to bass, and their General MIDI programmes: a tenor saxophone has all notes of the tenors."

_TEMPO = (66.0, 96.0)  # quarter notes a minute
_SHIFT = 0.012  # s that a note may begin early or late
_VELOCITY = (74, 94)
_LEAD, _GAP, _DECAY = 0.1, 0.005, 1.0  # s before the first note, between notes of a voice at least, after the last
_OPENING = 5  # intervals at the beginning of a tune by which it is known

Tune = tuple[int, ...]
Notes = list[list[tuple[float, float, int]]]
"For each part its notes: begin and length (quarter notes), and key."


def titles() -> dict[Path, set[str]]:
    """The corpus's files of chorales, and the titles that each has in music21's lists, in plain letters."""
    from music21 import corpus

    files = {path.stem: path for path in sorted(corpus.getComposer("bach")) if path.suffix in (".xml", ".mxl")}
    lists = [corpus.chorales.ChoraleListRKBWV().byRiemenschneider, corpus.chorales.ChoraleList().byBudapest]
    of_file: dict[Path, set[str]] = {}
    for entry in (entry for one in lists for entry in one.values()):
        path = files.get(f"bwv{entry['bwv']}")
        if path:
            of_file.setdefault(path, set()).add(re.sub(r"\W", "", entry["title"].lower()))
    return of_file


@functools.lru_cache(maxsize=1)  # a chorale is read to see its tune, and then to be played
def notes(path: Path) -> Notes:
    """The notes of a chorale's four parts. Repeats are not played, nor are fermatas held.

    Raises
    ------
    BrokenTrack: music21 cannot read it, or it has not four parts.
    """
    from music21 import converter

    try:
        parts = converter.parse(
            path, forceSource=True, storePickle=False
        ).parts  # without copies in a folder of its own
        each = [
            [(float(note.offset), float(note.quarterLength), max(pitch.midi for pitch in note.pitches))
             for note in part.stripTies().flatten().notes if note.quarterLength]
            for part in parts
        ]  # fmt: skip
    except Exception as error:  # music21 has no class for what it cannot read
        raise BrokenTrack(f"{path}: music21 cannot read it ({error}); install music21 anew") from error
    if len(each) != len(VOICES) or not all(each):
        raise BrokenTrack(f"{path}: has {sum(map(bool, each))} parts with notes, but is to be played by {len(VOICES)}")
    return each


def of_different_tunes(seed: tuple) -> Iterator[Path]:
    """Files of chorales in a seeded order, no two of one tune: of one title, or with one beginning of the soprano.

    What cannot be read is among them.
    """
    listed = titles()
    paths = sorted(listed)
    heard: set[str | Tune] = set()
    for path in (paths[number] for number in numpy_generator(*seed, "chorales").permutation(len(paths))):
        marks: set[str | Tune] = set(listed[path])
        if not marks & heard:
            try:
                soprano = [key for _, _, key in notes(path)[0]]
            except BrokenTrack:
                yield path
                continue
            marks.add(tuple(np.diff(soprano[: _OPENING + 1]).tolist()))
            if not marks & heard:
                yield path
        heard |= marks


def score(path: Path, sources: list[str], seed: tuple, seconds: float) -> Score:
    """A chorale as people play it: at a seeded tempo, with notes a bit early or late, louder or softer.

    seconds: the longest that it lasts.

    Raises
    ------
    BrokenTrack: see `notes`.
    """
    generator = numpy_generator(*seed, "played", path.stem)
    quarter = 60 / generator.uniform(*_TEMPO)
    events, last = [], 0.0
    for channel, ((voice, program), part) in enumerate(zip(VOICES.items(), notes(path), strict=True)):
        begins, lengths, keys = (np.array(column) for column in zip(*part, strict=True))
        shifts = generator.uniform(-_SHIFT, _SHIFT, len(keys))
        velocities = generator.integers(_VELOCITY[0], _VELOCITY[1], len(keys), endpoint=True)
        starts = _LEAD + begins * quarter + shifts
        stops = np.minimum(starts + lengths * quarter, np.append(starts[1:], np.inf) - _GAP)
        source = voice if voice in sources else ""
        events.append(Event(0.0, "program", channel, program))
        for start, stop, key, velocity in zip(starts, stops, keys, velocities, strict=True):
            events.append(Event(float(start), "on", channel, int(key), int(velocity), source))
            events.append(Event(float(stop), "off", channel, int(key)))
        last = max(last, float(stops[-1]))
    return Score(in_order(events), min(seconds, last + _DECAY), frozenset(VOICES[name] for name in sources))
