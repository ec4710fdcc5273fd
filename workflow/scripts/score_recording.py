"""Score a recording under every prior of a data set, frame by frame: mono, at the priors' rate.

The likelihood is also split over the time within each frame.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from audiopriors import files, likelihood, runtime
from audiopriors.audio import recordings
from audiopriors.audio.stored import scratch
from audiopriors.checkpoints import load_prior
from audiopriors.seeds import torch_generator
from audiopriors.tables import write

log = logging.getLogger(__name__)

PARTS = 64  # of a frame, each with its mean of log p; fewer in a long recording
MAPPED = 2**15  # parts of the whole recording, at most, where a frame has one at least


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--recording", "an audio file, or MUSDB18's .stem.mp4", type=Path)
    program.input("--priors", "in the order of the settings' `priors`", many=True)
    program.output("--output", "one row a prior and frame (CSV)", type=Path)
    program.output("--maps", "one row a prior and part of a frame (parquet)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    scores, maps, begun = [], [], time.monotonic()
    with scratch(arguments.output.parent) as folder:
        frames = Frames(arguments.recording, folder, settings)
        for number, (described, path) in enumerate(zip(settings["priors"], arguments.priors, strict=True), 1):
            prior = load_prior(path, expect={"prior_source": described["prior_source"]}).to(device)
            described = {"dataset": settings["dataset"], **described}
            measures, of_time = score(prior, frames, described["data_sigma"], settings, device)
            scores += [(described | {"measure": name}, values / frames.length) for name, values in measures.items()]
            start = frames.starts(of_time.shape[1])
            maps.append(pd.DataFrame({**described, "start": start, "value": of_time.flatten()}))
            left = (time.monotonic() - begun) * (len(arguments.priors) / number - 1)
            log.info("prior %d of %d: %s, %.0f s left", number, len(arguments.priors), path, left)
    tables = (
        pd.DataFrame({**described, "frame": frames.length, "start": frames.starts(), "level_db": frames.levels,
                      "value": values})
        for described, values in scores
    )  # fmt: skip
    write(tables, str(arguments.output))
    files.write_rows(pd.concat(maps, ignore_index=True), arguments.maps)


class Frames:
    """The recording's frames, one after the other, read from disk some at a time."""

    def __init__(self, path: Path, folder: Path, settings: dict):
        self.rate, self.length = settings["rate"], settings["frame"]
        self._at_once = max(1, settings["batch_samples"] // self.length)
        self._seed = settings["seed"]
        audio = recordings.opened(recordings.recording(path), recordings.MIXTURE)
        self._wave, samples = recordings.mono_wave(audio, folder / "mono", rate=self.rate, channel=settings["channel"])
        recordings.check_name(path, settings.get("recording"))
        log.info("%s lasts %.6g s: %d samples at %d Hz", path.name, samples / audio.rate, samples, audio.rate)
        self._count = len(self._wave) // self.length
        if not self._count:
            raise recordings.BrokenTrack(
                f"{path}: lasts {len(self._wave) / self.rate:.3g} s, but a frame of these priors lasts "
                f"{self.length / self.rate:.3g} s; give a longer recording"
            )
        self._gain = recordings.gain(self._wave.loudest)
        powers = torch.cat([frames.square().mean((1, 2)) for frames in self._clean()])
        self.levels = 10 * powers.clamp_min(1e-20).log10().numpy()

    def starts(self, parts: int = 1) -> np.ndarray:
        """When each of the frames' parts begins, in seconds."""
        return np.arange(self._count * parts) * self.length / parts / self.rate

    def _clean(self) -> Iterator[torch.Tensor]:
        """Batches (n, 1, frame)."""
        for start in range(0, self._count, self._at_once):
            stop = min(start + self._at_once, self._count)
            samples = self._wave.read(start * self.length, stop * self.length) * self._gain
            yield torch.from_numpy(samples).view(-1, 1, self.length)

    def noisy(self, sigma: str) -> Iterator[torch.Tensor]:
        """Batches (n, 1, frame), as training items are: with noise of one step of 16 bits, and the noise of sigma."""
        steps = torch_generator(*self._seed, "dequantise")
        noise = torch_generator(*self._seed, sigma)
        for frames in self._clean():
            yield likelihood.with_noise(recordings.dequantised(frames, steps), sigma, noise)


def score(prior, frames: Frames, sigma: str, settings: dict, device) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Every measure of the frames, each (frames,), and log p split over parts of each frame, (frames, parts)."""
    level, batch_samples = float(sigma), settings["batch_samples"]
    parts = min(PARTS, frames.length)
    while parts > 1 and parts * len(frames.levels) > MAPPED:
        parts //= 2
    measured, mapped = [], []
    for noisy in frames.noisy(sigma):
        measured.append(likelihood.measure(prior, noisy, level, batch_samples, device))
        of_time = np.full(noisy.shape[::2], np.nan)
        if "log_prob" in measured[0]:
            of_time = likelihood.maps(prior, noisy, level, batch_samples, device)
        mapped.append(likelihood.binned(of_time, parts))
    return {name: np.concatenate([one[name] for one in measured]) for name in measured[0]}, np.concatenate(mapped)


if __name__ == "__main__":
    runtime.run(main)
