"""A prior, a data set and a sampler are one file and one entry each: the examples, added to a copy of the tree."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from audiopriors.pipeline.figures import FIGURES
from audiopriors.pipeline.tables import TABLES
from conftest import ROOT

PLACES = {"prior/autoregressive": "priors", "data/chirps": "data", "sampler/one_shot": "separation/methods"}


@pytest.fixture(scope="module")
def extended(smoke, tmp_path_factory):
    """A copy of the finished smoke run with the three examples, built again: toy and chirps."""
    place = smoke.copy(tmp_path_factory.mktemp("extended") / "work")
    for example, folder in PLACES.items():
        shutil.copy(ROOT / f"examples/{example}.py", place.folder / "workflow/scripts/audiopriors" / folder)
    entries = [f"examples/{example}.yaml" for example in PLACES]
    done = place.snakemake("--configfile", *entries, "--", "smoke", "smoke_chirps")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "rule make_data" in done.stdout and done.stdout.count("rule train_prior:") == 2 * 2 + 3 * (2 + 2 + 1)
    return place


def tables(place, dataset: str) -> dict[str, pd.DataFrame]:
    folder = place.folder / "results/smoke/tables" / dataset
    return {name: pd.read_csv(folder / f"{name}.csv") for name in TABLES if (folder / f"{name}.csv").exists()}


def test_the_example_prior_is_in_every_table_and_figure(extended):
    of_toy = tables(extended, "toy")
    for name, table in of_toy.items():
        # Of named priors; of priors that are sampled, or that a posterior model has.
        if name not in ("claims", "separation", "acceptance", "posterior"):
            assert table["prior"].eq("autoregressive").any(), name
    figures = extended.folder / "results/smoke/figures"
    for name in ("cross_likelihood", "detection", "noise_grid", "peakedness", "noise_likelihood", "inputs",
                 "gradient_norm", "truth_gap", "training", "samples", "dilemma"):  # fmt: skip
        assert pd.read_csv(figures / f"{name}_toy.csv")["prior"].eq("autoregressive").any(), name
    gaps = of_toy["truth_gap"]
    assert (gaps.loc[gaps["prior"] == "autoregressive", "high"] > 0).all()


def test_the_example_data_set_has_every_table_and_figure(extended):
    of_chirps = tables(extended, "chirps")
    assert set(of_chirps) == set(TABLES) - {
        "detection_by_track",
        "tracks",
        "truth_gap",
        "posterior",
        "posterior_fidelity",
    }  # no tracks, no exact prior, no encoder, no exact posterior
    assert set(of_chirps["separation"]["source"]) == {"rising", "falling", "steady", "all"}
    assert {"mix", "static_wiener", "ideal_ratio_mask", "supervised"} < set(of_chirps["separation"]["method"])
    drawn = {
        path.stem.removesuffix("_chirps") for path in (extended.folder / "results/smoke/figures").glob("*_chirps.png")
    }
    assert drawn == set(FIGURES) - {
        "detection_by_track", "elbo", "explanations", "fidelity", "logits", "posterior", "published", "training_cost",
        "truth_gap",
    }  # fmt: skip
    assert (extended.folder / "results/smoke/report_chirps.html").stat().st_size > 1e6


def test_the_example_sampler_is_in_its_table_and_figures(extended):
    rows = tables(extended, "toy")["separation"]
    rows = rows[rows["method"] == "one_shot"]
    assert set(rows["source"]) == {"sine", "saw", "all"} and rows["si_sdr_median"].notna().all()
    figures = extended.folder / "results/smoke/figures"
    for name in ("separation", "energy"):
        assert pd.read_csv(figures / f"{name}_toy.csv")["method"].eq("one_shot").any(), name


def test_what_the_page_benchmarks_tells_is_what_a_row_needs(extended):
    """Its commands ask for tables that have the new row, for what they copy is what the clone has."""
    page = (ROOT / "docs/templates/benchmarks.md").read_text("utf-8").replace("\\\n", "")
    commands = re.findall(r"^cp (\S+) (\S+)\nsnakemake --cores all (.+)$", page, re.MULTILINE)
    assert len(commands) == 2
    for file, folder, arguments in commands:
        assert (extended.folder / folder / Path(file).name).exists()
        jobs = extended.snakemake("--dry-run", *arguments.split())
        name = Path(file).stem
        assert jobs.returncode == 0 and re.search(rf"(?:prior|method)={name}\b", jobs.stdout), jobs.stdout[-2000:]


def test_an_entry_is_a_few_lines():
    for example in PLACES:
        assert len((ROOT / f"examples/{example}.yaml").read_text().splitlines()) < 40
        assert yaml.safe_load((ROOT / f"examples/{example}.yaml").read_text())
