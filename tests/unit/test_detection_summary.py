"""The summary of detection: near and far pairs, the worst, and the spread of trainings apart from that of items."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors import detection_summary, detection_tables, intervals, nearness, tables
from audiopriors.columns import COLUMNS, MEASURES
from audiopriors.data.base import Frames
from scipy import special

SOURCES = ["a", "b", "c"]
NEAR = [("b", "a")]
AUROC = {frozenset("ab"): 0.7, frozenset("ac"): 0.9, frozenset("bc"): 0.97}


def rows(gaps, items=400, of_items=1.0, seed=0):
    """log p of items at even quantiles of a normal law; the gap of a pair, which gives its AUROC, is a seed's.

    gaps: what is added to every gap, one for each training. of_items: the share of chance in the items' values.
    """
    random, even = np.random.default_rng(seed), special.ndtri((np.arange(items) + 0.5) / items)
    drawn = {source: of_items * random.normal(size=items) + (1 - of_items) * even for source in SOURCES}
    parts = []
    for training, gap in enumerate(gaps):
        for prior_source, test_source in itertools.product(SOURCES, [*SOURCES, "mix"]):
            own = prior_source == test_source
            below = 0 if own or test_source == "mix" else AUROC[frozenset((prior_source, test_source))]
            values = drawn.get(test_source, even) - (np.sqrt(2) * special.ndtri(below) + gap if below else 0)
            for split in ("test", "validation") if own else ("test",):
                parts.append(pd.DataFrame({
                    "dataset": "d", "prior": "f", "prior_source": prior_source, "prior_sigma": "0", "seed": training,
                    "split": split, "test_source": test_source, "data_sigma": "0", "measure": "log_prob",
                    "item": range(items), "track": [str(item) for item in range(items)], "value": values,
                }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def summary(measures):
    table = detection_summary.detection_summary(measures, SOURCES, NEAR, 10)
    assert tuple(table.columns) == COLUMNS["detection_summary"] and set(table["measure"]) <= set(MEASURES)
    return table.set_index("measure")


def test_near_and_far_pairs_and_the_worst():
    row = summary(rows([0.0], of_items=0.0)).loc["log_prob"]
    assert row["pairs"] == 6 and row["n"] == 400 and row["near_pairs"] == "b-a"
    assert row["auroc_near"] == pytest.approx(0.7, abs=0.01) and row["worst"] == pytest.approx(0.7, abs=0.01)
    assert row["auroc_far"] == pytest.approx((0.9 + 0.97) / 2, abs=0.01)
    assert row["auroc"] == pytest.approx((row["auroc_near"] + 2 * row["auroc_far"]) / 3)
    assert {row["worst_prior_source"], row["worst_test_source"]} == {"a", "b"}
    for name in ("aupr_in", "aupr_out"):
        assert row[name] == pytest.approx((row[f"{name}_near"] + 2 * row[f"{name}_far"]) / 3)


def test_it_agrees_with_the_table_of_pairs():
    measures = rows([0.0, 0.5])
    pairs, row = detection_tables.detection_table(measures, SOURCES, 10), summary(measures).loc["log_prob"]
    pairs = pairs[(pairs["measure"] == "log_prob") & (pairs["test_source"] != "rest")]
    for name in ("auroc", "aupr_in", "aupr_out"):
        assert row[name] == pytest.approx(pairs[name].mean())
    ends = intervals.extreme("min", pairs["auroc"].to_numpy(), pairs[["low", "high"]].to_numpy(), bounded=True)
    assert (row["worst_low"], row["worst_high"]) == pytest.approx(ends)
    least = pairs.loc[pairs["auroc"].idxmin()]
    assert row["worst"] == least["auroc"] and row["worst_high"] > least["high"]  # the least of so many


def test_spread_of_trainings_is_apart_from_that_of_items():
    alike, apart = (summary(rows(gaps)).loc["log_prob"] for gaps in ([0.0, 0.0, 0.0], [-0.4, 0.0, 0.4]))
    assert alike["seeds"] == apart["seeds"] == 3
    assert alike[["training_deviation", "worst_training_deviation"]].max() < 1e-12
    singles = [summary(rows([gap])).loc["log_prob"] for gap in (-0.4, 0.0, 0.4)]
    assert apart["training_deviation"] == pytest.approx(np.std([one["auroc"] for one in singles], ddof=1))
    assert apart["worst_training_deviation"] == pytest.approx(np.std([one["worst"] for one in singles], ddof=1))
    assert apart["training_deviation"] > 0.03 and np.isnan(singles[0]["training_deviation"])
    # That of items does not know it, and falls with their number; it is what fresh items show.
    assert apart["item_deviation"] == pytest.approx(alike["item_deviation"], rel=0.2)
    drawn = [summary(rows([0.0], items=50, seed=seed)).loc["log_prob"] for seed in range(60)]
    deviation = np.mean([one["item_deviation"] for one in drawn])
    assert deviation == pytest.approx(np.std([one["auroc"] for one in drawn], ddof=1), rel=0.3)
    assert deviation > 2 * alike["item_deviation"]


def test_what_knows_the_alternative_is_another_kind():
    kinds = summary(rows([0.0]))["kind"].to_dict()
    assert kinds == {
        "log_prob": "one_class", "typicality": "one_class", "mixture_ratio": "ratio", "log_ratio": "ratio",
    }  # fmt: skip


def test_a_single_pair_is_near():
    two = rows([0.0])
    two = two[two["prior_source"].isin(["a", "b"]) & two["test_source"].isin(["a", "b", "mix"])]
    row = detection_summary.detection_summary(two, ["a", "b"], NEAR, 10).iloc[0]
    assert row["auroc"] == row["auroc_near"] and np.isnan(row["auroc_far"]) and np.isnan(row["aupr_in_far"])


def test_detectors_of_score_priors_are_judged_by_held_out_items():
    """Their values say nothing of the source but for one statistic of the path, and the dimension."""
    measures = rows([0.0], of_items=0.0)
    names = ["local_dimension", "path_noise_1", "path_noise_2", "path_noise_3", "path_change_1", "path_change_2",
             "path_change_3"]  # fmt: skip
    compared = measures[measures["test_source"] != "mix"]
    of_score = [compared.assign(measure=name, value=compared["value"] ** 2) for name in names[1:]]
    few = compared["test_source"] != compared["prior_source"]
    of_score.append(compared.assign(measure=names[0], value=np.where(few, 0.0, 5 + compared["value"])))
    table = summary(pd.concat([measures, *of_score]))
    assert set(table.index) == {
        "log_prob", "typicality", "mixture_ratio", "log_ratio", "likelihood_and_dimension", "path_density",
    }  # fmt: skip
    assert table.loc["likelihood_and_dimension", "auroc"] > 0.95 > table.loc["log_prob", "auroc"]
    assert table.loc["path_density", "auroc"] > 0.6 and table.loc["path_density", "kind"] == "one_class"
    assert not set(tables.cross_likelihood(pd.concat([measures, *of_score]), 10)["measure"]) & set(names)


class Tones(Frames):
    """Sources whose tones have one, two and nine partials, at any level."""

    rate = 16000

    def count(self, split):
        return {"validation": 5}[split]

    def frames(self, split, source, items, frame):
        time = torch.arange(frame) / frame
        partials = {"one": 1, "two": 2, "nine": 9}[source]
        wave = sum(torch.sin(2 * torch.pi * 20 * k * time) for k in range(1, partials + 1))
        return torch.stack([0.1 ** float(item) * wave for item in items])[:, None]

    def draw(self, source, batch, frame, generator):
        raise NotImplementedError


def test_near_pairs_are_those_of_like_spectra():
    near = nearness.near_pairs(Tones(), ["nine", "one", "two"], 512)
    assert list(near) == [("one", "two"), ("nine", "two")] and 0 < near["one", "two"] < near["nine", "two"]
    assert list(nearness.near_pairs(Tones(), ["one", "nine"], 512)) == [("one", "nine")]
