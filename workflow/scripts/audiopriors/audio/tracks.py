"""The tracks of a data set: found below its root (MUSDB18's two layouts, or a folder a track), and dealt to splits."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..seeds import numpy_generator
from . import roots
from .recordings import MIXTURE, MUSDB_SOURCES, BrokenTrack, Track, folder_reader, stem_reader

log = logging.getLogger(__name__)

SPLIT_OF = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}
"The split that a folder is for, by its name in lower case; in the order in which tracks are listed."

LINK = "is a link to nothing; get what it stands for (of git-annex: `git annex get`), or remove it"
"What is wrong with a link without a target."


@dataclass(frozen=True)
class Stray:
    """What lies where a track should be, and cannot be one."""

    path: Path
    split: str | None
    "The split of the folder in which it lies, or that itself is one by its name; None if there is none."
    reason: str
    "What is wrong and what to do, as a sentence about the path."


def find(layout: str, root: Path, sources: list[str]) -> tuple[list[Track], list[Stray]]:
    """The tracks below `root`, sorted by split and name, and what lies among them and cannot be a track.

    Hidden files and folders are neither; nor are files that are no audio.

    Raises
    ------
    UserError: the root cannot be read, it holds no track of that layout, or two of its folders are for one split.
    """
    entries = list(_entries(layout, root, sources))
    tracks = [one for one in entries if isinstance(one, Track)]
    strays = [one for one in entries if isinstance(one, Stray)]
    if not tracks:
        raise UserError(f"the folder {str(root)!r} has no tracks in it; {_wanted(layout, sources)}{sentences(strays)}")
    # Splits are drawn in this order: all stem files come before all folders.
    return sorted(tracks, key=lambda track: track.path.is_dir()), strays


def stop_at(strays: list[Stray]) -> None:
    """Raise BrokenTrack, with a message that names all of them, if there are strays."""
    if strays:
        first, *others = strays
        advice = "(or set `skip_broken: true` to go on without what is no track)"
        raise BrokenTrack(f"{first.path}: {first.reason}{sentences(others)} {advice}")


def sentences(strays: list[Stray]) -> str:
    """What is wrong with each, to be added to a sentence."""
    return "".join(f"; {stray.path}: {stray.reason}" for stray in strays)


def _wanted(layout: str, sources: list[str]) -> str:
    if layout == "musdb18":
        return roots.ACCESS
    return f"each track is a folder with one file per source ({_files_of(sources)})"


def _files_of(sources: list[str]) -> str:
    return f"{', '.join(sources)}; {' or '.join(roots.AUDIO)}"


def _entries(layout: str, root: Path, sources: list[str]) -> Iterator[Track | Stray]:
    """Every track and every stray below the root."""
    try:
        inside = roots.visible(root)
    except OSError as error:
        raise UserError(f"{root}: {unreadable(error)}") from error
    folders = split_folders(inside)
    others = [path for path in inside if path not in folders.values()]
    for path in others:
        if path.name.lower() in SPLIT_OF:
            is_file = "is a file, but has the name of a split's folder; rename or remove it"
            reason = LINK if roots.is_link_to_nothing(path) else is_file
            yield Stray(path, SPLIT_OF[path.name.lower()], reason)
    others = [path for path in others if path.name.lower() not in SPLIT_OF]
    for split, folder in folders.items():
        yield from _of_split(layout, folder, split, sources)
    if folders:
        yield from _beside(others, list(folders.values()))
    elif layout == "folder":
        yield from _of_places(layout, others, None, sources)


def split_folders(inside: list[Path]) -> dict[str, Path]:
    """The folders of splits among what lies in the root, by their split."""
    folders: dict[str, Path] = {}
    for path in inside:
        split = SPLIT_OF.get(path.name.lower())
        if split and os.path.isdir(path) and folders.setdefault(split, path) != path:
            raise UserError(
                f"{folders[split]} and {path} are both for {split}; put all of their tracks into one of them"
            )
    return {split: folders[split] for split in SPLIT_OF if split in folders}


def _beside(paths: list[Path], folders: list[Path]) -> Iterator[Stray]:
    """What lies beside the folders of splits, and may hold tracks that none of them has."""
    names = " and ".join(folder.name for folder in folders)
    for path in paths:
        if roots.is_link_to_nothing(path):
            yield Stray(path, None, LINK)
        elif os.path.isdir(path) or path.suffix.lower() in roots.ALL_AUDIO:
            yield Stray(path, None, f"is in no split, as it lies beside {names}; move it into one of them or elsewhere")


def _of_split(layout: str, folder: Path, split: str, sources: list[str]) -> Iterator[Track | Stray]:
    """Every track and stray in the folder of a split."""
    try:
        inside = roots.visible(folder)
    except OSError as error:
        yield Stray(folder, split, unreadable(error))
        return
    entries = list(_of_places(layout, inside, split, sources))
    yield from entries or [Stray(folder, split, "has no tracks in it; add some, or remove this folder")]


def _of_places(layout: str, paths: list[Path], split: str | None, sources: list[str]) -> Iterator[Track | Stray]:
    """Every track and stray among the paths; of two tracks of one name, the second is a stray."""
    path_of: dict[str, Path] = {}
    for path in paths:
        entry = _entry(layout, path, split, sources)
        if isinstance(entry, Track):
            first = path_of.setdefault(entry.name, path)
            if roots.text(entry.name) != entry.name:
                entry = Stray(path, split, "has a name that is not in UTF-8; rename it")
            elif first != path:
                entry = Stray(path, split, f"has the same name as the track {first.name}; rename or remove one of them")
        if entry:
            yield entry


def _entry(layout: str, path: Path, split: str | None, sources: list[str]) -> Track | Stray | None:
    """The track or the stray that a path is; None of a file that is no audio."""
    if roots.is_link_to_nothing(path):
        return Stray(path, split, LINK)
    if os.path.isdir(path):
        return _folder_track(layout, path, split, sources)
    name = roots.name_of_stems(path.name)
    if layout == "musdb18" and name is not None:
        return Track(name, split, path, stem_reader(path), _is_musdb_mix(sources))
    if path.suffix.lower() in roots.ALL_AUDIO:
        kinds = "a .stem.mp4 or a folder" if layout == "musdb18" else "a folder"
        return Stray(path, split, f"is a file, but a track is {kinds} with a file per source ({_files_of(sources)})")
    return None


def _is_musdb_mix(sources: list[str]) -> bool:
    return set(sources) == set(MUSDB_SOURCES)


def _folder_track(layout: str, path: Path, split: str | None, sources: list[str]) -> Track | Stray:
    """The track that a folder holds."""
    try:
        inside = roots.visible(path)
    except OSError as error:
        return Stray(path, split, unreadable(error))
    files: dict[str, list[Path]] = {}
    for file in inside:
        if file.suffix.lower() in roots.AUDIO:
            files.setdefault(file.stem.lower(), []).append(file)
    if not files.keys() & set(sources):
        return Stray(path, split, f"holds no file of a source ({_files_of(sources)}); add them, or move this folder")
    is_mix = MIXTURE in files and files.keys() <= {MIXTURE, *sources}
    has_mixture = _is_musdb_mix(sources) if layout == "musdb18" else is_mix
    for source in [*sources, *([MIXTURE] if has_mixture else [])]:
        first, *others = files.get(source, [path])
        if others:
            return Stray(path, split, f"{first.name} and {others[0].name} are both {source}; remove one of them")
        if roots.is_link_to_nothing(first):
            return Stray(path, split, f"{first.name}: {LINK}")
    reader = folder_reader(path, {source: those[0] for source, those in files.items()})
    return Track(path.name, split, path, reader, has_mixture)


def unreadable(error: OSError) -> str:
    """What is wrong with a file or folder that cannot be read, and what to do."""
    return f"cannot be read ({error.strerror}); change who may read it, or move it elsewhere"


@contextmanager
def skipping(skip: bool, path: Path, split: str | None, left_out: list[Stray]):
    """A context for reading the track at `path`. If `skip` is set, a broken one goes to `left_out`, else it stops."""
    try:
        yield
    except BrokenTrack as problem:
        if not skip:
            raise BrokenTrack(f"{problem} (or set `skip_broken: true` to go on without this track)") from problem
        log.warning("left out: %s", problem)
        left_out.append(Stray(path, split, str(problem).removeprefix(str(path)).lstrip("/:, ")))


def check_folders_of_splits(cut: list[Track], left_out: list[Stray]) -> None:
    """Raise UserError if all that lies in the folder of a split was left out: tracks of others would take its place."""
    lost = {stray.split for stray in left_out if stray.split} - {track.split for track in cut}
    if lost:
        names = " and ".join(split for split in SPLIT_OF if split in lost)
        raise UserError(f"no track for {names} could be used{sentences(left_out)}")


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
