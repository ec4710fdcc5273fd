"""AUROC, FPR95, AUPR and detectors of one class: against closed forms, torchmetrics and SciPy."""

import numpy as np
import pytest
import torch
from audiopriors import detection
from scipy import stats
from torchmetrics.functional.classification import binary_auroc, binary_average_precision


def test_auroc_is_the_librarys():
    random = np.random.default_rng(0)
    inside, outside = random.normal(1, 1, 80), random.normal(0, 1, 120)
    outside[:10] = inside[:10]  # ties
    value, low, high, per_seed = detection.auroc([inside], [outside])
    labels = torch.tensor([1] * 80 + [0] * 120)
    # torchmetrics wants probabilities: a monotone map keeps the ranks
    expected = binary_auroc(torch.sigmoid(torch.tensor(np.concatenate([inside, outside]))), labels)
    assert value == pytest.approx(expected.item(), abs=1e-6) and low < value < high
    assert per_seed == pytest.approx([value])


def test_what_is_not_finite_ranks_last():
    value, *_ = detection.auroc([np.array([0.0, 1.0])], [np.array([-np.inf, np.nan])])
    assert value == 1
    value, *_ = detection.auroc([np.array([-np.inf])], [np.array([-np.inf])])
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


def test_aupr_is_the_librarys():
    random = np.random.default_rng(0)
    inside, outside = random.normal(1, 1, 80), random.normal(0, 1, 120)
    outside[:10] = inside[:10]  # ties
    values = torch.sigmoid(torch.tensor(np.concatenate([inside, outside])))
    own = torch.tensor([1] * 80 + [0] * 120)
    into, out = detection.aupr(inside, outside)
    assert into == pytest.approx(binary_average_precision(values, own).item(), abs=1e-6)
    assert out == pytest.approx(binary_average_precision(1 - values, 1 - own).item(), abs=1e-6)


def test_aupr_of_what_is_not_finite():
    assert detection.aupr(np.array([0.0, 1.0]), np.array([-np.inf, np.nan])) == (1, 1)
    assert detection.aupr(np.array([np.nan]), np.array([-np.inf])) == (0.5, 0.5)
    assert detection.aupr(np.array([np.nan]), np.array([0.0])) == (0.5, 0.5)


def test_the_lower_of_both_needs_both_to_be_high():
    own = np.array([-1.0, 1.0])
    both = detection.lower_of_both(np.array([0.0, 3.0, -2.0]), own, np.array([10.0, 6.0, 30.0]), 10 * own + 10)
    assert both == pytest.approx([0, -0.4, -2])
    assert np.isinf(detection.lower_of_both(np.array([-np.inf]), own, np.array([0.0]), own)).all()


def test_kernel_density_is_the_librarys():
    random = np.random.default_rng(0)
    held_out, tested = random.normal(5, 3, 200), random.normal(5, 3, 50)
    values = detection.kernel_density(tested, held_out)
    expected = stats.gaussian_kde(held_out, held_out.std() / held_out.std(ddof=1) * 200**-0.2).logpdf(tested)
    assert values - values.mean() == pytest.approx(expected - expected.mean())


def test_kernel_density_falls_in_every_direction():
    random = np.random.default_rng(0)
    held_out = random.normal(0, [[1.0], [100.0]], (2, 50))
    values = detection.kernel_density(np.array([0.0, 5.0, 0.0]), held_out[0], np.array([0.0, 0.0, 1e6]), held_out[1])
    assert values[0] > values[1] > values[2] > -np.inf
