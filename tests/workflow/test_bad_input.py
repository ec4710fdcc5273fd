"""Bad input, over the whole program: one sentence that names the file or key and what to do, and a non-zero exit."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from audiopriors import files
from audiopriors.pipeline import config
from audiopriors.pipeline.merging import merge
from conftest import PRIOR, ROOT, Workplace

RUN = "results/smoke/separation/toy/{}.parquet"

# Of the configuration: what a user's file changes, and the sentence.
CONFIGURATIONS = {
    "sede: 3": "sede: unknown key; allowed: seed, ",
    "seed: many": "seed: 'many' is not of type 'integer'",
    "seeds: 0": "seeds: 0 is less than the minimum of 1",
    "sigmas: [0.1]": "sigmas.0: 0.1 is not of type 'string'",
    'sigmas: ["0.2", "0.1"]': "sigmas: must ascend",
    "threads: 0": "threads: 0 is less than the minimum of 1",
    "build: [toy, tones]": "build: there is no 'tones'; allowed: toy, ",
    "scales: {smoke: 3}": "scales.smoke: must be a mapping of what the scale changes, not 3",
    "scales: {../smoke: {}}": "scales.../smoke: a name has lower-case letters, digits and _",
    'scales: {smoke: {datasets: {toy: {sources: [sine, "saw\\n"]}}}}': "is not allowed; allowed: lower-case",
    "datasets: {toy: {kind: tones}}": "datasets.toy.kind: there is no 'tones'; allowed: music, toy",
    "datasets: {toy: {frame: -1}}": "datasets.toy.frame: -1 is less than the minimum of 16",
    "datasets: {toy: {priors: [flow]}}": "datasets.toy.priors: there is no 'flow'; allowed: flowavenet, ",
    "datasets: {toy: {settings: {rate: fast}}}": "datasets.toy.settings.rate: 'fast' is not of type 'integer'",
    "datasets: {toy: {settings: {wobble: 1}}}": "datasets.toy.settings.wobble: unknown key; allowed: variant, ",
    "scales: {smoke: {datasets: {toy: {sources: [sine, 'saw; touch owned']}}}}": "'saw; touch owned' is not allowed",
    "scales: {smoke: {datasets: {toy: {sources: [sine, mixture]}}}}": "'mixture' is not allowed; allowed: lower-case",
    "scales: {smoke: {datasets: {toy: {sources: [sine, ../saw]}}}}": "'../saw' is not allowed; allowed: lower-case",
    'scales: {smoke: {datasets: {toy: {sources: [sine, "sa\'w"]}}}}': "is not allowed; allowed: lower-case",
    "datasets: {toy: {mixes: {four: {sources: [sine, gong]}}}}": "mixes.four: there is no 'gong'; allowed: sine, ",
    "datasets: {toy: {mixes: {two: {gains: [1, 2, 3]}}}}": "datasets.toy.mixes.two.gains: needs one number for each",
    "datasets: {toy: {runs: {nope: {score: {}}}}}": "datasets.toy.runs: there is no 'nope'; allowed: langevin_",
    "datasets: {toy: {runs: {dirac: {gong: {}}}}}": "datasets.toy.runs.dirac: there is no 'gong'; allowed: ",
    "families: {flowavenet: {model: {width: wide}}}": "model.width: 'wide' is not of type 'integer'",
    "families: {wavenet: {training: {schedule: never}}}": "schedule: 'never' is not allowed; allowed: steps, cosine",
    "priors: {mine: {family: vae}}": "priors.mine.family: there is no 'vae'; allowed: flowavenet, ",
    'priors: {flowavenet: {levels: ["0.5"]}}': "priors.flowavenet.levels: there is no '0.5'; allowed: 0.",
    "separation: {methods: {dirac: {settings: {guidance: cosine}}}}": "'cosine' is not allowed; allowed: dirac, gauss",
    "separation: {methods: {dirac: {sigmas: ['0.129']}}}": "separation.methods.dirac: needs either sigmas or plan",
    "evaluation: {batch_samples: 0}": "evaluation.batch_samples: 0 is less than the minimum of 1",
}

# Of the command line: targets and options.
TARGETS = {
    "results/fast/data/toy/items.parquet": "there is no scale 'fast' in the config; there are smoke, quick, full",
    "results/smoke/data/tox/items.parquet": "there is no data set 'tox' in the config; there are toy, toy_published",
    "results/smoke/priors/toy/flow/sine/0/seed0.safetensors": "there is no prior 'flow' in the config; there are flow",
    PRIOR.format("sine", "0.5"): "flowavenet has no sigma '0.5' at this scale; it has 0, 0.129",
    PRIOR.format("gong", "0"): "toy has no source 'gong'; it has sine, saw",
    RUN.format("flowavenet/nope/four"): "there is no method 'nope' in the config",
    RUN.format("wavenet/dirac/four"): "wavenet has no models of what dirac needs; it has 0, 0.129",
    RUN.format("exact/dirac/four"): "no run of exact with dirac on toy; add it under datasets.toy.runs",
    RUN.format("flowavenet/langevin_annealed/five"): "toy has no mix 'five'; it has four, ",
    "smoke_demo_band_separate_file": "no recording is given: add --config file=PATH",
    "smoke_demo_band_score_file": "no recording is given: add --config file=PATH",
    "smoke_demo_band_score_file --config file=nowhere.wav": "there is no file 'nowhere.wav'; give the path of a rec",
    "smoke_musdb18": "data set musdb18: no folder of recordings is set; MUSDB18 is free for research",
}


def write(path: Path, samples: int = 6000, rate: int = 16000, channels: int = 1, level: float = 0.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.random.default_rng(0).normal(size=(samples, channels)), rate, subtype="FLOAT")


# Of recordings: what is done to the tracks of a folder, and the sentence.
RECORDINGS = {
    "no folder": (lambda root: root.rename(root.with_name("elsewhere")), "there is no folder "),
    "no tracks": (lambda root: [path.rename(path.parent.parent / path.stem) for path in root.rglob("*.wav")],
                  "has no tracks in it; each track is a folder with one file per source (flute, voice"),
    "text": (lambda root: (root / "b/voice.wav").write_text("no"), "b/voice.wav: is not an audio file that can"),
    "empty": (lambda root: (root / "b/voice.wav").write_bytes(b""), "b/voice.wav: is not an audio file"),
    "NaN": (lambda root: write(root / "b/voice.wav", level=float("nan")), "b, voice: has samples that are not fin"),
    "no samples": (lambda root: write(root / "b/voice.wav", 0), "b, voice: has no samples"),
    "missing": (lambda root: (root / "b/voice.wav").unlink(), "b/voice.wav: is missing"),
    "shorter": (lambda root: write(root / "b/voice.wav", 5000), "must be of one length and rate"),
    "another rate": (lambda root: write(root / "b/voice.wav", rate=8000), "must be of one length and rate"),
    "six channels": (lambda root: write(root / "b/voice.wav", channels=6), "has 6 channels; mix it down to one or two"),
    "too short": (lambda root: [write(root / "b" / f"{name}.wav", 100) for name in ("flute", "voice")],
                  "b: has 100 samples at 16000 Hz, but a frame needs 1024"),
    "too few": (lambda root: [shutil.rmtree(root / name) for name in "bc"], "no track is left for"),
    "a file": (lambda root: [shutil.rmtree(root), root.write_bytes(b"")], "my takes' is a file, not a folder; set "),
    "emptied": (lambda root: [path.unlink() for path in root.glob("b/*")], "b: holds no file of a source (flute, voi"),
    "a source twice": (lambda root: write(root / "b/Flute.wav"), "Flute.wav and flute.wav are both flute; remove one"),
    "a link to nothing": (lambda root: [(root / "b/voice.wav").unlink(), (root / "b/voice.wav").symlink_to("annex")],
                          "b: voice.wav: is a link to nothing; get what it stands for"),
    "two folders of a split": (lambda root: [write(root / name / "d" / "flute.wav") for name in ("val", "validation")],
                               "are both for validation; put all of their tracks into one of them"),
    "silent": (lambda root: [write(root / name / "voice.wav", level=0) for name in "abc"],
               "voice never sounds in the tracks for train; "),
}  # fmt: skip


# Of files that a program is given by hand.
FILES = {
    "rows that are none": ("gradient.parquet", b"no", "rows", "gradient.parquet: is damaged"),
    "no rows": ("gone.parquet", None, "rows", "gone.parquet: No such file or directory"),
    "a prior that is none": ("prior.safetensors", b"no", "prior", "prior.safetensors: not a whole checkpoint of this"),
    "no prior": ("gone.safetensors", None, "prior", "gone.safetensors: there is no such checkpoint"),
    "nothing to verify": ("quick", None, "verify", "has no checksums.txt: run `snakemake --cores all quick` first"),
}


def program(name: str, *arguments) -> subprocess.CompletedProcess:
    script = Path(__file__).parents[2] / "workflow" / "scripts" / f"{name}.py"
    command = [Workplace.programs / "python", script, *map(str, arguments)]
    return subprocess.run(command, text=True, capture_output=True, check=False)


@pytest.mark.parametrize(("text", "sentence"), CONFIGURATIONS.items())
def test_bad_configuration(text, sentence):
    shipped = [yaml.safe_load((ROOT / name).read_text()) for name in ("config.yaml", "scales.yaml", "claims.yaml")]
    with pytest.raises(config.ConfigError) as error:
        config.scales(merge(shipped[0] | shipped[1] | shipped[2], yaml.safe_load(text)))
    assert sentence in str(error.value)


def with_configuration(text, repository, folder):
    (folder / "mine.yaml").write_text(text)
    options = ("--configfile", folder / "mine.yaml")
    return repository.snakemake("--dry-run", *map(str, options), "--", "smoke")


def with_target(target, repository, folder):
    return repository.snakemake("--dry-run", *target.split())


def with_recordings(harm, repository, folder):
    root = folder / "my takes"
    for track in "abc":
        for source in ("flute", "voice"):
            write(root / track / f"{source}.wav")
    harm(root)
    settings = {
        "data": {"kind": "music", "settings": {
            "layout": "folder", "root": str(root), "rate": 16000, "channel": "mean", "frames": 4, "validation": 1,
            "test": 1, "silence_db": -60.0, "skip_broken": False, "songs": 0, "seconds": 0.0}},
        "sources": ["flute", "voice"], "frame": 1024, "seed": [0],
    }  # fmt: skip
    return program("make_data", "--settings", json.dumps(settings), "--output", folder / "output")


def with_file(case, repository, folder):
    name, content, what = case
    path, output = folder / name, folder / "output"
    if content:
        path.write_bytes(content)
    if what == "verify":
        return program("verify", path)
    if what == "rows":
        settings = '{"frame": 256}'
        return program("table_separation", "--settings", settings, "--inputs", path, "--output", output)
    data = {"kind": "toy", "settings": {
        "variant": "paper", "rate": 16000, "duration": 16384, "frequency": "uniform", "frequency_range": [28, 4000],
        "amplitude_range": [0.8, 1.0], "bandlimited": False, "train": 4, "validation": 4, "test": 4}}  # fmt: skip
    settings = json.dumps({"data": data, "sources": ["sine", "saw"], "frame": 256, "seed": [0]})
    items = folder / "items.parquet"
    assert program("make_data", "--settings", settings, "--output", items).returncode == 0
    assert len(files.read_rows([items])) == 2 * 12
    settings = json.dumps({"threads": 1, "data": data, "prior_source": "sine", "items": 2, "frame": 256})
    return program("error_curve", "--settings", settings, "--data", items, "--prior", path, "--output", output)


# From the configuration to the user: of a key, of what belongs together, of a shape, of a name that a shell would read.
THROUGH_SNAKEMAKE = [
    "sede: 3",
    'sigmas: ["0.2", "0.1"]',
    "scales: {smoke: 3}",
    "scales: {smoke: {datasets: {toy: {sources: [sine, 'saw; touch owned']}}}}",
]


@pytest.mark.parametrize(
    ("run", "case", "sentence"),
    [
        *(pytest.param(with_configuration, text, CONFIGURATIONS[text], id=text) for text in THROUGH_SNAKEMAKE),
        *(pytest.param(with_target, *case, id=case[0]) for case in TARGETS.items()),
        *(pytest.param(with_recordings, *case, id=name) for name, case in RECORDINGS.items()),
        *(pytest.param(with_file, case[:-1], case[-1], id=name) for name, case in FILES.items()),
    ],
)
def test_bad_input(repository, tmp_path, monkeypatch, run, case, sentence):
    monkeypatch.delenv("MUSDB_PATH", raising=False)
    done = run(case, repository, tmp_path)
    assert done.returncode == 1, done
    if run in (with_configuration, with_target):
        assert sentence in done.stdout, done.stdout[-1500:]
        # Snakemake itself names the rule and line that asked, below a word `Traceback`.
        assert "Traceback (most recent call last)" not in done.stdout and "Job stats" not in done.stdout
        assert run == with_target or "cannot be used" in done.stdout
    else:
        *_, last = done.stderr.strip().splitlines()
        assert last.startswith("error: ") and sentence in last and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "output").exists() and not (repository.folder / "owned").exists()
