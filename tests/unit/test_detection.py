"""AUROC, FPR95, typicality and intervals: against closed forms and torchmetrics."""

import numpy as np
import pytest
import torch
from audiopriors import detection
from torchmetrics.functional.classification import binary_auroc


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


def test_what_is_not_finite_ranks_last():
    value, *_ = detection.auroc([np.array([0.0, 1.0])], [np.array([-np.inf, np.nan])], 100)
    assert value == 1
    value, *_ = detection.auroc([np.array([-np.inf])], [np.array([-np.inf])], 100)
    assert value == 0.5
    assert detection.fpr95(np.array([0.0, np.nan]), np.array([-1.0, -np.inf])) == 1
    assert detection.fpr95(np.array([0.0, 1.0]), np.array([-1.0, np.nan])) == 0


def test_fpr95():
    inside = np.arange(100.0)
    assert detection.fpr95(inside, np.array([3.0, 5.0, 50.0, 200.0])) == 3 / 4
    assert detection.fpr95(inside, inside - 1000) == 0
    assert detection.fpr95(inside, inside + 1000) == 1


def test_typicality_punishes_both_sides():
    typical = detection.typicality(np.array([10.0, 20.0, 30.0]), np.array([20.0]), 10)
    assert list(typical) == [-1, 0, -1]


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
