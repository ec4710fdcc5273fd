"""MIDI files as scores: what each channel plays when, and to which source a note belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from .decoding import BrokenTrack
from .instruments import DRUMS
from .soundfont import DRUM_CHANNEL, Event, Score

_DECAY = 1.0  # s after the last note
_CENTRE = 8192  # of the wheel
_BANKS, _VOLUME, _EXPRESSION, _PEDAL, _RESET = (0, 32), 7, 11, 64, 121  # controllers
_LOUD = 100  # the volume of a channel whose file says none, by General MIDI


def score(path: Path, source_of: Mapping[int, str], seconds: float) -> Score:
    """A MIDI file of format 0 or 1 as a score.

    Tempo changes, programme changes, the pedal, the wheel and all other controllers but those of banks count.

    source_of: the source of a programme, or of DRUMS; see instruments.source_of_program.
    seconds: the longest that the piece lasts; 0 for the whole.

    Raises
    ------
    BrokenTrack: it is no whole MIDI file, is of format 2, has no notes, or only notes of a single source.
    """
    program = dict.fromkeys(range(16), 0) | {DRUM_CHANNEL: DRUMS}
    events = [Event(0.0, "control", channel, _VOLUME, _LOUD) for channel in range(16)]
    programs: set[int] = set()
    others: set[int] = set()
    last = 0.0
    for event in _pedalled(_events(path)):
        if seconds and event.seconds >= seconds:
            break
        if event.kind == "program" and event.channel != DRUM_CHANNEL:
            program[event.channel] = event.number
        if event.kind == "on":
            number = program[event.channel]
            event = event._replace(source=source_of.get(number, ""))
            (programs if event.source else others).add(number)
        if event.kind in ("on", "off"):
            last = event.seconds
        events.append(event)
    whole = Score(events, min(seconds or last + _DECAY, last + _DECAY), frozenset(programs))
    if len(whole.sources) < 2:
        wanted = ", ".join(dict.fromkeys(source_of.values()))
        has = f"notes of {next(iter(whole.sources))} alone" if whole.sources else "no notes"
        some = ", ".join("drums" if number == DRUMS else str(number) for number in sorted(others))
        beside = f", beside programmes of no source ({some})" if others else ""
        raise BrokenTrack(
            f"{path}: has {has} of the sources {wanted}{beside}; a mix has two or more, so change `sources` or "
            "`classes` in the data set's settings, or remove the file"
        )
    return whole


def _events(path: Path) -> Iterator[Event]:
    """What the file says, in the order of time. Raises BrokenTrack: see `score`."""
    import mido

    try:
        file = mido.MidiFile(path)
        if file.type == 2:
            raise BrokenTrack(f"{path}: is a MIDI file of format 2, whose tracks are no one piece; save it as format 1")
        if file.ticks_per_beat <= 0:
            raise BrokenTrack(f"{path}: counts time in frames of film; save it with ticks per quarter note")
        messages = list(file)
    except BrokenTrack:
        raise
    except Exception as error:  # mido lets through what goes wrong on the way, of any class
        why = str(error) or type(error).__name__
        raise BrokenTrack(f"{path}: is broken or no MIDI file ({why}); save it anew from a music program") from error
    seconds = 0.0
    for message in messages:
        seconds += message.time
        if message.type == "note_on" and message.velocity:
            yield Event(seconds, "on", message.channel, message.note, message.velocity)
        elif message.type in ("note_on", "note_off"):
            yield Event(seconds, "off", message.channel, message.note)
        elif message.type == "program_change":
            yield Event(seconds, "program", message.channel, message.program)
        elif message.type == "pitchwheel":
            yield Event(seconds, "bend", message.channel, message.pitch + _CENTRE)
        elif message.type == "control_change" and message.control == _RESET:  # volume and pan stay, by General MIDI
            yield Event(seconds, "control", message.channel, _PEDAL, 0)
            yield Event(seconds, "control", message.channel, _EXPRESSION, 127)
            yield Event(seconds, "bend", message.channel, _CENTRE)
        elif message.type == "control_change" and message.control not in _BANKS:
            yield Event(seconds, "control", message.channel, message.control, message.value)


def _pedalled(events: Iterator[Event]) -> Iterator[Event]:
    """The events with notes that last as long as the sustain pedal holds them, which the synthesizer does not know."""
    down: set[int] = set()  # channels
    held: dict[int, dict[int, None]] = {}  # keys that the pedal holds, by channel
    seconds = 0.0
    for event in events:
        seconds, channel = event.seconds, event.channel
        keys = held.setdefault(channel, {})
        if event.kind == "control" and event.number == _PEDAL:
            if event.value >= 64:
                down.add(channel)
            else:
                down.discard(channel)
                yield from (Event(seconds, "off", channel, key) for key in keys)
                keys.clear()
            continue
        if event.kind == "off" and channel in down:
            keys[event.number] = None
            continue
        if event.kind == "on" and event.number in keys:  # the same key again
            del keys[event.number]
            yield Event(seconds, "off", channel, event.number)
        yield event
    yield from (Event(seconds, "off", channel, key) for channel, keys in held.items() for key in keys)
