"""Faults of the machine: whatever happens, a run that is started again ends in the bytes of one without faults."""

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors import files, registry
from audiopriors.audio import recordings
from audiopriors.checkpoints import CheckpointError, load_tensors, save_tensors
from conftest import REAL, Reduced

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
PLACES, KILLS = 2, 10  # of each place


def start(place: Reduced, *arguments: str, programs: Path = REAL, **environment: str) -> subprocess.Popen:
    """Snakemake in the background, in a process group of its own; programs: the folder of another `python`."""
    variables = os.environ | {"PATH": f"{programs}:{REAL}:{os.environ['PATH']}"} | environment
    return subprocess.Popen(
        [programs / "python", "-m", "snakemake", "--cores", "2", *arguments], cwd=place.folder, env=variables,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for_jobs(process: subprocess.Popen, place: Reduced) -> None:
    """Snakemake takes its lock right before the first job."""
    while process.poll() is None and not list((place.folder / ".snakemake/locks").glob("*")):
        time.sleep(0.05)


def test_killed_at_random_moments(repository, quiet, tmp_path):
    """SIGKILL of everything at once, as of a machine that loses its power; in two places side by side."""

    def killed_and_continued(seed: int) -> int:
        place, moments, complete = Reduced.of(repository, tmp_path / f"work {seed}"), random.Random(seed), 0
        for number in range(KILLS):
            process = start(place, "--rerun-incomplete", Reduced.TARGET)
            wait_for_jobs(process, place)
            try:
                output, _ = process.communicate(timeout=moments.uniform(0, 6))
                complete += 1
                assert process.returncode == 0, output[-3000:]
                assert place.checksums() == quiet.checksums()
                # Begin again, so that every kill hits something.
                place = Reduced.of(repository, tmp_path / f"work {seed} {number}")
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                place.snakemake("--unlock")
        done = place.snakemake("--rerun-incomplete", Reduced.TARGET)
        assert done.returncode == 0, done.stdout[-3000:]
        assert place.checksums() == quiet.checksums()
        return complete

    with ThreadPoolExecutor(PLACES) as places:
        assert sum(places.map(killed_and_continued, range(2020, 2020 + PLACES))) < PLACES * KILLS / 2


def test_two_runs_at_once(repository, quiet, tmp_path):
    place = Reduced.of(repository, tmp_path / "work")
    first = start(place, Reduced.TARGET, programs=place.programs)
    wait_for_jobs(first, place)
    second = place.snakemake("--rerun-incomplete", Reduced.TARGET)
    assert second.returncode != 0 and "cannot be locked" in second.stdout
    output, _ = first.communicate(timeout=900)
    assert first.returncode == 0, output[-3000:]
    assert place.checksums() == quiet.checksums()


@ROOT_ONLY
def test_full_disk_in_the_middle(repository, quiet, tmp_path):
    """A disk too small for the whole; after more room, the same command goes on. Logs lie on that disk too."""
    place = Reduced.of(repository, tmp_path / "work")
    results = place.folder / "results"
    results.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=150k", "tmpfs", results], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        done = place.snakemake("--keep-going", Reduced.TARGET)
        assert done.returncode != 0 and "Traceback" not in done.stdout
        subprocess.run(["mount", "-o", "remount,size=40m", results], check=True)
        done = place.snakemake("--rerun-incomplete", Reduced.TARGET)
        assert done.returncode == 0, done.stdout[-3000:]
        assert place.checksums() == quiet.checksums() and place.leftovers() == []
    finally:
        subprocess.run(["umount", results], check=False)


@ROOT_ONLY
def test_results_become_read_only_in_the_middle(repository, quiet, tmp_path):
    place = Reduced.of(repository, tmp_path / "work")
    results = place.folder / "results"
    results.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", results], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        process = start(place, Reduced.TARGET, programs=place.programs)
        while process.poll() is None and not list(results.rglob("*.resume")):
            time.sleep(0.05)
        while subprocess.run(["mount", "-o", "remount,ro", results], capture_output=True).returncode:
            time.sleep(0.01)  # busy
            assert process.poll() is None
        process.communicate(timeout=900)
        assert process.returncode != 0
        subprocess.run(["mount", "-o", "remount,rw", results], check=True)
        place.snakemake("--unlock")
        done = place.snakemake("--rerun-incomplete", Reduced.TARGET)
        assert done.returncode == 0, done.stdout[-3000:]
        assert place.checksums() == quiet.checksums()
    finally:
        subprocess.run(["umount", results], check=False)


def test_a_clock_that_jumps(repository, quiet, tmp_path):
    """The system's clock goes back a day in the middle, and then on by two (libfaketime); elapsed time does not."""
    library = next(Path("/usr/lib").rglob("libfaketimeMT.so.1"), None)
    if not library:
        pytest.skip("libfaketime is not installed")
    place, clock = Reduced.of(repository, tmp_path / "work"), tmp_path / "clock"
    clock.write_text("+0d")
    # Under libfaketime, Slurm's own program, which Snakemake's plugin asks at its start, may hang: this one does not.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/scontrol").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/scontrol").chmod(0o755)
    # On some machines its clock_nanosleep refuses every wait by the true monotonic clock; select waits without that.
    (tmp_path / "sitecustomize.py").write_text(
        "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
    )
    process = start(
        place, Reduced.TARGET, LD_PRELOAD=str(library), FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1",
        PATH=f"{tmp_path / 'bin'}:{REAL}:{os.environ['PATH']}", PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    priors = place.folder / "results/reduced/priors"
    for kind, jump in (("*.resume", "-1d"), ("*.safetensors", "+1d")):
        while process.poll() is None and not list(priors.rglob(kind)):
            time.sleep(0.1)
        assert process.poll() is None, process.communicate()[0][-3000:]
        clock.write_text(jump)
    output, _ = process.communicate(timeout=900)
    assert process.returncode == 0, output[-3000:]
    assert len(set(re.findall(r"^\[(\w{3} \w{3} +\d+) ", output, re.MULTILINE))) > 1  # the days that Snakemake saw
    assert place.checksums() == quiet.checksums()


def flipped(path: Path, place: int, bit: int = 3) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def test_a_flipped_bit_of_a_checkpoint_is_found(tmp_path):
    path = tmp_path / "prior.safetensors"
    described = {"sigma": "0.129", "steps": 100, "family": "flowavenet"}
    save_tensors(path, {"weight": torch.arange(6.0).view(2, 3), "scale": torch.ones(())}, described)
    assert load_tensors(path)[1] == described
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (0, 5):
            path.write_bytes(whole)
            flipped(path, place, bit)
            try:
                tensors, description = load_tensors(path)
            except CheckpointError as error:
                assert "prior.safetensors" in str(error) and "delete it and run again" in str(error)
            else:  # space in a header
                assert description == described and torch.equal(tensors["weight"], torch.arange(6.0).view(2, 3))


def test_a_flipped_bit_of_rows_is_found(tmp_path):
    path = tmp_path / "rows.parquet"
    rows = pd.DataFrame({"item": np.arange(300), "value": np.random.default_rng(0).normal(size=300)})
    files.write_rows(rows, path)
    whole, refused, places = path.read_bytes(), 0, range(0, path.stat().st_size, 7)
    for place in places:
        path.write_bytes(whole)
        flipped(path, place)
        try:
            pd.testing.assert_frame_equal(files.read_rows([path]), rows)  # a bit that says nothing
        except files.Damaged as error:
            refused += 1
            assert "rows.parquet: is damaged" in str(error) and "delete it and run again" in str(error)
    assert refused > 0.7 * len(places)


def test_programs_that_end_right_after_reading_rows_do_not_abort(tmp_path):
    """Threads of Arrow, if reading began any, would abort one in eight of them (apache/arrow#50482)."""
    path, scripts = tmp_path / "rows.parquet", Path(files.__file__).parents[1]
    files.write_rows(pd.DataFrame({name: range(2000) for name in "abcdefgh"}), path)
    begin = "import os, sys; sys.path.insert(0, sys.argv[1])"
    begin += "; import pyarrow.parquet as arrow; from audiopriors import files"
    read = "before = os.listdir('/proc/self/task'); {}; sys.exit(os.listdir('/proc/self/task') != before)"
    ours, arrows = "files.read_table(sys.argv[2])", "arrow.read_table(sys.argv[2])"
    for _ in range(3):
        pair = [subprocess.Popen([sys.executable, "-c", f"{begin}; {read.format(ours)}", scripts, path]) for _ in "ab"]
        assert [process.wait(60) for process in pair] == [0, 0]
    counted = subprocess.run([sys.executable, "-c", f"{begin}; {read.format(arrows)}", scripts, path], check=False)
    assert counted.returncode == 1  # so that threads would be seen


def test_a_flipped_bit_of_frames_is_found(tmp_path):
    """Anywhere in a file of frames, its header included; what is read is right, or the file is named."""
    config = registry.settings("data", "music", {
        "layout": "folder", "root": str(tmp_path / "root"), "rate": 8000, "channel": "mean", "frames": 3,
        "validation": 1, "test": 1, "silence_db": -60.0, "skip_broken": False, "songs": 0, "seconds": 0.0,
    })  # fmt: skip
    import soundfile

    for name in "abc":
        (tmp_path / "root" / name).mkdir(parents=True)
        for source in ("flute", "voice"):
            wave = 0.3 * np.random.default_rng(ord(name)).normal(size=2000)
            soundfile.write(tmp_path / "root" / name / f"{source}.wav", wave, 8000)
    music = registry.load("data", "music")
    index = tmp_path / "data" / "items.parquet"
    files.write_rows(music.make(config, ["flute", "voice"], (0,), index.parent, 64), index)

    def everything() -> torch.Tensor:
        data = music.Frames(str(index), config)
        items = torch.arange(data.count("test"))
        return torch.cat([data.frames("test", source, items, 64) for source in ("mixture", "flute", "voice")])

    right = everything()
    data = music.Frames(str(index), config)
    (path,) = {index.parent / "frames" / file for file, *_ in data._where["test"]}
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 5):
        for bit in (1, 4):
            path.write_bytes(whole)
            flipped(path, place, bit)
            try:
                assert torch.equal(everything(), right)  # a bit of the header that says nothing
            except files.Damaged as error:
                refused += 1
                assert path.name in str(error) and "remove it and" in str(error)
    assert refused > 0.8 * 2 * (len(whole) - 128) / 5
    path.unlink()
    index.unlink()
    files.write_rows(music.make(config, ["flute", "voice"], (0,), index.parent, 64), index)
    assert path.read_bytes() == whole and torch.equal(everything(), right)
    assert recordings.STORED.itemsize == 2


def test_a_damaged_checkpoint_stops_and_is_made_anew(quiet, tmp_path):
    place = Reduced(quiet.copy(tmp_path / "work").folder)
    prior = place.folder / "results/reduced/priors/toy/flowavenet/sine/0.129/seed0.safetensors"
    flipped(prior, prior.stat().st_size - 100)
    scores = "results/reduced/likelihood/toy/flowavenet/sine/seed0.parquet"
    done = place.snakemake("--forcerun", "evaluate_prior", "--show-failed-logs", "--", scores)
    assert done.returncode != 0 and "its checksum does not fit" in done.stdout and "Traceback" not in done.stdout
    prior.unlink()
    assert place.snakemake(scores, Reduced.TARGET).returncode == 0
    assert place.checksums() == quiet.checksums()


def test_a_damaged_state_of_a_training_is_discarded(repository, quiet, tmp_path):
    place = Reduced.of(repository, tmp_path / "work")
    target = "results/reduced/priors/toy/flowavenet/sine/0/seed0.safetensors"
    process, state = start(place, target), place.folder / f"{target}.resume"
    while process.poll() is None and not state.exists():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    flipped(state, state.stat().st_size // 2)
    place.snakemake("--unlock")
    done = place.snakemake("--rerun-incomplete", target)
    assert done.returncode == 0
    log = (place.folder / "results/reduced/logs/train_prior/toy/flowavenet/sine/0/seed0.log").read_text()
    assert "the saved state is discarded" in log and "its checksum does not fit" in log
    assert (place.folder / target).read_bytes() == (quiet.folder / target).read_bytes()


@pytest.mark.parametrize(
    "line",
    [
        "torch.empty(2**50)",
        "numpy.empty(2**50)",
        "bytearray(2**60)",
        "raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')",
    ],
)
def test_full_memory_is_one_sentence(line):
    code = f"""
import numpy, torch
from audiopriors import runtime
def main():
    {line}
runtime.run(main)
"""
    scripts = Path(files.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, text=True, capture_output=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("error: the memory, of the GPU or of this machine, is full")
    assert "evaluation.batch_samples" in done.stderr and done.stderr.count("\n") == 1


def test_no_byte_can_be_written(quiet, tmp_path):
    """A file size limit of zero is a disk without a byte left, as far as a writer can see."""
    place = Reduced(quiet.copy(tmp_path / "work").folder)
    (place.folder / Reduced.TARGET).unlink()

    def no_space():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    rows = sorted(map(str, (place.folder / "results/reduced/likelihood").rglob("*.parquet")))
    output = place.folder / "output"
    done = subprocess.run(
        [sys.executable, str(place.folder / "workflow/scripts/likelihood_tables.py"), "--settings",
         '{"frame": 256, "sources": ["sine", "saw"]}', "--measures", *rows,
         *(f"--{name}={output}/{name}.csv" for name in
           ("cross-likelihood", "detection", "classification", "gradient-norm"))],
        text=True, capture_output=True, check=False, preexec_fn=no_space,
    )  # fmt: skip
    assert done.returncode == 1 and "error: " in done.stderr and "Traceback" not in done.stderr
    assert not list(output.glob("*"))
