"""How well the shipped priors of a band separate whole recordings that they were not made from.

Songs of the demo band with a seed of their own, and the real excerpt that the package stempeg contains, separated by
the console script. SI-SDR is that of the channels' mean, at the priors' rate; improvement is over the recording itself
as the estimate. Intervals are over songs.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from audiopriors import intervals
from audiopriors.audio import band, recordings, roots
from audiopriors.metrics import si_sdr
from audiopriors.shipped_priors import bundle

RATE = 44100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=12, help="of the demo band")
    parser.add_argument("--seconds", type=float, default=24.0, help="of each of them")
    parser.add_argument("--to", type=Path, help="a CSV of the table")
    arguments = parser.parse_args()
    one = bundle("demo_band")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for music, song, mixture, stems, rate in songs(arguments.songs, arguments.seconds):
            path = Path(folder) / f"{song}.wav"
            soundfile.write(path, mixture, rate, subtype="FLOAT")
            command = [sys.executable, "-m", "audiopriors", "separate", str(path), "--to", folder]
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            mix = mono(mixture, rate, one.card["rate"])
            for source, stem in zip(one.sources, stems, strict=True):
                truth, (wave, _) = mono(stem, rate, one.card["rate"]), soundfile.read(f"{folder}/wavs/{source}.wav")
                value, least = (si_sdr(each, truth).item() for each in (mono(wave, rate, one.card["rate"]), mix))
                rows.append((music, song, len(mixture) / rate, source, value, value - least))
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows, columns=["music", "song", "seconds", "source", "si_sdr", "improvement"])
    of_songs = table.groupby(["music", "song"], as_index=False, sort=False).mean(numeric_only=True)
    every = pd.concat([table, of_songs.assign(source="all")]).sort_values("music", ascending=False, kind="stable")
    summary = pd.DataFrame([described(*key, part) for key, part in every.groupby(["music", "source"], sort=False)])
    print(summary.to_markdown(index=False, floatfmt=".3g"))
    if arguments.to:
        arguments.to.parent.mkdir(parents=True, exist_ok=True)
        summary.to_csv(arguments.to, index=False, float_format="%.6g", lineterminator="\n")


def songs(number: int, seconds: float) -> Iterator[tuple[str, str, np.ndarray, list[np.ndarray], int]]:
    """Each song's kind, name, mixture (samples, channels), stems in the order of the sources, and rate in Hz."""
    for n in range(number):
        mixture, stems = band.song(("music of nobody's", n), seconds)
        yield "demo band, other songs", f"band {n}", mixture, list(stems), RATE
    song = recordings.recording(roots.real_song())
    (mixture, rate), *stems = (recordings.read(song, name) for name in (recordings.MIXTURE, *band.SOURCES))
    yield "a real song, 6 s", "real song", mixture, [stem for stem, _ in stems], rate


def mono(audio: np.ndarray, rate: int, to: int) -> torch.Tensor:
    """The channels' mean at another rate, (1, samples)."""
    return torch.from_numpy(recordings.resample(recordings.to_mono(np.asarray(audio, np.float32), "mean"), rate, to))[
        None
    ]


def described(music: str, source: str, part: pd.DataFrame) -> dict:
    """A row of the table."""
    low, high = intervals.mean(part["improvement"].to_numpy())
    return {
        "music": music, "source": source, "songs": len(part), "seconds": part["seconds"].mean(),
        "si_sdr_mean": part["si_sdr"].mean(),
        "improvement_mean": part["improvement"].mean(), "improvement_mean_low": low, "improvement_mean_high": high,
    }  # fmt: skip


if __name__ == "__main__":
    main()
