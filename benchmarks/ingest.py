"""Ingest of recorded music, wav and .stem.mp4: how many times faster than real time, and how much memory."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

RATE = 44100
SOURCES = ["drums", "bass", "other", "vocals"]
LAYOUTS = ("HQ wav", ".stem.mp4")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="length of a song")
    parser.add_argument("--songs", type=int, nargs="+", default=[1, 6], help="sizes of the library")
    parser.add_argument("--ingest", type=Path, help=argparse.SUPPRESS)  # this program runs itself, to know its memory
    arguments = parser.parse_args()
    if arguments.ingest:
        print(json.dumps(ingest(arguments.ingest)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for layout in LAYOUTS:
            for songs in arguments.songs:
                root = Path(folder) / layout / str(songs)
                write(root / "train", layout, songs, int(arguments.seconds * RATE))
                command = [sys.executable, __file__, "--ingest", str(root)]
                done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                print(
                    f"{layout}, {songs} song(s) of {arguments.seconds:g} s: "
                    f"{songs * arguments.seconds / done['seconds']:.0f} times real time, {done['rss'] / 2**30:.2f} GiB"
                )


def ingest(root: Path) -> dict:
    """Seconds of work and the largest memory (bytes) of cutting every track below `root`, with one thread."""
    import torch
    from audiopriors.audio import decoding, recordings, tracks

    torch.set_num_threads(1)
    decoding.ffmpeg()
    started = time.perf_counter()
    for track in tracks.find("musdb18", root, SOURCES)[0]:
        recordings.cut(
            track, SOURCES, root / "frames", rate=16000, frame=16384, frames=150, channel="mean", seed=("benchmark",)
        )
    seconds = time.perf_counter() - started
    # Not getrusage, whose maximum begins with that of the program that started this one.
    status = Path("/proc/self/status").read_text()
    return {"seconds": seconds, "rss": 1024 * int(status.split("VmHWM:")[1].split()[0])}


def write(folder: Path, layout: str, songs: int, samples: int) -> None:
    """One song of noise, and links to it."""
    from audiopriors.audio import decoding

    folder.mkdir(parents=True)
    stems = 0.05 * np.random.default_rng(0).standard_normal((4, samples, 2), dtype=np.float32)
    audio = [stems.sum(0), *stems]
    if layout == "HQ wav":
        for number in range(songs):
            (folder / f"song {number}").mkdir()
            for name, wave in zip(["mixture", *SOURCES], audio, strict=True):
                file = folder / f"song {number}" / f"{name}.wav"
                if number:
                    os.link(folder / "song 0" / file.name, file)
                else:
                    soundfile.write(file, wave, RATE, subtype="PCM_16")
        return
    decoding.ffmpeg()
    import stempeg

    writer = stempeg.StreamsWriter(codec="aac", bitrate=256000, stem_names=["mixture", *SOURCES])
    stempeg.write_stems(str(folder / "song 0.stem.mp4"), np.stack(audio), RATE, writer)
    for number in range(1, songs):
        os.link(folder / "song 0.stem.mp4", folder / f"song {number}.stem.mp4")


if __name__ == "__main__":
    main()
