"""How well a score tells in-class items from others: AUROC, FPR95, accuracy, with 95 % intervals."""

from __future__ import annotations

import functools

import numpy as np

from .seeds import numpy_generator

Tracks = tuple[int, ...]  # the track of each item, as a number; () if the items are independent


@functools.cache  # a table has thousands of intervals over the same few numbers of items
def bootstrap_counts(n: int, resamples: int, *purpose, tracks: Tracks = ()) -> np.ndarray:
    """How often each of n items is drawn, per resample: (resamples, n). Rows sum to n, unless whole tracks are drawn.

    Frames of one song are not independent: with `tracks`, songs are drawn, the same for every purpose, as all sources
    of an item are of one place. n may be a multiple of the number of items: several sources after each other.
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
    """Of the mean over items; values (n,)."""
    if len(values) == 1 or not np.isfinite(values).all():
        return float(np.mean(values)), float(np.mean(values))
    counts = bootstrap_counts(len(values), resamples, tracks=tracks)
    return interval(counts @ values / counts.sum(1))


def median_interval(values: np.ndarray, resamples: int, tracks: Tracks = ()) -> tuple[float, float]:
    """Of the median over items, resampled together; values (n,) or (n, k): n items of k values each."""
    if tracks:
        counts = bootstrap_counts(len(values), resamples, tracks=tracks).astype(int)
        return interval(np.array([np.median(np.repeat(values, drawn, axis=0)) for drawn in counts]))
    items = numpy_generator("bootstrap median", len(values)).integers(0, len(values), (resamples, len(values)))
    return interval(np.median(values[items].reshape(resamples, -1), axis=1))


def exact_at_bound(value: float, low: float, high: float, n: int) -> tuple[float, float]:
    """At 0 or 1 resampling sees no spread: the exact (Clopper-Pearson) interval of n trials instead."""
    return _exact_interval(round(value * n), n) if value in (0.0, 1.0) else (low, high)


@functools.cache
def _exact_interval(successes: int, n: int) -> tuple[float, float]:
    from scipy.stats import binomtest  # it takes a second to import, and few programs come here

    exact = binomtest(successes, n).proportion_ci(0.95, "exact")
    return float(exact.low), float(exact.high)


def placements(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """1 where an in-class value is above an outside one, 1/2 where they tie: (n_in, n_out). Its mean is the AUROC.

    The matrix, and not a library's number, because weighted means of it are all bootstrap resamples at once.
    """
    inside, outside = _ranked(inside)[:, None], _ranked(outside)[None]
    return (inside > outside) + 0.5 * (inside == outside)


def auroc(
    inside: list[np.ndarray], outside: list[np.ndarray], resamples: int, tracks: Tracks = ()
) -> tuple[float, float, float, np.ndarray]:
    """AUROC and its interval, averaged over replicates of a training; each list has one (n,) array a replicate.

    Returns auroc, low, high, and the AUROC of each replicate. Items are resampled, the same way in all replicates.
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
    """Share of outside items above the value that 95 % of in-class items reach."""
    return float(np.mean(_ranked(outside) >= np.quantile(_ranked(inside), 0.05, method="lower")))


def _ranked(values: np.ndarray) -> np.ndarray:
    """What is not a number ranks last."""
    return np.where(np.isnan(values), -np.inf, values)


def typicality(values: np.ndarray, held_out: np.ndarray, frame: int) -> np.ndarray:
    """-|LL/T - mean of LL/T over held-out in-class items|: higher is more typical (Nalisnick et al., 2019b)."""
    with np.errstate(invalid="ignore"):
        return -np.abs(values - held_out.mean()) / frame
