"""Tables of rows whose numbers are known; their columns, and one command line for all."""

import importlib
import math

import numpy as np
import pandas as pd
import pytest
from audiopriors import detection_tables, intervals, tables
from audiopriors.columns import BSS_EVAL, COLUMNS, MEASURES
from scipy import stats


def measures_of_two(seeds=2, items=30, tracks=30):
    """Two sources; each prior gives its own source `items` values around 0, the other around -100 (T = 10)."""
    random, rows = np.random.default_rng(0), []
    for seed in range(seeds):
        for prior_source in "ab":
            for test_source in ("a", "b", "mix"):
                own = test_source == prior_source
                for split in ("test", "validation") if own else ("test",):
                    values = random.normal(0 if own else -100, 5, items)
                    rows.append(pd.DataFrame({
                        "dataset": "d", "prior": "f", "prior_source": prior_source, "prior_sigma": "0", "seed": seed,
                        "split": split, "test_source": test_source, "data_sigma": "0", "measure": "log_prob",
                        "item": range(items), "value": values,
                        "track": [f"t{item % tracks}" for item in range(items)] if split == "test" else "",
                    }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_likelihood_detection_and_classification():
    rows = measures_of_two()
    key = ["prior_source", "test_source"]
    cross = tables.cross_likelihood(rows, 10).set_index(key)
    assert cross.loc[("a", "a"), "mean"] == pytest.approx(0, abs=0.3)
    assert cross.loc[("a", "b"), "mean"] == pytest.approx(-10, abs=0.3)
    assert (cross["low"] <= cross["mean"]).all() and (cross["mean"] <= cross["high"]).all()
    assert cross["seeds"].eq(2).all() and (cross["seed_low"] <= cross["seed_high"]).all()
    detection = detection_tables.detection_table(rows, ["a", "b"], 10)
    assert detection["auroc"].eq(1).all() and detection["low"].lt(1).all() and detection["fpr95"].eq(0).all()
    assert set(detection["measure"]) == {"log_prob", "mixture_ratio", "typicality", "log_ratio"}
    assert set(detection.loc[detection["measure"] == "log_ratio", "test_source"]) == {"a", "b"}
    accuracy = tables.classification(rows, ["a", "b"], 10)
    assert accuracy["accuracy"].eq(1).all() and accuracy["n"].eq(60).all()
    shuffled = tables.cross_likelihood(rows.sample(frac=1, random_state=1), 10)
    pd.testing.assert_frame_equal(shuffled.set_index(key).sort_index(), cross.sort_index(), rtol=1e-12)


def test_columns_are_those_that_are_declared():
    rows, frame = measures_of_two(items=4, tracks=2), 10
    built = {
        "cross_likelihood": tables.cross_likelihood(rows, frame),
        "detection": detection_tables.detection_table(rows, ["a", "b"], frame),
        "detection_by_track": detection_tables.detection_by_track(rows, ["a", "b"], 10),
        "classification": tables.classification(rows, ["a", "b"], frame),
        "gradient_norm": tables.gradient_norm(rows.assign(measure="gradient_norm_squared"), frame),
        "denoising": tables.denoising(denoised(), "e", frame),
        "truth_gap": tables.truth_gap(exact_and_learned(-3), "e", 0.05, frame),
        "acceptance": tables.acceptance(particles()),
        "tracks": tables.tracks(pd.DataFrame([dict.fromkeys(COLUMNS["tracks"][1:])]), "band"),
        "separation": tables.separation(separated().assign(sdr=1.0, isr=1.0, sir=1.0, sar=1.0), frame),
    }
    for name, table in built.items():
        assert tuple(table.columns) == COLUMNS[name], name
        assert set(table.get("measure", [])) <= set(MEASURES), name
    without = tables.separation(separated(), frame)
    assert tuple(without.columns) == COLUMNS["separation"][: -len(BSS_EVAL)]


def test_every_ratio_of_a_measure_has_a_name():
    for measure in ("log_prob", "latent_log_prob", "code_log_prob", "published_score", "mel_log_prob"):
        assert {measure, tables.ratio_name(measure)} <= set(MEASURES)


def test_a_mean_square_has_no_interval_below_0():
    rows = measures_of_two().assign(measure="gradient_norm_squared")
    rows["value"] = np.where(rows["item"] == 0, 1e6, 1.0)
    table = tables.gradient_norm(rows, 10)
    assert table["low"].eq(0).all() and (table["mean"] < table["high"]).all()


def test_intervals_are_over_tracks():
    assert tables.tracks_of(measures_of_two()) == ()
    assert len(set(tables.tracks_of(measures_of_two(tracks=5)))) == 5
    items, songs = (tables.cross_likelihood(measures_of_two(tracks=tracks), 10) for tracks in (30, 5))
    assert items["mean"].equals(songs["mean"]) and not items["low"].equals(songs["low"])


def test_a_ratio_of_two_that_are_minus_infinity_says_nothing():
    rows = measures_of_two(items=20)
    impossible = rows["measure"].eq("log_prob") & rows["item"].lt(5) & rows["split"].eq("test")
    rows["value"] = rows["value"].mask(impossible, -np.inf)
    table = detection_tables.detection_table(rows, ["a", "b"], 10).set_index(["measure", "prior_source", "test_source"])
    forth, back = (table.loc[("log_ratio", *pair)] for pair in (("a", "b"), ("b", "a")))
    # Of 20 items on either side 5 are ties: with each other, and below (own) or above the 15 others.
    expected = (15 * 15 + 15 * 5 + 5 * 15 + 0.5 * 5 * 5) / 400
    assert forth["auroc"] == pytest.approx(expected) and back["auroc"] == pytest.approx(expected)
    assert forth["fpr95"] == 0.25  # 95 % of own items reach 0, as a quarter of the others do


def test_detection_by_track_compares_within_a_track():
    rows = measures_of_two(items=20, tracks=4)
    # Track t1 is so loud that all its items are unlikely; within each track the sources are told apart all the same.
    loud = rows["track"] == "t1"
    rows["value"] = rows["value"].mask(loud, rows["value"] - 1000)
    table = detection_tables.detection_by_track(rows, ["a", "b"], 10)
    table = table[(table["measure"] == "log_prob") & (table["test_source"] == "rest")]
    assert set(table["track"]) == {"t0", "t1", "t2", "t3"} and table["n"].eq(5).all() and table["auroc"].eq(1).all()
    pooled = detection_tables.detection_table(rows, ["a", "b"], 10)
    pooled = pooled[(pooled["measure"] == "log_prob") & (pooled["test_source"] == "rest")]
    assert pooled["auroc"].to_numpy() == pytest.approx(1 - 15 * 5 / 400)


def test_priors_without_a_density_are_judged_by_their_own_measures():
    rows = measures_of_two().assign(measure="code_log_prob")
    rows = pd.concat([rows, rows.assign(measure="published_score")])
    table = detection_tables.detection_table(rows, ["a", "b"], 10)
    assert set(table["measure"]) == {"code_log_prob", "published_score", "code_log_ratio", "published_score_ratio"}
    assert tables.classification(rows, ["a", "b"], 10)["measure"].eq("code_log_prob").all()


def test_a_prior_of_all_sigmas_is_judged_at_the_datas():
    rows = measures_of_two().assign(prior_sigma="all", data_sigma="0.1")
    own = rows[rows["test_source"] == rows["prior_source"]]
    member = own.assign(prior_sigma="0.1", data_sigma="0")  # other noise: no pair
    table = detection_tables.detection_table(pd.concat([rows, member]), ["a", "b"], 10)
    assert set(zip(table["prior_sigma"], table["data_sigma"], strict=True)) == {("all", "0.1")}
    assert tables.members(table)["prior_sigma"].eq("0.1").all()


def denoised(tracks=12):
    """Errors of an exact prior and of a learned one with two seeds, which have ten and thirty times as much."""
    random, rows = np.random.default_rng(0), []
    least = random.uniform(0.5, 1.5, 12) / 1000
    for prior, seed, factor in (("e", 0, 1), ("l", 0, 10), ("l", 1, 30)):
        rows.append(pd.DataFrame({
            "dataset": "d", "prior": prior, "prior_source": "a", "seed": seed, "prior_sigma": "0.1",
            "data_sigma": "0.1", "estimate": "tweedie", "item": range(12), "error": factor * least,
            "si_sdr": 20.0, "si_sdr_noisy": 12.0 + np.arange(12), "track": [f"t{item % tracks}" for item in range(12)],
        }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_denoising_is_measured_against_the_exact_prior():
    exact, learned = tables.denoising(denoised(), "e", 10).to_dict("records")
    assert (exact["error_over_limit"], exact["low"], exact["high"]) == (1, 1, 1)
    assert learned["error_over_limit"] == pytest.approx(20) == learned["low"]  # paired: of each item
    assert learned["error"] == pytest.approx(20 * learned["limit"]) and learned["seeds"] == 2
    assert learned["seed_low"] == pytest.approx(10 * learned["limit"])
    assert learned["error_low"] < learned["error"] < learned["error_high"] and learned["n"] == 12
    assert learned["si_sdr_improvement_median"] == 2.5
    other = tables.denoising(denoised().assign(error=lambda rows: rows["error"] + 1e-3 * rows["item"]), "e", 10)
    ends = other.loc[other["prior"] == "l", ["low", "error_over_limit", "high"]].to_numpy()[0]
    assert 0 < ends[0] < ends[1] < ends[2]
    unknown = tables.denoising(denoised(tracks=3), None, 10)
    assert unknown[["error_over_limit", "low", "high", "limit"]].isna().all(axis=None)
    assert unknown["error_low"].isna().all() and unknown["error"].notna().all()  # three songs have no interval


def exact_and_learned(learned: float):
    """The exact prior `e` gives its items -5 +- 2 nats, the learned one `f` `learned` nats more, +- 1."""
    random, rows = np.random.default_rng(0), []
    truth = random.normal(-5, 2, 40)
    for prior, sigma, values in (("e", "all", truth), ("f", "0.1", truth + random.normal(learned, 1, 40))):
        for data_sigma in ("0", "0.1"):
            rows.append(pd.DataFrame({
                "dataset": "d", "prior": prior, "prior_source": "a", "prior_sigma": sigma, "seed": 0, "split": "test",
                "test_source": "a", "data_sigma": data_sigma, "measure": "log_prob", "item": range(40),
                "value": values,
            }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_truth_gap():
    (row,) = tables.truth_gap(exact_and_learned(-3), "e", 0.05, 10).to_dict("records")
    assert row["gap_total"] == pytest.approx(3, abs=0.5) and row["gap_mean"] == pytest.approx(row["gap_total"] / 10)
    assert row["low_total"] < 3 < row["high_total"] and row["data_sigma"] == "0.1" and row["n"] == 40
    rows = exact_and_learned(1)  # above the true density, but of spectrograms
    rows.loc[rows["prior"] == "f", "measure"] = "mel_log_prob"
    assert tables.truth_gap(rows, "e", 0.05, 10).empty


def test_truth_gap_stops_at_what_no_density_can_be():
    with pytest.raises(tables.TruthViolation, match=r"f of a at sigma 0\.1: .* nats above the true"):
        tables.truth_gap(exact_and_learned(1), "e", 0.05, 10)
    assert len(tables.truth_gap(exact_and_learned(1), "e", 2.0, 10)) == 1  # within the exact prior's own error
    assert len(tables.truth_gap(exact_and_learned(0), "e", 0.05, 10)) == 1  # within the interval
    broken = exact_and_learned(-3)
    broken.loc[broken["prior"].eq("f") & broken["item"].eq(3), "value"] = np.nan
    with pytest.raises(tables.TruthViolation, match=r"f of a at sigma 0\.1: .* not a number on 1 of 40 items"):
        tables.truth_gap(broken, "e", 0.05, 10)


def separated():
    """Four mixes of two sources, of four tracks."""
    return pd.DataFrame({
        "dataset": "d", "method": "m", "prior": "f", "mix": "a+b", "source": ["a"] * 4 + ["b"] * 4,
        "item": [0, 1, 2, 3] * 2, "track": ["p", "q", "r", "s"] * 2,
        "si_sdr": [1.0, 2, 3, 40, 11, 12, 13, 14], "si_sdr_improvement": [1.0, 1, 1, 9, 1, 1, 1, 1],
        "si_sdr_to_mix": [-5.0] * 3 + [30] + [20] * 4,
        "consistency": 0.1, "stopped": [True, False, False, False] * 2, "accepted": [1.0, 0.0, 1.0, 1.0] * 2,
    })  # fmt: skip


def test_separation():
    rows = separated()
    table = tables.separation(rows, 10).set_index("source")
    assert table["si_sdr_median"].to_dict() == {"a": 2.5, "b": 12.5, "all": 11.5}
    assert table["share_above_10_db"].to_dict() == {"a": 0.25, "b": 1.0, "all": 5 / 8}
    assert table["stopped"].eq(0.25).all() and table["n"].eq(4).all() and table["consistency_rms"].eq(0.1).all()
    assert table["si_sdr_improvement_median"].eq(1).all()
    assert table["si_sdr_to_mix_median"].to_dict() == {"a": -5.0, "b": 20.0, "all": 20.0}
    assert table["si_sdr_improvement_mean"].to_dict() == {"a": 3.0, "b": 1.0, "all": 2.0}
    # Of the four mixes one has both sources above 10 dB; of the three accepted ones two have not.
    assert table.loc["all", ["share_of_mixes", "accepted", "accepted_failures"]].tolist() == [0.25, 0.75, 2]
    ends = ["low", "high", "share_low", "share_high", "si_sdr_improvement_median_low", "si_sdr_improvement_median_high"]
    assert table[ends].isna().all(axis=None)  # four mixes are too few
    assert table.loc["all", ["si_sdr_least", "si_sdr_greatest"]].tolist() == [1, 40]
    more = pd.concat([rows.assign(item=rows["item"] + 4 * k, track=rows["track"] + str(k)) for k in range(3)])
    table = tables.separation(more, 10).set_index("source")
    assert (table["share_low"] < table["share_above_10_db"]).all() and table.loc["b", "share_high"] == 1
    assert (table["low"] < table["si_sdr_median"]).all() and (table["si_sdr_median"] < table["high"]).all()
    assert table.loc["b", ["si_sdr_improvement_median_low", "si_sdr_improvement_median_high"]].tolist() == [1, 1]
    songs = tables.separation(more.assign(track=more["item"].astype(str) + "s").replace({"track": {"1s": "0s"}}), 10)
    assert (songs.set_index("source")["low"] <= table["low"]).all()  # of eleven songs
    few = pd.concat([more, more[more["item"] < 2].assign(method="of two items")])
    assert tables.separation(few, 10).groupby("method", sort=False)["low"].count().tolist() == [3, 0]
    sdr = [1.0, np.nan, 3, np.nan, 5, 6, 7, 8]
    table = tables.separation(rows.assign(sdr=sdr, isr=0.0, sir=9.0, sar=sdr), 10).set_index("source")
    assert table["sdr_median"].to_dict() == {"a": 2.0, "b": 6.5, "all": 5.5} and table["sir_median"].eq(9).all()
    assert table["isr_median"].eq(0).all() and table["sar_median"].equals(table["sdr_median"].rename("sar_median"))
    assert table["share_with_sdr"].to_dict() == {"a": 0.5, "b": 1.0, "all": 0.75}


def particles():
    """Six particles of two mixes."""
    return pd.DataFrame({
        "item": [0, 0, 1, 1, 1, 1], "round": [0, 0, 0, 0, 1, 1], "particle": [0, 1] * 3,
        "misfit": [0.5, 1.2, 1.6, 1.5, 0.7, 0.9], "agreement_db": [60, 30, -5, 60, 60, 25],
        "worst_si_sdr": [35, 33, -9, 2, 36, 3], "calls": [10, 10, 10, 10, 20, 20],
        "share_right": [1.0, 1.0, 0.0, 0.5, 1.0, 0.75],
    }).assign(dataset="toy", method="m", prior="f", mix="four", accept=1.0)  # fmt: skip


def test_acceptance():
    (row,) = tables.acceptance(particles()).to_dict("records")
    assert [row[name] for name in ("dataset", "mix", "method", "prior")] == ["toy", "four", "m", "f"]
    assert row["particles"] == 6 and row["mixes"] == 2 and row["rounds"] == 2
    assert row["share_right"] == 0.5 and row["share_accepted"] == 0.5
    assert row["false_accepts"] == 1 and row["missed"] == 1
    assert row["auroc"] == pytest.approx(8 / 9)
    assert row["largest_misfit_right"] == 1.2 and row["smallest_misfit_wrong"] == 0.9
    assert row["agreement_db_median"] == 12.5 and row["calls_per_mix"] == 40
    assert row["best_of_8"] == 1
    # Both mixes are accepted, the kept particles being right; two are too few for a bound.
    assert row["accepted_mixes"] == 2 and row["accepted_failures"] == 0 and math.isnan(row["accepted_failures_high"])
    many = pd.concat([particles().assign(item=particles()["item"] + 2 * k) for k in range(50)])
    many.loc[(many["item"] == 7) & (many["misfit"] == 0.7), "worst_si_sdr"] = 9.0
    (row,) = tables.acceptance(many).to_dict("records")
    assert row["accepted_mixes"] == 100 and row["accepted_failures"] == 1
    assert row["accepted_failures_high"] == pytest.approx(stats.beta.ppf(0.975, 2, 99), rel=0.05)


def test_posterior():
    bounds = pd.DataFrame({
        "item": np.arange(40), "track": "", "log_likelihood": -3.0, "log_prior": np.arange(40.0), "entropy": 2.0,
        "inside_50": [0.25, 0.75] * 20, "inside_95": 1.0,
        "dataset": "toy", "mix": "four", "prior": "score", "posterior": "posterior_sleep", "objective": "sleep",
        "law": "beta", "steps": 3,
    })  # fmt: skip
    (row,) = tables.posterior(bounds.sample(frac=1, random_state=0), 10).to_dict("records")
    assert row["n"] == 40 and row["frame"] == 10 and row["objective"] == "sleep"
    assert row["law"] == "beta" and row["steps"] == 3
    assert [row[name] for name in ("elbo", "log_likelihood", "log_prior", "entropy")] == [18.5, -3, 19.5, 2]
    assert row["low"] < 16 < 18.5 < 21 < row["high"] and (row["low"], row["high"]) == intervals.mean(
        np.arange(40.0) - 1
    )
    assert row["inside_50"] == 0.5 and row["inside_50_low"] < 0.45 and row["inside_95"] == 1


def test_table_1_shows_each_measure_beside_the_published_values(tmp_path):
    rows = [("flow", source, "0.3", test, noise, measure, value) for source, value in (("sine", -1.0), ("saw", -2.0))
            for test, noise, measure in (("constant_0", "0", "log_prob"), ("constant_0", "0", "latent_log_prob"),
                                         ("constant_0", "0.3", "log_prob"), ("sine", "0", "log_prob"))]  # fmt: skip
    columns = ["prior", "prior_source", "prior_sigma", "test_source", "data_sigma", "measure", "mean"]
    tables.write(pd.DataFrame(rows, columns=columns), str(tmp_path / "cross_likelihood.csv"))
    build = importlib.import_module("table_1").build
    settings = {"sources": ["sine", "saw"], "sigmas": ["0", "0.1", "0.3"]}
    table = build(settings, [str(tmp_path / "cross_likelihood.csv")])
    assert list(table.columns) == [*COLUMNS["table_1"], "sine", "saw"]
    here = table[table["prior"] == "flow"]  # of clean inputs, under the priors of the largest sigma
    assert here[["input", "prior_sigma", "measure", "sine", "saw"]].to_numpy().tolist() == [
        ["constant_0", "0.3", "log_prob", -1, -2], ["constant_0", "0.3", "latent_log_prob", -1, -2],
    ]  # fmt: skip
    paper = table[table["prior"] == "FloWaveNet (paper)"]
    assert paper["sine"].tolist() == [4.8, -0.5, -2.7e13, 4.4] and paper["prior_sigma"].tolist() == ["0", "0.3"] * 2


def test_table_2_gives_fine_tuning_steps_to_what_is_fine_tuned():
    training = {"steps": 9, "batch": 4, "learning_rate": 0.1, "schedule": "cosine"}
    whole = {"model": {"blocks": 2, "extra": 7}, "training": training, "finetune": {"steps": 5}}
    priors = {"each": whole, "one": whole, "as_long": whole | {"finetune": {}}, "exact": {"model": {"nodes": 3}}}
    table = importlib.import_module("table_2").build({"priors": priors, "fine_tuned": ["each", "as_long"]}, [])
    table = table.set_index("prior")
    assert ["prior", *table.columns][: len(COLUMNS["table_2"])] == list(COLUMNS["table_2"])
    assert table["finetune_steps"].dropna().to_dict() == {"each": 5, "as_long": 9}
    assert table["steps"].dropna().to_dict() == dict.fromkeys(["each", "one", "as_long"], 9)
    assert table.loc["FloWaveNet (paper)", ["blocks", "flows", "layers", "kernel_size", "width"]].tolist() == [
        4, 6, 10, 3, 32,
    ]  # fmt: skip
    assert table.loc["exact"].dropna().to_dict() == {"nodes": 3} and "schedule" not in table


def test_a_tables_program_writes_what_it_builds(tmp_path, monkeypatch):
    """`--inputs` may be empty, as of table_2."""

    def build(settings, inputs):
        return pd.DataFrame({"inputs": [len(inputs)], "third": [settings["one"] / 3], "prior_sigma": ["0"]})

    monkeypatch.setattr("sys.argv", ["table.py", "--settings", '{"one": 1}', "--output", str(tmp_path / "t.csv")])
    tables.program("A table.", build)
    assert (tmp_path / "t.csv").read_text() == "inputs,third,prior_sigma\n0,0.333333,0\n"
    monkeypatch.setattr("sys.argv", ["table.py", "--settings", '{"one": 2}', "--inputs", "a", "b", "--output",
                                     str(tmp_path / "t.csv")])  # fmt: skip
    tables.program("A table.", build)
    assert tables.read_csv(str(tmp_path / "t.csv")).to_dict("records") == [
        {"inputs": 2, "third": 0.666667, "prior_sigma": "0"}
    ]
