"""From the sources of the channels' mean to the sources of each channel."""

from __future__ import annotations

import torch
from torch import Tensor

from ..audio.spectra import spectra, waves

# Of a bin's power. On training songs of the demo band, with estimates that leak, all from 0.0001 to 0.1 did alike.
RIDGE = 0.01


def spread(estimates: Tensor, channels: Tensor) -> Tensor:
    """The image of each source in each channel.

    In each bin of the spectra, source S_k has the gain 1 + g_ck in channel c. The g are the regularised least squares
    of X_c - M over time, with M the mean of the channels X_c. A ridge draws them to 0: a source that is too soft to
    tell its place is in the middle. What then remains of X_c - M is shared out by the sources' powers.

    So the mean of a source's images is its estimate. The images of a channel lack of it what the estimates lack of the
    mean. These gains do not change with time, and the errors of all sources count as one. A full local Gaussian model,
    by multichannel Wiener filters (Duong, Vincent & Gribonval, 2010), would also estimate each source's variance over
    time and its spread over the channels.

    estimates: of the sources of M (N, B, 1, T). channels: (C, B, 1, T). Returns (N, C, B, 1, T).
    """
    (number, batch, _, length), count = estimates.shape, len(channels)
    sources = spectra(estimates.flatten(0, 2)).unflatten(0, (number, batch))  # (N, B, bins, times)
    sides = spectra((channels - channels.mean(0)).flatten(0, 2)).unflatten(0, (count, batch))
    both = torch.einsum("jbft,kbft->bfjk", sources.conj(), sources)
    power = both.diagonal(dim1=2, dim2=3).real.sum(2)[..., None, None]
    ridge = (RIDGE * power + 1e-12) * torch.eye(number, device=both.device)
    gains = torch.linalg.solve(both + ridge, torch.einsum("kbft,cbft->bfkc", sources.conj(), sides))
    placed = torch.einsum("bfkc,kbft->kcbft", gains, sources)
    weights = sources.real.square() + sources.imag.square() + 1e-20  # equal, where no source has anything
    shares = (weights / weights.sum(0))[:, None]
    images = placed + shares * (sides - placed.sum(0))
    return estimates[:, None] + waves(images.flatten(0, 2), length).view(number, count, batch, 1, length)
