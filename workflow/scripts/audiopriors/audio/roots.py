"""Where recorded music lies. It imports nothing heavy, so the workflow can look before its first job."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

AUDIO = (".wav", ".flac")
"Suffixes of a track's files in a folder of its own."
ALL_AUDIO = (
    *AUDIO, ".mp4", ".m4a", ".mp3", ".ogg", ".opus", ".aac", ".wma", ".aif", ".aiff", ".caf", ".au", ".w64", ".wv",
    ".mka", ".webm", ".ape", ".tta", ".mp2",
)  # fmt: skip
"Suffixes of files that someone may take for a track, or a part of one."
SCORES = (".mid", ".midi")
"Suffixes of MIDI files."
_OF_THE_SYSTEM = ("__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information")

ACCESS = (
    "MUSDB18 is free for research: ask for access at https://zenodo.org/record/1117372, unpack it, and set `root` in "
    "the data set's settings, or MUSDB_PATH, to the folder that has `train` and `test`; the data set demo_band needs "
    "no access"
)


def root_of(layout: str, root: str) -> Path | None:
    """The configured folder, or, of recordings, that of the variable MUSDB_PATH; None if neither is set."""
    root = root or ("" if layout == "midi" else os.environ.get("MUSDB_PATH", ""))
    return Path(os.path.expanduser(root)) if root else None


def problem(layout: str, root: str) -> str | None:
    """One sentence on what is wrong with the root; None if it is a folder."""
    place = root_of(layout, root)
    what = "MIDI files" if layout == "midi" else "tracks"
    hint = ACCESS if layout == "musdb18" else f"set `root` in the data set's settings to the folder of your {what}"
    if place is None:
        return f"no folder of {'MIDI files' if layout == 'midi' else 'recordings'} is set; {hint}"
    if os.path.isdir(place):
        return None
    if os.path.isfile(place):
        return f"{str(place)!r} is a file, not a folder; {hint}"
    return f"there is no folder {str(place)!r}; {hint}"


def missing_packages() -> str | None:
    """One sentence on the packages that chorales and MIDI files need and that are not installed; None if all are."""
    missing = [
        name for name in ("mido", "music21", "pretty_midi", "tinysoundfont") if not importlib.util.find_spec(name)
    ]
    if not missing:
        return None
    what_to_do = "run `make .venv/.scores`, or install the group `scores` of pyproject.toml"
    return f"scores need {', '.join(missing)}, which this environment lacks; {what_to_do}"


def soundfont_of(path: str) -> Path:
    """The configured soundfont; if the path is empty, that of the package pretty_midi, which must be installed."""
    if path:
        return Path(os.path.expanduser(path))
    spec = importlib.util.find_spec("pretty_midi")
    assert spec and spec.origin
    return Path(spec.origin).with_name("TimGM6mb.sf2")


def problem_of_soundfont(path: str) -> str | None:
    """One sentence on what is wrong with the configured soundfont; None if there is such a file."""
    if soundfont_of(path).is_file():
        return None
    return f"there is no soundfont {str(soundfont_of(path))!r}; set `soundfont` in the data set's settings to one"


def visible(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, without hidden names and the folders that systems make for themselves.

    Raises
    ------
    OSError: the folder cannot be read.
    """
    # Listing `folder` alone would succeed where its names can be read, but none of its files.
    names = os.listdir(os.path.join(folder, "."))
    return sorted(folder / name for name in names if not name.startswith(".") and name not in _OF_THE_SYSTEM)


def is_link_to_nothing(path: Path) -> bool:
    """Whether the path is a link whose target is not there, as of git-annex before `get`."""
    return os.path.islink(path) and not os.path.exists(path)


def text(name: str) -> str:
    """A file's name as text that can be written: characters that are no UTF-8 become ?."""
    return name.encode(errors="replace").decode()


def name_of_stems(file: str) -> str | None:
    """The track's name of a .stem.mp4 of MUSDB18, whose suffix may be in capitals; None of any other file's name."""
    suffix = ".stem.mp4"
    return file[: -len(suffix)] if file.lower().endswith(suffix) else None


STATE = "recordings.sha256"  # beside the items: the state of the recordings from which they were cut
TRACKS = "tracks.json"  # beside the items: what each track is used for, or why it was left out
DEPTH = 3  # a track's file is at most SPLIT/TRACK/FILE below the root
DEPTH_OF_SCORES = 16  # folders of MIDI files may have any order


def state(root: Path, layout: str = "folder") -> str:
    """SHA-256 over the path and the content of every audio file of the tracks below the root, links followed.

    Of the layout `midi`, of every MIDI file instead.

    A copy or a new time stamp does not change it. The first time, every file is read: lines on stderr say how far.
    """
    total, kept, unsaved = hashlib.sha256(), _kept(), 0
    for path in scores(root) if layout == "midi" else _files(root, ALL_AUDIO, DEPTH):
        content = ""  # of what is a link to nothing, or cannot be read
        with contextlib.suppress(OSError):
            content, size = _checksum(path, kept)
            unsaved += size
        total.update(f"{path.relative_to(root)}\0{content}\0".encode(errors="surrogateescape"))
        if unsaved > SHOWN:
            print(f"reading the recordings below {root}, once: {path.relative_to(root)} is done", file=sys.stderr)
            _keep(kept)
            unsaved = 0
    if unsaved:
        _keep(kept)
    return total.hexdigest()


def scores(root: Path) -> Iterator[Path]:
    """Visible MIDI files below the root, sorted, and the folders among them."""
    return _files(root, SCORES, DEPTH_OF_SCORES)


def _files(folder: Path, suffixes: tuple[str, ...], depth: int) -> Iterator[Path]:
    """Visible files with these suffixes at most `depth` below a folder, and folders above them. Loops of links end."""
    try:
        inside = visible(folder)
    except OSError:
        yield folder
        return
    for path in inside:
        if os.path.isdir(path):
            if depth > 1 and not _is_above(path, folder):  # it may be a track, or should be
                yield path
                yield from _files(path, suffixes, depth - 1)
        elif path.suffix.lower() in suffixes:
            yield path


def _is_above(path: Path, folder: Path) -> bool:
    """Whether a path, which may be a link, is that folder or one above it."""
    return os.path.realpath(folder).startswith(os.path.join(os.path.realpath(path), "")) or os.path.samefile(
        path, folder
    )


CHECKSUMS = Path("results/recordings.json")  # {absolute path: [size, time of change, time of status, SHA-256]}
SHOWN = 2 * 10**9  # bytes that are read until a line of progress
SETTLED = 2 * 10**9  # ns; a file of that age has another time stamp when it is written again, on any disk


def checksum(path: str | Path) -> str:
    """SHA-256 of a file's content. It is kept in CHECKSUMS, and computed anew when size or times differ.

    Raises
    ------
    OSError: the file cannot be read.
    """
    kept = _kept()
    content, size = _checksum(path, kept)
    if size:
        _keep(kept)
    return content


def _checksum(path: str | Path, kept: dict) -> tuple[str, int]:
    """SHA-256 of a file's content, which is added to `kept`, and the bytes that were read for it."""
    place, status = os.path.realpath(path), os.stat(path)
    stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    entry = kept.get(place)
    if isinstance(entry, list) and entry[:-1] == stamp:
        return entry[-1], 0
    with open(place, "rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time_ns() - max(stamp[1:]) > SETTLED:
        kept[place] = [*stamp, content]
    return content, status.st_size


def _kept() -> dict:
    """The checksums that are kept; none if their file is not there or damaged."""
    try:
        kept = json.loads(CHECKSUMS.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(kept: dict) -> None:
    """Write checksums, the whole file or nothing. Where that is not possible, they are computed again next time."""
    temporary = CHECKSUMS.with_name(f"{CHECKSUMS.name}.{os.getpid()}.tmp")
    with contextlib.suppress(OSError):
        CHECKSUMS.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(json.dumps(_kept() | kept), encoding="utf-8")
            os.replace(temporary, CHECKSUMS)
        finally:
            temporary.unlink(missing_ok=True)


REAL_SONG = "real_song"


def real_song() -> Path:
    """The path of an excerpt (6 s) of a song of MUSDB18 with its stems, which the package stempeg contains."""
    # stempeg is not imported, as its import needs ffmpeg.
    spec = importlib.util.find_spec("stempeg")
    assert spec and spec.origin
    folder = Path(spec.origin).parent
    return sorted((folder / "data").glob("*.stem.mp4"))[0]


def problem_of_recording(path: str | Path) -> str | None:
    """One sentence on why there is no recording at that path to be read; None if there is one."""
    if not os.path.exists(path):
        return f"there is no file {str(path)!r}; give the path of a recording, such as song.wav"
    if not os.path.isfile(path):
        return f"{str(path)!r} is a folder; give the path of a recording, such as song.wav"
    if not os.access(path, os.R_OK):
        return f"the file {str(path)!r} cannot be read; make it readable"
    return None


def short_name(path: Path) -> str:
    """A recording's name in paths: its file name without suffix, with _ for all but A-Z a-z 0-9 -, and 8 digits.

    The digits are of its whole name and content, so no two recordings share a name.
    """
    plain = re.sub("[^A-Za-z0-9-]+", "_", name_of_stems(path.name) or path.stem).strip("_") or "_"
    whole = hashlib.sha256(os.fsencode(path.name) + checksum(path).encode())
    return f"{plain[:100]}-{whole.hexdigest()[:8]}"
