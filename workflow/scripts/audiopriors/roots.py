"""Where recorded music lies; imports nothing heavy, so that the workflow can look before its first job."""

from __future__ import annotations

import os
from pathlib import Path

ACCESS = (
    "MUSDB18 is free for research: ask for access at https://zenodo.org/record/1117372, unpack it, and set `root` in "
    "the data set's settings, or MUSDB_PATH, to the folder that has `train` and `test`; the data set demo_band needs "
    "no access"
)


def root_of(root: str) -> Path | None:
    """The folder that is configured, or that of the variable MUSDB_PATH; None if neither is set."""
    root = root or os.environ.get("MUSDB_PATH", "")
    return Path(os.path.expanduser(root)) if root else None


def problem(layout: str, root: str) -> str | None:
    """One sentence on what is wrong with the root, None if it is a folder."""
    place = root_of(root)
    if place and place.is_dir():
        return None
    hint = ACCESS if layout == "musdb18" else "set `root` in the data set's settings to the folder of your tracks"
    return f"there is no folder {str(place)!r}; {hint}" if place else f"no folder of recordings is set; {hint}"
