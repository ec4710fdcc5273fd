"""Local dimension and the path to noise: against laws of known dimension, and of a path in closed form."""

import math

import pytest
import test_exact
import torch
from audiopriors import detection, score_detectors
from audiopriors.priors import score

LENGTH = 64


def of_plane(rank):
    """The denoiser of N(0, 1) on the first `rank` samples, 0 on the others."""
    inside = (torch.arange(LENGTH) < rank).double()
    return lambda x, sigma: inside * x / (1 + sigma**2)


def on_plane(n, rank):
    return (torch.arange(LENGTH) < rank) * test_exact.noise((n, 1, LENGTH))


@pytest.mark.parametrize("rank", [0, 5, LENGTH])
def test_a_planes_dimension_is_its_rank(rank):
    dimension = score_detectors.local_dimension(of_plane(rank), on_plane(4, rank), 0.0, 0.001)
    assert dimension.tolist() == pytest.approx([rank] * 4, abs=0.01)


def test_noise_has_all_dimensions_at_a_smaller_scale():
    x = on_plane(2000, 5) + 0.1 * test_exact.noise((2000, 1, LENGTH), seed=2)
    small, large = (score_detectors.local_dimension(of_plane(5), x, 0.1, scale).mean() for scale in (0.001, 0.3))
    assert small == pytest.approx(LENGTH, abs=0.1)
    ten = 0.1**2 + 0.3**2  # the closed form: T + scale^2 (div s + |s|^2) with s = -x / variance
    beside = (LENGTH - 5) * (0.1**2 / ten**2 - 1 / ten)
    along = 5 * ((1 + 0.1**2) / (1 + ten) ** 2 - 1 / (1 + ten))
    assert large == pytest.approx(LENGTH + 0.3**2 * (beside + along), rel=0.02)


@pytest.mark.parametrize("source", ["sine", "triangle"])
def test_waves_of_three_parameters_have_three_dimensions(source):
    """By the exact prior's denoiser: frequency, amplitude and phase. Random signs leave an error of 1.7 an item."""
    x = test_exact.clean(source, 64, 128)
    dimension = score_detectors.local_dimension(test_exact.prior_of(source).denoise, x, 0.0, 0.03)
    assert dimension.mean().item() == pytest.approx(3, abs=4 * 1.7 / math.sqrt(64))


def test_a_path_through_pure_noise_is_straight():
    def none(x, sigma):
        """The denoiser of silence."""
        return torch.zeros_like(x)

    noise = test_exact.noise((3, 1, LENGTH))
    norms = score_detectors.path_norms(none, 0.1 * noise, 0.1, 10.0)
    assert tuple(norms) == detection.PATH
    for power in (1, 2, 3):
        expected = (score_detectors.PATH_STEPS + 1) * noise.abs().pow(power).mean((1, 2))
        torch.testing.assert_close(norms[f"path_noise_{power}"], expected)
        assert norms[f"path_change_{power}"].max() < 1e-12


def test_a_path_of_normals_is_the_odes():
    """For N(0, 1) the ODE scales x by sqrt(1 + sigma^2); the noise then is x sigma / (1 + sigma^2)."""
    x = test_exact.noise((2, 1, LENGTH))
    levels = [0.1 * 10 ** (step / 8 * 2) for step in range(9)]
    expected = sum((x * level / math.sqrt(1 + level**2) / math.sqrt(1.01)).square().mean((1, 2)) for level in levels)
    norms = score_detectors.path_norms(lambda x, sigma: x / (1 + sigma**2), x, 0.1, 10.0)
    assert norms["path_noise_2"].tolist() == pytest.approx(expected.tolist(), rel=0.25)  # nine steps of Euler's


def test_a_score_prior_gives_what_detection_reads():
    prior = score.build(score.Config(0.01, 10, 8, 4, 2, 8, 2, 10, 10, 0))
    x = test_exact.noise((5, 1, LENGTH)).float()
    values = prior.detectors(x, 0.1)
    assert set(values) == {detection.DIMENSION, *detection.PATH}
    assert all(value.shape == (5,) and value.dtype == torch.double for value in values.values())
    # An item's values do not depend on the others in its batch.
    alone = prior.detectors(x[:1], 0.1)
    assert all(torch.allclose(values[name][:1], alone[name], rtol=1e-4) for name in values)
