"""What a user gets wrong or a machine does not have: one sentence, and the same command goes on."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PRIOR, REAL

ITEMS = "results/smoke/data/toy/items.parquet"  # the cheapest target


def test_config_typo_stops_before_any_job(copied):
    copied.edit("scales.yaml", "test_items: 8,", "test_itmes: 8, gradient_itmes: 4,")
    done = copied.snakemake("smoke")
    assert done.returncode != 0
    assert "config.yaml, scales.yaml, claims.yaml cannot be used" in done.stdout
    for key in ("test_itmes", "gradient_itmes"):
        assert f"(scale smoke) evaluation.{key}: unknown key; allowed: test_items, " in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("harm", ["truncated", "other"])
def test_broken_or_foreign_checkpoint(copied, harm):
    path = copied.folder / PRIOR.format("sine", "0.129")
    content = path.read_bytes()
    other = (copied.folder / PRIOR.format("saw", "0.129")).read_bytes()
    path.write_bytes(content[:-10] if harm == "truncated" else other)
    scores = copied.folder / "results/smoke/likelihood/toy/flowavenet/sine/seed0.parquet"
    done = copied.snakemake("--forcerun", "evaluate_prior", "--", str(scores.relative_to(copied.folder)))
    sentence = (
        "not a whole checkpoint" if harm == "truncated" else "is a prior with prior_source 'saw', but 'sine' was asked"
    )
    log = (copied.folder / "results/smoke/logs/evaluate_prior/toy/flowavenet/sine/seed0.log").read_text()
    assert done.returncode != 0
    assert sentence in log and path.name in log and "delete it and run again" in log and "Traceback" not in log


def test_loss_nan(repository, tmp_path):
    place = repository.copy(tmp_path / "nan")
    place.edit(
        "scales.yaml", "steps: 10, batch: 4, learning_rate: 2.0e-3", "steps: 10, batch: 4, learning_rate: 1.0e+30"
    )
    done = place.snakemake(PRIOR.format("sine", "0"))
    log = (place.folder / "results/smoke/logs/train_prior/toy/flowavenet/sine/0/seed0.log").read_text()
    assert done.returncode != 0
    assert (
        "error: the loss is" in log and "at step" in log and "training.learning_rate" in log and "Traceback" not in log
    )
    assert log.splitlines()[-1] in done.stdout  # the user sees it without looking for the log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_full_disk_on_a_small_mount(copied, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount")
    try:
        (small / "filler").write_bytes(b"x" * 60 * 1024)
        done = subprocess.run(
            [sys.executable, str(copied.folder / "workflow/scripts/combine_tables.py"), "--settings", "{}", "--tables",
             str(copied.folder / "results/smoke/tables/toy/detection.csv"), "--outputs",
             str(small / "a.csv"), str(small / "a.md")],
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "the disk is full; free some space and run again" in done.stderr and "Traceback" not in done.stderr
        assert [path.name for path in small.iterdir()] == ["filler"]
    finally:
        subprocess.run(["umount", str(small)], check=False)


def test_folder_that_cannot_be_written(copied):
    """A file where a folder should be: the same for root, whom permissions do not stop."""
    blocked = copied.folder / "blocked"
    blocked.write_text("")
    done = subprocess.run(
        [sys.executable, str(copied.folder / "workflow/scripts/table_2.py"), "--settings", '{"priors": {}}',
         "--output", str(blocked / "table.csv")],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "error: " in done.stderr and str(blocked) in done.stderr


@pytest.fixture(scope="module")
def visited(repository, tmp_path_factory):
    """A copy with a link to the environment, and a `python` that is no interpreter in it and in a folder `other`."""
    place = repository.copy(tmp_path_factory.mktemp("visited") / "place")
    (place.folder / ".venv").symlink_to(REAL.parent)
    for folder in (place.folder, place.folder / "other"):
        folder.mkdir(exist_ok=True)
        (folder / "python").write_text("#!/bin/sh\necho the wrong python\nexit 1\n")
        (folder / "python").chmod(0o755)
    return place


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ([".venv/bin/snakemake"], "/usr/bin:/bin"),  # where there may be no `python` at all
        ([str(REAL / "snakemake")], "{place}/other:{real}:/usr/bin:/bin"),
        ([".venv/bin/python", "-m", "snakemake"], ":/usr/bin:/bin"),  # the `python` of this folder
        ([str(REAL / "python"), "-m", "snakemake"], None),
    ],
)
def test_jobs_run_the_interpreter_that_runs_snakemake(visited, command, path):
    environment = {"HOME": os.environ["HOME"]}
    if path is not None:
        environment["PATH"] = path.format(place=visited.folder, real=REAL)
    done = subprocess.run(
        [*command, "--cores", "1", "--force", "--", ITEMS], cwd=visited.folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "1 of 1 steps" in done.stdout, done.stdout


CONDA = r"""#!/bin/sh
case "$*" in
    *info*) echo '{"conda_prefix": "BASE", "platform": "linux-64"}' ;;
    *config*) echo '{"get": {"channel_priority": "strict"}}' ;;
    *--version*) echo "conda 25.1.0" ;;
    *create*)
        for last; do true; done
        mkdir -p "$last/bin"
        printf '#!/bin/sh\ntouch BASE/used\nexec INTERPRETER "$@"\n' > "$last/bin/python"
        chmod +x "$last/bin/python" ;;
esac
"""


def test_with_conda_jobs_run_the_python_of_its_environment(visited, tmp_path):
    """Conda is imitated: it puts an environment's folder in the place that the folder of its own has on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "conda").write_text(CONDA.replace("BASE", str(tmp_path)).replace("INTERPRETER", f"{REAL}/python"))
    (programs / "conda").chmod(0o755)
    (programs / "activate").write_text(f'own=\'{programs}\'\nPATH="${{PATH/"$own"/$1/bin}}"\n')
    done = subprocess.run(
        [REAL / "snakemake", "--cores", "1", "--sdm", "conda", "--force", "--", ITEMS], cwd=visited.folder, text=True,
        env={"HOME": os.environ["HOME"], "PATH": f"{programs}:/usr/bin:/bin"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and (tmp_path / "used").exists(), done.stdout


@pytest.mark.parametrize("name", ["-a b's clone é", "#1; (50 %) *?[a]~&!", "two\nlines"])
def test_a_folder_of_any_name(repository, tmp_path, name):
    place = repository.copy(tmp_path / name)
    for arguments in ([], ["--force", "--groups", "make_data=one"]):  # a group gets a Snakemake of its own, as on Slurm
        done = place.snakemake(*arguments, "--", ITEMS)
        assert done.returncode == 0 and "1 of 1 steps" in done.stdout, done.stdout


@pytest.mark.parametrize("name", ["with {scale}", "{x", "x}", 'a "b"', "$HOME", "`exit`", "a\\b"])
def test_a_folder_whose_name_stops_snakemake_is_refused_before_any_job(repository, tmp_path, name):
    place = repository.copy(tmp_path / name)
    done = place.snakemake("--", ITEMS)
    assert done.returncode == 1 and "Traceback" not in done.stdout and not (place.folder / "results").exists()
    refused = " ".join(character for character in '{}"$`\\' if character in name)
    assert f"{place.folder}: Snakemake cannot run jobs where a folder's path has {refused} in it" in done.stdout


def test_a_report_where_the_locale_has_another_encoding(copied):
    ascii_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = copied.snakemake("--force", "--", "results/smoke/report.html", variables=ascii_locale)
    assert done.returncode == 0, (copied.folder / "results/smoke/logs/report/report.log").read_text()


def test_killed_workflow_continues(smoke, repository, tmp_path):
    """kill -9 of Snakemake itself leaves a lock: unlock, then the same command rebuilds correctly (README)."""
    place = repository.copy(tmp_path / "killed")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    target = PRIOR.format("sine", "0.129")
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", target], cwd=place.folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    log = place.folder / "results/smoke/logs/train_prior/toy/flowavenet/sine/0/seed0.log"
    while process.poll() is None and not log.exists():
        time.sleep(0.02)
    os.killpg(process.pid, 9)
    process.wait()
    locked = place.snakemake(target)
    assert locked.returncode != 0 and "--unlock" in locked.stdout
    assert place.snakemake("--unlock").returncode == 0
    assert place.snakemake("--rerun-incomplete", target).returncode == 0
    assert (place.folder / target).read_bytes() == (smoke.folder / target).read_bytes()
