"""What jobs find around them: their interpreter, and the names of the folders that they are in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ..errors import UserError

# Snakemake takes what is in braces in the path of a rule's environment as a wildcard. It writes a job's command that is
# too long for the system to a file in the working folder, and gives a shell its path between double quotes.
REFUSED = '{}"$`\\'


def check_folder(folder: Path) -> None:
    """Raise UserError if Snakemake cannot run jobs in that folder, or rules of that clone, because of its name."""
    refused = [character for character in REFUSED if character in str(folder)]
    if refused:
        raise UserError(
            f"{folder}: Snakemake cannot run jobs where a folder's path has {' '.join(refused)} in it, so rename the "
            "folder, or move the clone elsewhere"
        )


def set_interpreter_of_jobs(interpreter: str) -> None:
    """Change this process's PATH, which jobs inherit, to that of `path_of_jobs`."""
    os.environ["PATH"] = path_of_jobs(os.environ.get("PATH"), interpreter)


def path_of_jobs(path: str | None, interpreter: str) -> str:
    """The PATH with which the `python` of jobs is that interpreter.

    path: the PATH so far. It stays where its `python` is the interpreter, or runs it in a way of its own as that of
    warm_python.py does. Otherwise the interpreter's folder is put before it.
    """
    path = path or os.defpath
    python = shutil.which("python", path=path)
    if python and (_are_one(python, interpreter) or _are_one(_run_by(python), interpreter)):
        return path
    folder = os.path.dirname(interpreter)
    if os.pathsep in folder or not _are_one(os.path.join(folder, "python"), interpreter):
        raise UserError(
            f"jobs run `python`, and {folder} has none that is {interpreter}, which runs Snakemake; set up an "
            "environment with `make .venv/.ready`, and start its .venv/bin/snakemake"
        )
    return os.pathsep.join([folder, path])


def _are_one(python: str, other: str) -> bool:
    """Whether these paths are of one interpreter: one file in one folder, as environments share the file."""
    try:
        return os.path.samefile(python, other) and os.path.samefile(os.path.dirname(python), os.path.dirname(other))
    except OSError:
        return False


def _run_by(python: str) -> str:
    """The path of the interpreter that this `python` runs; empty if it is none."""
    command = [python, "-I", "-S", "-c", "import sys; print(sys.executable)"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return os.fsdecode(done.stdout).rstrip("\n")
