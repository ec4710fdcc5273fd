"""Likelihood, detection, samplers and metrics against what is known in closed form."""

import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors import detection, likelihood, metrics, samplers, separation, tables
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


def test_fpr95():
    inside = np.arange(100.0)
    assert detection.fpr95(inside, np.array([3.0, 5.0, 50.0, 200.0])) == pytest.approx(3 / 4, abs=0.26)
    assert detection.fpr95(inside, inside - 1000) == 0
    assert detection.fpr95(inside, inside + 1000) == 1


def test_typicality_punishes_both_sides():
    typical = detection.typicality(np.array([10.0, 20.0, 30.0]), np.array([20.0]), 10)
    assert list(typical) == [-1, 0, -1]


# Gaussian sources N(0, v) and mixture width Gamma: everything is known.
def gaussian_prior(variance):
    def prior(state):
        log_prob = -0.5 * state.double().square().sum((2, 3)) / variance
        return log_prob, -state / variance

    return prior


@pytest.mark.parametrize(("sources", "step_size"), [(2, 0.02), (2, 0.5), (4, 0.3)])
def test_langevin_has_its_own_stationary_law(sources, step_size):
    """On a Gaussian of precision L: the posterior's mean, and covariance L^-1 (1 - eta L / 2)^-1."""
    variance, sigma, width, items = 0.8, 0.5, 0.9, 60_000
    gamma, eta = width * sigma, step_size * sigma**2
    mix = torch.full((items, 1, 1), 1.7, dtype=torch.double)
    precision = torch.eye(sources, dtype=torch.double) / variance + torch.ones(sources, sources) / gamma**2
    mean = torch.linalg.solve(precision, torch.full((sources,), 1.7 / gamma**2, dtype=torch.double))
    # the chain's law contracts as (1 - eta / variance)^steps in its slowest direction
    steps = int(np.ceil(np.log(1e-3) / np.log(1 - eta / variance)))
    level = samplers.Level(gaussian_prior(variance), sigma, steps, step_size, width)
    generator = torch.Generator().manual_seed(0)
    start = torch.zeros(sources, items, 1, 1, dtype=torch.double)
    state, stopped = samplers.langevin(start, mix, [level], generator)
    state = state[:, :, 0, 0]
    assert not stopped.any()
    expected = torch.linalg.inv(precision @ (torch.eye(sources) - eta / 2 * precision))
    error = 5 * expected.diagonal().max() / items**0.5
    assert (state.mean(1) - mean).abs().max() < 5 * (expected.diagonal().max() / items) ** 0.5 + 2e-3
    assert (torch.cov(state) - expected).abs().max() < 1.5 * error + 2e-3
    if step_size == 0.02:  # a small step: the posterior itself
        assert (torch.cov(state) - torch.linalg.inv(precision)).abs().max() < 0.03


def test_langevin_levels_in_turn_and_callback():
    seen = []
    levels = [samplers.Level(gaussian_prior(1.0), sigma, 3, 0.1, 1.0) for sigma in (1.0, 0.1)]
    start, mix = torch.zeros(2, 5, 1, 8), torch.ones(5, 1, 8)
    samplers.langevin(start, mix, levels, torch.Generator().manual_seed(0), lambda *values: seen.append(values))
    assert [(number, step) for number, step, _, _ in seen] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    _, _, energy, residual = seen[0]
    assert energy.tolist() == pytest.approx([8 / 2] * 5) and residual.tolist() == pytest.approx([1.0] * 5)


def test_langevin_stops_only_the_item_that_diverges():
    def prior(state):
        gradient = torch.zeros_like(state)
        gradient[:, 1] = 1e9
        gradient[0, 2] = torch.nan
        return torch.zeros(state.shape[:2]), gradient

    level = samplers.Level(prior, 1.0, 3, 0.1, 1.0)
    start = torch.full((2, 4, 1, 8), 0.25)
    state, stopped = samplers.langevin(start, torch.ones(4, 1, 8), [level], torch.Generator().manual_seed(0))
    assert stopped.tolist() == [False, True, True, False]
    assert torch.isfinite(state).all() and torch.equal(state[:, 1:3], start[:, 1:3])


def test_denoise_is_tweedie():
    """For N(0, v) smoothed by sigma, E[s | s + noise] = x v / (v + sigma^2)."""
    x = torch.randn(2, 3, 1, 8)
    denoised = samplers.denoise(x, gaussian_prior(0.8 + 0.25), 0.5)
    torch.testing.assert_close(denoised, x * 0.8 / 1.05)


def test_parametric_oracle_finds_the_amplitudes():
    waves = torch.randn(3, 4, 1, 100, dtype=torch.double)
    truth = waves * torch.tensor([0.8, 0.9, 1.0], dtype=torch.double)[:, None, None, None]
    torch.testing.assert_close(samplers.parametric_oracle(waves, truth.sum(0)), truth)
    unison = torch.cat([waves[:1], waves[:1]])  # no unique answer: the smallest, and still consistent
    estimate = samplers.parametric_oracle(unison, 2 * waves[0])
    torch.testing.assert_close(estimate.sum(0), 2 * waves[0])


def test_si_sdr():
    truth = torch.randn(2, 5, 1, 16000, dtype=torch.double)
    assert metrics.si_sdr(3 * truth, truth).eq(60).all()  # scale does not count; capped
    noise = torch.randn_like(truth)
    assert metrics.si_sdr(truth + 0.1 * noise, truth).numpy() == pytest.approx(20, abs=0.3)
    assert metrics.si_sdr(noise, truth).max() < -20


def test_mixes_and_consistency():
    class Data:
        def count(self, split):
            return 3

        def frames(self, split, source, items, frame):
            return torch.full((len(items), 1, frame), {"a": 1.0, "b": 2.0}[source])

    truth, mix = separation.mixes(Data(), ["a", "b"], 10, 8)
    assert truth.shape == (2, 3, 1, 8) and mix.eq(3).all()
    assert metrics.consistency(truth, mix).eq(0).all()
    assert metrics.consistency(truth + 0.5, mix).tolist() == [1.0] * 3


def scores_table(seeds=2, items=30):
    """Two sources; each prior gives its own source `items` values around 0, the other around -100 (T = 10)."""
    random, rows = np.random.default_rng(0), []
    for seed in range(seeds):
        for prior in "ab":
            for test in ("a", "b", "mix"):
                for split in ("test", "validation") if test == prior else ("test",):
                    values = random.normal(0 if test == prior else -100, 5, items)
                    rows.append(pd.DataFrame({
                        "dataset": "d", "family": "f", "prior": prior, "prior_sigma": "0", "seed": seed, "split": split,
                        "test": test, "data_sigma": "0", "score": "log_prob", "item": range(items), "value": values,
                    }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


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
        "item": [0, 1, 2, 3] * 2, "si_sdr": [1.0, 2, 3, 40, 11, 12, 13, 14], "si_sdr_improvement": 1.0,
        "consistency": 0.1, "stopped": [True, False, False, False] * 2,
    })  # fmt: skip
    table = tables.separation(rows, 10, 200).set_index("source")
    assert table["si_sdr_median"].to_dict() == {"a": 2.5, "b": 12.5, "all": 11.5}
    assert table["share_above_10_db"].to_dict() == {"a": 0.25, "b": 1.0, "all": 5 / 8}
    assert table["stopped"].eq(0.25).all() and table["n"].eq(4).all()
