"""Recordings on disk, as the workflow sees them before its first job."""

from __future__ import annotations

import os
from pathlib import Path

from ..audio import instruments, roots
from ..errors import UserError
from . import paths
from .scale import DataSet


def are_needed(data: DataSet) -> bool:
    """Whether the data set is cut out of recordings, or played from MIDI files, that are the user's."""
    return _layout(data) not in ("", "demo_band", "chorales")


def _layout(data: DataSet) -> str:
    """The layout of its tracks; empty if it has none."""
    return data.data["settings"].get("layout", "")


def items(data: DataSet) -> Path:
    """The path of the data set's items."""
    return Path(paths.output("make_data", "data").format(scale=data.scale.name, dataset=data.name))


def check(data: DataSet) -> None:
    """Raise UserError if what a data set is made from is needed and missing, so that nothing begins without it."""
    if items(data).exists():
        return
    settings, layout = data.data["settings"], _layout(data)
    problem = roots.missing_packages() if layout in ("chorales", "midi") else None
    if not problem and layout == "midi":
        problem = instruments.problem(settings["classes"], data.sources)
    if not problem and are_needed(data):
        problem = roots.problem(layout, settings["root"])
    if not problem and layout in ("chorales", "midi"):
        problem = roots.problem_of_soundfont(settings["soundfont"])
    if problem:
        raise UserError(f"data set {data.name}: {problem}")


def state(data: DataSet) -> str:
    """A digest of a data set's recordings and soundfont; if they no longer exist, of those that it was made from."""
    settings, kept = data.data["settings"], items(data).with_name(roots.STATE)
    parts = []
    if are_needed(data):
        root = roots.root_of(_layout(data), settings["root"])
        parts.append(roots.state(root, _layout(data)) if root and os.path.isdir(root) else "")
    if settings.get("soundfont"):
        font = roots.soundfont_of(settings["soundfont"])
        parts.append(roots.checksum(font) if font.is_file() else "")
    if not all(parts) and kept.exists():
        return kept.read_text(encoding="utf-8")
    return " ".join(parts)


# Variables that give the paths of recordings to a rule's program. A path on the command line is read by YAML, one in a
# rule by Snakemake, and on a cluster both by a shell.
FILE, SONG = "AUDIOPRIORS_FILE", "AUDIOPRIORS_REAL_SONG"
_OTHERWISE = f"a name that is not plain is given as a variable instead: {FILE}='Song #2.wav' snakemake ..."


def file_of(config: dict, *, first: bool) -> str:
    """The user's recording: the config's `file`, or the variable's; empty if there is none.

    first: whether the user started this process. In a job of a cluster, the config may have been through a shell.

    Raises
    ------
    UserError: YAML has made something else of the name.
    """
    file, variable = config.get("file"), os.environ.get(FILE, "")
    if file in (None, "") or (variable and not first):
        return variable
    if not isinstance(file, str):
        raise UserError(f"file: --config is read as YAML, which makes {file!r} of the name; {_OTHERWISE}")
    return file


def name_in_paths(file: str) -> str:
    """The name of the user's recording in paths; of one that does not exist, some name."""
    return roots.short_name(Path(file)) if os.access(file, os.R_OK) and Path(file).is_file() else "none"


def check_file(name: str, file: str, config: dict, *, for_cluster: bool) -> None:
    """Raise UserError if the recording called `name` in paths is not the user's, or cannot be read.

    for_cluster: whether a shell will read the config.
    """
    if name == roots.REAL_SONG:
        return
    if not file:
        raise UserError("no recording is given: add --config file=PATH, such as --config file=song.wav")
    if for_cluster and set(str(config.get("file") or "")) & set("$`\"'\\\n"):
        raise UserError(f"file: {file!r} has a character that a cluster's shell reads; {_OTHERWISE}")
    problem = roots.problem_of_recording(file)
    if problem:
        raise UserError(problem if os.path.exists(file) else f"{problem}; {_OTHERWISE}")
    if name != name_in_paths(file):
        raise UserError(f"the recording {file!r} is called {name_in_paths(file)!r} here, not {name!r}")
