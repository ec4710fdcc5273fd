"""Shared by all tests: one thread, and a finished smoke run in a copy of the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
torch.set_num_threads(1)


class Workplace:
    """A copy of the repository's tracked and new files, and the means to run Snakemake in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(self, *arguments: str, cores: int = 2, **options) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=1500, check=False, **options,
        )  # fmt: skip

    def planned(self, *arguments: str) -> dict[str, int]:
        """What a dry run would do: the number of jobs of each rule."""
        done = self.snakemake(*arguments, "--dry-run")
        assert done.returncode == 0, done.stdout
        if "Nothing to be done" in done.stdout or "Job stats" not in done.stdout:
            return {}
        rows = done.stdout.split("Job stats:")[1].split("\n\n")[0].splitlines()[3:]
        return {name: int(count) for name, count in (row.split() for row in rows) if name != "total"}

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))

    def copy(self, to: Path) -> "Workplace":
        subprocess.run(["cp", "-a", str(self.folder), str(to)], check=True)
        return Workplace(to)


@pytest.fixture(scope="session")
def repository(tmp_path_factory) -> Workplace:
    """A fresh copy, nothing built."""
    folder = tmp_path_factory.mktemp("repository")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, text=True, capture_output=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return Workplace(folder)


@pytest.fixture(scope="session")
def smoke(repository, tmp_path_factory) -> Workplace:
    """A finished smoke run on two cores; do not change it, copy it."""
    place = repository.copy(tmp_path_factory.mktemp("smoke") / "work")
    done = place.snakemake("smoke")
    assert done.returncode == 0, done.stdout[-4000:]
    return place
