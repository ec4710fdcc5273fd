"""Measures of how well a score tells a prior's own source from others (AUROC, FPR95, AUPR), and one-class detectors."""

from __future__ import annotations

import numpy as np
from scipy import special

from . import intervals

DIMENSION = "local_dimension"
"The measure in rows that `lower_of_both` reads beside log_prob."
PATH = tuple(f"path_{quantity}_{power}" for quantity in ("noise", "change") for power in (1, 2, 3))
"The measures in rows that `kernel_density` reads: norms along the path of the ODE, see score_detectors.py."


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


def aupr(inside: np.ndarray, outside: np.ndarray) -> tuple[float, float]:
    """The areas under the precision-recall curve: with own items as positives, and with others as positives.

    Own items are to have the higher values, so others are ranked by minus the value. Each is the average precision: the
    mean, over positives, of the share of positives among all that rank as high or higher.
    """
    inside, outside = _ranked(inside), _ranked(outside)
    return _average_precision(inside, outside), _average_precision(-outside, -inside)


def _average_precision(positives: np.ndarray, negatives: np.ndarray) -> float:
    """The mean over positives of the share of positives among all values that are not lower."""
    right, wrong = (
        len(values) - np.searchsorted(np.sort(values), positives, side="left") for values in (positives, negatives)
    )
    return float(np.mean(right / (right + wrong)))


def lower_of_both(
    values: np.ndarray, held_out: np.ndarray, others: np.ndarray, held_out_others: np.ndarray
) -> np.ndarray:
    """The lower one of two measures, each in standard deviations from the mean of held-out own items; (n,) -> (n,).

    An item counts as own if both are high: the likelihood and the local dimension, as a likely item in a region of too
    few dimensions is none of the source (Kamkari et al., 2024, A geometric explanation of the likelihood OOD detection
    paradox). There both have a threshold of their own; here one number moves both.
    """
    return np.minimum(_standard(values, held_out), _standard(others, held_out_others))


def _standard(values: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The values, less the mean of held-out ones, over their standard deviation."""
    with np.errstate(invalid="ignore"):
        return (values - held_out.mean()) / max(held_out.std(), 1e-12)


def kernel_density(*statistics: np.ndarray) -> np.ndarray:
    """The log-density (n,) of d statistics, by Gaussian kernels at those of held-out own items.

    statistics: the first one of the items (n,), the same of held-out ones (m,), the second one of the items, and so on.
    They are taken in standard deviations of held-out items; the width is Scott's (1992), m^(-1 / (d + 4)). With norms
    along the path to noise it is DiffPath (Heng, Thiery & Soh, 2024, Out-of-distribution detection with a single
    unconditional diffusion model), but with the prior of the own source in place of one model for all.
    """
    tested, held_out = statistics[::2], statistics[1::2]
    points = np.stack([_standard(*pair) for pair in zip(tested, held_out, strict=True)], 1)
    centres = np.stack([_standard(values, values) for values in held_out], 1)
    width = len(centres) ** (-1 / (centres.shape[1] + 4))
    squares = ((points[:, None] - centres[None]) / width) ** 2
    return special.logsumexp(-0.5 * squares.sum(2), axis=1)
