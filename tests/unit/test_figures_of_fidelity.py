"""Figures of posterior fidelity: which numbers they show, and what is written at their axes."""

import figure_explanations
import figure_fidelity
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from audiopriors import files, plotting
from audiopriors.fidelity.table import posterior_fidelity
from drawn import SETTINGS, words
from test_fidelity import fidelity_rows


@pytest.fixture(autouse=True)
def closed():
    plotting.set_style()
    yield
    plt.close("all")


def test_coverage_of_each_sampler_and_mix(tmp_path):
    table = posterior_fidelity(fidelity_rows(coverage_95=0.6), 128)
    table.to_csv(tmp_path / "posterior_fidelity.csv", index=False)
    settings = SETTINGS | {"exact": "exact", "titles": {"some": "a sampler", "easy": "easy mixes", "score": "a prior"}}
    figure, shown = figure_fidelity.draw(settings, [str(tmp_path / "posterior_fidelity.csv")])
    assert shown["mix"].tolist() == ["all", "easy"] and shown["method"].unique().tolist() == ["some"]
    assert shown["coverage_95"].tolist() == pytest.approx([0.6] * 2)
    assert words(figure, "title") == {"all mixes", "all mixes:\nenergy distance", "easy mixes"}
    first, distances = figure.axes[:2]
    assert [text.get_text() for text in first.get_yticklabels()] == ["a sampler"]
    filled = [one for one in first.collections if one.get_label() == "a prior, 95 %"]
    np.testing.assert_allclose(filled[0].get_offsets(), [[0.6, 0]])
    distance = table[(table["mix"] == "all") & (table["method"] == "some")]["energy_distance"]
    offsets = [one.get_offsets() for one in distances.collections if one.get_label().startswith("a prior")]
    np.testing.assert_allclose(offsets, [[[distance.item(), 0]]])


def test_phases_of_exact_draws_and_particles(tmp_path):
    """The mix with the most explanations is shown, under the learned prior, where the sampler has it."""
    reference = tmp_path / "reference"
    reference.mkdir()
    draws = np.random.default_rng(0).uniform(size=(3, 50, 2, 3))
    np.save(reference / "easy.npy", draws)
    rows = pd.DataFrame({"mix": "easy", "item": [0, 1, 2], "replicate": 0, "explanations": [1, 3, 2]})
    files.write_rows(rows, str(reference / "easy.parquet"))
    paths = [str(reference / "easy.npy"), str(reference / "easy.parquet")]
    for method, prior, items in (("good", "score", 3), ("bad", "score", 1), ("good", "exact", 3)):
        places = np.indices((items, 4, 2)).reshape(3, -1)
        particles = pd.DataFrame(dict(zip(("item", "particle", "source"), places, strict=True)))
        particles = particles.assign(mix="easy", method=method, prior=prior, phase=0.25 + 0.5 * particles["source"])
        paths.append(str(tmp_path / f"{prior}_{method}.particles.parquet"))
        files.write_rows(particles, paths[-1])
    figure, shown = figure_explanations.draw(SETTINGS | {"exact": "exact"}, paths)
    assert (shown["item"] == 1).all() and (shown["method"] == "good").all() and (shown["prior"] == "score").all()
    good, bad = figure.axes[:2]
    np.testing.assert_allclose(good.collections[0].get_offsets(), draws[1, :, :2, 1])
    np.testing.assert_allclose(good.collections[1].get_offsets(), [[0.25, 0.75]] * 4)
    assert plotting.is_empty(bad) and words(figure, "title") == {"a good\nmethod", "bad"}
