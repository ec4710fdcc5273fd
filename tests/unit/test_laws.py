"""The laws of posterior models: quantiles, gradients, densities."""

import numpy as np
import pytest
import torch
from audiopriors import registry
from audiopriors.posteriors.base import EDGE
from scipy import stats

LAWS = registry.names("posteriors")
LOCATIONS, LOG_DEVIATIONS = torch.linspace(-1.4, 1.4, 29, dtype=torch.float64), torch.linspace(-6, 3, 19).double()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def law_of(name):
    return registry.load("posteriors", name).Law


def grid(law):
    """Parameters of many locations and deviations, and a share for each: (29, 19)."""
    locations, deviations = torch.meshgrid(LOCATIONS, LOG_DEVIATIONS, indexing="ij")
    share = 0.001 + 0.998 * torch.rand(locations.shape, generator=generator(), dtype=torch.float64)
    return share.numpy(), *(one.numpy() for one in law.parameters(locations, deviations))


@pytest.mark.parametrize("name", LAWS)
def test_quantiles_invert_the_cdf(name):
    law = law_of(name)
    share, first, second = grid(law)
    sample = law.quantile(share, first, second)
    assert (np.abs(sample) <= 1).all()
    assert np.abs(law.cdf(sample, first, second) - share).max() < 1e-11


@pytest.mark.parametrize("name", LAWS)
def test_implicit_gradients_are_those_of_the_quantiles(name):
    law = law_of(name)
    share, first, second = grid(law)
    inputs = [torch.from_numpy(one) for one in (first, second)]
    sample = law.draw(torch.from_numpy(share), *(one.requires_grad_(True) for one in inputs))
    slopes = torch.autograd.grad(sample.sum(), inputs)
    # Steps that are small against the law's width.
    step = (1e-5 * first, 1e-5 * second) if name == "beta" else (1e-4 * second, 1e-4 * second)
    for number, slope in enumerate(slopes):
        ends = []
        for sign in (1, -1):
            changed = [first.copy(), second.copy()]
            changed[number] = changed[number] + sign * step[number]
            ends.append(law.quantile(share, *changed))
        numerical = (ends[0] - ends[1]) / (2 * step[number])
        # A quantile is exact to some 1e-15, so its difference to 1e-9 of the largest slope.
        scale = np.abs(numerical) + 1e-3 * np.abs(numerical).mean()
        assert (np.abs(slope.numpy() - numerical) / scale).max() < 1e-5


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("place", [(0, 0), (0.8, -2), (-1.0, -1), (0.3, 2), (1.4, -5), (-0.6, -6)])
def test_log_q_is_a_density_and_its_draws_follow_it(name, place):
    law = law_of(name)
    first, second = law.parameters(*torch.tensor(place, dtype=torch.float64))
    # s = sin t resolves the ends; nodes between many quantiles resolve a peak. Beyond EDGE log_prob is bounded.
    last = np.arcsin(1 - EDGE)
    inner = np.arcsin(law.quantile(np.linspace(0.0005, 0.9995, 1000), first.numpy(), second.numpy()))
    ends = np.unique(np.concatenate([inner.clip(-last, last), np.linspace(-last, last, 2001)]))
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = np.diff(ends)[:, None] / 2
    angles = ends[:-1, None] + half * (1 + nodes)
    sample = torch.from_numpy(np.sin(angles))
    density = law.log_prob(sample, first, second).exp().numpy() * np.cos(angles) * weights * half
    beyond = 1 - np.diff(law.cdf(np.array([EDGE - 1, 1 - EDGE]), first.numpy(), second.numpy())).item()
    assert density.sum() + beyond == pytest.approx(1, abs=1e-7) and beyond < 1e-4
    assert (density * np.sin(angles)).sum() == pytest.approx(law.mean(first, second).item(), abs=2 * beyond + 1e-7)
    drawn = law.draw(torch.rand(4000, generator=generator(1), dtype=torch.float64), first, second)
    assert stats.kstest(drawn.numpy(), lambda s: law.cdf(s, first.numpy(), second.numpy())).pvalue > 1e-3


@pytest.mark.parametrize("name", LAWS)
def test_a_larger_location_is_a_larger_mean(name):
    """Also beyond full scale, where a Beta law of a fixed deviation would turn to the arcsine law, of mean 0."""
    law, location = law_of(name), torch.linspace(-3, 3, 601, dtype=torch.float64)
    for log_deviation in (-8.0, -3.0, -1.0, 0.0, 1.0):
        mean = law.mean(*law.parameters(location, torch.full_like(location, log_deviation)))
        assert (mean.diff() >= 0).all() and (mean[250:350].diff() > 0).all() and mean[-1] > 0.1
        torch.testing.assert_close(mean, -mean.flip(0))


@pytest.mark.parametrize("name", LAWS)
def test_all_is_finite_for_any_two_numbers(name):
    law = law_of(name)
    sizes = torch.tensor(
        [0.0, 1e-45, *10.0 ** np.arange(-38, 39, 2), 0.3, 1.1, 1.25, 3, 30, 3.4e38], dtype=torch.float32
    )
    numbers = torch.cat([sizes, -sizes])
    inputs = [one.clone().requires_grad_(True) for one in torch.meshgrid(numbers, numbers, indexing="ij")]
    parameters = law.parameters(*inputs)
    shares = [torch.full(inputs[0].shape, share, dtype=torch.float64) for share in (1e-12, 0.3, 1 - 1e-12)]
    values = [law.log_prob(torch.tensor(float(sample)), *parameters) for sample in (-1, -0.5, 0, 1)]
    for value in (*values, *(law.draw(share, *parameters) for share in shares), law.mean(*parameters)):
        assert value.isfinite().all()
        gradients = torch.autograd.grad(value.sum(), inputs, retain_graph=True, allow_unused=True)
        assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)
