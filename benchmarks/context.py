"""Whole test songs, separated frame by frame, in long frames, and with the channels of long frames as one.

A Markdown table. Improvement: of SI-SDR, the mean over songs, channels and sources that sound. Another is nearer: how
often, in windows of one frame in which every source sounds, another source's estimate is nearer to a source than its
own. Deviation: of the improvement over these windows. s/s: seconds of one core for a second of a song. Priors, error
curves and songs are those that the workflow has put into results/SCALE.
"""

import argparse
import glob
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import soundfile
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
import separate_recording
from audiopriors import runtime
from audiopriors.audio import recordings
from audiopriors.audio.stored import Wave
from audiopriors.files import read_rows
from audiopriors.metrics import si_sdr
from audiopriors.pipeline import inputs, programs
from audiopriors.pipeline.scale import Scale
from audiopriors.separation import running, schedules
from full import ROOT, scale

WAYS = {  # frames that are separated together (None: as the scale says), and whether channels are
    "frame by frame, each channel": (1, False),
    "long frames, each channel": (None, False),
    "long frames, channels as one": (None, True),
}
SILENT = 1e-3  # root mean square, -60 dB: a source with less does not sound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="quick", help="whose priors, songs and settings")
    parser.add_argument("--dataset", default="demo_band", help="in MUSDB18-HQ's layout")
    parser.add_argument("--prior", help="by default the data set's for recordings")
    parser.add_argument("--method", help="likewise")
    parser.add_argument("--songs", type=int, default=100, help="at most so many test songs")
    parser.add_argument("--seconds", type=float, default=1e9, help="at most so much of each")
    parser.add_argument("--together", type=int, help="frames that are separated together, instead of the scale's")
    arguments = parser.parse_args()
    data = Scale(arguments.scale, scale(arguments.scale)).dataset(arguments.dataset)
    chosen = data.file | {key: vars(arguments)[key] for key in ("prior", "method") if vars(arguments)[key]}
    wildcards = SimpleNamespace(recording=None, **chosen)
    settings = programs.separate_recording(data, wildcards)
    device = runtime.prepare(1)
    priors = running.priors_of([str(ROOT / path) for path in inputs.priors_of_file(data, wildcards)], device)
    paths = inputs.errors_of_file(data, wildcards)
    curves = schedules.curves(read_rows([str(ROOT / path) for path in paths])) if paths else {}
    separate = running.sampler_of(settings["settings"], settings["mix"], priors, curves, device)
    folder = ROOT / "results" / arguments.scale / "data" / arguments.dataset / "songs" / "test"
    songs = [
        read(Path(song), settings, arguments.seconds) for song in sorted(glob.glob(f"{folder}/*/"))[: arguments.songs]
    ]
    print(f"{chosen['prior']}, {chosen['method']}; scale {arguments.scale}; {len(songs)} songs; {device}\n")
    print(
        "| way | SI-SDR improvement, dB | another is nearer | deviation of windows, dB | s/s |\n|---|---|---|---|---|"
    )
    for way, (together, as_one) in WAYS.items():
        changed = settings | {"together": together or arguments.together or settings["together"]}
        values = np.nanmean([measured(song, changed, separate, as_one) for song in songs], axis=0)
        print(f"| {way} | {values[0]:.2f} | {100 * values[1]:.1f} % | {values[2]:.2f} | {values[3]:.3g} |", flush=True)


def read(song: Path, settings: dict, seconds: float) -> torch.Tensor:
    """The sources and, last, their mix, (N + 1, C, T), at the priors' rate, with the gain of a recording."""
    waves = []
    for name in settings["mix"]["sources"]:
        audio, rate = soundfile.read(song / f"{name}.wav", dtype="float32", always_2d=True)
        audio = audio[: int(min(seconds * rate, len(audio)))]
        waves.append(np.stack([recordings.resample(channel, rate, settings["rate"]) for channel in audio.T]))
    waves = np.stack([*waves, sum(waves)])
    return torch.from_numpy(waves * np.float32(recordings.gain(np.abs(waves[-1]).max())))


def measured(song: torch.Tensor, settings: dict, separate, as_one: bool) -> tuple[float, float, float, float]:
    """The numbers of one row of the table, for one song (N + 1, C, T)."""
    truth, mix = song[:-1], song[-1]
    with tempfile.TemporaryDirectory() as name:
        waves = [Wave(Path(name) / f"mix-{number}").extend(iter([np.asarray(each)[:, None]]))
                 for number, each in enumerate(mix)]  # fmt: skip
        begun = time.process_time()
        separated = separate_recording.separated(settings, separate, waves, Path(name), [], as_one=as_one)
        seconds = time.process_time() - begun
        estimates = torch.tensor(
            np.stack([[wave.read(0, len(wave))[:, 0] for wave in channels] for channels in separated.values()])
        )
    improvement = (si_sdr(estimates, truth) - si_sdr(mix.expand_as(truth), truth))[sounding(truth)]
    # In windows: (N, C, windows, frame).
    estimates, windows, mixes = (
        wave.unfold(-1, settings["frame"], settings["frame"]) for wave in (estimates, truth, mix)
    )
    nearness = si_sdr(estimates[:, None], windows[None])  # of estimate j to source k: (N, N, C, windows)
    own = nearness.diagonal().movedim(-1, 0)
    sound = sounding(windows).all(0)  # (C, windows)
    other = (nearness.amax(0) > own)[:, sound].double().mean()
    deviation = (own - si_sdr(mixes.expand_as(windows), windows))[:, sound].std(1).mean()
    return improvement.mean().item(), other.item(), deviation.item(), seconds / (mix.shape[-1] / settings["rate"])


def sounding(truth: torch.Tensor) -> torch.Tensor:
    """Whether waves (..., T) sound at all: (...)."""
    return truth.square().mean(-1).sqrt() > SILENT


if __name__ == "__main__":
    main()
