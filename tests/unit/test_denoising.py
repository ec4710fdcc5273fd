"""Denoising: Langevin dynamics against closed forms and the exact prior, what is denoised by which model, its rows."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from audiopriors import denoising
from audiopriors.data import toy
from audiopriors.likelihood import Evaluation
from audiopriors.priors.base import Prior
from families import EXACT, LAW, prior_of


class Gaussian(Prior):
    """Waves whose samples are N(0, v_t), with noise."""

    def __init__(self, variances):
        super().__init__()
        self.variances = variances

    def log_prob(self, x, sigma):
        return torch.distributions.Normal(0, (self.variances + sigma**2).sqrt()).log_prob(x.double()).sum((1, 2))

    def sample(self, n, length, sigma, generator):
        raise NotImplementedError


@pytest.mark.parametrize("step_size", [0.1, 0.7, 5.0])
def test_langevin_denoises_as_a_gaussian_says(step_size):
    """Its mean over chains is E[s | x] = v / (v + sigma^2) x, at any step size."""
    variances = torch.tensor([1e-4, 0.01, 0.1, 1.0, 10.0], dtype=torch.double)
    prior, sigma = Gaussian(variances), 0.4
    x = torch.tensor([0.3, -0.5, 0.8, 1.0, -3.0], dtype=torch.double).expand(4000, 1, 5)
    estimate = denoising.langevin(
        prior, x, sigma, smaller=0.2, steps=2 * math.ceil(20 + 12 / step_size), step_size=step_size,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    expected = variances / (variances + sigma**2) * x[0, 0]
    error = estimate[:, 0].std(0) / math.sqrt(4000)
    assert ((estimate[:, 0].mean(0) - expected).abs() < 4 * error + 1e-5).all()
    assert estimate.std(0).max() > 0.01  # chains, not the formula


def test_langevin_under_the_exact_prior_is_the_best_estimate():
    """It has hardly a larger error than E[s | x], which no estimate can be below in the mean."""
    prior = prior_of("exact", EXACT)
    generator = torch.Generator().manual_seed(0)
    uniform = torch.rand(3, 12, generator=generator, dtype=torch.double)
    frequency = prior.law.frequency_at(uniform[0])
    clean = toy.render("triangle", frequency, 0.8 + 0.2 * uniform[1], 2 * math.pi * uniform[2], 128, rate=1).double()
    x = clean + 0.2 * torch.randn(clean.shape, generator=generator, dtype=torch.double)
    best = (prior.denoise(x, 0.2) - clean).square().mean()
    estimate = denoising.langevin(prior, x, 0.2, smaller=0.1, steps=16, step_size=0.7, generator=generator)
    error = (estimate - clean).square().mean()
    assert best < 0.04 * 0.1 and 0.9 * best < error < 1.5 * best


class Waves(toy.Frames):
    """Items of one source, each of another size."""

    def __init__(self):
        self.config = LAW

    def count(self, split):
        return 5

    def frames(self, split, source, items, frame):
        return (1 + items[:, None, None]) * torch.sin(torch.arange(frame) / 3).expand(len(items), 1, -1)


def evaluated(sigma, prior):
    settings = Evaluation(6, 5, [0], [0.3], [], 4, ["0.3"], 3, 4, 0.7, 100)
    return denoising.evaluate(
        prior, Waves(), source="a", sigma=sigma, sigmas=["0.1", "0.2", "0.5"], frame=64, evaluation=settings, seed=(0,),
        device="cpu",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sigma", "expected"),
    [
        ("0", set()),
        ("0.1", {("tweedie", "0.1"), ("langevin", "0.2")}),
        ("0.2", {("tweedie", "0.2"), ("langevin", "0.3"), ("langevin", "0.5")}),
        ("0.5", {("tweedie", "0.5")}),
        ("all", {("tweedie", level) for level in ("0.1", "0.2", "0.3", "0.5")}),
    ],
)
def test_what_is_denoised_by_which_model(sigma, expected):
    rows = evaluated(sigma, Gaussian(torch.tensor(0.5)))
    assert set(zip(rows["estimate"], rows["data_sigma"], strict=True)) == expected
    assert rows["prior_sigma"].eq(sigma).all() and len(rows) == 3 * len(expected)
    assert rows.columns.equals(denoising.NONE.columns)
    pd.testing.assert_frame_equal(rows, evaluated(sigma, Gaussian(torch.tensor(0.5))))


def test_the_rows_say_what_is_left_and_gained():
    """A prior that knows the wave leaves nothing; one of white noise scales, which changes no SI-SDR."""
    wave = torch.sin(torch.arange(64) / 3)
    knows = SimpleNamespace(denoise=lambda x, sigma: (x @ wave / (wave @ wave)).round()[..., None] * wave)
    rows = evaluated("all", knows)
    assert rows["error"].lt(1e-12).all() and rows["si_sdr"].eq(60).all() and rows["si_sdr_noisy"].between(0, 50).all()
    white = evaluated("0.5", Gaussian(torch.tensor(0.5)))
    torch.testing.assert_close(torch.tensor(white["si_sdr"]), torch.tensor(white["si_sdr_noisy"]))


def test_other_estimates_are_measured_on_the_same_items_and_noise():
    """As that of a posterior model: the prior's own estimate by another way has the same rows."""
    rows = evaluated("0.5", Gaussian(torch.tensor(0.5)))
    settings = Evaluation(6, 5, [0], [0.3], [], 4, ["0.3"], 3, 4, 0.7, 100)
    again = denoising.errors(
        lambda x: 0.5 / (0.5 + 0.5**2) * x, Waves(), source="a", level="0.5", frame=64, evaluation=settings, seed=(0,),
        device="cpu", prior_sigma="0.5", estimate="tweedie",
    )  # fmt: skip
    pd.testing.assert_frame_equal(rows, again, rtol=1e-5)
