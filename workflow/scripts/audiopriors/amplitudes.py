"""The distribution of a source's sample values in [-1, 1], and the Beta density that is fitted to it."""

from __future__ import annotations

import numpy as np
from scipy import optimize, special, stats

# One step of 16 bits: values nearer to -1 or 1 are moved here, as a Beta density may be 0 or infinite at the ends.
EDGE = 2.0**-15


def inside(values: np.ndarray) -> np.ndarray:
    """The values (n,) in float64, clamped to [-1 + EDGE, 1 - EDGE]."""
    return np.clip(np.asarray(values, np.float64), -1 + EDGE, 1 - EDGE)


def fit_beta(values: np.ndarray) -> tuple[float, float]:
    """The concentrations alpha and beta of the Beta density on [-1, 1] with the greatest likelihood for values (n,).

    Values are clamped as by `inside`. Both are NaN for values that are all the same (silence), and where the search
    does not converge. The thesis proposes this density for the posterior of a toy source ("Choosing a posterior").
    """
    values = inside(values)
    if np.ptp(values) == 0:
        return np.nan, np.nan
    part = (values + 1) / 2
    logs = np.array([np.log(part).mean(), np.log1p(-part).mean()])  # all that the likelihood depends on
    mean, variance = part.mean(), part.var()
    start = np.array([mean, 1 - mean]) * max(mean * (1 - mean) / variance - 1, 0.1)  # by moments

    def loss(log_both: np.ndarray) -> tuple[float, np.ndarray]:
        both = np.exp(log_both)
        slopes = special.digamma(both) - special.digamma(both.sum()) - logs
        return special.betaln(*both) - (both - 1) @ logs, slopes * both

    # stats.beta.fit gives up on values that are narrow about 0.
    fitted = optimize.minimize(loss, np.log(start), jac=True, method="BFGS", options={"gtol": 1e-8})
    if np.abs(fitted.jac).max() > 1e-4:
        return np.nan, np.nan
    alpha, beta = np.exp(fitted.x).tolist()
    return alpha, beta


def beta_density(values: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """The Beta density with these concentrations, scaled to [-1, 1], at each of the values (n,)."""
    return stats.beta.pdf(values, alpha, beta, loc=-1, scale=2)


def wave_density(source: str, values: np.ndarray, low: float, high: float) -> np.ndarray:
    """The true density of a toy source's samples at values (n,), for an amplitude A uniform in [low, high].

    A wave of amplitude A at a random time is A times an arcsine (sine), uniform (saw, triangle) or two-point (square)
    variable. This is the mean of its density over A, in closed form (section 3.1; thesis, Fig. 9). A square wave of one
    amplitude (low = high) has no density: NaN within it.

    Raises
    ------
    KeyError: the source is none of these four.
    """
    size = np.abs(np.asarray(values, np.float64))
    reached = size < high
    size = np.where(reached, size, 0.0)  # beyond the waves' reach the density is 0, whatever follows
    least = np.maximum(size, low)  # the smallest amplitude that reaches the value
    return np.where(reached, _DENSITIES[source](size, least, low, high), 0.0)


def _sine(size: np.ndarray, least: np.ndarray, low: float, high: float) -> np.ndarray:
    """The mean over A of 1 / (pi sqrt(A^2 - x^2))."""
    if low == high:
        return 1 / (np.pi * np.sqrt(high**2 - size**2))
    upper, lower = (np.log(end + np.sqrt(end**2 - size**2)) for end in (high, least))
    return (upper - lower) / (np.pi * (high - low))


def _ramp(size: np.ndarray, least: np.ndarray, low: float, high: float) -> np.ndarray:
    """The mean over A of 1 / (2 A), for the saw and the triangle."""
    return 0.5 / high + 0 * size if low == high else np.log(high / least) / (2 * (high - low))


def _square(size: np.ndarray, least: np.ndarray, low: float, high: float) -> np.ndarray:
    """Half of the amplitude's own density on each side."""
    return np.nan * size if low == high else np.where(size >= low, 0.5 / (high - low), 0.0)


_DENSITIES = {"sine": _sine, "square": _square, "saw": _ramp, "triangle": _ramp}
