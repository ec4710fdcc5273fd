"""Sample values: the fitted Beta density, and the closed forms of the toy sources' laws against waves."""

import numpy as np
import pytest
import torch
from audiopriors import amplitudes
from audiopriors.data import toy
from scipy import integrate, special


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.5), (1, 1), (2, 5), (60, 60)])
def test_a_beta_density_is_found_again(alpha, beta):
    values = 2 * np.random.default_rng(0).beta(alpha, beta, 200_000) - 1
    assert amplitudes.fit_beta(values) == pytest.approx((alpha, beta), rel=0.02)
    # At the greatest likelihood the means of log u and log 1 - u are those of the density.
    fitted, inside = amplitudes.fit_beta(values), amplitudes.inside(values)
    expected = special.digamma(fitted) - special.digamma(sum(fitted))
    assert [np.log((1 + inside) / 2).mean(), np.log((1 - inside) / 2).mean()] == pytest.approx(expected, abs=1e-6)


def test_values_at_the_ends_and_beyond_are_clamped():
    assert amplitudes.inside(np.float32([-2, -1, 0.5, 1])).tolist() == [-1 + 2**-15, -1 + 2**-15, 0.5, 1 - 2**-15]
    alpha, beta = amplitudes.fit_beta(np.tile(np.float32([-1, 1]), 100))  # a square at full scale
    assert alpha == pytest.approx(beta) and 0 < alpha < 0.2
    assert np.isnan(amplitudes.fit_beta(np.zeros(9))).all()  # silence


def test_a_beta_density_is_one_on_the_scaled_interval():
    assert amplitudes.beta_density(np.array([-0.5, 0, 2]), 1, 1) == pytest.approx([0.5, 0.5, 0])
    whole, _ = integrate.quad(amplitudes.beta_density, -1, 1, (2, 5))
    assert whole == pytest.approx(1)


@pytest.mark.parametrize("source", toy.SOURCES)
def test_the_true_law_is_that_of_rendered_waves(source):
    """Shares of samples in bins, of waves of random frequency, amplitude and phase, against the density's integral."""
    random, n = np.random.default_rng(1), 20_000
    draws = [random.uniform(27.5, 4186, n), random.uniform(0.8, 1, n), random.uniform(0, 2 * np.pi, n)]
    values = toy.render(source, *map(torch.from_numpy, draws), 20, 16000).numpy().ravel()
    edges = np.array([-1, -0.9, -0.8, -0.3, 0.1, 0.8, 0.85, 0.95, 1])
    fine = np.linspace(-1, 1, 400_001)
    law = amplitudes.wave_density(source, (fine[1:] + fine[:-1]) / 2, 0.8, 1.0) * (fine[1] - fine[0])
    expected, _ = np.histogram((fine[1:] + fine[:-1]) / 2, edges, weights=law)
    assert expected.sum() == pytest.approx(1, abs=1e-4)
    assert np.histogram(values, edges)[0] / len(values) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("source", ["sine", "saw", "triangle"])
def test_the_law_of_one_amplitude_is_the_limit_of_many(source):
    values = np.array([-0.95, -0.7, 0, 0.4, 0.89, 0.9, 1])
    one = amplitudes.wave_density(source, values, 0.9, 0.9)
    assert one[[0, 5, 6]].tolist() == [0, 0, 0]
    assert amplitudes.wave_density(source, values, 0.9 - 1e-6, 0.9)[1:5] == pytest.approx(one[1:5], rel=1e-3)


def test_a_square_of_one_amplitude_has_no_density():
    law = amplitudes.wave_density("square", np.array([0.0, 0.9, 0.95]), 0.9, 0.9)
    assert np.isnan(law[0]) and law[1:].tolist() == [0, 0]
    with pytest.raises(KeyError):
        amplitudes.wave_density("gong", np.array([0.0]), 0.8, 1.0)


def test_a_narrow_source_has_a_fit():
    """scipy's own fit stops with an error here: soft music is narrow about 0."""
    values = np.concatenate([1e-3 * np.random.default_rng(0).normal(size=1000), np.zeros(500)])
    alpha, beta = amplitudes.fit_beta(values)
    # A symmetric Beta of concentration c on [-1, 1] has the variance 1 / (2 c + 1).
    assert alpha == pytest.approx(beta, rel=1e-2) and 1 / (2 * alpha + 1) == pytest.approx(values.var(), rel=0.05)
