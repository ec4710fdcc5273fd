"""One row for each measure of a prior: detection over all pairs of sources, over near and far ones, and the worst."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from . import detection, intervals
from .detection_tables import compared, kind_of, ways_of
from .tables import by_prior, levels_of, measures_of, tracks_of, under_columns

Pairs = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]
"(prior source, test source) -> values of own items and of the other's, each (seeds, items)."


def detection_summary(
    measures: pd.DataFrame, sources: list[str], near: Collection[tuple[str, str]], frame: int
) -> pd.DataFrame:
    """Detection over the pairs of sources, a row for each prior, its sigma, the data's, and measure.

    near: pairs of sources, in either order (nearness.py). auroc is the mean over all pairs, auroc_near and auroc_far
    over these and the others; aupr_in and aupr_out in the same way (without intervals, see detection_tables.py). worst
    is the least AUROC of a pair. Its interval covers the least of all pairs' truths: its high end is that of intervals
    that cover all pairs at once. kind is of `kind_of`.

    All intervals are over items, of these trainings. item_deviation is the standard deviation of auroc over draws of
    items (over tracks for music), training_deviation that over `seeds` trainings, on the same items, and
    worst_training_deviation the same of the worst pair of each training; one training has none.
    """
    rows, tracks = [], tracks_of(measures)
    for (dataset, prior), group in by_prior(measures):
        ways, own = ways_of(group, sources, frame), measures_of(group)
        for level in levels_of(group):
            by_measure: dict[str, Pairs] = {}
            for source in sources:
                for measure, test_source, *values in compared(ways, own, sources, source, *level):
                    if test_source != "rest":
                        by_measure.setdefault(measure, {})[source, test_source] = (values[0], values[1])
            rows += [
                {"dataset": dataset, "prior": prior, "prior_sigma": level[0], "data_sigma": level[1],
                 "measure": measure, "kind": kind_of(measure), "frame": frame, **_summary(pairs, near, tracks)}
                for measure, pairs in by_measure.items()
            ]  # fmt: skip
    return under_columns("detection_summary", rows)


def _summary(pairs: Pairs, near: Collection[tuple[str, str]], tracks: intervals.Tracks) -> dict:
    """The columns that one measure's pairs give."""
    nearness = {pair: pair in near or pair[::-1] in near for pair in pairs}
    groups = {
        "": list(pairs),
        "_near": [pair for pair in pairs if nearness[pair]],
        "_far": [pair for pair in pairs if not nearness[pair]],
    }
    of_items, of_trainings = {}, []  # means over seeds (n_in, n_out), and the AUROC of each seed
    for pair, values in pairs.items():
        matrices = [detection.placements(*of_seed) for of_seed in zip(*values, strict=True)]
        of_items[pair] = np.mean(matrices, axis=0)
        of_trainings.append([matrix.mean() for matrix in matrices])
    areas, per_seed = {pair: _areas(*values) for pair, values in pairs.items()}, np.array(of_trainings)
    least, worst = _worst(of_items, tracks)
    row = {
        "n": min(matrix.shape[0] for matrix in of_items.values()), "pairs": len(pairs), **worst,
        "worst_prior_source": least[0], "worst_test_source": least[1], "seeds": per_seed.shape[1],
        "item_deviation": intervals.mean_auroc_deviation(of_items, tracks),
        "training_deviation": _over_trainings(per_seed.mean(0)),
        "worst_training_deviation": _over_trainings(per_seed.min(0)),
        "near_pairs": " ".join(f"{one}-{other}" for one, other in near),
    }  # fmt: skip
    for name, chosen in groups.items():
        of_group = {pair: of_items[pair] for pair in chosen}
        mean = float(np.mean([matrix.mean() for matrix in of_group.values()])) if chosen else np.nan
        ends = intervals.mean_auroc(of_group, tracks) if chosen else intervals.NONE
        low, high = (f"auroc{name}_low", f"auroc{name}_high") if name else ("low", "high")
        row |= {f"auroc{name}": mean, low: ends[0], high: ends[1]}
        into, out = np.mean([areas[pair] for pair in chosen], axis=0) if chosen else (np.nan, np.nan)
        row |= {f"aupr_in{name}": into, f"aupr_out{name}": out}
    return row


def _areas(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Both areas of detection.aupr, averaged over seeds; inside, outside: (seeds, items)."""
    return np.mean([detection.aupr(*of_seed) for of_seed in zip(inside, outside, strict=True)], axis=0)


def _worst(of_items: dict[tuple[str, str], np.ndarray], tracks: intervals.Tracks) -> tuple[tuple[str, str], dict]:
    """The pair of least AUROC, and the columns of that AUROC with the interval of a least of so many."""
    values = np.array([matrix.mean() for matrix in of_items.values()])
    ends = np.array([intervals.auroc(matrix, tracks) for matrix in of_items.values()])
    low, high = intervals.extreme("min", values, ends, bounded=True)
    return list(of_items)[values.argmin()], {"worst": values.min(), "worst_low": low, "worst_high": high}


def _over_trainings(values: np.ndarray) -> float:
    """The standard deviation over trainings, NaN of one."""
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan
