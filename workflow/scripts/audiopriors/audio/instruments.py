"""Classes of instruments by General MIDI programme. It imports nothing heavy, so a config can be checked early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

DRUMS = 128
"What stands for channel 10, beside the programmes 0 to 127."
REST = "rest"
"In a class: all programmes, and drums, that no other class has."

_FAMILIES = {
    "piano": ["0-7"], "chromatic_percussion": ["8-15"], "organ": ["16-23"], "guitar": ["24-31"], "bass": ["32-39"],
    "strings": ["40-47"], "ensemble": ["48-55"], "brass": ["56-63"], "reed": ["64-71"], "pipe": ["72-79"],
    "synth_lead": ["80-87"], "synth_pad": ["88-95"], "synth_effects": ["96-103"], "ethnic": ["104-111"],
    "percussive": ["112-119"], "sound_effects": ["120-127"], "drums": ["drums"],
}  # fmt: skip

PRESETS: dict[str, dict[str, list]] = {
    "general_midi": _FAMILIES,
    # Slakh2100 calls ensembles strings, too, and has its sound effects in two places.
    "slakh": {
        **{name: _FAMILIES[name] for name in _FAMILIES if name not in ("ensemble", "synth_effects")},
        "strings_continued": ["48-55"], "percussive": ["112-118"], "sound_effects": ["96-103", "119-127"],
    },
}  # fmt: skip
"Classes that have a name in the config."


def source_of_program(classes: str | Mapping[str, Sequence[int | str]], sources: Sequence[str]) -> dict[int, str]:
    """The source that each programme, and DRUMS, belongs to. Those of no source are left out.

    classes: the name of a preset, or {class: programmes}, see `problem`.
    """
    if isinstance(classes, str):
        classes = PRESETS[classes]
    class_of = {number: name for name, those in classes.items() for entry in those for number in _numbers(entry)}
    rest = [name for name, those in classes.items() if REST in those]
    class_of |= {number: name for name in rest for number in range(DRUMS + 1) if number not in class_of}
    return {number: name for number, name in sorted(class_of.items()) if name in sources}


def problem(classes: str | Mapping[str, Sequence[int | str]], sources: Sequence[str]) -> str | None:
    """One sentence on what is wrong with classes for these sources; None if nothing is.

    A class has numbers from 0 to 127, ranges such as "32-39", `drums`, or `rest`.
    """
    if isinstance(classes, str):
        if classes not in PRESETS:
            return f"`classes` is {classes!r}; give one of {', '.join(PRESETS)}, or a mapping of classes to programmes"
        classes = PRESETS[classes]
    class_of: dict[int | str, str] = {}
    for name, those in classes.items():
        for entry in those:
            try:
                numbers: list[int | str] = [REST] if entry == REST else list(_numbers(entry))
            except ValueError:
                return (
                    f"`classes` has {entry!r} in {name}; give programmes from 0 to 127, ranges of them such as 32-39, "
                    f"`drums`, or `{REST}`"
                )
            for number in numbers:
                other = class_of.setdefault(number, name)
                if other != name:
                    what = "`drums`" if number == DRUMS else f"`{REST}`" if number == REST else f"programme {number}"
                    return f"`classes` has {what} in {other} and in {name}; leave it in one of them"
    missing = [source for source in sources if source not in classes]
    if missing:
        return f"`classes` lacks the sources {', '.join(missing)}; it has {', '.join(classes)}"
    return None


def _numbers(entry: int | str) -> Iterator[int]:
    """The programmes of an entry of a class. Raises ValueError if it is none."""
    if entry == "drums":
        yield DRUMS
    elif entry != REST:
        first, _, last = str(entry).partition("-")
        numbers = range(int(first), int(last or first) + 1)
        if not numbers or numbers[0] < 0 or numbers[-1] > 127:
            raise ValueError(entry)
        yield from numbers
