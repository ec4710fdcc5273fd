"""Shared by all tests: one thread, a finished smoke run in a copy of the repository, and a reduced workflow."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
import warm_python

ROOT = Path(__file__).parents[1]
torch.set_num_threads(1)
os.environ.update(warm_python.THREADS)  # without them, a program that a test calls gets the real python
# Snakemake's plugin for Slurm asks `scontrol` at every start, which hangs while another worker's test of Slurm has
# killed its controller: only those tests know of that cluster.
os.environ["SLURM_CONF"] = os.devnull


REAL = Path(sys.executable).parent  # has the real `python`
PRIOR = "results/smoke/priors/toy/flowavenet/{}/{}/seed0.safetensors"
TABLES = [
    "cross_likelihood", "detection", "detection_summary", "classification", "separation", "acceptance",
    "gradient_norm", "truth_gap", "denoising", "posterior", "claims", "table_1", "table_2", "costs",
]  # fmt: skip

# Where two workers share the tests, what takes long comes first, and Slurm's waiting beside it.
ORDER = [
    "faults/test_slurm", "workflow/test_workflow", "workflow/test_devices", "workflow/test_recorded", "faults", "unit",
    "workflow",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests' files in that order; each file is on one worker (--dist loadfile in pyproject.toml)."""

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(ROOT / "tests").as_posix()
        return next(place for place, begin in enumerate(ORDER) if name.startswith(begin))

    items.sort(key=place)


class Workplace:
    """A copy of the repository's tracked and new files, and the means to run Snakemake in it."""

    programs = REAL  # has the `python` of Snakemake and of its jobs; the fixture `warm` sets another

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(
        self, *arguments: str, cores: int = 2, programs: Path | None = None, variables: dict[str, str] | None = None,
        **options,
    ) -> subprocess.CompletedProcess:  # fmt: skip
        """Run it; programs: the folder of another `python`. variables: of the environment, beside its own."""
        programs = programs or self.programs
        environment = os.environ | {"PATH": f"{programs}:{REAL}:{os.environ['PATH']}"} | (variables or {})
        return subprocess.run(
            [programs / "python", "-m", "snakemake", "--cores", str(cores), *arguments], cwd=self.folder,
            env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500, check=False,
            **options,
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


def default_signals() -> None:
    """To be run in a new process, as one that starts in the background of a script or by nohup ignores some signals."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def served() -> Iterator[Path]:
    """The folder of a `python` with torch and Snakemake loaded (warm_python.py), or of the real one if it fails."""
    folder = Path(tempfile.mkdtemp())  # a socket's path is short
    server = subprocess.Popen(
        [sys.executable, ROOT / "workflow/scripts/warm_python.py", folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=default_signals,
    )  # fmt: skip
    try:
        yield folder if server.stdout.readline() else REAL
    finally:
        server.communicate(timeout=60)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def warm():
    """The folder of a warm `python`, which Workplaces use from now on."""
    with served() as Workplace.programs:
        yield Workplace.programs
    Workplace.programs = REAL


def once(name: str, factory: pytest.TempPathFactory, build: Callable[[Path], None]) -> Path:
    """A folder that the first of pytest's workers to ask for it builds; the others wait until it is done."""
    base = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    folder, done = base / name, base / f"{name}.done"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one that failed
            build(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def chromium():
    """A browser without a window."""
    program = shutil.which("chromium")
    if not program:
        pytest.skip("there is no chromium here")
    with pytest.importorskip("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def repository(warm, tmp_path_factory) -> Workplace:
    """A fresh copy, nothing built; do not change it, copy it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, text=True, capture_output=True, check=True,
    )  # fmt: skip

    def build(folder: Path) -> None:
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    return Workplace(once("repository", tmp_path_factory, build))


def finished(name: str, target: str, repository: Workplace, factory: pytest.TempPathFactory) -> Workplace:
    """A copy with the results of one target; do not change it, copy it."""

    def build(folder: Path) -> None:
        place = repository.copy(folder)
        (folder / "imported").mkdir()
        done = place.snakemake(target, variables={"WARM_PYTHON_IMPORTED": str(folder / "imported")})
        assert done.returncode == 0, done.stdout[-4000:]

    return Workplace(once(name, factory, build))


@pytest.fixture(scope="session")
def smoke(repository, tmp_path_factory) -> Workplace:
    """A finished smoke run of the toy data, on two cores."""
    return finished("smoke", "smoke", repository, tmp_path_factory)


@pytest.fixture
def copied(smoke, tmp_path) -> Workplace:
    """A copy of the finished smoke run, to be changed."""
    return smoke.copy(tmp_path / "copy")


@pytest.fixture(scope="session")
def band(repository, tmp_path_factory) -> Workplace:
    """A finished smoke run of the demo band."""
    return finished("band", "smoke_demo_band", repository, tmp_path_factory)


@pytest.fixture(scope="session")
def fidelity(repository, tmp_path_factory) -> Workplace:
    """A finished smoke run of the data set `fidelity`; do not change it, copy it."""
    return finished("fidelity", "smoke_fidelity", repository, tmp_path_factory)


class Reduced(Workplace):
    """A copy with one small scale: a chain of two trainings for each of two sources, evaluated, and their tables."""

    TARGET = "results/reduced/tables/toy/detection.csv"

    @classmethod
    def of(cls, repository: Workplace, folder: Path, gpu: int = 0) -> "Reduced":
        place = cls(repository.copy(folder).folder)
        config, scales = (yaml.safe_load((place.folder / name).read_text()) for name in ("config.yaml", "scales.yaml"))
        scale = scales["scales"]["smoke"]
        kept = {"mixes": {"two": {"sources": ["sine", "saw"]}}, "runs": {"langevin_annealed": {"flowavenet": {}}}}
        config["datasets"] = {"toy": config["datasets"]["toy"] | kept | {"supervised": {}, "posteriors": {}}}
        scale["datasets"] = {
            "toy": {"sources": ["sine", "saw"], "frame": 256, "priors": ["flowavenet"], "published": [],
                    "settings": {"train": 64, "validation": 16, "test": 16}}
        }  # fmt: skip
        # Long enough to be caught, and saved all the time.
        slow = {"steps": 150, "save_seconds": 0.3}
        scale["families"]["flowavenet"]["training"] |= slow
        scale["families"]["flowavenet"]["finetune"] |= slow
        scale["resources"] |= {"gpu": gpu, "mem_mb": 1500, "longest_minutes": 15}
        contents = {"config.yaml": config, "scales.yaml": {"scales": {"reduced": scale}}, "claims.yaml": {"claims": []}}
        for name, content in contents.items():
            (place.folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
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
    """The reduced workflow, finished without a fault; do not change it, copy it."""

    def build(folder: Path) -> None:
        done = Reduced.of(repository, folder).snakemake(Reduced.TARGET)
        assert done.returncode == 0, done.stdout[-4000:]

    place = Reduced(once("quiet", tmp_path_factory, build))
    assert len(place.checksums()) == 1 + 2 * 2 * 2 + 2 * 2 + 4  # items, priors and losses, scores and errors, tables
    return place
