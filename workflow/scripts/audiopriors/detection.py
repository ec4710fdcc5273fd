"""How well a measure tells items of a prior's own source from others: AUROC, FPR95, typicality, 95 % intervals."""

from __future__ import annotations

import functools

import numpy as np

from .seeds import numpy_generator

Tracks = tuple[int, ...]  # the track of each item, as a number; () if the items are independent


@functools.cache  # a table has thousands of intervals over the same few numbers of items
def bootstrap_counts(n: int, resamples: int, *purpose, tracks: Tracks = ()) -> np.ndarray:
    """How often each of n items is drawn, per resample: (resamples, n). Rows sum to n, unless whole tracks are drawn.

    Frames of one song are not independent. With `tracks`, whole songs are drawn, and the same ones for every purpose,
    as all sources of an item are of one place. n may be a multiple of the number of items: several sources after each
    other.
    """
    if tracks:
        songs = len(set(tracks))
        drawn = numpy_generator("bootstrap tracks", songs, resamples).multinomial(
            songs, np.full(songs, 1 / songs), resamples
        )
        return drawn[:, np.resize(tracks, n)].astype(float)
    return (
        numpy_generator("bootstrap", n, resamples, *purpose).multinomial(n, np.full(n, 1 / n), resamples).astype(float)
    )


def interval(estimates: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of bootstrap estimates."""
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(estimates, [0.025, 0.975], method="nearest")
    return float(low), float(high)


def mean_interval(values: np.ndarray, resamples: int, tracks: Tracks = ()) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over items; values (n,)."""
    if len(values) == 1 or not np.isfinite(values).all():
        return float(np.mean(values)), float(np.mean(values))
    counts = bootstrap_counts(len(values), resamples, tracks=tracks)
    return interval(counts @ values / counts.sum(1))


def median_interval(values: np.ndarray, resamples: int, tracks: Tracks = ()) -> tuple[float, float]:
    """95 % bootstrap interval of the median; values (n,) or (n, k): n items are resampled, each with its k values."""
    if tracks:
        counts = bootstrap_counts(len(values), resamples, tracks=tracks).astype(int)
        return interval(np.array([np.median(np.repeat(values, drawn, axis=0)) for drawn in counts]))
    items = numpy_generator("bootstrap median", len(values)).integers(0, len(values), (resamples, len(values)))
    return interval(np.median(values[items].reshape(resamples, -1), axis=1))


def exact_at_bound(value: float, low: float, high: float, n: int) -> tuple[float, float]:
    """The interval, but for a share of 0 or 1 the exact (Clopper-Pearson) one of n trials.

    There resampling sees no spread.
    """
    return _exact_interval(round(value * n), n) if value in (0.0, 1.0) else (low, high)


@functools.cache
def _exact_interval(successes: int, n: int) -> tuple[float, float]:
    from scipy.stats import binomtest  # it takes a second to import, and few programs come here

    exact = binomtest(successes, n).proportion_ci(0.95, "exact")
    return float(exact.low), float(exact.high)


def placements(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """1 where an inside value is above an outside one, 1/2 where they tie: (n_in, n_out). Its mean is the AUROC.

    A library would give only that mean. Weighted means of the matrix are all bootstrap resamples at once.
    """
    inside, outside = _ranked(inside)[:, None], _ranked(outside)[None]
    return (inside > outside) + 0.5 * (inside == outside)


def auroc(
    inside: list[np.ndarray], outside: list[np.ndarray], resamples: int, tracks: Tracks = ()
) -> tuple[float, float, float, np.ndarray]:
    """AUROC and its 95 % interval, averaged over replicates of a training; each list has one (n,) array a replicate.

    Returns auroc, low, high, and the AUROC of each replicate. The resampled items are the same in all replicates.
    """
    matrices = [placements(*pair) for pair in zip(inside, outside, strict=True)]
    matrix = np.mean(matrices, axis=0)
    value = float(matrix.mean())
    n_in, n_out = matrix.shape
    counts_in = bootstrap_counts(n_in, resamples, "in", tracks=tracks)
    counts_out = bootstrap_counts(n_out, resamples, "out", tracks=tracks)
    counts_in, counts_out = (counts / counts.sum(1, keepdims=True) for counts in (counts_in, counts_out))
    low, high = interval(np.einsum("ri,ri->r", counts_in @ matrix, counts_out))
    low, high = exact_at_bound(value, low, high, len(set(tracks)) or min(n_in, n_out))
    return value, low, high, np.array([single.mean() for single in matrices])


def fpr95(inside: np.ndarray, outside: np.ndarray) -> float:
    """The share of outside items that reach the value that 95 % of inside items reach."""
    return float(np.mean(_ranked(outside) >= np.quantile(_ranked(inside), 0.05, method="lower")))


def _ranked(values: np.ndarray) -> np.ndarray:
    """The values, but what is not a number is -inf, so that it ranks last."""
    return np.where(np.isnan(values), -np.inf, values)


def typicality(values: np.ndarray, held_out: np.ndarray, frame: int) -> np.ndarray:
    """-|LL/T - mean of LL/T over held-out own items|: higher is more typical (Nalisnick et al., 2019b)."""
    with np.errstate(invalid="ignore"):
        return -np.abs(values - held_out.mean()) / frame
