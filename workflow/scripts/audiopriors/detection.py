"""Measures of how well a score tells a prior's own source from others: AUROC, FPR95 and typicality."""

from __future__ import annotations

import numpy as np

from . import intervals


def placements(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """A matrix (n_in, n_out): 1 where an inside value is above an outside value, 1/2 where they tie, else 0.

    Its mean is the AUROC. A library would give only the mean; the means of rows and columns give its interval.
    """
    inside, outside = _ranked(inside)[:, None], _ranked(outside)[None]
    return (inside > outside) + 0.5 * (inside == outside)


def auroc(
    inside: list[np.ndarray], outside: list[np.ndarray], tracks: intervals.Tracks = ()
) -> tuple[float, float, float, np.ndarray]:
    """The AUROC and its 95 % interval, averaged over replicates of a training.

    inside, outside: one array (n,) for each replicate. tracks: the tracks of the items inside; those outside are of the
    same tracks. Returns auroc, low, high, and the AUROC of each replicate.
    """
    matrices = [placements(*pair) for pair in zip(inside, outside, strict=True)]
    matrix = np.mean(matrices, axis=0)
    return float(matrix.mean()), *intervals.auroc(matrix, tracks), np.array([single.mean() for single in matrices])


def fpr95(inside: np.ndarray, outside: np.ndarray) -> float:
    """The share of outside items that reach the value that 95 % of inside items reach."""
    return float(np.mean(_ranked(outside) >= np.quantile(_ranked(inside), 0.05, method="lower")))


def _ranked(values: np.ndarray) -> np.ndarray:
    """The values, with -inf in place of NaN, so that NaN ranks last."""
    return np.where(np.isnan(values), -np.inf, values)


def typicality(values: np.ndarray, held_out: np.ndarray, frame: int) -> np.ndarray:
    """The negative distance of LL/T from its mean over held-out own items (typicality; Nalisnick et al., 2019b)."""
    with np.errstate(invalid="ignore"):
        return -np.abs(values - held_out.mean()) / frame
