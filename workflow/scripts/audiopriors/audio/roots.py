"""Where recorded music lies. It imports nothing heavy, so the workflow can look before its first job."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from pathlib import Path

ACCESS = (
    "MUSDB18 is free for research: ask for access at https://zenodo.org/record/1117372, unpack it, and set `root` in "
    "the data set's settings, or MUSDB_PATH, to the folder that has `train` and `test`; the data set demo_band needs "
    "no access"
)


def root_of(root: str) -> Path | None:
    """The configured folder, or that of the variable MUSDB_PATH; None if neither is set."""
    root = root or os.environ.get("MUSDB_PATH", "")
    return Path(os.path.expanduser(root)) if root else None


def problem(layout: str, root: str) -> str | None:
    """One sentence on what is wrong with the root; None if it is a folder."""
    place = root_of(root)
    if place and place.is_dir():
        return None
    hint = ACCESS if layout == "musdb18" else "set `root` in the data set's settings to the folder of your tracks"
    return f"there is no folder {str(place)!r}; {hint}" if place else f"no folder of recordings is set; {hint}"


STATE = "recordings.sha256"  # beside the items: the state of the recordings from which they were cut


def state(root: Path) -> str:
    """SHA-256 over name and size of every audio file below the root. A copy or a new time stamp does not change it."""
    total = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix.lower() in (".wav", ".flac", ".mp4")):
        total.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode(errors="surrogateescape"))
    return total.hexdigest()


REAL_SONG = "real_song"


def real_song() -> Path:
    """The path of an excerpt (6 s) of a song of MUSDB18 with its stems, which the package stempeg contains."""
    # stempeg is not imported, as its import needs ffmpeg.
    spec = importlib.util.find_spec("stempeg")
    assert spec and spec.origin
    folder = Path(spec.origin).parent
    return sorted((folder / "data").glob("*.stem.mp4"))[0]


def short_name(path: str) -> str:
    """A recording's name in paths: its file name without suffix; characters other than A-Z a-z 0-9 - become _."""
    name = re.sub("[^A-Za-z0-9-]+", "_", Path(path).name.removesuffix(".stem.mp4").rsplit(".", 1)[0]).strip("_") or "_"
    return f"{name}_" if name == REAL_SONG else name
