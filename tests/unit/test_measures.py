"""Likelihood, its gate, the evaluation of a prior, metrics of separation and mixes: against closed forms."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors import claims, likelihood, metrics
from audiopriors.audio import decoding
from audiopriors.data import toy
from audiopriors.priors.base import Prior
from audiopriors.separation import running as separation


def normal(n, frame, deviation=1.0, seed=0):
    return deviation * torch.randn(n, 1, frame, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def log_normal(x, deviation):
    return torch.distributions.Normal(0, deviation).log_prob(x.double()).sum((1, 2)).numpy()


def test_si_sdr_of_sums_is_that_of_the_whole():
    random = np.random.default_rng(0)
    truth = random.normal(size=10001).astype(np.float32) + 0.3
    for estimate in (truth, -truth, 0 * truth, truth + 0.3 * random.normal(size=10001), random.normal(size=10001)):
        sums = metrics.Sums()
        for part in np.array_split(np.stack([estimate, truth]), 7, axis=1):
            sums.add(*part)
        expected = metrics.si_sdr(torch.from_numpy(estimate).double(), torch.from_numpy(truth)).item()
        assert sums.si_sdr() == pytest.approx(expected, abs=1e-6)


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
    decoding.ffmpeg()
    from museval.metrics import bss_eval

    random = torch.Generator().manual_seed(0)
    truth = torch.randn(2, 5, 1, 2000, generator=random)
    estimate = truth + 0.1 * torch.randn(truth.shape, generator=random) + 0.3 * truth.flip(0)
    tracks = ["p", "q", "p", "q", "p"]
    measured = metrics.bss_eval(estimate, truth, tracks)
    assert list(measured) == ["sdr", "isr", "sir", "sar"] and all(one.shape == (2, 5) for one in measured.values())
    # One source at a time by hand: the windows of track p, of 2000 samples each.
    joined = [part[:, [0, 2, 4], 0].reshape(2, -1, 1).double().numpy() for part in (truth, estimate)]
    expected = bss_eval(*joined, window=2000, hop=2000)[0]
    np.testing.assert_allclose(measured["sdr"][:, [0, 2, 4]], expected)
    assert measured["sdr"].mean() == pytest.approx(10 * np.log10(1 / (0.1**2 + 0.3**2)), abs=0.3)
    assert measured["sir"].mean() == pytest.approx(20 * np.log10(1 / 0.3), abs=0.5)
    halved = metrics.bss_eval(estimate / 2, truth, tracks)  # unlike SI-SDR, it sees an estimate's scale
    assert halved["sdr"].mean() == pytest.approx(10 * np.log10(4 / (1 + 0.1**2 + 0.3**2)), abs=0.3)
    silent = truth.clone()
    silent[0, [1, 3]] = 0  # source 0 in track q
    measured = metrics.bss_eval(estimate, silent, tracks)
    assert np.isnan(measured["sdr"][:, [1, 3]]).all() and np.isfinite(measured["sdr"][:, [0, 2, 4]]).all()


def test_mixes_and_consistency():
    class Data(toy.Frames):
        def __init__(self):
            self.config = toy.Config("paper", 16000, 99, "uniform", (100.0, 300.0), (0.8, 1.0), False, 1, 1, 3)
            self.rate = 16000

        def parameters(self, split, source):
            frequency = {"sine": 200.0, "saw": 250.0}[source]
            return tuple(torch.full((3,), value, dtype=torch.double) for value in (frequency, 0.9, 0.5))

    two = {"name": "two", "sources": ["sine", "saw"], "gains": [1, 0.5], "unison": 0, "noise": 0, "skip": 0}
    truth, mix, _ = separation.mixes(Data(), two, 10, 160)
    assert truth.shape == (2, 3, 1, 160)
    torch.testing.assert_close(mix, truth.sum(0))
    assert truth[1].abs().max().item() == pytest.approx(0.45, abs=0.01)
    alone, *_ = separation.mixes(Data(), two | {"gains": [1, 1]}, 10, 160)
    torch.testing.assert_close(truth[1], 0.5 * alone[1])
    # In unison the saw has the sine's 200 Hz, but for a part of .01 of it at most, by its own place in the range.
    tuned, *_ = separation.mixes(Data(), two | {"gains": [1, 1], "unison": 0.01}, 10, 160)
    parameters = torch.full((3,), 200 * 1.005, dtype=torch.double), *Data().parameters("test", "saw")[1:]
    torch.testing.assert_close(tuned[1], toy.render("saw", *parameters, 160, 16000).float())
    torch.testing.assert_close(tuned[0], alone[0])

    # With multiples 1 and 2, the sine's 200 of 100 to 300 Hz is 125 of 100 to 150 Hz, so that both stay in the range.
    apart, *_ = separation.mixes(Data(), two | {"gains": [1, 1], "unison": 0.01, "multiples": [1, 2]}, 10, 160)
    for source, wave, frequency in zip(two["sources"], apart, (125, 2 * 125 * 1.005), strict=True):
        parameters = torch.full((3,), frequency, dtype=torch.double), *Data().parameters("test", source)[1:]
        torch.testing.assert_close(wave, toy.render(source, *parameters, 160, 16000).float())
    assert metrics.consistency(truth, mix).eq(0).all()
    assert metrics.consistency(truth + 0.5, mix).tolist() == pytest.approx([1.0] * 3)


def test_flac_is_a_density():
    """Constants are cheap, 16-bit noise costs about its entropy, and no sequence is cheaper than coding allows."""
    noise = 0.1 * torch.randn(5, 1, 4000, generator=torch.Generator().manual_seed(0))
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.1**2)
    excess = likelihood.flac_nats(noise) / 4000 - entropy
    assert (excess > 0).all() and (excess < 0.15).all()
    silence = likelihood.flac_nats(torch.zeros(1, 1, 4000))[0]
    assert 0 <= silence + 4000 * 15 * math.log(2) < 100  # a few bytes


def test_parts_of_a_map_are_means():
    assert likelihood.binned(np.arange(8.0), 4).tolist() == [0.5, 2.5, 4.5, 6.5]
    assert likelihood.binned(np.arange(6.0).reshape(2, 3), 4).tolist() == [[0, 1, 2], [3, 4, 5]]
    uneven = likelihood.binned(np.arange(7.0), 3)
    assert len(uneven) == 3 and uneven.tolist() == [0.5, 2.5, 5.0]


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


DENOISED = ([], 2, 2, 0.5)  # settings that no likelihood depends on


def evaluated(sigma, peakedness=("0.05",)):
    settings = likelihood.Evaluation(6, 5, [0, 0.5], [0.3], list(peakedness), 4, *DENOISED, 1000)
    return likelihood.evaluate(
        Normal(), Toy(), name="t", source="a", sigma=sigma, sources=["a", "b"], sigmas=["0.1", "0.5"], frame=64,
        evaluation=settings, seed=(0,), device="cpu",
    )  # fmt: skip


def test_evaluate_one_sigma():
    rows = evaluated("0.5")
    assert rows["prior_sigma"].eq("0.5").all()
    tested = rows[(rows["measure"] == "log_prob") & (rows["split"] == "test")]
    assert set(zip(tested["test_source"], tested["data_sigma"], strict=True)) == {
        *((test, level) for test in ("a", "b", "mix") for level in ("0", "0.1", "0.5")), ("a", "0.05"),
        ("constant_0", "0"), ("constant_0.5", "0"), ("normal_0.3", "0"),
    }  # fmt: skip
    zero = tested.loc[tested["test_source"] == "constant_0", "value"].item()
    assert zero == pytest.approx(-32 * math.log(2 * math.pi * 1.25))
    corrected = rows[(rows["measure"] == "complexity_corrected") & (rows["test_source"] == "constant_0")][
        "value"
    ].item()
    assert corrected == pytest.approx(zero + likelihood.flac_nats(torch.zeros(1, 1, 64))[0])
    assert (rows["measure"] == "gradient_norm_squared").sum() == 4


@pytest.mark.parametrize("sigma", ["0.5", "all"])
def test_a_level_of_peakedness_that_is_one_of_sigmas_is_measured_once(sigma):
    rows = evaluated(sigma, ["0.05", "0.1"])
    pd.testing.assert_frame_equal(rows, evaluated(sigma))
    settings = likelihood.Evaluation(6, 5, [0, 0.5], [0.3], ["0.05", "0.1"], 4, *DENOISED, 1000)
    counted = likelihood.scored_items(settings, [sigma], ["0.1", "0.5"], 2, 6, 6)
    assert counted == (rows["measure"] == "log_prob").sum()


def test_evaluate_all_sigmas():
    rows = evaluated("all")
    tested = rows[(rows["measure"] == "log_prob") & (rows["split"] == "test")]
    of_all = tested[tested["prior_sigma"] == "all"]
    assert set(zip(of_all["test_source"], of_all["data_sigma"], strict=True)) == {
        (test, level) for test in ("a", "b", "mix") for level in ("0.1", "0.5")
    }
    members = tested[tested["prior_sigma"] == "0.1"]
    assert set(zip(members["test_source"], members["data_sigma"], strict=True)) == {
        ("a", "0"), ("a", "0.05"), ("a", "0.5"), ("constant_0", "0"), ("constant_0.5", "0"), ("normal_0.3", "0"),
    }  # fmt: skip
    own = evaluated("0.5")
    keys = {"test_source": "b", "data_sigma": "0.5", "measure": "log_prob", "split": "test"}
    same = [claims.choose(one, keys)["value"].to_numpy() for one in (own, of_all)]
    assert np.array_equal(*same)
