"""Score a recording under every prior of a data set, frame by frame: mono, at the priors' rate.

The likelihood is also split over the time within each frame.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from audiopriors import files, likelihood, runtime
from audiopriors.audio import recordings
from audiopriors.checkpoints import load_prior
from audiopriors.seeds import torch_generator
from audiopriors.tables import write

log = logging.getLogger(__name__)

PARTS = 64  # of a frame, each with its mean of log p


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--recording", "wav, flac, ogg, mp3 or .stem.mp4", type=Path)
    program.input("--priors", "in the order of the settings' `priors`", many=True)
    program.output("--output", "one row a prior and frame (CSV)")
    program.output("--maps", "one row a prior and part of a frame (parquet)")
    arguments = program.arguments()
    settings = arguments.settings
    rate, frame = settings["rate"], settings["frame"]
    device = runtime.prepare(settings["threads"])
    track = recordings.recording(arguments.recording)
    audio, from_rate = recordings.read(track, recordings.MIXTURE)
    wave = recordings.resample(recordings.to_mono(audio, settings["channel"]), from_rate, rate)
    wave = torch.from_numpy(wave * recordings.gain(wave))
    if len(wave) < frame:
        raise recordings.BrokenTrack(
            f"{arguments.recording}: lasts {len(wave) / rate:.3g} s, but a frame of these priors lasts "
            f"{frame / rate:.3g} s; give a longer recording"
        )
    frames = wave.unfold(0, frame, frame)[:, None]
    level = 10 * frames.square().mean((1, 2)).clamp_min(1e-20).log10().numpy()
    # As training items: with noise of one step of 16 bits, and the noise of the prior's sigma.
    frames = recordings.dequantised(frames, torch_generator(*settings["seed"], "dequantise"))
    parts, maps = [], []
    for number, (described, path) in enumerate(zip(settings["priors"], arguments.priors, strict=True), 1):
        prior = load_prior(path, expect={"prior_source": described["prior_source"]}).to(device)
        noisy = likelihood.test_noise(frames, described["data_sigma"], *settings["seed"])
        measures = likelihood.measure(prior, noisy, float(described["data_sigma"]), settings["batch_samples"], device)
        parts += [
            pd.DataFrame({
                "dataset": settings["dataset"], **described, "measure": name, "frame": frame,
                "start": np.arange(len(values)) * frame / rate, "level_db": level, "value": values / frame,
            })
            for name, values in measures.items()
        ]  # fmt: skip
        of_time = np.full(noisy.shape[::2], np.nan)
        if "log_prob" in measures:
            of_time = likelihood.maps(prior, noisy, float(described["data_sigma"]), settings["batch_samples"], device)
        of_time = likelihood.binned(of_time, PARTS)
        start = np.arange(of_time.size) * frame / of_time.shape[1] / rate
        columns = {"dataset": settings["dataset"], **described, "start": start, "value": of_time.flatten()}
        maps.append(pd.DataFrame(columns))
        log.info("prior %d of %d: %s", number, len(arguments.priors), path)
    write(pd.concat(parts, ignore_index=True), arguments.output)
    files.write_rows(pd.concat(maps, ignore_index=True), arguments.maps)


if __name__ == "__main__":
    runtime.run(main)
