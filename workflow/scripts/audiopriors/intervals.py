"""95 % intervals in closed form, over units that are independent of each other: toy items, or songs.

Frames of one song are not independent. So `tracks` gives the song of each item, and the song is the unit. If there are
more items than entries in `tracks`, the entries repeat, as for several sources. benchmarks/coverage.py simulates what
an interval covers at the numbers of units in use; docs/records/coverage.md shows the results. With too few units for
this coverage there is no interval: (nan, nan).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

Tracks = tuple[int, ...]  # the track of each item, as a number; () if the items are independent
Ends = tuple[float, float]

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
NONE: Ends = (math.nan, math.nan)
MEAN_UNITS = 8
"The fewest units for `mean` and `ratio`: with these, means of laws as skewed as the exponential are covered."
SHARE_UNITS = 5
"The fewest units for `share` and `auroc`."
MEDIAN_UNITS = 6
"The fewest units whose extremes have the median between them in 95 % of samples: 1 - 2 / 2^6 = .969."


def units_of(tracks: Tracks, items: int) -> int:
    """The number of independent units among so many items."""
    return len(set(tracks)) or items


def mean(values: np.ndarray, tracks: Tracks = ()) -> Ends:
    """95 % interval of the mean over items; values (n,).

    Each end is the wider one of two: Student's t, which covers heavy tails, and t corrected for the units' skewness by
    Hall's cubic (Hall, 1992, On the removal of skewness by transformation), as means of skewed laws err to one side.
    """
    if units_of(tracks, len(values)) < MEAN_UNITS or not np.isfinite(values).all():
        return NONE
    parts = _parts(values, tracks)
    n = len(parts)
    centre, square = float(np.mean(values)), float(np.mean(parts**2))
    if square == 0:
        return centre, centre
    deviation, skewness = math.sqrt(square * n / (n - 1)), float(np.mean(parts**3)) / square**1.5
    ends = []
    for quantile in (-special.stdtrit(n - 1, TAIL), special.stdtrit(n - 1, TAIL)):
        steps = quantile / math.sqrt(n), _unskewed(quantile / math.sqrt(n), skewness, n)
        ends.append(centre - deviation * (max(steps) if quantile > 0 else min(steps)))
    return ends[0], ends[1]


def ratio(values: np.ndarray, others: np.ndarray, tracks: Tracks = ()) -> Ends:
    """95 % interval of the mean of values over the mean of others, both (n,) above 0, of the same items.

    It is the interval of the ratio's logarithm by the delta method: the terms of its change are a mean of 0. It is
    widened by as much as Student's t is wider with one degree of freedom less, as both means are estimates.
    """
    free = units_of(tracks, len(values)) - 1
    if free + 1 < MEAN_UNITS:
        return NONE
    ends = np.array(mean(values / values.mean() - others / others.mean(), tracks))
    wider = special.stdtrit(free - 1, TAIL) / special.stdtrit(free, TAIL) * math.sqrt(free / (free - 1))
    low, high = values.mean() / others.mean() * np.exp(wider * ends)
    return float(low), float(high)


def _unskewed(step: float, skewness: float, n: int) -> float:
    """The inverse of Hall's cubic: (mean - truth) / deviation at a quantile of t over sqrt(n)."""
    if abs(skewness) < 1e-6:
        return step
    return 3 / skewness * (np.cbrt(1 + skewness * (step - skewness / (6 * n))) - 1)


def _parts(values: np.ndarray, tracks: Tracks) -> np.ndarray:
    """The contribution of each unit to the deviation of the mean, times the number of units. They sum to 0."""
    deviations = values - np.mean(values)
    if not tracks:
        return deviations
    of_songs = np.bincount(np.resize(np.unique(tracks, return_inverse=True)[1], len(values)), deviations)
    return of_songs * (len(of_songs) / len(values))


def median(values: np.ndarray, tracks: Tracks = ()) -> Ends:
    """95 % interval of the median over items; values (n,) or (n, k), with k values an item.

    The ends are order statistics, as the number of values below the median is binomial. If all values of a unit are on
    one side of the median, there are as many trials as units. If units are divided, there are more: as many as give the
    variance of the share below the median (Woodruff, 1952), times (z / t)^2, as that variance is itself an estimate.
    """
    units = units_of(tracks, len(values))
    if units < MEDIAN_UNITS or np.isnan(values).any():
        return NONE
    centre, ordered = np.median(values), np.sort(values, axis=None)
    below = np.where(values == centre, 0.5, values < centre).reshape(len(values), -1).mean(1)
    variance = float(np.sum(_parts(below, tracks) ** 2)) / (units * (units - 1))
    trials = np.clip(0.25 * _freedom(units) / max(variance, 1e-12), units, len(ordered))
    most = math.floor(special.bdtrik(TAIL, trials, 0.5))  # the greatest with P(Bin(trials, 1/2) <= most) <= TAIL
    outside = math.floor(most * len(ordered) / trials)
    return float(ordered[outside]), float(ordered[-1 - outside])


def share(values: np.ndarray, tracks: Tracks = ()) -> Ends:
    """95 % interval of the mean over items of values between 0 and 1; values (n,)."""
    if not len(values):
        return NONE
    parts = _parts(values, tracks)
    n = len(parts)
    return _of_share(float(np.mean(values)), float(np.sum(parts**2)) / (n * max(n - 1, 1)), n)


def auroc(placements: np.ndarray, tracks: Tracks = ()) -> Ends:
    """95 % interval of the mean of `placements` (n_in, n_out), with its variance by DeLong et al. (1988).

    tracks: the tracks of the rows. Columns are of the same tracks, repeated if there are more.
    """
    value = float(np.mean(placements))
    inside, outside = placements.mean(1) - value, placements.mean(0) - value
    if tracks:
        songs = np.unique(tracks, return_inverse=True)[1]
        parts = np.bincount(songs, inside) / len(inside)
        parts += np.bincount(np.resize(songs, len(outside)), outside) / len(outside)
        units = len(parts)
        return _of_share(value, float(np.sum(parts**2)) * units / max(units - 1, 1), units)
    variance = sum(float(np.sum(part**2)) / (len(part) * max(len(part) - 1, 1)) for part in (inside, outside))
    return _of_share(value, variance, min(placements.shape))


def mean_auroc(placements: dict[tuple[str, str], np.ndarray], tracks: Tracks = ()) -> Ends:
    """95 % interval of the mean AUROC over pairs of sources, whose items are the same in every pair.

    placements: (source inside, source outside) -> matrix (n_in, n_out), see `auroc`; every source has as many items.
    An item's part in the change of the mean is the sum of its parts in all pairs, as in DeLong et al. (1988).
    """
    value = float(np.mean([matrix.mean() for matrix in placements.values()]))
    return _of_share(value, *_of_mean_auroc(placements, tracks))


def mean_auroc_deviation(placements: dict[tuple[str, str], np.ndarray], tracks: Tracks = ()) -> float:
    """The standard deviation of that mean over draws of items, or of tracks; NaN of fewer than two."""
    variance, units = _of_mean_auroc(placements, tracks)
    return math.sqrt(variance) if units > 1 else math.nan


def _of_mean_auroc(placements: dict[tuple[str, str], np.ndarray], tracks: Tracks) -> tuple[float, int]:
    """The variance of the mean AUROC over pairs, and the number of units."""
    parts: dict[str, np.ndarray] = {}  # by source
    for (inside, outside), matrix in placements.items():
        for source, axis in ((inside, 1), (outside, 0)):
            change = (matrix.mean(axis) - matrix.mean()) / len(placements)
            parts[source] = parts[source] + change if source in parts else change
    if tracks:
        songs = np.unique(tracks, return_inverse=True)[1]
        by_source = [np.bincount(np.resize(songs, len(part)), part) / len(part) for part in parts.values()]
        of_songs = np.sum(by_source, axis=0)
        units = len(of_songs)
        return float(np.sum(of_songs**2)) * units / max(units - 1, 1), units
    variance = sum(float(np.sum(part**2)) / (len(part) * max(len(part) - 1, 1)) for part in parts.values())
    return variance, min(len(part) for part in parts.values())


def _freedom(units: int) -> float:
    """The factor (z / t)^2: an estimated variance stands for fewer trials, by this factor for so many units."""
    return float((special.ndtri(TAIL) / special.stdtrit(units - 1, TAIL)) ** 2)


def _of_share(value: float, variance: float, units: int) -> Ends:
    """Clopper and Pearson's binomial interval for an effective number of trials (Korn & Graubard, 1998).

    This number is value (1 - value) / variance, times (z / t)^2, as the variance is itself an estimate. Where all units
    are right it is the number of units: it comes near that as soon as less than a quarter of a unit is wrong. And no
    end is closer to a bound than where all units are on its side, so that no perfect result is worth less than another
    one.
    """
    if units < SHARE_UNITS or math.isnan(value):
        return NONE
    doubt = 0.25 / units
    trials = (value * (1 - value) + doubt) / (variance / _freedom(units) + doubt / units)
    right, wrong = value * trials, (1 - value) * trials
    low = special.betaincinv(right, wrong + 1, TAIL) if right > 0 else 0.0
    high = special.betaincinv(right + 1, wrong, 1 - TAIL) if wrong > 0 else 1.0
    perfect = TAIL ** (1 / units)  # the low end of units that are all right
    return min(float(low), perfect), max(float(high), 1 - perfect)


def extreme(kind: str, values: np.ndarray, ends: np.ndarray, bounded: bool) -> Ends:
    """Interval of the least (`min`) or greatest (`max`) of k truths, from their estimates (k,) and intervals (k, 2).

    The least truth is not below the least low end, as its own row's low end covers it. The least high end is that of a
    row picked for being low. So the high end is the least of ends that cover all rows at once. bounded: values lie in
    [0, 1].
    """
    together = _simultaneous(values, ends, bounded)
    if kind == "min":
        return float(ends[:, 0].min()), float(together[:, 1].min())
    return float(together[:, 0].max()), float(ends[:, 1].max())


def spread(values: np.ndarray, ends: np.ndarray) -> Ends:
    """Interval of the greatest minus the least of k truths, from their estimates (k,) and intervals (k, 2)."""
    together = _simultaneous(values, ends, bounded=False)
    return max(0.0, float(together[:, 0].max() - together[:, 1].min())), float(ends[:, 1].max() - ends[:, 0].min())


def _simultaneous(values: np.ndarray, ends: np.ndarray, bounded: bool) -> np.ndarray:
    """Intervals (k, 2) that cover all k truths at once (Bonferroni), widened as normal intervals would be.

    If the values are bounded by 0 and 1, they are widened on the scale of logits. For a value at its bound, the end is
    that of n units that are all on one side; it becomes the end that n units have at the new level.
    """
    level = TAIL / len(values)
    wider = special.ndtri(level) / special.ndtri(TAIL)
    scale, back = (special.logit, special.expit) if bounded else (np.array, np.array)
    centre = values[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):  # an end or a value may be at its bound
        wide = back(scale(centre) + wider * (scale(ends) - scale(centre)))
        if bounded:
            wide = np.where(centre == 0, 1 - (1 - ends) ** (math.log(level) / math.log(TAIL)), wide)
            wide = np.where(centre == 1, ends ** (math.log(level) / math.log(TAIL)), wide)
    return np.where(ends == centre, ends, wide)
