"""Shared by all tests: one thread, a finished smoke run in a copy of the repository, and a reduced workflow."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
torch.set_num_threads(1)


class Workplace:
    """A copy of the repository's tracked and new files, and the means to run Snakemake in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(
        self, *arguments: str, cores: int = 2, programs: Path = Path(sys.executable).parent, **options
    ) -> subprocess.CompletedProcess:
        """Run it; programs: the folder that has the `python` of its jobs."""
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]
        environment = os.environ | {"PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=1500, check=False, **options,
        )  # fmt: skip

    def planned(self, *arguments: str) -> dict[str, int]:
        """What a dry run would do: the number of jobs of each rule."""
        done = self.snakemake("--dry-run", *arguments)
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


class Reduced(Workplace):
    """A copy with one small scale: a chain of two trainings for each of two sources, evaluated, and their tables."""

    TARGET = "results/reduced/tables/toy/detection.csv"

    @classmethod
    def of(cls, repository: Workplace, folder: Path, gpu: int = 0) -> "Reduced":
        place = cls(repository.copy(folder).folder)
        path = place.folder / "config.yaml"
        config = yaml.safe_load(path.read_text())
        scale = config["scales"]["smoke"]
        kept = {"mixes": {"two": {"sources": ["sine", "saw"]}}, "runs": {"langevin_annealed": {"flowavenet": {}}}}
        config["datasets"] = {"toy": config["datasets"]["toy"] | kept | {"supervised": {"prior": "score", "mixes": []}}}
        scale["datasets"] = {
            "toy": {"sources": ["sine", "saw"], "frame": 256, "priors": ["flowavenet"], "published": [],
                    "settings": {"train": 64, "validation": 16, "test": 16}}
        }  # fmt: skip
        # Long enough to be caught, and saved all the time.
        slow = {"steps": 150, "save_seconds": 0.3}
        scale["families"]["flowavenet"]["training"] |= slow
        scale["families"]["flowavenet"]["finetune"] |= slow
        scale["resources"] |= {"gpu": gpu, "mem_mb": 1500, "longest_minutes": 15}
        config["scales"] = {"reduced": scale}
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return place

    def checksums(self) -> dict[str, str]:
        """Of every result but logs, clock times and records."""
        folder = self.folder / "results" / "reduced"
        files = [path for kind in ("csv", "parquet", "safetensors") for path in folder.rglob(f"*.{kind}")]
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}

    def leftovers(self) -> list[str]:
        """Files that a finished run should not leave."""
        return [str(path) for kind in ("tmp", "resume") for path in (self.folder / "results").rglob(f"*.{kind}")]


@pytest.fixture(scope="session")
def quiet(repository, tmp_path_factory) -> Reduced:
    """The reduced workflow, finished without a fault."""
    place = Reduced.of(repository, tmp_path_factory.mktemp("quiet") / "work")
    done = place.snakemake(Reduced.TARGET)
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(place.checksums()) == 1 + 2 * 2 * 2 + 2 + 4  # items, priors and losses, scores, tables
    return place
