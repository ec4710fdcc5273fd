"""Separate a recording into one wav file per source, at its own rate, channels and length.

It is separated in overlapping frames that are cross-faded. Priors that take long waves get long frames of the channels'
mean, and the estimates are spread to the channels (separation/channels.py). Others separate each channel on its own.
The priors know nothing above half of their rate. What lies above, and what the estimates leave of the recording, is in
rest.wav, so all files add up to it.

Nothing as long as the recording is in memory: it is kept on disk, beside the results, until they are written. So are
the estimates: a separation that was stopped goes on where it was.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from audiopriors import metrics, runtime
from audiopriors.audio import recordings
from audiopriors.audio.stored import PIECE, Wave, append, scratch, wav_header
from audiopriors.files import digest, read_rows, write_array, write_bytes
from audiopriors.seeds import torch_generator
from audiopriors.separation import channels, overlap, schedules
from audiopriors.separation import running as separation
from audiopriors.separation.kept import Kept
from audiopriors.separation.methods.base import Sampler
from audiopriors.tables import write

log = logging.getLogger(__name__)

FORMING = 2  # seconds of the beginning of which it is shown how the separation forms
CLIPPED = 1e-4  # of the samples at the recording's peak: so many are at a limit, where one or two are a peak
LEAST = 0.01  # of the channels' power: a mean with less says little of them, as most of them cancels
RECORDING, REST = "mix", "rest"  # beside the sources


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--recording", "an audio file, or MUSDB18's .stem.mp4", type=Path)
    program.input("--priors", "trained priors of each source, at each sigma or at all; in any order", many=True)
    program.input("--errors", "the error curve of each source's prior, for a plan", many=True, required=False)
    program.input("--code", "files that change the result: kept estimates know them", many=True, required=False)
    program.output("--wavs", "a folder, SOURCE.wav and rest.wav (float)", type=Path)
    program.output("--levels", "the level of each source, and its SI-SDR, if known", type=Path)
    program.output("--about", "the recording's name and length, what it was separated with, and remarks (JSON)")
    program.output("--forming", "the estimates of its beginning at each noise level: (levels, sources, samples)")
    arguments = program.arguments()
    settings = arguments.settings
    sources, rate = settings["mix"]["sources"], settings["rate"]
    device = runtime.prepare(settings["threads"])
    with scratch(arguments.levels.parent) as folder:
        # All of the recording is decoded before anything else is done with it, as it may be damaged.
        track = recordings.recording(arguments.recording)
        audio = recordings.opened(track, recordings.MIXTURE)
        mix = Wave(folder / "recording", audio.channels).extend(audio.blocks())
        truth = {}
        for source in [source for source in sources if source in track.sources]:
            stem = recordings.opened(track, source)
            truth[source], samples = recordings.mono_wave(stem, folder / f"true-{source}", rate=rate, channel="mean")
            recordings.check_length(track, source, samples, stem.rate, (recordings.MIXTURE, len(mix), audio.rate))
        recordings.check_name(arguments.recording, settings.get("recording"))
        seconds = len(mix) / audio.rate
        log.info(
            "%s lasts %.6g s: %d samples at %d Hz, %d channel(s)",
            arguments.recording.name, seconds, len(mix), audio.rate, audio.channels,
        )  # fmt: skip
        curves = schedules.curves(read_rows(arguments.errors)) if arguments.errors else {}
        priors = separation.priors_of(arguments.priors, device)
        separate = separation.sampler_of(settings["settings"], settings["mix"], priors, curves, device)
        # Estimates on another kind of device or by another version of torch would be others.
        state = digest(arguments.recording, *arguments.priors, *arguments.errors, *arguments.code)
        kept = Kept(arguments.levels.with_name("unfinished"), f"{state} {settings} {device.type} {torch.__version__}")

        gain = recordings.gain(mix.loudest)  # as of the frames that the priors were trained on
        scaled = recordings.resampled((piece * gain for piece in mix.pieces()), audio.rate, rate)
        waves = {RECORDING: channels_of(Wave(folder / "at-rate", mix.channels).extend(scaled), folder)}
        remarks, notes = of_loudest(mix), separation.Notes()
        if mix.loudest:
            waves |= separated(settings, separate, waves[RECORDING], folder, remarks, kept=kept, notes=notes)
        else:
            waves |= silence(sources, waves[RECORDING], folder)
            beginning = min(FORMING * rate, len(waves[RECORDING][0]))
            notes.forming += torch.zeros(len(separate.sigmas), len(sources), beginning)
        levels, above = write_files(arguments.wavs, mix, audio.rate, waves, rate, gain)
        quality = {source: si_sdr(truth[source], waves[source], waves[RECORDING]) for source in truth}
    if mix.loudest:
        remarks.append(f"{above:.2g} % of its energy is above {rate / 2:g} Hz, of which the priors know nothing.")
    described = {"dataset": settings["dataset"], "prior": settings["prior"], "method": settings["method"]}
    rows = [
        {**described, "source": name, "level_db": levels[name],
         "level_to_mix_db": levels[name] - levels[RECORDING] if mix.loudest else float("nan"),
         **dict(zip(("si_sdr", "si_sdr_mix"), quality.get(name, [float("nan")] * 2), strict=True))}
        for name in (*sources, REST)
    ]  # fmt: skip
    write(pd.DataFrame(rows), str(arguments.levels))
    write_array(torch.stack(notes.forming)[:, :, : FORMING * rate].numpy() / np.float32(gain), arguments.forming)
    about = {
        "recording": arguments.recording.name, "seconds": seconds, "samples": len(mix), "rate": audio.rate,
        "channels": audio.channels, **described, "priors_rate": rate, "sigmas": separate.sigmas, "notes": remarks,
    }  # fmt: skip
    write_bytes(arguments.about, (json.dumps(about, indent=1) + "\n").encode())
    for remark in remarks:
        log.info("%s", remark)
    kept.remove()


def of_loudest(mix: Wave) -> list[str]:
    """What the loudest samples say of a recording: that it is silent, or may be clipped."""
    if mix.loudest == 0:
        return ["The recording is silent."]
    clipped = 0
    for piece in mix.pieces():
        at_limit = np.abs(piece) > (1 - 1e-6) * mix.loudest
        clipped += int((at_limit[:-2] & at_limit[1:-1] & at_limit[2:]).sum())  # three in a row: no peak of a wave
    share = clipped / len(mix) / mix.channels
    if share < CLIPPED:
        return []
    return [
        f"{100 * share:.2g} % of its samples are as loud as the loudest: it may be clipped, as no training item is."
    ]


def silence(sources: list[str], like: list[Wave], folder: Path) -> dict[str, list[Wave]]:
    """Each source's channels of a silent recording: priors would hear something in the noise of its steps."""
    return {
        source: [
            Wave(folder / f"{source}-{channel}").extend(np.zeros_like(piece) for piece in wave.pieces())
            for channel, wave in enumerate(like)
        ]
        for source in sources
    }


def channels_of(wave: Wave, folder: Path) -> list[Wave]:
    """The channels of a wave, each a wave of its own on disk."""
    return [
        Wave(folder / f"channel-{channel}").extend(piece[:, channel : channel + 1] for piece in wave.pieces())
        for channel in range(wave.channels)
    ]


def separated(
    settings: dict, separate: Sampler, at_rate: list[Wave], folder: Path, remarks: list[str], *, as_one: bool = True,
    kept: Kept | None = None, notes: separation.Notes | None = None,
) -> dict[str, list[Wave]]:  # fmt: skip
    """The channels of each source's estimate, at the priors' rate.

    remarks: a sentence is added for what a listener should hear of. as_one: whether channels are separated as one,
    where they can be. kept and notes: as in `separation.in_batches`; forming is noted from the wave's beginning on.
    """
    frame, length, sources = settings["frame"], len(at_rate[0]), settings["mix"]["sources"]
    fade = shared = round(settings["overlap"] * frame)  # samples, of which two frames share so many
    # A frame of other priors is too short to tell how loud each source is in each channel.
    long = separate.takes_long_waves and settings["together"] > 1
    if long:
        shared, frame = frame, overlap.long_frame(length, frame, settings["together"])
    mixes = mean_of(at_rate, folder, remarks) if as_one and long else at_rate
    # As the frames that the priors were trained on: with noise of one step of 16 bits.
    generator = torch_generator(*settings["seed"], "dequantise")
    noisy = [
        Wave(folder / f"noisy-{number}").extend(
            recordings.dequantised(torch.from_numpy(piece), generator).numpy() for piece in wave.pieces()
        )
        for number, wave in enumerate(mixes)
    ]
    frames = overlap.Overlapping(noisy, frame, shared)
    of_channels = [overlap.Overlapping([wave], frame, shared) for wave in at_rate]
    joined = {
        source: [
            overlap.CrossFade(Wave(folder / f"{source}-{channel}"), length, frame, shared, fade)
            for channel in range(len(at_rate))
        ]
        for source in sources
    }
    start = stopped = 0
    for batch in separation.in_batches(
        separate, frames, batch_samples=settings["batch_samples"], seed=settings["seed"], notes=notes, kept=kept
    ):
        if notes:
            notes.trace.clear()  # of each mix of an hour, it would be long
            notes.tried.clear()
            if not start:
                notes.forming[:] = [state[:, shared:] for state in notes.forming]  # before, nothing is
        stop, stopped = start + batch.estimates.shape[1], stopped + int(batch.stopped.sum())
        for wave, first, last in frames.spans(start, stop):
            begin = wave * frames.each - start
            images = estimates = batch.estimates[:, None, begin + first : begin + last]
            if len(mixes) < len(at_rate):
                images = channels.spread(estimates[:, 0], torch.stack([each[first:last] for each in of_channels]))
            for source, of_source in zip(sources, images, strict=True):
                for channel, image in enumerate(of_source, wave):
                    joined[source][channel].add(image[:, 0])
        start = stop
    if stopped:
        remarks.append(f"{stopped} of {frames.shape[0]} frames diverged and were left as they were.")
    return {source: [fading.wave for fading in fadings] for source, fadings in joined.items()}


def mean_of(waves: list[Wave], folder: Path, remarks: list[str]) -> list[Wave]:
    """The mean of the channels, to separate them as one; or the channels, if the mean has little of their power."""
    pieces = (np.stack(pieces) for pieces in zip(*map(Wave.pieces, waves), strict=True))
    mean = Wave(folder / "mean")
    powers = np.zeros(2)
    for piece in pieces:
        mean.extend(iter([piece.mean(0)]))
        powers += np.square(piece.mean(0), dtype=float).sum(), np.square(piece, dtype=float).sum() / len(waves)
    if powers[0] >= LEAST * powers[1]:
        return [mean]
    share = powers[0] / powers[1]
    remarks.append(f"The channels were separated one by one, as their mean has {share:.2g} of their power.")
    return waves


def write_files(
    folder: Path, mix: Wave, rate: int, waves: dict[str, list[Wave]], from_rate: int, gain: float
) -> tuple[dict[str, float], float]:
    """Write SOURCE.wav and rest.wav, which add up to the mix.

    waves: the channels of the recording and of each source, at `from_rate`, times `gain`. Returns the level of each
    file and of the recording, in dB, and how many percent of the recording's energy are above half of `from_rate`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    powers: dict[str, float] = {}
    above, place = 0.0, 0
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.wav").open("wb")) for name in [*waves, REST][1:]}
        for file in files.values():
            file.write(wav_header(rate, mix.channels, len(mix)))
        for below, *parts in zip(*(at_own_rate(each, from_rate, rate) for each in waves.values()), strict=True):
            block = mix.read(place, min(place + len(below), len(mix)))
            estimates = [part[: len(block)] / gain for part in parts]
            blocks = dict(zip(waves, [block, *estimates], strict=True)) | {REST: block - sum(estimates)}
            for name, samples in blocks.items():
                powers[name] = powers.get(name, 0) + np.square(samples, dtype=float).sum()
                if name in files:
                    append(files[name], samples)
            above += np.square(block - below[: len(block)] / gain, dtype=float).sum()
            place += len(block)
    levels = {name: recordings.decibel(power / len(mix) / mix.channels) for name, power in powers.items()}
    return levels, 100 * above / max(powers[RECORDING], 1e-20)


def at_own_rate(waves: list[Wave], from_rate: int, rate: int) -> Iterator[np.ndarray]:
    """Pieces (samples, channels) of the channels together, at the recording's rate."""
    each = (recordings.resampled(wave.pieces(), from_rate, rate, PIECE) for wave in waves)
    return (np.concatenate(pieces, axis=1) for pieces in zip(*each, strict=True))


def si_sdr(truth: Wave, *estimates: list[Wave]) -> list[float]:
    """SI-SDR of the mean of each estimate's channels, at the priors' rate."""
    values = []
    for waves in estimates:
        sums = metrics.Sums()
        for right, *parts in zip(truth.pieces(), *(wave.pieces() for wave in waves), strict=True):
            sums.add(np.mean(parts, axis=0)[:, 0], right[:, 0])
        values.append(sums.si_sdr())
    return values


if __name__ == "__main__":
    runtime.run(main)
