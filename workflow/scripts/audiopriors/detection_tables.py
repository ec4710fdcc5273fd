"""The tables of detection: what tells the items of a prior's own source from those of other sources, pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from . import detection, intervals
from .columns import COLUMNS, RATIO
from .tables import (
    Cells,
    by_prior,
    cells,
    levels_of,
    measures_of,
    ratio_name,
    spread_of_seeds,
    tracks_of,
    under_columns,
)

Pair = tuple[str, str, np.ndarray, np.ndarray]  # measure, test source, values of own items and of the others'


def detection_table(measures: pd.DataFrame, sources: list[str], frame: int) -> pd.DataFrame:
    """AUROC, FPR95 and AUPR of items of the prior's own source against each other source, and all pooled (`rest`).

    The measures are those that the prior itself gives; `log_ratio`, log p_k - log p_j against the prior of the tested
    source, and the same for its other measures; `mixture_ratio`, log p_k - log mean_j p_j; and detectors that know only
    the own prior: `typicality` and, of score priors, `likelihood_and_dimension` and `path_density` (see detection.py).

    aupr_in has the own items as positives, aupr_out the others. Neither has an interval: none was shown to cover. A
    guess has the share of positives: 1/2 in a pair, less for own items against the rest pooled.
    """
    rows, tracks = [], tracks_of(measures)
    for (dataset, prior), group in by_prior(measures):
        ways = ways_of(group, sources, frame)
        for (prior_sigma, data_sigma), prior_source in itertools.product(levels_of(group), sources):
            rows += [
                (dataset, prior, prior_source, prior_sigma, test_source, data_sigma, measure, frame,
                 *_detect(inside, outside, tracks))
                for measure, test_source, inside, outside in compared(
                    ways, measures_of(group), sources, prior_source, prior_sigma, data_sigma
                )
            ]  # fmt: skip
    return under_columns("detection", rows)


def compared(
    ways: dict[str, Cells], own: list[str], sources: list[str], prior_source: str, prior_sigma: str, data_sigma: str
) -> Iterator[Pair]:
    """All that items of a prior's own source are compared with, by each measure; values are (seeds, items).

    ways: see `ways_of`. own: the measures that the prior itself gives.
    """
    others = [other for other in sources if other != prior_source]
    for measure, values in ways.items():
        inside = values[prior_source, prior_sigma, prior_source, data_sigma]
        outside = [values[prior_source, prior_sigma, other, data_sigma] for other in others]
        yield from ((measure, other, inside, value) for other, value in zip(others, outside, strict=True))
        yield measure, "rest", inside, np.concatenate(outside, axis=1)
    for measure in own:
        for other in others:  # the ratio against the tested source's own prior
            ratios = _ratios(ways[measure], prior_source, other, prior_sigma, data_sigma)
            yield ratio_name(measure), other, *ratios


def _ratios(values: Cells, own: str, other: str, prior_sigma: str, data_sigma: str) -> tuple[np.ndarray, np.ndarray]:
    """The measure under the prior of `own` minus that under the prior of `other`: on items of `own`, and of `other`."""

    def ratio(items: str) -> np.ndarray:
        return _difference(*(values[prior_source, prior_sigma, items, data_sigma] for prior_source in (own, other)))

    return ratio(own), ratio(other)


def detection_by_track(measures: pd.DataFrame, sources: list[str], frame: int) -> pd.DataFrame:
    """The detection table within each track: own items and others are from the same recording."""
    parts = []
    for track in measures.loc[measures["track"] != "", "track"].unique():
        of_track = detection_table(measures[measures["track"].isin([track, ""])], sources, frame)
        parts.append(of_track.assign(track=track)[list(COLUMNS["detection_by_track"])])  # one track has no interval
    return pd.concat(parts, ignore_index=True)


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """one - other; 0 where both are -inf, as then neither prior gives any information."""
    with np.errstate(invalid="ignore"):
        return np.where(one == other, 0.0, one - other)


def ways_of(group: pd.DataFrame, sources: list[str], frame: int) -> dict[str, Cells]:
    """All that one prior is judged by, pairs of priors apart: its own measures, and what follows from log p.

    These are the ratio to the mixture of all priors, and the detectors that know held-out own items.
    """
    ways = {kind: cells(group, kind) for kind in measures_of(group)}
    if "log_prob" not in ways:
        return ways
    return (
        ways | {"mixture_ratio": _mixture_ratio(ways["log_prob"], group, sources)} | _one_class(group, sources, frame)
    )


def _mixture_ratio(log_prob: Cells, group: pd.DataFrame, sources: list[str]) -> Cells:
    """log p_k - log mean_j p_j of each source's items under each prior."""
    ratio = {}
    for (prior_sigma, data_sigma), test_source in itertools.product(levels_of(group), sources):
        everyone = [log_prob[other, prior_sigma, test_source, data_sigma] for other in sources]
        mixture = np.logaddexp.reduce(everyone, axis=0) - np.log(len(sources))
        for prior_source, values in zip(sources, everyone, strict=True):
            ratio[prior_source, prior_sigma, test_source, data_sigma] = _difference(values, mixture)
    return ratio


def _one_class(group: pd.DataFrame, sources: list[str], frame: int) -> dict[str, Cells]:
    """The detectors of detection.py that know only the own prior and held-out own items, as far as a prior has them."""
    names = [name for name in ("log_prob", detection.DIMENSION, *detection.PATH) if group["measure"].eq(name).any()]
    tested, held_out = ({name: cells(group, name, split) for name in names} for split in ("test", "validation"))

    def judged(judge: Callable[..., np.ndarray], *inputs: str) -> Cells:
        """judge: takes, for each input, its values of the tested and of held-out own items."""
        cells_of = {}
        for level, prior_source, test_source in itertools.product(levels_of(group), sources, sources):
            prior_sigma, data_sigma = level
            key = prior_source, prior_sigma, test_source, data_sigma
            own = prior_source, prior_sigma, prior_source, data_sigma if prior_sigma == "all" else prior_sigma
            arrays = [array for name in inputs for array in (tested[name][key], held_out[name][own])]
            cells_of[key] = np.stack([judge(*of_seed) for of_seed in zip(*arrays, strict=True)])
        return cells_of

    detectors = {"typicality": judged(lambda values, own: detection.typicality(values, own, frame), "log_prob")}
    if detection.DIMENSION in tested:
        detectors["likelihood_and_dimension"] = judged(detection.lower_of_both, "log_prob", detection.DIMENSION)
        detectors["path_density"] = judged(detection.kernel_density, *detection.PATH)
    return detectors


def _detect(inside: np.ndarray, outside: np.ndarray, tracks: intervals.Tracks) -> tuple:
    """n, auroc, low, high, fpr95, seeds and spread, the areas of detection.aupr. inside, outside: (seeds, items)."""
    value, low, high, per_seed = detection.auroc(list(inside), list(outside), tracks)
    pairs = list(zip(inside, outside, strict=True))
    false_positives = np.mean([detection.fpr95(*pair) for pair in pairs])
    areas = np.mean([detection.aupr(*pair) for pair in pairs], axis=0)
    return inside.shape[1], value, low, high, false_positives, *spread_of_seeds(per_seed), *areas


def kind_of(measure: str) -> str:
    """`ratio`: it knows the prior of the tested source, or all priors; `one_class`: it knows the own prior only."""
    return "ratio" if measure.endswith(RATIO) else "one_class"
