"""Recordings of several lengths, separated and scored by the workflow: memory, and time over the recording's own.

The recording is noise in stereo: neither time nor memory depends on the sound. Priors that are not trained yet are
trained first.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

RATE = 44100
PROGRAMS = ("separate_recording", "score_recording")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10, 60], help="lengths of the recordings")
    parser.add_argument("--scale", default="smoke", help="whose priors and settings; or `shipped`")
    parser.add_argument("--dataset", default="demo_band")
    parser.add_argument("--programs", nargs="+", default=PROGRAMS, choices=PROGRAMS)
    arguments = parser.parse_args()
    print("| program | minutes | GiB | time over the recording's |\n|---|---|---|---|")
    for minutes in arguments.minutes:
        with tempfile.TemporaryDirectory() as folder:
            song = Path(folder) / f"noise of {minutes:g} minutes.wav"
            write(song, round(60 * minutes))
            for program in arguments.programs:
                seconds, memory = measure(song, program, arguments.scale, arguments.dataset)
                print(f"| {program} | {minutes:g} | {memory:.2f} | {seconds / 60 / minutes:.3g} |", flush=True)


def write(path: Path, seconds: int) -> None:
    """A wav in stereo, a second at a time."""
    random = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 2, subtype="PCM_16") as file:
        for _ in range(seconds):
            file.write(0.1 * random.normal(size=(RATE, 2)))


def measure(song: Path, program: str, scale: str, dataset: str) -> tuple[float, float]:
    """Seconds of the job, and the largest memory in GiB, as its log says."""
    from audiopriors.audio import roots

    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--forcerun", program, "--quiet", "all", "--"]
    target = f"{dataset}_{program.replace('recording', 'file')}"
    command.append(target if scale == "shipped" else f"{scale}_{target}")
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"AUDIOPRIORS_FILE": str(song)})
    clock, log = (only(ROOT / "results" / scale / kind / program / dataset, roots.short_name(song))
                  for kind in ("benchmarks", "logs"))  # fmt: skip
    (row,) = csv.DictReader(clock.open(), delimiter="\t")
    (memory,) = re.findall("at most ([0-9]+) MB of memory", log.read_text())
    return float(row["s"]), int(memory) * 1e6 / 2**30


def only(folder: Path, name: str) -> Path:
    """The one file below a folder whose path has that name."""
    (path,) = [path for path in folder.rglob("*.*") if name in str(path) and path.is_file()]
    return path


if __name__ == "__main__":
    main()
