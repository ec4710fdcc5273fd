"""The pipeline as a user runs it: what it makes, where that comes from, the same bytes on any number of cores."""

import ast
import hashlib
import json
import re
import subprocess
import sys

import browsers
import pandas as pd
import pytest
import torch
from audiopriors import likelihood, provenance
from conftest import PRIOR, REAL, TABLES, Workplace, served
from PIL import Image


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
    assert len(figures) == 27
    for name in figures:
        assert Image.open(results / f"figures/{name}.png").height <= 1600 and (results / f"figures/{name}.csv").exists()
    report = (results / "report.html").read_text()
    assert "constant zero" in report and "audio/wav" in (results / "figures/listen_toy.html").read_text()
    # mix and two sources, of the truth and of 20 runs of three examples, of which one run has only two
    assert len(list((results / "audio/toy").glob("*.wav"))) == 3 * (3 * (2 + 20) - 1)
    assert smoke.planned("smoke") == {}


def test_the_page_of_the_run_in_a_browser(smoke, chromium):
    results = smoke.folder / "results" / "smoke"
    page = results / "index.html"
    assert page.stat().st_size < 15e6
    first = json.loads((results / "audio/toy.json").read_text())["mixes"][0]
    heard = len(first["rows"]) * (1 + len(first["sources"])) + len(first["sources"])
    browsers.check(chromium, page, ["asked", "outcome", "listen", "evidence", "record"], heard)
    browsers.slides(chromium, page)
    text = page.read_text()
    for path in (results / "figures").glob("*.png"):
        assert text.count(f'id="figure-{path.stem.removesuffix("_toy")}-toy"') == 1
    for table in TABLES:
        assert f'href="tables/{table}.csv"' in text
    claims = pd.read_csv(results / "tables/claims.csv")
    assert text.count('<tr id="claim-') == len(claims) and text.count('<li class="headline">') == 8


@pytest.mark.parametrize("page", ["README.md", "docs/extending.md"])
def test_the_python_of_a_page_runs(smoke, page):
    blocks = re.findall(r"```python\n(.*?)```", (smoke.folder / page).read_text(), re.DOTALL)
    (code,) = (block.replace("results/quick", "results/smoke") for block in blocks if "load_prior" in block)
    done = subprocess.run([sys.executable, "-c", code], cwd=smoke.folder, capture_output=True, text=True)
    assert done.returncode == 0 and "tensor(" in done.stdout, done.stderr


def test_same_bytes_on_one_core(smoke, repository, tmp_path):
    other = repository.copy(tmp_path / "one_core")
    with served() as programs:  # which hash strings by another seed than the first run's: sets have another order
        done = other.snakemake("smoke", cores=1, programs=programs)
    assert done.returncode == 0, done.stdout[-4000:]
    assert checksums(other) == checksums(smoke)
    assert len(checksums(smoke)) > 60
    lists = [(place.folder / "results/smoke/checksums.txt").read_text() for place in (other, smoke)]
    assert lists[0] == lists[1] and len(lists[0].splitlines()) > 100


def test_same_bytes_of_programs_that_start_as_a_user_starts_them(smoke, repository, tmp_path):
    """The real python against the warm one, a program of each kind; trainings and tables also in test_faults.py."""
    other = repository.copy(tmp_path / "real")
    targets = [
        "separation/toy/score/alternating/two.parquet", "separation/toy/reference/two.parquet",
        "separation/toy/wavenet/langevin_noise_free/four.parquet", "samples/toy/exact.npy", "tables/toy/table_2.csv",
        "likelihood/toy/flowavenet/saw/seed0.parquet", "figures/waveforms_toy.png",
    ]  # fmt: skip
    done = other.snakemake("--", *(f"results/smoke/{target}" for target in targets), programs=REAL)
    assert done.returncode == 0, done.stdout[-4000:]
    listed = dict(reversed(line.split("  ", 1)) for line in
                  (smoke.folder / "results/smoke/checksums.txt").read_text().splitlines())  # fmt: skip
    files = [path for path in (other.folder / "results/smoke").rglob("*") if path.is_file()]
    sums = {str(path.relative_to(other.folder / "results/smoke")): provenance.sha256(path) for path in files}
    compared = sums.keys() & listed.keys()
    assert {name: sums[name] for name in compared} == {name: listed[name] for name in compared} and len(compared) > 30


@pytest.mark.parametrize(("prior", "levels"), [("wavenet", ["0", "0.129"]), ("score", ["all"])])
def test_the_forecast_counts_what_is_evaluated(smoke, prior, levels):
    merged = json.loads(next((smoke.folder / "results/configs").glob("smoke-*.json")).read_text())["evaluation"]
    evaluation = likelihood.Evaluation(**{key: merged[key] for key in merged if key != "samples"})
    rows = pd.read_parquet(smoke.folder / f"results/smoke/likelihood/toy/{prior}/saw/seed0.parquet")
    counted = likelihood.scored_items(evaluation, levels, ["0.129"], 2, 16, 16)
    assert counted == (rows["measure"] == "log_prob").sum()


def test_what_it_will_take(repository, tmp_path):
    place = repository.copy(tmp_path / "forecast")
    done = place.snakemake("smoke_demo_band_forecast")
    assert done.returncode == 0, done.stdout[-3000:]
    head, _, _, _, *rows = (place.folder / "results/smoke/logs/forecast/demo_band.txt").read_text().splitlines()
    assert head.startswith("smoke, demo_band: ") and " hours of cpu (1 thread), " in head and head in done.stdout
    # Waves that a posterior model is trained on have a row of their own, and are a part of its job.
    rows = [row for row in rows if row.startswith("| ") and "waves to train on" not in row]
    jobs = sum(int(row.split("|")[3]) for row in rows)
    planned = place.planned("smoke_demo_band")
    counted = ("train_prior", "evaluate_prior", "separate", "error_curve", "train_separator", "train_posterior",
               "separate_posterior")  # fmt: skip
    assert jobs == sum(planned[rule] for rule in counted)
    assert not (place.folder / "results/smoke/priors").exists()
    assert place.planned("smoke_demo_band_forecast")["forecast"] == 1  # on another machine it would be another's hours


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
            for kind in ("*/*/*.examples.npy", "supervised/*/*.safetensors")
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


def test_published_data_and_variant_run(repository, tmp_path):
    place = repository.copy(tmp_path / "published")
    path = "results/smoke/likelihood/toy_published/flowavenet_published/saw/seed0.parquet"
    done = place.snakemake(path)
    assert done.returncode == 0, done.stdout[-3000:]
    rows = pd.read_parquet(place.folder / path)
    assert set(rows["measure"]) >= {"log_prob", "latent_log_prob"} and rows["prior"].eq("flowavenet_published").all()


def test_as_a_module(repository, tmp_path):
    """A Snakefile elsewhere that takes the workflow of a clone as a module (README)."""
    (tmp_path / "Snakefile").write_text(
        "".join(f'configfile: "{repository.folder}/{name}.yaml"\n' for name in ("config", "scales", "claims"))
        + f'\nmodule audiopriors:\n    snakefile: "{repository.folder}/Snakefile"\n    config: config\n\n'
        "use rule * from audiopriors as ours_*\n"
    )
    target = "results/smoke/likelihood/toy/exact/sine/seed0.parquet"
    done = Workplace(tmp_path).snakemake(target)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / target).exists() and not (repository.folder / "results").exists()
