"""Scores that are rendered to recordings: Bach's chorales, and MIDI files of the user's.

Each piece becomes a folder with a flac file per source, which is the layout `folder`. Pieces that are rendered stay.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from ..errors import UserError
from ..files import digest, sha256
from ..types import Classes
from . import chorales, instruments, midi, roots, soundfont, stored, tracks
from .soundfont import RATE, Score, Soundfont
from .tracks import Stray

_LOUDEST = 0.98  # of full scale, of the mix and the stems
_LONGEST_NAME = 240  # bytes; disks take 255
_DONE = "rendered.json"  # in a piece's folder, written last: what it was rendered from
_PACKAGES = ("mido", "music21", "tinysoundfont")
_CODE = (__file__, chorales.__file__, instruments.__file__, midi.__file__, soundfont.__file__)


class Settings(Protocol):
    """What a data set says of its pieces; data/music.py explains each."""

    @property
    def songs(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def soundfont(self) -> str: ...
    @property
    def classes(self) -> Classes: ...
    @property
    def skip_broken(self) -> bool: ...


@dataclass(frozen=True)
class _Piece:
    name: str
    split: str | None
    path: Path
    score: Callable[[], Score]
    "Reads it; raises BrokenTrack."


def render_chorales(root: Path, sources: list[str], settings: Settings, seed: tuple) -> list[Stray]:
    """Render as many chorales below `root` as the settings say, no two of one tune. Returns what was left out.

    Raises
    ------
    UserError: a source is none of the instruments, the corpus has too few chorales, a package is not installed, or the
        soundfont cannot be used. BrokenTrack: the first chorale that is broken, unless `skip_broken` is set.
    """
    others = [source for source in sources if source not in chorales.VOICES]
    if others:
        raise UserError(f"chorales have the sources {', '.join(chorales.VOICES)}, not {', '.join(others)}")
    if settings.songs < 1:
        raise UserError(
            f"`songs` is {settings.songs} in the data set's settings; give a number of chorales, such as 60"
        )
    _check_packages()
    pieces = (
        _Piece(path.stem, None, path, functools.partial(chorales.score, path, sources, seed, settings.seconds))
        for path in chorales.of_different_tunes(seed)
    )
    left_out: list[Stray] = []
    rendered = _render(pieces, root, sources, settings, left_out, [seed, settings.seconds], most=settings.songs)
    if rendered < settings.songs:
        raise UserError(
            f"`songs` is {settings.songs} in the data set's settings, but the corpus has chorales of {rendered} tunes"
        )
    return left_out


def render_midi(midi_root: Path, root: Path, sources: list[str], settings: Settings) -> list[Stray]:
    """Render the MIDI files below a folder of the user's, below `root`. Returns what was left out.

    Raises
    ------
    UserError: the classes do not fit the sources, there are no MIDI files that can be used, a package is not installed,
        or the soundfont cannot be used. BrokenTrack: what is broken, unless `skip_broken` is set.
    """
    _check_packages()
    if problem := instruments.problem(settings.classes, sources):
        raise UserError(problem)
    source_of = instruments.source_of_program(settings.classes, sources)
    entries = list(_midi_files(midi_root))
    left_out = [entry for entry in entries if isinstance(entry, Stray)]
    if not settings.skip_broken:
        tracks.stop_at(left_out)
    for stray in left_out:
        tracks.log.warning("left out: %s", roots.text(f"{stray.path}: {stray.reason}"))
    pieces = (
        _Piece(name, split, path, functools.partial(midi.score, path, source_of, settings.seconds))
        for name, split, path in (entry for entry in entries if not isinstance(entry, Stray))
    )
    used = [(number, source) for number, source in source_of.items()]
    if not _render(pieces, root, sources, settings, left_out, [used, settings.seconds]):
        raise UserError(
            f"the folder {str(midi_root)!r} has no MIDI files ({', '.join(roots.SCORES)}) that can be used; set `root` "
            f"in the data set's settings to a folder that has{tracks.sentences(left_out)}"
        )
    return left_out


def _midi_files(root: Path) -> Iterator[tuple[str, str | None, Path] | Stray]:
    """The name, the split and the path of every MIDI file, and what cannot be one."""
    try:
        folders = tracks.split_folders(roots.visible(root))
    except OSError as error:
        raise UserError(f"{root}: {tracks.unreadable(error)}") from error
    split_of = {folder: split for split, folder in folders.items()}
    seen: dict[str, Path] = {}
    filled: set[str | None] = set()
    for path in dict.fromkeys(roots.scores(root)):  # a folder that cannot be read is there twice
        inside = path.relative_to(root).with_suffix("").parts
        split = split_of.get(root / inside[0])
        if os.path.isdir(path):
            try:
                roots.visible(path)
            except OSError as error:
                yield Stray(path, split, tracks.unreadable(error))
            continue
        filled.add(split)
        name = " - ".join(inside[1:] if split else inside)
        if folders and not split:
            names = " and ".join(folder.name for folder in folders.values())
            reason = f"is in no split, as it lies beside {names}; move it into one of them or elsewhere"
        else:
            reason = _flaw(path, name, split, seen)
        yield Stray(path, split, reason) if reason else (name, split, path)
    for split, folder in folders.items():
        if split not in filled:
            yield Stray(folder, split, "has no MIDI files in it; add some, or remove this folder")


def _flaw(path: Path, name: str, split: str | None, seen: dict[str, Path]) -> str:
    """Why a MIDI file cannot be a piece called `name`; empty if it can. seen: others, by name and by content."""
    if roots.is_link_to_nothing(path):
        return tracks.LINK
    if roots.text(name) != name:
        return "has a name that is not in UTF-8; rename it"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        return "has too long a path below the folder; shorten its name, or those of its folders"
    if name.lower() in tracks.SPLIT_OF:
        return "has the name of a split's folder; rename it"
    try:
        content = sha256(path)
    except OSError as error:
        return tracks.unreadable(error)
    if (other := seen.setdefault(f"{split} {name}", path)) != path:
        return f"has the same name as {other}; rename or remove one of them"
    if (other := seen.setdefault(content, path)) != path:
        return f"is a copy of {other}; remove one of them"
    return ""


def _check_packages() -> None:
    if missing := roots.missing_packages():
        raise UserError(missing)


def _render(
    pieces: Iterable[_Piece], root: Path, sources: list[str], settings: Settings, left_out: list[Stray],
    made_from: Sequence, most: int | None = None,
) -> int:  # fmt: skip
    """Render the first `most` pieces that are not broken, and remove all others. Returns how many there are.

    made_from: what the sound depends on beside the piece, the sources, the soundfont and the code.
    """
    if problem := roots.problem_of_soundfont(settings.soundfont):
        raise UserError(problem)
    font = Soundfont(roots.soundfont_of(settings.soundfont))
    versions = [importlib.metadata.version(package) for package in _PACKAGES]
    common = [sources, made_from, sha256(font.path), digest(*_CODE), versions]
    places: list[Path] = []
    for piece in pieces:
        place = root / (piece.split or "") / piece.name
        wanted = json.dumps([sha256(piece.path), *common])
        with tracks.skipping(settings.skip_broken, piece.path, piece.split, left_out):
            if not (place / _DONE).exists() or (place / _DONE).read_text() != wanted:
                tracks.log.info("playing %s", piece.name)
                shutil.rmtree(place, ignore_errors=True)
                _play(piece, font, place, sources)
                (place / _DONE).write_text(wanted)
            places.append(place)
        if len(places) == most:
            break
    kept = {*places, *(place.parent for place in places)}
    for other in [*root.glob("*"), *root.glob("*/*")]:
        if other.is_dir() and other not in kept:
            shutil.rmtree(other)
    return len(places)


def _play(piece: _Piece, font: Soundfont, place: Path, sources: list[str]) -> None:
    """Write each source of a piece as a flac file, all with one gain, so that neither they nor their sum clip."""
    score = piece.score()
    font.check(score, piece.path)
    place.mkdir(parents=True)
    with stored.scratch(place) as folder:
        waves = [stored.Wave(folder / name, channels=2).extend(font.play(score, name)) for name in sources]
        sums = (np.sum(parts, axis=0) for parts in zip(*(wave.pieces() for wave in waves), strict=True))
        loudest = max(*(float(np.abs(part).max()) for part in sums), *(wave.loudest for wave in waves))
        gain = np.float32(min(1, _LOUDEST / max(loudest, _LOUDEST)))
        for name, wave in zip(sources, waves, strict=True):
            with soundfile.SoundFile(place / f"{name}.flac", "w", RATE, 2, "PCM_16") as file:
                for part in wave.pieces():
                    file.write(gain * part)
