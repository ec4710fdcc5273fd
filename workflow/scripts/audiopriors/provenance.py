"""Records of how each table was made, as JSON beside it, and a check that results are still as they were written."""

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
from collections.abc import Iterator
from pathlib import Path

from . import files, runtime
from .errors import UserError
from .files import rows_made_on, write_bytes

# The workflow sets this variable: {scale: [path of its whole configuration, SHA-256, seed, replicates]}, as JSON.
VARIABLE = "AUDIOPRIORS_CONFIGURATIONS"


def sha256(path: str | Path) -> str | None:
    """SHA-256 of a file's content, as sha256sum gives it; None if there is no such file."""
    return files.sha256(path) if Path(path).is_file() else None


def beside(path: str | Path) -> Path:
    """The path of a table's record."""
    return Path(path).with_suffix(".json")


def write(path: str | Path, *content: bytes) -> None:
    """Write a table, of one piece or several, and beside it a record of how it was made.

    The record has the keys sha256 (of the content), command, inputs (path: SHA-256), config (file, sha256, seed,
    seeds), code (commit, and changed: whether files of the repository differ from it), packages, python, machine, and
    devices (on which the table's rows were computed). A value that cannot be known is null.
    """
    total = hashlib.sha256()
    for piece in content:
        total.update(piece)
    record = {
        "sha256": total.hexdigest(),
        "command": [Path(sys.executable).name, *runtime.current.command],
        "config": _configuration(path),
        **_of_run(),
    }
    write_bytes(beside(path), (json.dumps(record, indent=1) + "\n").encode())  # first: no table without its record
    try:
        write_bytes(path, *content)
    except OSError:
        beside(path).unlink()  # nor a record without its table
        raise


def _of_run() -> dict:
    """The part of the record that is the same for every table of this call of a program."""
    run = runtime.current
    if run.record is None:
        run.record = _record(run)
    return run.record


def _record(run: runtime.Run) -> dict:
    return {
        "inputs": {name: sha256(name) for name in run.inputs},
        "code": code(),
        "packages": packages(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "devices": sorted({*([run.device] if run.computes else []), *_devices(run.inputs)}),
    }


def _configuration(path: str | Path) -> dict | None:
    """The configuration of the scale that the path names."""
    configurations = json.loads(os.environ.get(VARIABLE, "{}"))
    scale = next((part for part in Path(path).parts if part in configurations), None)
    return dict(zip(("file", "sha256", "seed", "seeds"), configurations[scale], strict=True)) if scale else None


def code() -> dict | None:
    """The repository's commit, and whether its files differ from it; None if this file is in no repository."""

    def git(*arguments: str) -> str:
        folder = Path(__file__).parent
        return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout

    try:
        git("ls-files", "--error-unmatch", __file__)  # an unpacked copy may lie in a repository of something else
        return {"commit": git("rev-parse", "HEAD").strip(), "changed": bool(git("status", "--porcelain").strip())}
    except (OSError, subprocess.CalledProcessError):
        return None


def packages() -> dict[str, str] | None:
    """Versions of the packages that the project depends on; None if the project is not installed."""
    try:
        needed = importlib.metadata.requires("audiopriors") or []
        names = [re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0] for one in needed]
        return {name: importlib.metadata.version(name) for name in names}
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices(names: list[str]) -> Iterator[str]:
    """The devices on which the rows of these files were computed."""
    for name in names:
        if name.endswith(".parquet"):
            yield rows_made_on(name)
        elif name.endswith(".csv") and beside(name).exists():
            yield from json.loads(beside(name).read_text())["devices"]


def problems(results: Path) -> list[str]:
    """Everything below results/SCALE that is not as it was written: one line a file, `altered`, `missing` or `stale`.

    Raises
    ------
    UserError: there is no list of checksums, as nothing was finished.
    """
    lists = sorted(results.glob("checksums*.txt"), key=lambda path: path.stat().st_mtime)  # the newest one counts
    if not lists:
        raise UserError(f"{results} has no checksums.txt: run `snakemake --cores all {results.name}` first")
    sums = {
        str(results / name): expected
        for listed in lists
        for expected, name in (line.split("  ", 1) for line in listed.read_text(encoding="utf-8").splitlines())
    }
    now = functools.cache(sha256)  # many records name the same rows
    lines = [
        f"{'altered' if Path(name).exists() else 'missing'}: {name}"
        for name, expected in sums.items()
        if now(name) != expected
    ]
    for path in sorted(path for where in ("tables", "figures", "files") for path in results.glob(f"{where}/**/*.csv")):
        record, table = beside(path), str(path)
        try:
            kept = json.loads(record.read_text(encoding="utf-8"))
            expected, inputs, configuration = kept["sha256"], kept["inputs"].items(), kept["config"]
        except FileNotFoundError:
            lines.append(f"missing: {record}")
            continue
        except (ValueError, KeyError, TypeError, AttributeError):
            lines.append(f"altered: {record}")
            continue
        if table not in sums and now(table) != expected:
            lines.append(f"altered: {table}")
        lines += [f"stale: {table} was made from another {name}" for name, was in inputs if now(name) != was]
        if configuration and now(configuration["file"]) != configuration["sha256"]:
            lines.append(f"altered: {configuration['file']}")
    return list(dict.fromkeys(lines))
