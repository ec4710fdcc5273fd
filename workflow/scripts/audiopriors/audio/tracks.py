"""The tracks of a data set: found below its root (MUSDB18's two layouts, or a folder a track), and dealt to splits."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import UserError
from ..seeds import numpy_generator
from . import roots
from .recordings import AUDIO, MIXTURE, MUSDB_SOURCES, BrokenTrack, Track, folder_reader, stem_reader

log = logging.getLogger(__name__)


def find(layout: str, root: Path, sources: list[str]) -> list[Track]:
    """The tracks below `root`, sorted by split and name.

    Raises
    ------
    UserError: the root holds no track of that layout.
    """
    tracks = list((_musdb_tracks if layout == "musdb18" else _folder_tracks)(root, sources))
    if not tracks:
        raise UserError(f"the folder {str(root)!r} has no tracks in it; {_wanted(layout, sources)}")
    return tracks


def _wanted(layout: str, sources: list[str]) -> str:
    if layout == "musdb18":
        return roots.ACCESS
    return f"each track is a folder with one file per source ({', '.join(sources)}; {' or '.join(AUDIO)})"


def _musdb_tracks(root: Path, sources: list[str]) -> Iterator[Track]:
    all_of_them = set(sources) == set(MUSDB_SOURCES)
    for split in ("train", "test"):
        for path in sorted((root / split).glob("*.stem.mp4")):
            yield Track(path.name.removesuffix(".stem.mp4"), split, path, stem_reader(path), all_of_them)
    if (root / "train").is_dir() or (root / "test").is_dir():
        for track in _folder_tracks(root, sources):  # MUSDB18-HQ
            yield replace(track, has_mixture=all_of_them)


def _folder_tracks(root: Path, sources: list[str]) -> Iterator[Track]:
    splits: list[str | None] = [split for split in ("train", "validation", "test") if (root / split).is_dir()]
    for split in splits or [None]:
        for path in sorted((root / split if split else root).iterdir()):
            files = {file.stem: file for file in sorted(path.glob("*")) if file.suffix.lower() in AUDIO}
            if files.keys() & set(sources):
                of_these = MIXTURE in files and files.keys() <= {MIXTURE, *sources}
                yield Track(path.name, split, path, folder_reader(path, files), of_these)
            elif path.is_dir() and not path.name.startswith("."):
                log.warning("%s has no file of a source and is left out", path)


@contextmanager
def skipping(skip: bool, skipped: list[str]):
    """A context for reading a track. If `skip` is set, a broken one is added to `skipped`; else it is an error."""
    try:
        yield
    except BrokenTrack as problem:
        if not skip:
            raise BrokenTrack(f"{problem} (or set `skip_broken: true` to go on without this track)") from problem
        log.warning("left out: %s", problem)
        skipped.append(str(problem))


def assign_splits(tracks: list[Track], validation: int, test: int, seed: tuple) -> dict[str, str]:
    """The split of each track, by key. Where a folder names the split, that is taken.

    Of the other tracks, `test` are drawn for testing and the rest is for training. If no folder says validation,
    `validation` tracks are drawn from those for training.

    Raises
    ------
    UserError: a split would have no track.
    """
    split = {track.key: track.split or "" for track in tracks}
    drawn = numpy_generator(*seed, "test").permutation([key for key in split if not split[key]])
    split |= {str(key): "test" if place < test else "train" for place, key in enumerate(drawn)}
    if "validation" not in split.values():
        drawn = numpy_generator(*seed, "validation").permutation([key for key in split if split[key] == "train"])
        split |= dict.fromkeys(map(str, drawn[:validation]), "validation")
    missing = [name for name in ("train", "validation", "test") if name not in split.values()]
    if missing:
        raise UserError(
            f"no track is left for {' and '.join(missing)}: there are {len(tracks)} tracks; change `validation` and "
            "`test` in the data set's settings, or add tracks"
        )
    return split
