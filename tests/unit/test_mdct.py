"""The MDCT: an orthogonal matrix, which is undone exactly, also at the frame's ends."""

import pytest
import torch
from audiopriors.audio.mdct import inverse_mdct, mdct
from audiopriors.errors import UserError


@pytest.mark.parametrize(("bins", "length"), [(2, 2), (4, 4), (4, 32), (16, 64), (64, 1024)])
def test_it_is_an_orthogonal_matrix(bins, length):
    matrix = mdct(torch.eye(length, dtype=torch.double), bins).flatten(1)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(length, dtype=torch.double), rtol=0, atol=1e-12)
    back = inverse_mdct(torch.eye(length, dtype=torch.double).unflatten(1, (bins, -1)))
    torch.testing.assert_close(back, matrix.T, rtol=0, atol=1e-12)


def test_inner_coefficients_are_those_of_the_textbook():
    """X_k = sqrt(2 / N) sum_n w_n x_n cos(pi / N (n + 1/2 - N / 2) (k + 1/2)) over 2 N samples, sine window.

    With + N / 2 it is the textbook's, which is this one of the reversed frame.
    """
    bins, x = 8, torch.randn(64, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    n, k = torch.arange(2 * bins, dtype=torch.double), torch.arange(bins, dtype=torch.double)
    window = torch.sin(torch.pi / (2 * bins) * (n + 0.5))
    basis = (2 / bins) ** 0.5 * torch.cos(torch.pi / bins * torch.outer(k + 0.5, n + 0.5 - bins / 2))
    coefficients = mdct(x, bins)
    for block in range(1, 7):
        start = block * bins - bins // 2
        expected = basis @ (window * x[start : start + 2 * bins])
        torch.testing.assert_close(coefficients[:, block], expected, rtol=0, atol=1e-12)


def test_a_tone_is_in_few_bins():
    time = torch.arange(1024, dtype=torch.double)
    power = mdct(torch.sin(2 * torch.pi * 0.1 * time), 64).square()[:, 1:-1]
    assert power.topk(4, dim=0).values.sum() > 0.99 * power.sum()
    assert power.mean(1).argmax() == 12  # of 64 bins up to 0.5


@pytest.mark.parametrize(("bins", "length"), [(3, 12), (8, 20)])
def test_a_frame_must_be_whole_blocks(bins, length):
    with pytest.raises(UserError, match=f"an MDCT of {bins} bins needs an even number of bins, and frames of a mult"):
        mdct(torch.zeros(1, length), bins)
