"""Recorded music as a user runs it: MUSDB18, the demo band, recordings of their own."""

import json
import os
import subprocess
import sys

import browsers
import numpy as np
import pandas as pd
import pytest
import soundfile
from audiopriors.audio import roots
from conftest import TABLES


def test_missing_recordings_stop_before_any_job(repository, tmp_path, monkeypatch):
    monkeypatch.delenv("MUSDB_PATH", raising=False)
    done = repository.snakemake("--dry-run", "smoke_musdb18")
    assert done.returncode != 0 and "data set musdb18: no folder of recordings is set; MUSDB18 is free" in done.stdout
    monkeypatch.setenv("MUSDB_PATH", str(tmp_path / "nowhere"))
    done = repository.snakemake("--dry-run", "smoke_musdb18")
    assert done.returncode != 0 and f"there is no folder '{tmp_path / 'nowhere'}'" in done.stdout
    monkeypatch.setenv("MUSDB_PATH", str(tmp_path))
    planned = repository.planned("smoke_musdb18")
    assert planned["train_prior"] == 2 * (2 + 2 + 1 + 2) and planned["make_data"] == 1
    assert (
        planned["table"] == 10
    )  # claims, denoising, detection by track, its summary, posterior, separation, smoothed bound, tables 1, 2, tracks


def test_musdb18_from_stem_files(repository, tmp_path, monkeypatch):
    root, place = tmp_path / "musdb 18", repository.copy(tmp_path / "work")
    for split, name in (("train", "one"), ("train", "two"), ("test", "Falcon 69")):
        (root / split).mkdir(parents=True, exist_ok=True)
        (root / split / f"{name}.stem.mp4").symlink_to(roots.real_song())
    monkeypatch.setenv("MUSDB_PATH", str(root))
    done = place.snakemake("results/smoke/separation/musdb18/reference/band.parquet")
    assert done.returncode == 0, done.stdout[-3000:]
    rows = pd.read_parquet(place.folder / "results/smoke/separation/musdb18/reference/band.parquet")
    assert set(rows["track"]) == {"Falcon 69"} and np.isfinite(rows["sdr"]).all()
    medians = rows.groupby("method")["si_sdr"].median()
    assert medians["ideal_ratio_mask"] > medians["static_wiener"] and medians["ideal_ratio_mask"] > medians["mix"] + 3


def test_demo_band_has_everything_and_is_done(band):
    results = band.folder / "results" / "smoke"
    assert (results / "report_demo_band.html").stat().st_size > 1e6
    for table in [*TABLES, "detection_by_track", "tracks"]:
        if table not in ("truth_gap", "acceptance"):
            assert (results / f"tables/demo_band/{table}.html").stat().st_size > 300
            assert (results / f"tables/demo_band/{table}.md").exists()
    figures = {path.stem for path in (results / "figures").glob("*.pdf")}
    assert len(figures) == 22 and "separation_examples_demo_band" in figures
    separated = tables_of(results, "separation")
    methods = {"mix", "static_wiener", "ideal_power_mask", "langevin_annealed", "alternating_song", "gibbs_music"}
    assert set(separated["method"]) >= methods | {"supervised", "supervised_large", "supervised_together"}
    oracle = separated[(separated["method"] == "ideal_ratio_mask") & (separated["source"] == "all")].iloc[0]
    assert oracle["sdr_median"] > 3 and oracle["share_with_sdr"] == 1
    song = results / "files/demo_band/real_song"
    assert (song / "scores.png").exists()
    assert len(list(song.glob("score_music/alternating_song/wavs/*.wav"))) == 3
    assert set(tables_of(results, "claims")["where"]) >= {"paper 3.2, Fig. 3", "thesis, priors"}
    assert band.planned("smoke_demo_band") == {}


def test_pages_of_recordings_in_a_browser(band, chromium):
    results = band.folder / "results" / "smoke"
    first = json.loads((results / "audio/demo_band.json").read_text())["mixes"][0]
    heard = len(first["rows"]) * (1 + len(first["sources"])) + len(first["sources"])
    sections = ["asked", "outcome", "listen", "evidence", "record"]
    browsers.check(chromium, results / "index_demo_band.html", sections, heard)
    song = results / "files/demo_band/real_song"
    (separated,) = song.glob("*/*/index.html")
    browsers.check(chromium, separated, sections, sounds=2 + 2 * 2)
    browsers.slides(chromium, separated)
    browsers.check(chromium, song / "index.html", ["asked", "outcome", "evidence"], sounds=0)


def tables_of(results, name) -> pd.DataFrame:
    return pd.read_csv(results / f"tables/demo_band/{name}.csv")


def test_a_recording_of_the_users(band, tmp_path):
    song = tmp_path / "my song é.wav"
    soundfile.write(song, 0.1 * np.random.default_rng(0).normal(size=(30000, 2)), 44100)
    both = ["smoke_demo_band_separate_file", "smoke_demo_band_score_file", "--config", f"file={song}"]
    done = band.snakemake(*both)
    assert done.returncode == 0, done.stdout[-3000:]
    below = band.folder / "results/smoke/files/demo_band" / roots.short_name(song)
    assert below.name.startswith("my_song-")
    assert {path.name for path in below.glob("*/*/wavs/*.wav")} == {"drums.wav", "bass.wav", "rest.wav"}
    assert len(list(below.glob("*/*/separated.png"))) == 1 and (below / "scores.csv").exists()
    assert "<h1>my song é.wav</h1>" in next(below.glob("*/*/index.html")).read_text()
    assert 'alt="the recording, scored' in (below / "index.html").read_text()
    assert band.planned(*both) == {}
    # Another one on its path is another recording, even if it is older; moved, it is the same.
    first = below / "scores.csv", (below / "scores.csv").read_bytes()
    song.rename(tmp_path / "kept")
    soundfile.write(song, 0.1 * np.random.default_rng(1).normal(size=(30000, 2)), 44100)
    os.utime(song, (0, 0))
    assert band.planned(*both)["score_recording"] == 1 and roots.short_name(song) != below.name
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kept").rename(tmp_path / "elsewhere" / song.name)
    assert band.planned(*both[:3], f"file={tmp_path / 'elsewhere' / song.name}") == {}
    assert first[0].read_bytes() == first[1]
    # Nothing else is touched by it.
    assert band.planned("smoke_demo_band") == {}


def test_a_recording_under_priors_that_came_with_the_package(band, tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, 0.1 * np.random.default_rng(0).normal(size=(30000, 2)), 44100)
    both = ["separate_file", "score_file", "--config", f"file={song}"]
    assert set(band.planned(*both)) == {
        "separate_file", "separate_recording", "figure_separated_file", "page_of_file",
        "score_file", "score_recording", "figure_scored_file", "page_of_scores",
    }  # fmt: skip
    done = band.snakemake(*both)
    assert done.returncode == 0, done.stdout[-3000:]
    below = band.folder / "results/shipped/files/demo_band" / roots.short_name(song)
    separated = below / "score_music/alternating_song"
    assert "song.wav" in (separated / "index.html").read_text() and (below / "index.html").stat().st_size > 30000
    record = json.loads((below / "scores.json").read_text())
    assert "workflow/scripts/audiopriors/trained/demo_band/bass.safetensors" in record["inputs"]
    assert band.planned(*both) == {} == band.planned("demo_band_separate_file", *both[2:])
    assert band.planned("chorales_separate_file", *both[2:])["separate_recording"] == 1
    # The console script does the same, to the last bit.
    for name in ("separate", "score"):
        command = [sys.executable, "-m", "audiopriors", name, song, "--to", tmp_path / name]
        variables = os.environ | {"PYTHONPATH": str(band.folder / "workflow/scripts")}
        subprocess.run(command, cwd=tmp_path, env=variables, check=True, capture_output=True)
    pairs = [(path, tmp_path / "separate/wavs" / path.name) for path in (separated / "wavs").glob("*.wav")]
    pairs += [(separated / name, tmp_path / "separate" / name) for name in ("levels.csv", "about.json", "forming.npy")]
    pairs += [(below / name, tmp_path / "score" / name) for name in ("scores.csv", "maps.parquet")]
    assert len(pairs) == 10
    for one, other in pairs:
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_shipped_prior_that_was_altered_stops_a_run_before_its_first_job(repository, tmp_path):
    place, song = repository.copy(tmp_path / "work"), tmp_path / "song.wav"
    soundfile.write(song, np.zeros(30000), 44100)
    bass = "workflow/scripts/audiopriors/trained/demo_band/bass.safetensors"
    content = bytearray((place.folder / bass).read_bytes())
    content[-9] ^= 4
    (place.folder / bass).write_bytes(content)
    done = place.snakemake("--dry-run", "separate_file", "--config", f"file={song}")
    assert done.returncode != 0 and f"{bass}: is not as it was shipped; install" in done.stdout, done.stdout[-2000:]
    assert "Traceback (most recent call last)" not in done.stdout
    # Nothing else is stopped by it.
    assert place.planned("results/smoke/priors/toy/score/sine/all/seed0.safetensors")["train_prior"] == 1
    for path in (place.folder / bass).parent.iterdir():
        path.unlink()
    done = place.snakemake("--dry-run", "separate_file", "--config", f"file={song}")
    assert done.returncode != 0 and "trained/demo_band/card.json: the card of shipped priors is missing" in done.stdout


NOT_PLAIN = ["Song #2.wav", "Song: live.wav", "take {1}.wav", "-intro.wav", "[a, b].wav", "$HOME `x`\n.wav", "~", "1e3"]


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_a_recording_of_any_name_by_a_variable(name, band, tmp_path, monkeypatch):
    song = tmp_path / name
    soundfile.write(song, 0.1 * np.random.default_rng(0).normal(size=30000), 44100, format="WAV")
    monkeypatch.setenv("AUDIOPRIORS_FILE", str(song))
    target = f"results/smoke/files/demo_band/{roots.short_name(song)}/scores.csv"
    done = band.snakemake(target)
    assert done.returncode == 0, done.stdout[-3000:]
    record = json.loads((band.folder / target).with_suffix(".json").read_text())
    assert str(song) in record["inputs"]


CANNOT_BE_READ = {
    "file=Song #2.wav": "there is no file 'Song'; give the path of a recording, such as song.wav; a name that is not",
    "file=Song: live.wav": "--config is read as YAML, which makes {'Song': 'live.wav'} of the name; a name that is not",
    "file=[a, b]": "--config is read as YAML, which makes ['a', 'b'] of the name",
    "file=12": "--config is read as YAML, which makes 12 of the name",
    "file=.": "'.' is a folder; give the path of a recording",
    "file=real song.wav": "there is no file 'real song.wav'",
}


@pytest.mark.parametrize("option", CANNOT_BE_READ)
def test_a_name_that_yaml_reads_as_something_else(option, band):
    done = band.snakemake("--dry-run", "smoke_demo_band_score_file", "--config", option)
    assert done.returncode != 0 and CANNOT_BE_READ[option] in done.stdout, done.stdout[-2000:]
    assert "Traceback (most recent call last)" not in done.stdout


HOSTILE = [
    'take "é"; touch owned #',
    "$(touch owned) `touch owned` && touch owned",
    "it's\n<script src=owned> {x} %s",
]


def test_own_recordings_of_any_name(repository, tmp_path):
    """Names of tracks and folders are text, whatever they hold: no shell, page or format string reads them."""
    place = repository.copy(tmp_path / "own")
    random = np.random.default_rng(0)
    for name in HOSTILE:
        folder = place.folder / "my takes; touch owned" / name
        folder.mkdir(parents=True)
        soundfile.write(folder / "flute.flac", 0.1 * random.normal(size=30000), 22050)
        soundfile.write(folder / "voice.flac", 0.1 * np.cumsum(random.normal(size=30000)).clip(-50, 50) / 50, 22050)
    (place.folder / "mine.yaml").write_text(
        "datasets:\n  takes:\n    kind: music\n    sources: [flute, voice]\n    frame: 1024\n"
        "    priors: [wavenet_music]\n"
        "    runs: {langevin_annealed: {wavenet_music: {}}}\n"
        "    file: {prior: wavenet_music, method: langevin_annealed}\n"
        "    settings: {layout: folder, root: 'my takes; touch owned', frames: 12, validation: 1, test: 1}\n"
    )
    own = ["--configfile", "mine.yaml", "--"]
    done = place.snakemake(*own, "smoke_takes")
    assert done.returncode == 0, done.stdout[-3000:]
    detection = pd.read_csv(place.folder / "results/smoke/tables/takes/detection.csv")
    assert set(detection["prior_source"]) == {"flute", "voice"} and detection["auroc"].between(0, 1).all()
    song = place.folder / f"{HOSTILE[1]}.wav"
    soundfile.write(song, 0.1 * random.normal(size=30000), 22050)
    done = place.snakemake("--config", f"file={song.name}", *own, "smoke_takes_separate_file")
    assert done.returncode == 0, done.stdout[-3000:]
    of_song = place.folder / "results/smoke/files/takes" / roots.short_name(song)
    record = json.loads(next(of_song.glob("*/*/levels.json")).read_text())
    assert song.name in record["inputs"] and record["devices"] == ["cpu"]
    done = place.snakemake("--profile", "slurm", "--config", f"file={song.name}", *own, "smoke_takes_separate_file")
    assert done.returncode != 0 and "has a character that a cluster's shell reads; a name that is not" in done.stdout
    assert not list(place.folder.rglob("owned"))
    pages = [path.read_text() for path in (place.folder / "results").rglob("*.html")]
    assert len(pages) > 5 and not any("<script src=owned" in page for page in pages)
    # Recordings that are no more are not needed; those that changed are cut anew.
    takes = place.folder / "my takes; touch owned"
    takes.rename(place.folder / "elsewhere")
    assert place.planned(*own, "smoke_takes") == {}
    (place.folder / "elsewhere").rename(takes)
    assert place.planned(*own, "smoke_takes") == {}
    flute = takes / HOSTILE[0] / "flute.flac"
    soundfile.write(flute, 0.1 * random.normal(size=30000), 22050)  # of the same length
    assert place.planned(*own, "smoke_takes")["make_data"] == 1
    flute.unlink()
    flute.symlink_to("nowhere")
    done = place.snakemake(*own, "results/smoke/tables/takes/tracks.csv")
    log = (place.folder / "results/smoke/logs/make_data/takes.log").read_text()
    assert done.returncode != 0 and f"{HOSTILE[0]}: flute.flac: is a link to nothing; " in log.splitlines()[-1]
