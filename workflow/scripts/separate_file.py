"""Separate a recording into one wav file per source, at its own rate, channels and length.

Each channel is separated on its own, in overlapping frames that are cross-faded. The priors know nothing above half of
their rate. What lies above, and what the estimates leave of the recording, is in rest.wav, so all files add up to it.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from audiopriors import metrics, pages, runtime
from audiopriors.audio import recordings
from audiopriors.files import read_rows, write_bytes
from audiopriors.seeds import torch_generator
from audiopriors.separation import overlap, schedules
from audiopriors.separation import running as separation
from audiopriors.tables import write
from scipy.io import wavfile

log = logging.getLogger(__name__)

LISTEN = 30  # seconds on the page


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--recording", "wav, flac, ogg, mp3 or .stem.mp4", type=Path)
    program.input("--priors", "trained priors of each source, at each sigma or at all; in any order", many=True)
    program.input("--errors", "the error curve of each source's prior, for a plan", many=True, required=False)
    program.output("--wavs", "a folder, SOURCE.wav and rest.wav (float)", type=Path)
    program.output("--levels", "the level of each source, and its SI-SDR, if known")
    program.output("--page", "HTML that plays them")
    arguments = program.arguments()
    settings = arguments.settings
    sources, frame = settings["mix"]["sources"], settings["frame"]
    device = runtime.prepare(settings["threads"])
    track = recordings.recording(arguments.recording)
    mix, rate = recordings.read(track, recordings.MIXTURE)
    curves = schedules.curves(read_rows(arguments.errors)) if arguments.errors else {}
    priors = separation.priors_of(arguments.priors, device)
    separate = separation.sampler_of(settings["settings"], settings["mix"], priors, curves, device)

    # As the frames that the priors were trained on: at most full scale, with noise of one step of 16 bits.
    gain = recordings.gain(mix)
    at_rate = resampled(mix * gain, rate, settings["rate"])
    above = mix - resampled(at_rate, settings["rate"], rate, len(mix)) / gain
    log.info(
        "%s: %.1f s at %d Hz, %d channel(s). The priors know what is below %g Hz: %.2g %% of the recording's energy is "
        "above, and goes into rest.wav",
        track.name, len(mix) / rate, rate, mix.shape[1], settings["rate"] / 2,
        100 * np.square(above).sum() / max(np.square(mix).sum(), 1e-20),
    )  # fmt: skip
    waves = torch.from_numpy(at_rate.T.copy())
    waves = recordings.dequantised(waves, torch_generator(*settings["seed"], "dequantise"))
    fade = round(settings["overlap"] * frame)
    frames = overlap.overlapping(waves, frame, fade)
    separated, *_ = separation.separate_all(
        separate, frames.reshape(-1, 1, frame), batch_samples=settings["batch_samples"], seed=settings["seed"]
    )
    if separated.stopped.any():
        log.info("%d of %d frames diverged and were left", separated.stopped.sum(), len(separated.stopped))
    joined = overlap.cross_faded(separated.estimates.reshape(len(sources), *frames.shape), waves.shape[1], fade)
    files = {
        source: resampled(part.T.numpy(), settings["rate"], rate, len(mix)) / gain
        for source, part in zip(sources, joined, strict=True)
    }
    files["rest"] = mix - sum(files.values())
    for source, audio in files.items():
        arguments.wavs.mkdir(parents=True, exist_ok=True)
        # Not by soundfile, which writes the time into float files.
        wavfile.write(arguments.wavs / f"{source}.wav", rate, audio.astype(np.float32))
    truth = {source: true_source(track, source, settings["rate"]) for source in sources}
    write(levels(settings, mix, files, truth, at_rate / gain, joined / gain), arguments.levels)

    shown = {"mix": mix, **files}
    title = f"{track.name}, separated by {settings['prior']}, {settings['method'].replace('_', ' ')}"
    introduction = (
        f"The first {min(LISTEN, len(mix) / rate):.3g} s; rest: what no source has, "
        f"all above {settings['rate'] / 2:g} Hz included."
    )
    cells = [pages.player(audio[: LISTEN * rate], rate) for audio in shown.values()]
    write_bytes(
        arguments.page,
        pages.page(title, introduction, f"<table>{pages.head(list(shown))}{pages.row('estimates', cells)}</table>"),
    )


def resampled(audio: np.ndarray, rate: int, to: int, length: int | None = None) -> np.ndarray:
    """Audio (samples, channels) at another rate; cut, or filled with zeros, to `length` samples."""
    channels = np.stack([recordings.resample(channel, rate, to) for channel in audio.T.astype(np.float32)], axis=1)
    if length is None:
        return channels
    return np.pad(channels[:length], ((0, max(0, length - len(channels))), (0, 0)))


def true_source(track: recordings.Track, source: str, rate: int) -> np.ndarray | None:
    """The source as it was recorded, mono (samples,), if the file contains it; else None."""
    if source not in track.sources:
        return None
    audio, from_rate = recordings.read(track, source)
    return recordings.resample(recordings.to_mono(audio, "mean"), from_rate, rate)


def levels(settings, mix, files, truth, mono_mix, joined) -> pd.DataFrame:
    """The level of each file, and, where the true source is known, SI-SDR of the channels' mean and of the mix's."""
    level, rows = recordings.decibel, []
    for number, (source, audio) in enumerate(files.items()):
        right = truth.get(source)
        quality = [float("nan")] * 2
        if right is not None:
            estimates = torch.stack([joined[number].mean(0), torch.from_numpy(mono_mix).mean(1)])
            quality = metrics.si_sdr(estimates, torch.from_numpy(right)[None].expand_as(estimates)).tolist()
        rows.append((settings["dataset"], settings["prior"], settings["method"], source,
                     level(audio), level(audio) - level(mix), *quality))  # fmt: skip
    return pd.DataFrame(
        rows, columns=["dataset", "prior", "method", "source", "level_db", "level_to_mix_db", "si_sdr", "si_sdr_mix"]
    )


if __name__ == "__main__":
    runtime.run(main)
