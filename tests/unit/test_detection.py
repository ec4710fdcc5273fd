"""AUROC, FPR95 and typicality: against closed forms and torchmetrics."""

import numpy as np
import pytest
import torch
from audiopriors import detection
from torchmetrics.functional.classification import binary_auroc


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
