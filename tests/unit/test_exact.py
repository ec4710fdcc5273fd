"""The exact prior of the toy waves against brute force, finite differences, and what theory says of its mean."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from audiopriors import integral
from audiopriors.data import toy
from audiopriors.likelihood import entropy_gate
from audiopriors.priors import exact

LAW = toy.Config("paper", 16000, 16384, "uniform", (27.5, 4186.0), (0.8, 1.0), False, 50, 8, 8)
SETTINGS = exact.Config(padding=16, phases=64, peaks=16, nodes=256)


def prior_of(source, law=LAW, settings=SETTINGS):
    return exact.build(settings).fit(SimpleNamespace(config=law), source)


def clean(source, n, length, law=LAW, seed=0):
    """Waves by the data set's own law and renderer."""
    random = np.random.default_rng(seed)
    low, high = law.frequency_range
    frequency = random.uniform(low, high, n)
    if law.frequency == "log_uniform":
        frequency = np.exp(random.uniform(math.log(low), math.log(high), n))
    parameters = (frequency, random.uniform(*law.amplitude_range, n), random.uniform(0, 2 * math.pi, n))
    return toy.render(source, *map(torch.from_numpy, parameters), length, law.rate)


def noise(shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def brute_force(source, x, sigma, law=LAW, rows=2000, columns=500, amplitudes=16):
    """log p_sigma(x) by the midpoint rule in f and phase and Gauss-Legendre in A; x (n, 1, T)."""
    low, high = law.frequency_range
    place = (torch.arange(rows, dtype=torch.double) + 0.5) / rows
    frequency = low * (high / low) ** place if law.frequency == "log_uniform" else low + (high - low) * place
    phase = 2 * math.pi * (torch.arange(columns, dtype=torch.double) + 0.5) / columns
    nodes, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(amplitudes))
    a, b = law.amplitude_range
    nodes, log_weights = (a + b) / 2 + (b - a) / 2 * nodes, torch.log(weights / 2)
    best = torch.full((len(x),), -math.inf, dtype=torch.double)
    for some in frequency.split(200):
        grid = torch.cartesian_prod(some, phase)
        wave = toy.render(source, grid[:, 0], torch.ones(len(grid)), grid[:, 1], x.shape[2], law.rate)[:, 0]
        product, energy = wave @ x[:, 0].T, wave.square().sum(1, keepdim=True)
        value = torch.logsumexp(
            (nodes * product[..., None] - nodes**2 / 2 * energy[..., None]) / sigma**2 + log_weights, 2
        )
        best = torch.logaddexp(best, torch.logsumexp(value, 0))
    normal = 0.5 * x.square().sum((1, 2)) / sigma**2 + 0.5 * x.shape[2] * math.log(2 * math.pi * sigma**2)
    return best - math.log(rows * columns) - normal


FINE = exact.Config(padding=16, phases=64, peaks=16, nodes=16384)


@pytest.mark.parametrize("source", toy.SOURCES)
@pytest.mark.parametrize(("length", "sigma", "tolerance"), [(16, 1.0, 0.2), (24, 0.359, 0.2), (24, 0.1, exact.ERROR)])
def test_against_brute_force(source, length, sigma, tolerance):
    """Within the stated error with the settings used (sigma sqrt(1024 / T) is 8, 2.3 and .65), and it converges."""
    own, other = clean(source, 4, length), clean(toy.SOURCES[toy.SOURCES.index(source) - 1], 3, length)
    x = torch.cat((own, other, 0.5 * torch.ones(1, 1, length))) + sigma * noise((8, 1, length))
    expected = brute_force(source, x, sigma)
    smooth = source in ("sine", "triangle")
    value = prior_of(source).log_prob(x, sigma)
    assert (value[:4] - expected[:4]).abs().max() < (0.01 if smooth else tolerance)  # in class
    fine = prior_of(source, settings=FINE).log_prob(x, sigma)
    assert (fine[:4] - expected[:4]).abs().max() < 0.03
    assert (fine - expected).abs().max() < 0.1


def test_against_brute_force_log_uniform():
    law = toy.Config("paper", 16000, 16384, "log_uniform", (200.0, 4186.0), (0.5, 1.0), False, 50, 8, 8)
    x = clean("saw", 5, 24, law) + 0.3 * noise((5, 1, 24))
    value, expected = prior_of("saw", law).log_prob(x, 0.3), brute_force("saw", x, 0.3, law)
    assert (value - expected).abs().max() < 0.1


@pytest.mark.parametrize("source", ["square", "saw"])
@pytest.mark.parametrize("sigma", [0.01, 0.359])
def test_error_is_as_stated(source, sigma):
    """At T = 1024, against 64 times as many nodes."""
    x = clean(source, 12, 1024, seed=7) + sigma * noise((12, 1, 1024), 8)
    value, fine = (prior_of(source, settings=settings).log_prob(x, sigma) for settings in (SETTINGS, FINE))
    assert (value - fine).abs().max() < exact.ERROR


@pytest.mark.parametrize("source", toy.SOURCES)
@pytest.mark.parametrize(("length", "sigma"), [(32, 0.1), (1024, 0.01), (1024, 0.359)])
def test_gradient_against_finite_differences(source, length, sigma):
    prior, x = prior_of(source), clean(source, 3, length) + sigma * noise((3, 1, length))
    x.requires_grad_(True)
    (gradient,) = torch.autograd.grad(prior.log_prob(x, sigma).sum(), x)
    direction, step = noise(x.shape, 2), 1e-5 * sigma
    with torch.no_grad():
        change = prior.log_prob(x + step * direction, sigma) - prior.log_prob(x - step * direction, sigma)
    value, expected = (gradient * direction).sum((1, 2)), change / (2 * step)
    torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-3 / sigma)


# FACTS: information I(theta; x) of T = 1024 in nats, standard error .09.
INFORMATION = {
    ("sine", 0.01): 25.1, ("sine", 0.077): 19.0, ("sine", 0.359): 14.6,
    ("triangle", 0.01): 24.7, ("triangle", 0.359): 13.9,
    ("square", 0.01): 23.4, ("square", 0.359): 19.7,
    ("saw", 0.077): 19.7, ("saw", 0.359): 17.8,
}  # fmt: skip


@pytest.mark.parametrize(("source", "sigma"), INFORMATION)
def test_mean_is_what_information_says(source, sigma):
    """E[log p_sigma(x)] = -T/2 log(2 pi e sigma^2) - I, with the known noise as control variate."""
    n, length = 100, 1024
    epsilon = noise((n, 1, length), seed=3)
    x = clean(source, n, length, seed=4) + sigma * epsilon
    of_noise = -0.5 * epsilon.square().sum((1, 2)) - length / 2 * math.log(2 * math.pi * sigma**2)
    information = of_noise - prior_of(source).log_prob(x, sigma)
    error = 4 * math.hypot(information.std() / n**0.5, 0.09) + exact.ERROR
    assert abs(information.mean() - INFORMATION[source, sigma]) < error
    # x itself: its own wave has a share of the mass, so no item can be this far below the density of its noise
    assert information.max() < 60 and information.min() > 0


@pytest.mark.parametrize("source", toy.SOURCES)
def test_no_noise_or_constant_gets_too_much(source):
    for deviation in (0.1, 0.5, 1.0):
        x = deviation * noise((20, 1, 256))
        for sigma in (0.01, 0.359):
            entropy_gate(prior_of(source).log_prob(x, sigma).numpy(), x, deviation, source)


@pytest.mark.parametrize("source", toy.SOURCES)
def test_far_items_find_the_best_wave(source):
    """At sigma = .01 log p is about minus the distance to the nearest wave: no random search may find a nearer one."""
    sigma, length = 0.01, 256
    x = torch.cat((torch.full((1, 1, length), 0.5), clean("sine", 2, length, seed=9), 0.5 * noise((2, 1, length))))
    value = prior_of(source).log_prob(x.double(), sigma)
    waves = clean(source, 200_000, length, seed=5)[:, 0]
    product, energy = waves @ x.double()[:, 0].T, waves.square().sum(1, keepdim=True)
    nearest = (x.double().square().sum((1, 2)) - 2 * product + energy).amin(0)
    normal = length / 2 * math.log(2 * math.pi * sigma**2)
    assert (value > -nearest / (2 * sigma**2) - normal - 60).all()


def test_perfect_priors_discriminate_by_ratio():
    """AUROC of log p_k - log p_j >= .99 for every pair at sigma = .359; of log p_k itself the ceiling is about .8."""
    n, sigma = 40, 0.359
    x = {s: clean(s, n, 1024, seed=k) + sigma * noise((n, 1, 1024), seed=20 + k) for k, s in enumerate(toy.SOURCES)}
    scores = {(p, t): prior_of(p).log_prob(x[t], sigma) for p in toy.SOURCES for t in toy.SOURCES}
    worst_ratio, worst = 1.0, 1.0
    for k in toy.SOURCES:
        for j in set(toy.SOURCES) - {k}:
            inside, outside = scores[k, k] - scores[j, k], scores[k, j] - scores[j, j]
            worst_ratio = min(worst_ratio, (inside[:, None] > outside).double().mean().item())
            worst = min(worst, (scores[k, k][:, None] > scores[k, j]).double().mean().item())
    assert worst_ratio >= 0.99 and 0.65 < worst < 0.95


@pytest.mark.parametrize("source", ["sine", "triangle"])
def test_the_two_methods_agree_where_they_meet(source, monkeypatch):
    """The sum over the first lattice, for wide posteriors, against refining, at a sigma where one takes over."""
    length, sigma = 64, 1.0
    prior = prior_of(source)
    x = clean(source, 6, length) + sigma * noise((6, 1, length))
    monkeypatch.setitem(integral._FLAT, source, 0)
    flat = prior.log_prob(x, sigma)
    monkeypatch.setitem(integral._FLAT, source, 10**9)
    assert (prior.log_prob(x, sigma) - flat).abs().max() < exact.ERROR


def test_items_do_not_see_each_other():
    for sigma in (0.05, 2.0):
        prior, x = prior_of("saw"), clean("saw", 5, 200) + sigma * noise((5, 1, 200))
        together = prior.log_prob(x, sigma)
        alone = torch.cat([prior.log_prob(one, sigma) for one in x.split(1)])
        torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-9)


def test_law_survives_a_checkpoint_and_a_change_of_type():
    prior, x = prior_of("square"), clean("square", 2, 128)
    expected = prior.log_prob(x, 0.1)
    other = exact.build(SETTINGS)
    other.load_state_dict(prior.state_dict())
    for version in (other, other.float(), other.double()):
        assert torch.equal(version.log_prob(x, 0.1), expected)
    assert prior.log_prob(x.float(), 0.1).dtype == torch.float64


def test_samples_have_the_law():
    prior = prior_of("sine")
    x = prior.sample(4000, 64, 0.3, torch.Generator().manual_seed(0))
    assert x.shape == (4000, 1, 64) and x.dtype == torch.float32
    power = 0.5 * (0.8**2 + 0.8 * 1 + 1) / 3  # E[A^2] / 2
    assert x.square().mean().item() == pytest.approx(power + 0.09, rel=0.02)
    assert abs(x.mean().item()) < 0.01
    # Its own samples: the mean of log p is minus the entropy, which for other densities it is above (Gibbs).
    some = x[:40].double()
    assert prior.log_prob(some, 0.3).mean() > prior_of("triangle").log_prob(some, 0.3).mean()


def test_what_it_refuses():
    for sigma in (0.0, -1.0):
        with pytest.raises(ValueError, match="sigma > 0 only"):
            prior_of("sine").log_prob(torch.zeros(1, 1, 16), sigma)
    for changes in ({"variant": "published"}, {"frequency": "piano_keys"}, {"bandlimited": True}):
        law = toy.Config(**(vars(LAW) | changes))
        with pytest.raises(ValueError, match=f"the exact prior needs {next(iter(changes))}.*this data set has"):
            prior_of("sine", law)
    with pytest.raises(RuntimeError, match="no law yet"):
        exact.build(SETTINGS).log_prob(torch.zeros(1, 1, 16), 0.1)
