"""The pipeline as a user runs it: what reruns and what does not, bad input, the same bytes on any number of cores."""

import ast
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import yaml
from audiopriors import likelihood
from audiopriors.audio import roots
from audiopriors.pipeline import config
from conftest import REAL, Workplace

TABLES = [
    "cross_likelihood",
    "detection",
    "classification",
    "separation",
    "acceptance",
    "gradient_norm",
    "truth_gap",
    "claims",
    "table_1",
    "table_2",
    "costs",
]
PRIOR = "results/smoke/priors/toy/flowavenet/{}/{}/seed0.safetensors"


def checksums(place) -> dict[str, str]:
    """Of every table and of the data of every figure, but for clock times."""
    folder = place.folder / "results" / "smoke"
    files = [*folder.glob("tables/**/*"), *folder.glob("figures/*"), *folder.glob("priors/**/*.safetensors")]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(files)
        if file.is_file() and file.stem != "costs"
    }


def test_smoke_has_everything_and_is_done(smoke):
    results = smoke.folder / "results" / "smoke"
    for table in TABLES:
        assert (results / f"tables/{table}.csv").stat().st_size > 100
        assert (results / f"tables/{table}.md").exists()
    figures = {path.stem for path in (results / "figures").glob("*.pdf")}
    assert len(figures) == 18
    for name in figures:
        assert (results / f"figures/{name}.png").exists() and (results / f"figures/{name}.csv").exists()
    report = (results / "report.html").read_text()
    assert "constant zero" in report and "audio/wav" in (results / "figures/listen_toy.html").read_text()
    # mix and two sources, of the truth and of 13 runs of three examples, of which one run has only two
    assert len(list((results / "audio/toy").glob("*.wav"))) == 3 * (3 * (2 + 13) - 1)
    assert smoke.planned("smoke") == {}


def test_same_bytes_on_one_core(smoke, repository, tmp_path):
    """And of programs that are started as a user starts them, where smoke's come from the tests' warm python."""
    other = repository.copy(tmp_path / "one_core")
    done = other.snakemake("smoke", cores=1, programs=REAL)
    assert done.returncode == 0, done.stdout[-4000:]
    assert checksums(other) == checksums(smoke)
    assert len(checksums(smoke)) > 60
    lists = [(place.folder / "results/smoke/checksums.txt").read_text() for place in (other, smoke)]
    assert lists[0] == lists[1] and len(lists[0].splitlines()) > 100


@pytest.mark.parametrize(("family", "levels"), [("wavenet", ["0", "0.129"]), ("score", ["all"])])
def test_cost_counts_what_is_evaluated(smoke, family, levels):
    settings = yaml.safe_load((smoke.folder / "config.yaml").read_text())
    merged = config.merge(settings, settings["scales"]["smoke"])["evaluation"]
    evaluation = likelihood.Evaluation(**{key: merged[key] for key in merged if key not in ("bootstrap", "samples")})
    rows = pd.read_parquet(smoke.folder / f"results/smoke/likelihood/toy/{family}/saw/seed0.parquet")
    counted = likelihood.scored_items(evaluation, levels, ["0.129"], 2, 16, 16)
    assert counted == (rows["measure"] == "log_prob").sum()


def test_what_it_will_take(repository, tmp_path):
    place = repository.copy(tmp_path / "cost")
    done = place.snakemake("smoke_demo_band_cost")
    assert done.returncode == 0, done.stdout[-3000:]
    head, _, _, _, *rows = (place.folder / "results/smoke/logs/cost/demo_band.txt").read_text().splitlines()
    assert head.startswith("smoke, demo_band: ") and " hours of cpu (1 thread), " in head and head in done.stdout
    jobs = sum(int(row.split("|")[3]) for row in rows if row.startswith("| "))
    planned = place.planned("smoke_demo_band")
    counted = ("train_prior", "evaluate_prior", "separate", "error_curve", "train_separator")
    assert jobs == sum(planned[rule] for rule in counted)
    assert not (place.folder / "results/smoke/priors").exists()
    assert place.planned("smoke_demo_band_cost")["cost"] == 1  # on another machine it would be another's hours


@pytest.fixture
def copied(smoke, tmp_path):
    return smoke.copy(tmp_path / "copy")


def test_moved_and_touched_nothing_reruns(copied):
    for path in (copied.folder / "workflow").rglob("*.py"):
        os.utime(path)
    for path in (copied.folder / "config.yaml", copied.folder / "Snakefile", copied.folder / "README.md"):
        os.utime(path)
    assert copied.planned("smoke") == {}


def test_every_table_and_figure_says_where_it_comes_from(smoke):
    results = smoke.folder / "results" / "smoke"
    for name in TABLES:
        record = json.loads((results / f"tables/{name}.json").read_text())
        assert record["sha256"] == hashlib.sha256((results / f"tables/{name}.csv").read_bytes()).hexdigest()
        assert record["command"][1] == "workflow/scripts/combine_tables.py" and len(record["inputs"]) == 1
        configuration = smoke.folder / record["config"]["file"]
        assert hashlib.sha256(configuration.read_bytes()).hexdigest() == record["config"]["sha256"]
        assert json.loads(configuration.read_text())["seed"] == record["config"]["seed"] == 2020
        assert record["packages"]["torch"] == torch.__version__.split("+")[0]
    record = json.loads((results / "tables/toy/detection.json").read_text())
    assert record["devices"] == ["cpu"] and all(name.endswith(".parquet") for name in record["inputs"])
    assert json.loads((results / "figures/detection_toy.json").read_text())["devices"] == ["cpu"]


def test_the_commit_is_of_a_repository_that_knows_the_code(repository, tmp_path):
    place = repository.copy(tmp_path / "audiopriors")

    def commit():
        ask = "from audiopriors import provenance; print(provenance.code())"
        done = subprocess.run([sys.executable, "-c", ask], cwd=place.folder / "workflow/scripts", text=True,
                              capture_output=True, check=True)  # fmt: skip
        return ast.literal_eval(done.stdout)

    def git(*arguments):
        identity = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "core.excludesFile=")
        subprocess.run(["git", *identity, *arguments], cwd=place.folder.parent, check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "--message=something else")
    assert commit() is None
    git("add", "--all")
    git("commit", "--message=with the code")
    of_the_code = commit()
    assert not of_the_code["changed"] and len(of_the_code["commit"]) == 40
    place.edit("config.yaml", "seed: 2020", "seed: 2021")
    assert commit() == of_the_code | {"changed": True}


def test_verify_names_what_is_altered(copied):
    def verify() -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "workflow/scripts/verify.py", "results/smoke"], cwd=copied.folder, text=True,
            capture_output=True, check=False,
        )  # fmt: skip

    assert verify().stdout == "results/smoke: no problems\n"
    below, prior = copied.folder / "results/smoke", copied.folder / PRIOR.format("saw", "0")
    flipped = [
        *(below / f"tables/{name}" for name in ("toy/detection.csv", "detection.csv", "claims.md")),
        *(
            sorted(below.glob(f"separation/toy/{kind}"))[0]
            for kind in ("*/*/*.examples.npy", "supervised/*.safetensors")
        ),
        *(below / f"figures/detection_toy.{kind}" for kind in ("csv", "png", "pdf")),
        *sorted((copied.folder / "results/configs").glob("smoke-*.json")),
    ]
    for path in flipped:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    prior.unlink()
    (below / "tables/toy/separation.json").unlink()
    (below / "tables/toy/table_1.json").write_text("(")
    done = verify()
    assert done.returncode == 1 and done.stderr == ""
    for path in [*flipped, below / "tables/toy/table_1.json"]:
        assert f"altered: {path.relative_to(copied.folder)}\n" in done.stdout
    for path in (prior, below / "tables/toy/separation.json"):
        assert f"missing: {path.relative_to(copied.folder)}\n" in done.stdout
    assert "stale: results/smoke/tables/toy/claims.csv was made from another" in done.stdout


def test_code_of_a_figure_redraws_that_figure_only(copied):
    copied.edit("workflow/scripts/figure_peakedness.py", "linthresh=10", "linthresh=20")
    assert copied.planned("smoke") == {"figure": 1, "report": 1, "checksums": 1, "smoke": 1}


def test_code_of_the_sampler_separates_again_and_trains_nothing(copied):
    copied.edit("workflow/scripts/audiopriors/samplers.py", "FAR = 100.0", "FAR = 99.0")
    planned = copied.planned("smoke")
    assert planned["separate"] == 13 and planned["separate_reference"] == 2
    assert not {"train_prior", "evaluate_prior", "make_data"} & set(planned)


def test_rate_of_finetuning_retrains_only_what_is_finetuned(copied):
    copied.edit("config.yaml", "finetune: {steps: 5}", "finetune: {steps: 5, learning_rate: 1.0e-3}")
    planned = copied.planned("smoke")
    assert planned["train_prior"] == 4 and planned["evaluate_prior"] == 4
    assert "make_data" not in planned


def test_rate_of_training_retrains_all_that_depends_on_it(copied):
    copied.edit(
        "config.yaml", "steps: 10, batch: 4, learning_rate: 2.0e-3", "steps: 10, batch: 4, learning_rate: 1.0e-3"
    )
    planned = copied.planned("smoke")
    assert planned["train_prior"] == 16 + 2 and planned["train_separator"] == 1 and "make_data" not in planned


def test_a_method_of_separation_reruns_itself(copied):
    copied.edit(
        "config.yaml", "langevin_one_sigma: {settings: {steps: 4}}", "langevin_one_sigma: {settings: {steps: 5}}"
    )
    planned = copied.planned("smoke")
    assert planned["separate"] == 2 and "train_prior" not in planned


def test_one_figure_from_what_is_there(copied):
    target = "results/smoke/figures/inputs_toy.pdf"
    (copied.folder / target).unlink()
    assert copied.planned(target) == {"figure": 1}
    done = copied.snakemake(target)
    assert done.returncode == 0 and (copied.folder / target).exists()


def test_serial_chain_starts_at_the_next_smaller_sigma(repository, tmp_path):
    place = repository.copy(tmp_path / "serial")
    place.edit("config.yaml", "chain: noise_free ", "chain: serial ")
    done = place.snakemake("--dry-run", PRIOR.replace("smoke", "full").format("saw", "0.077"))
    assert done.returncode == 0
    assert {name: done.stdout.count(name) > 0 for name in ("saw/0/", "saw/0.01/", "saw/0.027/", "saw/0.129/")} == {
        "saw/0/": True, "saw/0.01/": True, "saw/0.027/": True, "saw/0.129/": False,
    }  # fmt: skip


def test_seeds_train_replicates(repository, tmp_path):
    place = repository.copy(tmp_path / "seeds")
    place.edit("config.yaml", "    seeds: 1\n    sigmas:", "    seeds: 3\n    sigmas:")
    assert place.planned("smoke_toy")["train_prior"] == 3 * 18 + 2  # the exact prior needs none


def test_every_scale_and_data_set_has_a_plan(repository):
    assert repository.planned("full_toy")["train_prior"] == 4 * (18 * 3 + 1)  # 6 + 6 + 1 + 1 models, 2 + 2 as published
    assert repository.planned("quick_toy")["evaluate_prior"] == 4 * 7
    longer = repository.planned("quick_toy_4096")
    assert longer["train_prior"] == longer["error_curve"] == 4 and longer["separate"] == 1
    published = repository.planned("smoke_toy_published")
    assert published["train_prior"] == 2 * 8 and "truth_gap" not in published  # no exact prior of that data
    alone, quick = repository.planned(), repository.planned("quick")
    assert alone.pop("all") == quick.pop("quick") == 1 and alone == quick


def test_published_data_and_variant_run(repository, tmp_path):
    place = repository.copy(tmp_path / "published")
    path = "results/smoke/likelihood/toy_published/flowavenet_published/saw/seed0.parquet"
    done = place.snakemake(path)
    assert done.returncode == 0, done.stdout[-3000:]
    rows = pd.read_parquet(place.folder / path)
    assert set(rows["measure"]) >= {"log_prob", "latent_log_prob"} and rows["prior"].eq("flowavenet_published").all()


def test_slurm_profile_plans_from_a_clone(repository):
    done = repository.snakemake("--profile", "slurm", "--dry-run", "--verbose", "full_toy")
    assert done.returncode == 0, done.stdout[-3000:]
    block = done.stdout.split("rule train_prior:")[1].split("rule ")[0]
    assert "gpu=1" in block and "mem_mb=16000" in block and "runtime=1440" in block
    block = done.stdout.split("rule evaluate_prior:")[1].split("rule ")[0]
    assert "gpu=1" in block and "runtime=240" in block


def test_missing_recordings_stop_before_any_job(repository, tmp_path, monkeypatch):
    monkeypatch.delenv("MUSDB_PATH", raising=False)
    done = repository.snakemake("--dry-run", "smoke_musdb18")
    assert done.returncode != 0 and "data set musdb18: no folder of recordings is set; MUSDB18 is free" in done.stdout
    monkeypatch.setenv("MUSDB_PATH", str(tmp_path / "nowhere"))
    done = repository.snakemake("--dry-run", "smoke_musdb18")
    assert done.returncode != 0 and f"there is no folder '{tmp_path / 'nowhere'}'" in done.stdout
    monkeypatch.setenv("MUSDB_PATH", str(tmp_path))
    planned = repository.planned("smoke_musdb18")
    assert planned["train_prior"] == 2 * (2 + 2 + 1) and planned["make_data"] == 1 and "table_2" in planned


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
    for table in [*TABLES, "detection_by_track"]:
        if table not in ("truth_gap", "acceptance"):
            assert (results / f"tables/demo_band/{table}.html").stat().st_size > 300
            assert (results / f"tables/demo_band/{table}.md").exists()
    figures = {path.stem for path in (results / "figures").glob("*.pdf")}
    assert len(figures) == 15 and "separation_examples_demo_band" in figures
    separated = tables_of(results, "separation")
    assert set(separated["method"]) >= {"mix", "static_wiener", "supervised", "langevin_annealed", "alternating_music"}
    oracle = separated[(separated["method"] == "ideal_ratio_mask") & (separated["source"] == "all")].iloc[0]
    assert oracle["sdr_median"] > 3 and oracle["share_with_sdr"] == 1
    song = results / "files/demo_band/real_song"
    assert (song / "scores.png").exists()
    assert len(list(song.glob("score_music/alternating_music/wavs/*.wav"))) == 3
    assert set(tables_of(results, "claims")["where"]) >= {"paper 3.2, Fig. 3", "thesis, priors"}
    assert band.planned("smoke_demo_band") == {}


def tables_of(results, name) -> pd.DataFrame:
    return pd.read_csv(results / f"tables/demo_band/{name}.csv")


def test_a_recording_of_the_users(band, tmp_path):
    song = tmp_path / "my song é.wav"
    soundfile.write(song, 0.1 * np.random.default_rng(0).normal(size=(30000, 2)), 44100)
    both = ["smoke_demo_band_separate_file", "smoke_demo_band_score_file", "--config", f"file={song}"]
    done = band.snakemake(*both)
    assert done.returncode == 0, done.stdout[-3000:]
    below = band.folder / "results/smoke/files/demo_band/my_song"
    assert {path.name for path in below.glob("*/*/wavs/*.wav")} == {"drums.wav", "bass.wav", "rest.wav"}
    assert len(list(below.glob("*/*/separated.png"))) == 1 and (below / "scores.csv").exists()
    assert band.planned(*both) == {}
    # One of the name that the song has which comes with the pipeline is not taken for it.
    done = band.snakemake("smoke_demo_band_score_file", "--config", "file=real song.wav")
    assert done.returncode != 0 and "there is no file 'real song.wav'" in done.stdout
    # Nothing else is touched by it.
    assert band.planned("smoke_demo_band") == {}


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
        "    priors: [wavenet_music]\n    published: []\n    mixes: {duo: {sources: [flute, voice]}}\n"
        "    runs: {langevin_annealed: {wavenet_music: {}}}\n"
        "    file: {prior: wavenet_music, method: langevin_annealed}\n"
        "    settings: {layout: folder, root: 'my takes; touch owned', rate: 16000, channel: mean, frames: 12,"
        " validation: 1, test: 1, silence_db: -60.0, skip_broken: false, songs: 0, seconds: 0.0}\n"
    )
    own = ["--configfile", "config.yaml", "claims.yaml", "mine.yaml", "--"]
    done = place.snakemake(*own, "smoke_takes")
    assert done.returncode == 0, done.stdout[-3000:]
    detection = pd.read_csv(place.folder / "results/smoke/tables/takes/detection.csv")
    assert set(detection["prior_source"]) == {"flute", "voice"} and detection["auroc"].between(0, 1).all()
    song = place.folder / f"{HOSTILE[1]}.wav"
    soundfile.write(song, 0.1 * random.normal(size=30000), 22050)
    done = place.snakemake("--config", f"file={song.name}", *own, "smoke_takes_separate_file")
    assert done.returncode == 0, done.stdout[-3000:]
    of_song = place.folder / "results/smoke/files/takes" / roots.short_name(song.name)
    record = json.loads(next(of_song.glob("*/*/levels.json")).read_text())
    assert song.name in record["inputs"] and record["devices"] == ["cpu"]
    done = place.snakemake("--profile", "slurm", "--config", f"file={song.name}", *own, "smoke_takes_separate_file")
    assert done.returncode != 0 and "that a cluster's shell reads: link it under a plain name" in done.stdout
    assert not list(place.folder.rglob("owned"))
    pages = [path.read_text() for path in (place.folder / "results").rglob("*.html")]
    assert len(pages) > 5 and not any("<script src=owned" in page for page in pages)
    # Recordings that are no more are not needed; those that changed are cut anew.
    takes = place.folder / "my takes; touch owned"
    takes.rename(place.folder / "elsewhere")
    assert place.planned(*own, "smoke_takes") == {}
    (place.folder / "elsewhere").rename(takes)
    assert place.planned(*own, "smoke_takes") == {}
    soundfile.write(takes / HOSTILE[0] / "flute.flac", 0.1 * random.normal(size=29000), 22050)
    assert place.planned(*own, "smoke_takes")["make_data"] == 1


def test_as_a_module(repository, tmp_path):
    """A Snakefile elsewhere that takes the workflow of a clone as a module (README)."""
    (tmp_path / "Snakefile").write_text(
        f'configfile: "{repository.folder}/config.yaml"\nconfigfile: "{repository.folder}/claims.yaml"\n\n'
        f'module audiopriors:\n    snakefile: "{repository.folder}/Snakefile"\n    config: config\n\n'
        "use rule * from audiopriors as ours_*\n"
    )
    target = "results/smoke/likelihood/toy/exact/sine/seed0.parquet"
    done = Workplace(tmp_path).snakemake(target)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / target).exists() and not (repository.folder / "results").exists()


def test_config_typo_stops_before_any_job(copied):
    copied.edit("config.yaml", "test_items: 8,", "test_itmes: 8, gradient_itmes: 4,")
    done = copied.snakemake("smoke")
    assert done.returncode != 0
    assert "config.yaml, claims.yaml cannot be used" in done.stdout
    for key in ("test_itmes", "gradient_itmes"):
        assert f"(scale smoke) evaluation.{key}: unknown key; allowed: test_items, " in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("harm", ["truncated", "other"])
def test_broken_or_foreign_checkpoint(copied, harm):
    path = copied.folder / PRIOR.format("sine", "0.129")
    content = path.read_bytes()
    other = (copied.folder / PRIOR.format("saw", "0.129")).read_bytes()
    path.write_bytes(content[:-10] if harm == "truncated" else other)
    scores = copied.folder / "results/smoke/likelihood/toy/flowavenet/sine/seed0.parquet"
    done = copied.snakemake("--forcerun", "evaluate_prior", "--", str(scores.relative_to(copied.folder)))
    sentence = (
        "not a whole checkpoint" if harm == "truncated" else "is a prior with prior_source 'saw', but 'sine' was asked"
    )
    log = (copied.folder / "results/smoke/logs/evaluate_prior/toy/flowavenet/sine/seed0.log").read_text()
    assert done.returncode != 0
    assert sentence in log and path.name in log and "delete it and run again" in log and "Traceback" not in log


def test_loss_nan(repository, tmp_path):
    place = repository.copy(tmp_path / "nan")
    place.edit(
        "config.yaml", "steps: 10, batch: 4, learning_rate: 2.0e-3", "steps: 10, batch: 4, learning_rate: 1.0e+30"
    )
    done = place.snakemake(PRIOR.format("sine", "0"))
    log = (place.folder / "results/smoke/logs/train_prior/toy/flowavenet/sine/0/seed0.log").read_text()
    assert done.returncode != 0
    assert (
        "error: the loss is" in log and "at step" in log and "training.learning_rate" in log and "Traceback" not in log
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_full_disk_on_a_small_mount(copied, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount")
    try:
        (small / "filler").write_bytes(b"x" * 60 * 1024)
        done = subprocess.run(
            [sys.executable, str(copied.folder / "workflow/scripts/combine_tables.py"), "--settings", "{}", "--tables",
             str(copied.folder / "results/smoke/tables/toy/detection.csv"), "--outputs",
             str(small / "a.csv"), str(small / "a.md")],
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "the disk is full; free some space and run again" in done.stderr and "Traceback" not in done.stderr
        assert [path.name for path in small.iterdir()] == ["filler"]
    finally:
        subprocess.run(["umount", str(small)], check=False)


def test_folder_that_cannot_be_written(copied):
    """A file where a folder should be: the same for root, whom permissions do not stop."""
    blocked = copied.folder / "blocked"
    blocked.write_text("")
    done = subprocess.run(
        [sys.executable, str(copied.folder / "workflow/scripts/table_2.py"), "--settings", '{"priors": {}}',
         "--output", str(blocked / "table.csv")],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "error: " in done.stderr and str(blocked) in done.stderr


def test_killed_workflow_continues(smoke, repository, tmp_path):
    """kill -9 of Snakemake itself leaves a lock: unlock, then the same command rebuilds correctly (README)."""
    place = repository.copy(tmp_path / "killed")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    target = PRIOR.format("sine", "0.129")
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", target], cwd=place.folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    log = place.folder / "results/smoke/logs/train_prior/toy/flowavenet/sine/0/seed0.log"
    while process.poll() is None and not log.exists():
        time.sleep(0.02)
    os.killpg(process.pid, 9)
    process.wait()
    locked = place.snakemake(target)
    assert locked.returncode != 0 and "--unlock" in locked.stdout
    assert place.snakemake("--unlock").returncode == 0
    assert place.snakemake("--rerun-incomplete", target).returncode == 0
    assert (place.folder / target).read_bytes() == (smoke.folder / target).read_bytes()
