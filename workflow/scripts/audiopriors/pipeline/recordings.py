"""Recordings on disk, as the workflow sees them before its first job."""

from __future__ import annotations

import os
from pathlib import Path

from ..audio import roots
from ..errors import UserError
from . import paths
from .scale import DataSet


def are_needed(data: DataSet) -> bool:
    """Whether the data set is cut out of recordings that are not synthesised here."""
    return data.data["settings"].get("layout", "demo_band") != "demo_band"


def items(data: DataSet) -> Path:
    """The path of the data set's items."""
    return Path(paths.output("make_data", "data").format(scale=data.scale.name, dataset=data.name))


def check(data: DataSet) -> None:
    """Raise UserError if a data set's recordings are needed and missing, so that nothing begins without them."""
    if are_needed(data) and not items(data).exists():
        settings = data.data["settings"]
        problem = roots.problem(settings["layout"], settings["root"])
        if problem:
            raise UserError(f"data set {data.name}: {problem}")


def state(data: DataSet) -> str:
    """A digest of a data set's recordings; if they no longer exist, the digest of those that were cut."""
    if not are_needed(data):
        return ""
    root, kept = roots.root_of(data.data["settings"]["root"]), items(data).with_name(roots.STATE)
    if root and os.path.isdir(root):
        return roots.state(root)
    return kept.read_text(encoding="utf-8") if kept.exists() else ""


def path_of(name: str, file: str, *, for_cluster: bool) -> str:
    """The path of the recording called `name` in paths: the config's `file`, or the real song of every installation.

    for_cluster: whether a shell will read the path.

    Raises
    ------
    UserError: there is no such file, or it has another name.
    """
    if name == roots.REAL_SONG:
        return str(roots.real_song())
    # Snakemake gives its --config to a cluster's jobs in a line that a shell reads.
    if for_cluster and set(file) & set("$`\"'\\\n"):
        raise UserError(
            f"the recording {file!r} has a character of its name that a cluster's shell reads: link it under a plain "
            "name"
        )
    if not file:
        raise UserError("no recording is given: add --config file=PATH, such as --config file=song.wav")
    if name != roots.short_name(file):
        raise UserError(f"the recording {file!r} is called {roots.short_name(file)!r} here, not {name!r}")
    if not Path(file).is_file():
        raise UserError(f"there is no file {file!r}; give the path of a recording, such as song.wav")
    return file
