"""The comparison of samplers with the exact posterior, as a user runs it at the smallest scale."""

import pandas as pd
import pytest


def test_every_sampler_has_its_rows(fidelity):
    results = fidelity.folder / "results" / "smoke"
    table = pd.read_csv(results / "tables/fidelity/posterior_fidelity.csv")
    assert set(table["mix"]) == {"all", "easy", "third_harmonic"}
    assert set(table["prior"]) == {"exact_short", "score_short"}
    exact = table[table["method"] == "exact_posterior"]
    assert (exact["verdict"] == "exact").all() and len(exact) == 3
    # Exact draws in place of particles are right by construction, also at a scale where nothing else is.
    assert exact["coverage_95"].tolist() == pytest.approx([0.95] * 3, abs=0.05)
    sampled = table[table["method"] != "exact_posterior"]
    assert sampled["method"].nunique() == 7 and sampled["calls"].gt(0).all() and sampled["verdict"].notna().all()
    costs = pd.read_csv(results / "tables/fidelity/costs.csv").set_index("what")["draws_per_second"]
    assert costs["sample_posterior"].gt(0).all() and costs.drop("sample_posterior").isna().all()
    particles = pd.read_parquet(results / "fidelity/fidelity/exact_short/annealed_gibbs.particles.parquet")
    assert len(particles) == 2 * 5 * 39 * 2 and particles["amplitude"].between(0.8, 1).all()
    for figure in ("fidelity", "explanations"):
        assert (results / f"figures/{figure}_fidelity.png").stat().st_size > 10_000
    page = (results / "index_fidelity.html").read_text()
    assert "Do samplers draw from the posterior?" in page and "Is it <strong>smooth</strong>?" not in page
    assert 'id="figure-explanations-fidelity"' in page and "posterior_fidelity.csv" in page
    assert fidelity.planned("smoke_fidelity") == {}


def test_a_posterior_that_is_not_resolved_stops_the_run_by_name(fidelity, tmp_path):
    place = fidelity.copy(tmp_path / "copy")
    place.edit("scales.yaml", "replicates: 4, error: 1}", "replicates: 4, error: 0.0001}")
    done = place.snakemake("smoke_fidelity")
    assert done.returncode != 0
    assert "mix easy: its exact posterior is not resolved: independent runs, or the halves of these" in done.stdout
    assert "`compare.error` allows 0.0001; raise `burn_in`, `steps` or `levels` of the data set's" in done.stdout


def test_code_of_a_new_sampler_samples_again_and_draws_nothing_anew(fidelity, tmp_path):
    place = fidelity.copy(tmp_path / "copy")
    place.edit("workflow/scripts/audiopriors/separation/twisted.py", "levels, number =", "levels, number  =")
    planned = place.planned("smoke_fidelity")
    assert planned["sample_posterior"] == 1 and not {"exact_posterior", "train_prior", "error_curve"} & set(planned)


def test_what_is_not_compared_is_named(fidelity):
    done = fidelity.snakemake("--", "results/smoke/fidelity/fidelity/score_short/langevin_planned.parquet")
    assert done.returncode != 0 and "add it under datasets.fidelity.fidelity.runs" in done.stdout
