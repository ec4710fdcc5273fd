"""Where a table comes from, as a JSON beside it; and whether results are still what was written."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from . import runtime
from .files import rows_made_on, write_bytes

# Set by the workflow: {scale: [path of its whole configuration, SHA-256, seed, replicates]}, as JSON.
VARIABLE = "AUDIOPRIORS_CONFIGURATIONS"


def sha256(path: str | Path) -> str | None:
    """SHA-256 of a file's content, as sha256sum gives it; None if it is not there."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if Path(path).is_file() else None


def beside(path: str | Path) -> Path:
    """The record of a table."""
    return Path(path).with_suffix(".json")


def write(path: str | Path, content: bytes) -> None:
    """Write a table, and beside it how it was made.

    Keys: sha256 (of the content), command, inputs (path: SHA-256), config (file, sha256, seed, seeds), code (commit,
    changed: whether files of the repository differ from it), packages, python, machine, devices (on which the rows
    were computed that it is made of). What is not known is null.
    """
    made = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "command": [Path(sys.executable).name, *sys.argv],
        "config": _configuration(path),
        **_of_program(),
    }
    write_bytes(beside(path), (json.dumps(made, indent=1) + "\n").encode())  # first: no table without its record
    try:
        write_bytes(path, content)
    except OSError:
        beside(path).unlink()  # nor a record without its table
        raise


@functools.cache
def _of_program() -> dict:
    """What is the same for every table that this program writes."""
    inputs = runtime.input_files()
    return {
        "inputs": {name: sha256(name) for name in inputs},
        "code": code(),
        "packages": packages(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "devices": sorted({device for name in inputs for device in _devices(name)}),
    }


def _configuration(path: str | Path) -> dict | None:
    """The configuration of the scale in the path."""
    known = json.loads(os.environ.get(VARIABLE, "{}"))
    scale = next((part for part in Path(path).parts if part in known), None)
    return dict(zip(("file", "sha256", "seed", "seeds"), known[scale], strict=True)) if scale else None


def code() -> dict | None:
    """The commit of the repository, and whether its files differ from it; null outside of a repository."""

    def git(*arguments: str) -> str:
        folder = Path(__file__).parent
        return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout

    try:
        return {"commit": git("rev-parse", "HEAD").strip(), "changed": bool(git("status", "--porcelain").strip())}
    except (OSError, subprocess.CalledProcessError):
        return None


def packages() -> dict[str, str] | None:
    """Versions of what the project depends on; null where it is not installed."""
    try:
        needed = importlib.metadata.requires("audiopriors") or []
        names = [re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0] for one in needed]
        return {name: importlib.metadata.version(name) for name in names}
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices(name: str) -> list[str]:
    """On what the rows of a file were computed."""
    if name.endswith(".parquet"):
        return [rows_made_on(name)]
    if name.endswith(".csv") and beside(name).exists():
        return json.loads(beside(name).read_text())["devices"]
    return []


def problems(results: Path) -> list[str]:
    """What is no longer as it was written below results/SCALE: one line a file, `altered`, `missing` or `stale`.

    Raises
    ------
    FileNotFoundError: nothing was finished there, so there is no list of checksums.
    """
    lists = sorted(results.glob("checksums*.txt"))
    if not lists:
        raise FileNotFoundError(f"{results} has no checksums.txt: run `snakemake --cores all {results.name}` first")
    known = {
        str(results / name): expected
        for listed in lists
        for expected, name in (line.split("  ", 1) for line in listed.read_text(encoding="utf-8").splitlines())
    }
    now = functools.cache(sha256)  # many records name the same rows
    found = [
        f"{'altered' if Path(name).exists() else 'missing'}: {name}"
        for name, expected in known.items()
        if now(name) != expected
    ]
    for path in sorted([*results.glob("tables/**/*.json"), *results.glob("figures/*.json")]):
        table, made = str(path.with_suffix(".csv")), json.loads(path.read_text(encoding="utf-8"))
        if table not in known and now(table) != made["sha256"]:
            found.append(f"altered: {table}")
        found += [
            f"stale: {table} was made from another {name}"
            for name, expected in made["inputs"].items()
            if now(name) != expected
        ]
    return found
