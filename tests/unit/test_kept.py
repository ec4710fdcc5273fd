"""Recordings whose separation is stopped, and goes on; and what a page is told about a recording."""

import json
import signal
import subprocess
import time

import numpy as np
import pytest
import soundfile
from audiopriors.audio.stored import scratch
from audiopriors.errors import UserError
from test_files import FRAME, PRIORS_RATE, noise, priors, separate, separation_command  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("warm")

SONG = 40 * FRAME  # samples: at eight frames at once, six batches
FEW = {"batch_samples": 8 * FRAME}


def wavs(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "wavs").iterdir())}


def test_a_stopped_separation_goes_on_where_it_was(priors, tmp_path):  # noqa: F811
    song, whole, stopped = tmp_path / "song.wav", tmp_path / "whole", tmp_path / "stopped"
    soundfile.write(song, noise(SONG, 1), PRIORS_RATE, subtype="FLOAT")
    assert separate(song, priors, whole, **FEW).returncode == 0 and not (whole / "unfinished").exists()
    running = subprocess.Popen(separation_command(song, priors, stopped, **FEW), stderr=subprocess.DEVNULL)
    kept = stopped / "unfinished"
    while running.poll() is None and len(list(kept.glob("*.safetensors"))) < 2:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = {path: path.stat().st_mtime_ns for path in kept.glob("*.safetensors")}
    assert 2 <= len(before) < 6
    next(iter(before)).write_bytes(b"cut")  # a damaged one is separated again
    done = separate(song, priors, stopped, **FEW)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("were done before") == len(before) - 1 and "a batch is separated again" in done.stderr
    assert wavs(stopped) == wavs(whole) and not kept.exists() and not (stopped / "scratch").exists()
    for name in ("levels.csv", "about.json", "forming.npy"):
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()


def test_what_was_kept_of_another_recording_or_setting_is_not_used(priors, tmp_path):  # noqa: F811
    song, whole = tmp_path / "song.wav", tmp_path / "whole"
    soundfile.write(song, noise(SONG, 1), PRIORS_RATE, subtype="FLOAT")
    running = subprocess.Popen(separation_command(song, priors, whole, seed=[1], **FEW), stderr=subprocess.DEVNULL)
    while running.poll() is None and not list((whole / "unfinished").glob("*.safetensors")):
        time.sleep(0.005)
    running.kill()
    running.wait()
    done = separate(song, priors, whole, **FEW)
    assert done.returncode == 0 and "were done before" not in done.stderr


def test_two_runs_do_not_share_a_folder(tmp_path):
    with scratch(tmp_path / "here") as folder:
        (folder / "wave").write_bytes(b"a")
        with (
            pytest.raises(UserError, match="here: another run is writing here; wait for it, or"),
            scratch(folder.parent),
        ):
            pass
        assert (folder / "wave").exists()
    with scratch(tmp_path / "here") as folder:
        assert not list(folder.iterdir())


@pytest.mark.parametrize(("limit", "clipped"), [(0.05, True), (10, False)])
def test_a_clipped_recording_is_called_so(limit, clipped, priors, tmp_path):  # noqa: F811
    soundfile.write(tmp_path / "song.wav", np.repeat(noise(3000, 2), 3, 0).clip(-limit, limit), 44100, subtype="FLOAT")
    if not clipped:
        soundfile.write(tmp_path / "song.wav", noise(9000, 2), 44100, subtype="FLOAT")
    assert separate(tmp_path / "song.wav", priors, tmp_path).returncode == 0
    notes = json.loads((tmp_path / "about.json").read_text())["notes"]
    assert any("it may be clipped" in note for note in notes) == clipped
