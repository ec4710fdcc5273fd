"""Likelihood, detection, metrics, tables and claims against what is known in closed form."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors import claims, detection, likelihood, metrics, tables
from audiopriors.audio import recordings
from audiopriors.data import toy
from audiopriors.priors.base import Prior
from audiopriors.separation import running as separation
from torchmetrics.functional.classification import binary_auroc


def normal(n, frame, deviation=1.0, seed=0):
    return deviation * torch.randn(n, 1, frame, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def log_normal(x, deviation):
    return torch.distributions.Normal(0, deviation).log_prob(x.double()).sum((1, 2)).numpy()


def test_entropy_gate_passes_densities_and_stops_others():
    x = normal(100, 50, 0.5)
    likelihood.entropy_gate(log_normal(x, 0.5), x, 0.5, "the truth")
    likelihood.entropy_gate(log_normal(x, 0.7), x, 0.5, "a wrong but proper density")
    with pytest.raises(likelihood.EntropyViolation, match=r"prior z: not a density.*21\.0 nats more"):
        likelihood.entropy_gate(log_normal(x, 0.5) + 0.21, x, 0.5, "prior z")
    with pytest.raises(likelihood.EntropyViolation, match=r"prior z: not a density.*nan nats more"):
        likelihood.entropy_gate(np.where(np.arange(100) == 7, np.nan, log_normal(x, 0.5)), x, 0.5, "prior z")
    likelihood.entropy_gate(np.full(100, -np.inf), x, 0.5, "a density that is 0 there")


def test_test_noise_is_shared_by_priors_and_differs_by_level():
    clean = torch.zeros(3, 1, 1000)
    one, again = (likelihood.test_noise(clean, "0.5", 0, "test", "saw") for _ in range(2))
    assert torch.equal(one, again) and one.std().item() == pytest.approx(0.5, rel=0.05)
    assert not torch.equal(one / 0.5, likelihood.test_noise(clean, "1", 0, "test", "saw"))
    assert likelihood.test_noise(clean, "0", 0) is clean


def test_batches_bound_the_memory():
    x = torch.zeros(10, 1, 100)
    assert [len(part) for part in likelihood.batches(x, 350)] == [3, 3, 3, 1]
    assert [len(part) for part in likelihood.batches(x, 10)] == [1] * 10


def test_auroc_is_the_librarys():
    random = np.random.default_rng(0)
    inside, outside = random.normal(1, 1, 80), random.normal(0, 1, 120)
    outside[:10] = inside[:10]  # ties
    value, low, high, per_seed = detection.auroc([inside], [outside], 500)
    labels = torch.tensor([1] * 80 + [0] * 120)
    # torchmetrics wants probabilities: a monotone map keeps the ranks
    expected = binary_auroc(torch.sigmoid(torch.tensor(np.concatenate([inside, outside]))), labels)
    assert value == pytest.approx(expected.item(), abs=1e-6) and low < value < high
    assert per_seed == pytest.approx([value])


def test_auroc_interval_covers():
    """95 % intervals of 60 + 60 items cover the true AUROC of two shifted normals about 95 % of the time."""
    random, truth, covered = np.random.default_rng(1), 0.7602, 0  # Phi(1 / sqrt 2)
    for _ in range(300):
        _, low, high, _ = detection.auroc([random.normal(1, 1, 60)], [random.normal(0, 1, 60)], 300)
        covered += low <= truth <= high
    assert 0.90 <= covered / 300 <= 0.99


def test_intervals_at_a_bound_are_exact():
    value, low, high, _ = detection.auroc([np.ones(20)], [np.zeros(30)], 200)
    assert value == high == 1 and low == pytest.approx(0.025 ** (1 / 20))
    assert detection.exact_at_bound(0.0, 0.0, 0.0, 10) == (0, pytest.approx(1 - 0.025 ** (1 / 10)))
    assert detection.exact_at_bound(0.5, 0.4, 0.6, 10) == (0.4, 0.6)


def test_not_finite_scores_rank_last():
    value, *_ = detection.auroc([np.array([0.0, 1.0])], [np.array([-np.inf, np.nan])], 100)
    assert value == 1
    value, *_ = detection.auroc([np.array([-np.inf])], [np.array([-np.inf])], 100)
    assert value == 0.5
    assert detection.fpr95(np.array([0.0, np.nan]), np.array([-1.0, -np.inf])) == 1
    assert detection.fpr95(np.array([0.0, 1.0]), np.array([-1.0, np.nan])) == 0


def test_a_ratio_of_two_that_are_minus_infinity_says_nothing():
    scores = scores_table(items=20)
    given = scores["score"].eq("log_prob") & scores["item"].lt(5) & scores["split"].eq("test")
    scores["value"] = scores["value"].mask(given, -np.inf)
    found = tables.detection_table(scores, ["a", "b"], 10, 100).set_index(["score", "prior", "test"])
    forth, back = (found.loc[("log_ratio", *pair)] for pair in (("a", "b"), ("b", "a")))
    # Of 20 items on either side 5 are ties: with each other, and below (in-class) or above the 15 others.
    expected = (15 * 15 + 15 * 5 + 5 * 15 + 0.5 * 5 * 5) / 400
    assert forth["auroc"] == pytest.approx(expected) and back["auroc"] == pytest.approx(expected)
    assert forth["fpr95"] == 0.25  # 95 % of in-class items reach 0, as a quarter of the others do


def test_fpr95():
    inside = np.arange(100.0)
    assert detection.fpr95(inside, np.array([3.0, 5.0, 50.0, 200.0])) == 3 / 4
    assert detection.fpr95(inside, inside - 1000) == 0
    assert detection.fpr95(inside, inside + 1000) == 1


def test_typicality_punishes_both_sides():
    typical = detection.typicality(np.array([10.0, 20.0, 30.0]), np.array([20.0]), 10)
    assert list(typical) == [-1, 0, -1]


def test_si_sdr():
    truth = torch.randn(2, 5, 1, 16000, dtype=torch.double)
    assert metrics.si_sdr(3 * truth, truth).eq(60).all()  # scale does not count; capped
    noise = torch.randn_like(truth)
    assert metrics.si_sdr(truth + 0.1 * noise, truth).numpy() == pytest.approx(20, abs=0.3)
    assert metrics.si_sdr(noise, truth).max() < -20


def test_si_sdr_is_the_librarys():
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

    random = torch.Generator().manual_seed(0)
    truth = torch.randn(3, 1, 500, generator=random, dtype=torch.double) + 0.3
    noisy = 0.5 * truth + 0.2 * torch.randn(truth.shape, generator=random, dtype=torch.double)
    for estimate in (noisy, truth + 1, -truth):
        theirs = scale_invariant_signal_distortion_ratio(estimate, truth, zero_mean=True)
        torch.testing.assert_close(metrics.si_sdr(estimate, truth), theirs.clamp(-60, 60))
    silent = metrics.si_sdr(truth, 0 * truth)
    theirs = scale_invariant_signal_distortion_ratio(truth, 0 * truth, zero_mean=True)
    torch.testing.assert_close(silent, theirs.clamp(-60, 60))
    assert metrics.si_sdr(0 * truth, truth).eq(-60).all()  # theirs: 0


def test_bss_eval_is_musevals_by_track_and_nan_where_silent():
    recordings.ffmpeg()
    from museval.metrics import bss_eval

    random = torch.Generator().manual_seed(0)
    truth = torch.randn(2, 5, 1, 2000, generator=random)
    made = truth + 0.1 * torch.randn(truth.shape, generator=random) + 0.3 * truth.flip(0)
    tracks = ["p", "q", "p", "q", "p"]
    found = metrics.bss_eval(made, truth, tracks)
    assert list(found) == ["sdr", "isr", "sir", "sar"] and all(one.shape == (2, 5) for one in found.values())
    # One source at a time by hand: the windows of track p, of 2000 samples each.
    joined = [part[:, [0, 2, 4], 0].reshape(2, -1, 1).double().numpy() for part in (truth, made)]
    expected = bss_eval(*joined, window=2000, hop=2000)[0]
    np.testing.assert_allclose(found["sdr"][:, [0, 2, 4]], expected)
    assert found["sdr"].mean() == pytest.approx(10 * np.log10(1 / (0.1**2 + 0.3**2)), abs=0.3)
    assert found["sir"].mean() == pytest.approx(20 * np.log10(1 / 0.3), abs=0.5)
    silent = truth.clone()
    silent[0, [1, 3]] = 0  # source 0 in track q
    found = metrics.bss_eval(made, silent, tracks)
    assert np.isnan(found["sdr"][:, [1, 3]]).all() and np.isfinite(found["sdr"][:, [0, 2, 4]]).all()


def test_mixes_and_consistency():
    class Data(toy.Frames):
        def __init__(self):
            self.config = toy.Config("paper", 16000, 99, "uniform", (100.0, 300.0), (0.8, 1.0), False, 1, 1, 3)
            self.rate = 16000

        def parameters(self, split, source):
            frequency = {"sine": 200.0, "saw": 250.0}[source]
            return tuple(torch.full((3,), value, dtype=torch.double) for value in (frequency, 0.9, 0.5))

    made = {"name": "two", "sources": ["sine", "saw"], "gains": [1, 0.5], "unison": 0}
    truth, mix = separation.mixes(Data(), made, 10, 160)
    assert truth.shape == (2, 3, 1, 160)
    torch.testing.assert_close(mix, truth.sum(0))
    assert truth[1].abs().max().item() == pytest.approx(0.45, abs=0.01)
    alone, _ = separation.mixes(Data(), made | {"gains": [1, 1]}, 10, 160)
    torch.testing.assert_close(truth[1], 0.5 * alone[1])
    # In unison the saw has the sine's 200 Hz, but for a part of .01 of it at most, by its own place in the range.
    tuned, _ = separation.mixes(Data(), made | {"gains": [1, 1], "unison": 0.01}, 10, 160)
    parameters = torch.full((3,), 200 * 1.005, dtype=torch.double), *Data().parameters("test", "saw")[1:]
    torch.testing.assert_close(tuned[1], toy.render("saw", *parameters, 160, 16000).float())
    torch.testing.assert_close(tuned[0], alone[0])
    assert metrics.consistency(truth, mix).eq(0).all()
    assert metrics.consistency(truth + 0.5, mix).tolist() == pytest.approx([1.0] * 3)


def scores_table(seeds=2, items=30, tracks=30):
    """Two sources; each prior gives its own source `items` values around 0, the other around -100 (T = 10)."""
    random, rows = np.random.default_rng(0), []
    for seed in range(seeds):
        for prior in "ab":
            for test in ("a", "b", "mix"):
                for split in ("test", "validation") if test == prior else ("test",):
                    values = random.normal(0 if test == prior else -100, 5, items)
                    rows.append(pd.DataFrame({
                        "dataset": "d", "family": "f", "prior": prior, "prior_sigma": "0", "seed": seed, "split": split,
                        "test": test, "data_sigma": "0", "score": "log_prob", "item": range(items),
                        "track": [f"t{item % tracks}" for item in range(items)] if split == "test" else "",
                        "value": values,
                    }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_intervals_over_tracks_draw_whole_tracks():
    random = np.random.default_rng(0)
    of_track, tracks = random.normal(0, 1, 12), tuple(np.repeat(np.arange(12), 10).tolist())
    values = of_track[list(tracks)] + 1e-9 * random.normal(size=120)  # the frames of a song say the same
    wide = detection.mean_interval(values, 2000, tracks)
    low, high = of_track.mean() - 1.96 * of_track.std() / 12**0.5, of_track.mean() + 1.96 * of_track.std() / 12**0.5
    assert wide == pytest.approx((low, high), abs=0.12)
    narrow = detection.mean_interval(values, 2000)
    assert narrow[1] - narrow[0] < 0.5 * (wide[1] - wide[0])
    assert detection.median_interval(values, 500, tracks)[0] <= np.median(values)
    inside, outside = [values], [np.concatenate([values - 1, values - 2])]
    value, low, high, _ = detection.auroc(inside, outside, 500, tracks)
    assert low < value < high and high - low > np.diff(detection.auroc(inside, outside, 500)[1:3])
    assert detection.auroc([values + 99], [values], 500, tracks)[1] == pytest.approx(0.025 ** (1 / 12))  # 12, not 120
    counts = detection.bootstrap_counts(240, 50, tracks=tracks)
    assert np.array_equal(counts[:, :120], counts[:, 120:]) and (counts[:, 0] == counts[:, 9]).all()
    assert tables.tracks_of(scores_table()) == () and len(set(tables.tracks_of(scores_table(tracks=5)))) == 5
    every = [tables.cross_likelihood(scores_table(tracks=tracks), 10, 200) for tracks in (30, 5)]
    assert every[0]["mean"].equals(every[1]["mean"]) and not every[0]["low"].equals(every[1]["low"])


def test_detection_by_track_compares_within_a_track():
    scores = scores_table(items=20, tracks=4)
    # Track t1 is so loud that all its items are unlikely; within each track the sources are told apart all the same.
    loud = scores["track"] == "t1"
    scores["value"] = scores["value"].mask(loud, scores["value"] - 1000)
    found = tables.detection_by_track(scores, ["a", "b"], 10)
    found = found[(found["score"] == "log_prob") & (found["test"] == "rest")]
    assert set(found["track"]) == {"t0", "t1", "t2", "t3"} and found["n"].eq(5).all() and found["auroc"].eq(1).all()
    pooled = tables.detection_table(scores, ["a", "b"], 10, 100)
    pooled = pooled[(pooled["score"] == "log_prob") & (pooled["test"] == "rest")]
    assert pooled["auroc"].to_numpy() == pytest.approx(1 - 15 * 5 / 400)


def test_tables_of_known_scores():
    scores = scores_table()
    cross = tables.cross_likelihood(scores, 10, 200).set_index(["prior", "test"])
    assert cross.loc[("a", "a"), "mean"] == pytest.approx(0, abs=0.3)
    assert cross.loc[("a", "b"), "mean"] == pytest.approx(-10, abs=0.3)
    assert (cross["low"] <= cross["mean"]).all() and (cross["mean"] <= cross["high"]).all()
    assert cross["seeds"].eq(2).all() and (cross["seed_low"] <= cross["seed_high"]).all()
    found = tables.detection_table(scores, ["a", "b"], 10, 200)
    assert found["auroc"].eq(1).all() and found["low"].lt(1).all() and found["fpr95"].eq(0).all()
    assert set(found["score"]) == {"log_prob", "mixture_ratio", "typicality", "log_ratio"}
    assert set(found.loc[found["score"] == "log_ratio", "test"]) == {"a", "b"}
    accuracy = tables.classification(scores, ["a", "b"], 10, 200)
    assert accuracy["accuracy"].eq(1).all() and accuracy["n"].eq(60).all()
    shuffled = tables.cross_likelihood(scores.sample(frac=1, random_state=1), 10, 200)
    key = ["prior", "test"]
    pd.testing.assert_frame_equal(shuffled.set_index(key).sort_index(), cross.sort_index(), rtol=1e-12)


def test_separation_table():
    rows = pd.DataFrame({
        "dataset": "d", "method": "m", "family": "f", "mix": "a+b", "source": ["a"] * 4 + ["b"] * 4,
        "item": [0, 1, 2, 3] * 2, "track": ["p", "q", "r", "s"] * 2,
        "si_sdr": [1.0, 2, 3, 40, 11, 12, 13, 14], "si_sdr_improvement": 1.0,
        "consistency": 0.1, "stopped": [True, False, False, False] * 2, "accepted": [1.0, 0.0, 1.0, 1.0] * 2,
    })  # fmt: skip
    table = tables.separation(rows, 10, 200).set_index("source")
    assert table["si_sdr_median"].to_dict() == {"a": 2.5, "b": 12.5, "all": 11.5}
    assert table["share_above_10_db"].to_dict() == {"a": 0.25, "b": 1.0, "all": 5 / 8}
    assert table["stopped"].eq(0.25).all() and table["n"].eq(4).all()
    # Of the four mixes one has both sources above 10 dB; of the three accepted ones two have not.
    assert table.loc["all", ["share_of_mixes", "accepted", "accepted_failures"]].tolist() == [0.25, 0.75, 2]
    assert (table["share_low"] <= table["share_above_10_db"]).all() and table.loc["b", "share_low"] < 1
    assert "sdr_median" not in table
    assert table[["si_sdr_improvement_median_low", "si_sdr_improvement_median_high"]].eq(1).all(axis=None)
    few = rows.assign(track=rows["item"].map(dict(enumerate("ppqq"))))
    few = pd.concat([few, few[few["item"] < 2].assign(method="of two items")])
    assert tables.separation(few, 10, 200)[["low", "high"]].notna().all(axis=None)
    sdr = [1.0, np.nan, 3, np.nan, 5, 6, 7, 8]
    table = tables.separation(rows.assign(sdr=sdr, isr=0.0, sir=9.0, sar=sdr), 10, 200).set_index("source")
    assert table["sdr_median"].to_dict() == {"a": 2.0, "b": 6.5, "all": 5.5} and table["sir_median"].eq(9).all()
    assert table["share_with_sdr"].to_dict() == {"a": 0.5, "b": 1.0, "all": 0.75}


def test_families_without_a_density_are_judged_by_their_own_scores():
    scores = scores_table().assign(score="code_log_prob")
    scores = pd.concat([scores, scores.assign(score="published_score")])
    found = tables.detection_table(scores, ["a", "b"], 10, 200)
    assert set(found["score"]) == {"code_log_prob", "published_score", "code_log_ratio", "published_score_ratio"}
    assert tables.classification(scores, ["a", "b"], 10, 200)["score"].eq("code_log_prob").all()


def test_a_prior_of_all_sigmas_is_judged_at_the_datas():
    scores = scores_table().assign(prior_sigma="all", data_sigma="0.1")
    member = scores[scores["test"] == scores["prior"]].assign(prior_sigma="0.1", data_sigma="0")  # other noise: no pair
    found = tables.detection_table(pd.concat([scores, member]), ["a", "b"], 10, 200)
    assert set(zip(found["prior_sigma"], found["data_sigma"], strict=True)) == {("all", "0.1")}
    assert tables.members(found)["prior_sigma"].eq("0.1").all()


def gap_scores(learned: float):
    """The exact prior `e` gives its items -5 +- 2 nats, the learned one `learned` nats more, +- 1."""
    random, rows = np.random.default_rng(0), []
    truth = random.normal(-5, 2, 40)
    for family, sigma, values in (("e", "all", truth), ("f", "0.1", truth + random.normal(learned, 1, 40))):
        for data_sigma in ("0", "0.1"):
            rows.append(pd.DataFrame({
                "dataset": "d", "family": family, "prior": "a", "prior_sigma": sigma, "seed": 0, "split": "test",
                "test": "a", "data_sigma": data_sigma, "score": "log_prob", "item": range(40), "value": values,
            }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_truth_gap():
    (row,) = tables.truth_gap(gap_scores(-3), "e", 0.05, 10, 300).to_dict("records")
    assert row["gap_total"] == pytest.approx(3, abs=0.5) and row["gap_mean"] == pytest.approx(row["gap_total"] / 10)
    assert row["low_total"] < 3 < row["high_total"] and row["data_sigma"] == "0.1" and row["n"] == 40


def test_truth_gap_stops_at_what_no_density_can_be():
    with pytest.raises(tables.TruthViolation, match=r"f, prior a at sigma 0\.1: .* nats above the true"):
        tables.truth_gap(gap_scores(1), "e", 0.05, 10, 300)
    assert len(tables.truth_gap(gap_scores(1), "e", 2.0, 10, 300)) == 1  # within the exact prior's own error
    assert len(tables.truth_gap(gap_scores(0), "e", 0.05, 10, 300)) == 1  # within the interval
    broken = gap_scores(-3)
    broken.loc[broken["family"].eq("f") & broken["item"].eq(3), "value"] = np.nan
    with pytest.raises(tables.TruthViolation, match=r"f, prior a at sigma 0\.1: .* not a number on 1 of 40 items"):
        tables.truth_gap(broken, "e", 0.05, 10, 300)


def test_flac_is_a_density():
    """Constants are cheap, 16-bit noise costs about its entropy, and no sequence is cheaper than coding allows."""
    noise = 0.1 * torch.randn(5, 1, 4000, generator=torch.Generator().manual_seed(0))
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.1**2)
    excess = likelihood.flac_nats(noise) / 4000 - entropy
    assert (excess > 0).all() and (excess < 0.15).all()
    silence = likelihood.flac_nats(torch.zeros(1, 1, 4000))[0]
    assert 0 <= silence + 4000 * 15 * math.log(2) < 100  # a few bytes


class Normal(Prior):
    """N(0, 1 + sigma^2)."""

    def log_prob(self, x, sigma):
        return torch.distributions.Normal(0, (1 + sigma**2) ** 0.5).log_prob(x.double()).sum((1, 2))

    def sample(self, n, length, sigma, generator):
        raise NotImplementedError


class Toy(toy.Frames):
    """Noise of two sources."""

    def __init__(self):
        pass

    def count(self, split):
        return 6

    def frames(self, split, source, items, frame):
        return {"a": 1.0, "b": 3.0}[source] * normal(len(items), frame, seed=len(split)).float()


def evaluated(sigma):
    settings = likelihood.Evaluation(6, 5, [0, 0.5], [0.3], ["0.05"], 4, 1000)
    return likelihood.evaluate(
        Normal(), Toy(), name="t", source="a", sigma=sigma, sources=["a", "b"], sigmas=["0.1", "0.5"], frame=64,
        evaluation=settings, seed=(0,), device="cpu",
    )  # fmt: skip


def test_evaluate_one_sigma():
    rows = evaluated("0.5")
    assert rows["prior_sigma"].eq("0.5").all()
    tested = rows[(rows["score"] == "log_prob") & (rows["split"] == "test")]
    assert set(zip(tested["test"], tested["data_sigma"], strict=True)) == {
        *((test, level) for test in ("a", "b", "mix") for level in ("0", "0.1", "0.5")), ("a", "0.05"),
        ("constant_0", "0"), ("constant_0.5", "0"), ("normal_0.3", "0"),
    }  # fmt: skip
    zero = tested.loc[tested["test"] == "constant_0", "value"].item()
    assert zero == pytest.approx(-32 * math.log(2 * math.pi * 1.25))
    corrected = rows[(rows["score"] == "complexity_corrected") & (rows["test"] == "constant_0")]["value"].item()
    assert corrected == pytest.approx(zero + likelihood.flac_nats(torch.zeros(1, 1, 64))[0])
    assert (rows["score"] == "gradient_norm_squared").sum() == 4


def test_evaluate_all_sigmas():
    rows = evaluated("all")
    tested = rows[(rows["score"] == "log_prob") & (rows["split"] == "test")]
    of_all = tested[tested["prior_sigma"] == "all"]
    assert set(zip(of_all["test"], of_all["data_sigma"], strict=True)) == {
        (test, level) for test in ("a", "b", "mix") for level in ("0.1", "0.5")
    }
    members = tested[tested["prior_sigma"] == "0.1"]
    assert set(zip(members["test"], members["data_sigma"], strict=True)) == {
        ("a", "0"), ("a", "0.05"), ("a", "0.5"), ("constant_0", "0"), ("constant_0.5", "0"), ("normal_0.3", "0"),
    }  # fmt: skip
    own = evaluated("0.5")
    keys = {"test": "b", "data_sigma": "0.5", "score": "log_prob", "split": "test"}
    same = [claims.choose(one, keys)["value"].to_numpy() for one in (own, of_all)]
    assert np.array_equal(*same)


CLAIM = {
    "claim": "{prior} is above", "where": "here", "published": "yes", "datasets": ["d"], "table": "t", "value": "mean",
    "select": {"family": "f", "test": "own"}, "each": True, "holds": {"above": 0.5}, "small_models": "holds",
}  # fmt: skip
TABLE = pd.DataFrame(
    [("f", "a", "a", "0.1", 2.0, 1.0, 3.0), ("f", "b", "b", "0.1", 0.2, 0.0, 0.4),
     ("f", "a", "b", "0.1", 9.0, 9.0, 9.0), ("f", "a", "a", "1", 0.02, 0.01, 0.03),
     ("g", "a", "a", "0.1", 0.1, 0.1, 0.1)],
    columns=["family", "prior", "test", "data_sigma", "mean", "low", "high"],
)  # fmt: skip


def verdicts(paper_size=True, **changes):
    claim = CLAIM | {"select": {"family": "f", "test": "own", "data_sigma": "0.1"}} | changes
    found = claims.table([claim], {"t": TABLE}, "d", ["a", "b"], "quick", paper_size)
    return dict(zip(found["claim"], found["verdict"], strict=True)), found


def test_claims_follow_their_rules():
    found, table = verdicts()
    assert found == {"a is above": "holds", "b is above": "does not hold"} and list(table.columns) == claims.COLUMNS
    assert table[["measured", "low", "high"]].to_numpy().tolist() == [[2, 1, 3], [0.2, 0, 0.4]]
    assert verdicts(holds={"above": 2.5})[0]["a is above"] == claims.UNDECIDED  # the interval has both
    assert verdicts(holds={"above": 0.5, "below": 2.5})[0]["a is above"] == claims.UNDECIDED
    assert verdicts(holds={"above": 0.5, "below": 3.5})[0]["a is above"] == "holds"
    assert verdicts(each=False, reduce="min")[1]["measured"].tolist() == [0.2]
    with pytest.raises(ValueError, match="2 rows are selected; say `reduce"):
        verdicts(each=False)


def test_claims_of_small_models_stay_undecided_where_they_say_nothing():
    assert verdicts(paper_size=False)[0] == {"a is above": "holds", "b is above": claims.UNDECIDED}
    found = verdicts(paper_size=False, small_models="does not hold")[0]
    assert found == {"a is above": claims.UNDECIDED, "b is above": "does not hold"}
    assert set(verdicts(paper_size=False, small_models="neither")[0].values()) == {claims.UNDECIDED}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((0.5, 0.5), "holds"), ((0.5, 2.5), claims.UNDECIDED), ((0.5, 9.0), "does not hold")],
)
def test_a_claim_of_claims_holds_if_all_do(bounds, expected):
    parts = [
        CLAIM | {"label": f"part {number}", "holds": {"above": bound}, "each": False, "reduce": "max",
                 "select": {"family": "f", "test": "own", "data_sigma": "0.1"}}
        for number, bound in enumerate(bounds)
    ]  # fmt: skip
    whole = {"claim": "all", "where": "here", "published": "no", "datasets": ["d"], "all_of": ["part 0", "part 1"]}
    found = claims.table([*parts, whole], {"t": TABLE}, "d", ["a", "b"], "quick", True)
    assert found["verdict"].iloc[-1] == expected
    assert found["measured"].iloc[-1] == (found["verdict"].iloc[:2] == "holds").sum()


def test_claims_that_depend_on_the_metric_and_on_nothing():
    found, table = verdicts(as_published={"family": "g"}, exact={"test": "b"})
    assert found["a is above"] == "depends on the metric" and table["published_score_here"].tolist()[0] == 0.1
    assert table["exact"].tolist()[0] == 9
    small = {"paper_size": False, "as_published": {"family": "g"}}
    assert verdicts(**small)[0]["a is above"] == "holds"  # that another small model fails says nothing
    assert verdicts(paper_size=False, as_published={"data_sigma": "1"})[0]["a is above"] == "depends on the metric"
    assert verdicts(select={"family": "nobody"})[0] == dict.fromkeys(found, claims.UNDECIDED)
    assert verdicts(datasets=["other"])[1].empty


def test_claims_of_differences_and_slopes():
    _, table = verdicts(minus={"data_sigma": "1"})
    assert table.loc[0, ["measured", "low", "high"]].tolist() == pytest.approx([1.98, 0.97, 2.99])
    _, table = verdicts(minus={"data_sigma": "1"}, in_units_of="slope")
    assert table.loc[0, ["measured", "low", "high"]].tolist() == pytest.approx(
        [-2, -math.log10(300), -math.log10(100 / 3)]
    )


def test_claims_of_margins_and_ranges():
    # Each test source under prior a, less under every other prior: 2 - 9 is of no pair, as the tests differ.
    grid = [("f", prior, test, "0", value, value - 0.1, value + 0.1)
            for prior, test, value in (("a", "a", 5.0), ("a", "b", 4.0), ("b", "a", 1.0), ("b", "b", 3.5))]  # fmt: skip
    table = pd.DataFrame(grid, columns=TABLE.columns)
    select = {"family": "f", "prior": "a", "test": ["a", "b"]}

    def measured(**changes):
        return claims.measure(CLAIM | changes, table, {})

    assert measured(select=select, minus={"prior": "b"}, reduce="min") == pytest.approx((0.5, 0.3, 0.7))
    assert measured(select=select, minus={"prior": "b"}, reduce="max") == pytest.approx((4, 3.8, 4.2))
    less_than_others = {"select": select | {"test": "a"}, "minus": {"test": "b"}}
    assert measured(**less_than_others) == pytest.approx((1, 0.8, 1.2))
    assert measured(select={"family": "f"}, reduce="range") == pytest.approx((4, 3.8, 4.2))
    assert np.isnan(measured(select=select, minus={"prior": "c"}, reduce="min")).all()


def test_shipped_claims_name_columns_that_exist():
    import yaml
    from conftest import ROOT

    tables_of = {
        "cross_likelihood": tables.cross_likelihood(scores_table(), 10, 100),
        "detection": tables.detection_table(scores_table(), ["a", "b"], 10, 100),
        "gradient_norm": tables.gradient_norm(scores_table().assign(score="gradient_norm_squared"), 10, 100),
    }
    for claim in yaml.safe_load((ROOT / "claims.yaml").read_text())["claims"]:
        there = tables_of.get(claim.get("table"))
        if there is not None:
            used = {claim["value"], "low", "high"}.union(*(claim.get(key, {}) for key in ("select", "minus", "exact")))
            assert used <= set(there.columns), claim["claim"]
