"""The console script: what a user sees of it, and that its results are those of the programs that it runs."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from audiopriors import shipped_priors
from conftest import ROOT, Workplace, default_signals

pytestmark = pytest.mark.usefixtures("warm")

SCRIPTS = ROOT / "workflow" / "scripts"


def audiopriors(folder, *arguments: str) -> subprocess.CompletedProcess:
    command = [Workplace.programs / "python", "-m", "audiopriors", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300,
                          env=os.environ | {"PYTHONPATH": str(SCRIPTS)})  # fmt: skip


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A short recording, in a folder of its own, from which the script is run."""
    path = tmp_path_factory.mktemp("work") / "my song é.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).normal(size=(30000, 2)), 44100)
    return path


def test_separate_writes_wavs_and_a_page(song):
    done = audiopriors(song.parent, "separate", song.name)
    assert done.returncode == 0, done.stderr
    page, wavs = done.stdout.splitlines()
    assert page.startswith("results/my_song-") and page.endswith("/demo_band/separated/index.html")
    assert wavs.endswith("/wavs: bass.wav, drums.wav, other.wav, rest.wav, vocals.wav") and "s left" in done.stderr
    assert "my song é.wav" in (song.parent / page).read_text()
    folder = (song.parent / page).parent
    total = sum(soundfile.read(path)[0] for path in (folder / "wavs").iterdir())
    np.testing.assert_allclose(total, soundfile.read(song)[0], atol=1e-6)
    assert (folder / "separated.png").stat().st_size > 10000
    record = json.loads((folder / "levels.json").read_text())
    assert record["inputs"][song.name] and record["command"][1].endswith("separate_recording.py")


def test_score_writes_a_table_and_a_page(song, tmp_path):
    done = audiopriors(song.parent, "score", song.name, "--priors", "chorales", "--to", str(tmp_path / "here"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "here/index.html"), str(tmp_path / "here/scores.csv")]
    table = pd.read_csv(tmp_path / "here/scores.csv")
    assert set(table["prior_source"]) == {"violin", "clarinet", "saxophone", "bassoon"}
    page = (tmp_path / "here/index.html").read_text()
    assert "my song é.wav" in page and "data:image/png" in page and "s left" in done.stderr


def test_priors_lists_what_there_is(tmp_path):
    done = audiopriors(tmp_path, "priors")
    assert done.returncode == 0 and not done.stderr and not list(tmp_path.iterdir())
    for name, one in shipped_priors.shipped().items():
        assert f"{name}: {', '.join(one.sources)}\n" in done.stdout and one.card["limits"] in done.stdout


BAD = {
    "no file": (["separate", "none.wav"], "there is no file 'none.wav'; give the path of a recording, such as"),
    "a folder": (["score", "."], "'.' is a folder; give the path of a recording, such as song.wav"),
    "no such priors": (["score", "{song}", "--priors", "jazz"], "no shipped priors 'jazz' that take recordings"),
    "toy": (["separate", "{song}", "--priors", "toy"], "there are chorales, demo_band"),
    "text": (["separate", "{text}"], "text.wav: is not an audio file that can be read"),
    "short": (["score", "{short}"], "short.wav: lasts 0.0227 s, but a frame of these priors lasts 0.256 s"),
    "not writable": (["score", "{song}", "--to", "/dev/null/x"], "/dev/null"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case, song, tmp_path):
    (tmp_path / "text.wav").write_text("no")
    soundfile.write(tmp_path / "short.wav", np.zeros(1000), 44100)
    paths = {"song": song, "text": tmp_path / "text.wav", "short": tmp_path / "short.wav"}
    arguments, sentence = BAD[case]
    done = audiopriors(tmp_path, *[argument.format(**paths) for argument in arguments])
    assert done.returncode == 1 and not done.stdout, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and sentence in last and "Traceback" not in done.stderr


def test_ctrl_c_is_one_sentence_and_the_same_command_goes_on(tmp_path):
    soundfile.write(tmp_path / "song.wav", 0.1 * np.random.default_rng(0).normal(size=16000 * 6), 16000)
    command = [sys.executable, "-m", "audiopriors", "separate", "song.wav", "--to", "here"]
    variables = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    running = subprocess.Popen(command, cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True,
                               preexec_fn=default_signals)  # fmt: skip
    for line in running.stderr:
        if "mixes 2 to 2 of 2" in line:  # the first of two stretches is kept
            running.send_signal(signal.SIGINT)
            break
    rest = running.stderr.read()
    assert running.wait() == 130 and rest.strip().splitlines()[-1] == "stopped; the same command goes on"
    assert "Traceback" not in rest
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
    assert "mixes 1 to 1 of 2 were done before" in done.stderr and not (tmp_path / "here/unfinished").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["separate", "--help"], ["score", "--help"], ["priors", "--help"]])
def test_help(arguments, tmp_path):
    done = audiopriors(tmp_path, *arguments)
    assert done.returncode == 0 and done.stdout.startswith("usage: audiopriors")


def test_the_console_script_is_installed(tmp_path):
    script = [os.path.join(os.path.dirname(sys.executable), "audiopriors"), "priors"]
    assert "demo_band" in subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
