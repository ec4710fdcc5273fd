"""The table of posterior fidelity, from the rows of exact draws and of samplers."""

from __future__ import annotations

import math

import pandas as pd

from .. import intervals
from ..columns import COLUMNS
from .measures import BINS
from .running import EXACT

ALL = "all"
"In the column `mix`: all mixes together."
NEAR = 0.1
"Particles are near the posterior if their energy distance is below this."
_RANKS = [f"rank_{place}" for place in range(BINS)]


def posterior_fidelity(rows: pd.DataFrame, frame: int) -> pd.DataFrame:
    """How well each method samples the posterior of each mix, and of all mixes, with exact draws as the first method.

    rows: of `running.of_exact_draws` and `running.of_sampler`. coverage_50 and coverage_95 are the shares of exact
    draws in regions of the particles; low and high are the ends of the latter's interval. rank_p is the share of exact
    draws' replicates whose ranks are as uneven. Columns `..._at_best` are what exact draws reach in 95 % of replicates.
    """
    exact, sampled = rows[rows["method"] == EXACT], rows[rows["method"] != EXACT]
    table = []
    for mix in [ALL, *exact["mix"].unique()]:
        best = exact if mix == ALL else exact[exact["mix"] == mix]
        table.append(_row(_mean_of_replicates(best), best, mix, frame))
        chosen = sampled if mix == ALL else sampled[sampled["mix"] == mix]
        for _, group in chosen.groupby(["method", "prior"], sort=False):
            same = best.merge(group[["mix", "item"]], on=["mix", "item"])
            table.append(_row(group, same, mix, frame))
    return pd.DataFrame(table)[list(COLUMNS["posterior_fidelity"])]


def _mean_of_replicates(rows: pd.DataFrame) -> pd.DataFrame:
    numbers = rows.select_dtypes("number").columns.difference(["item", "replicate"])
    return rows.groupby(["dataset", "mix", "method", "prior", "item"], sort=False)[list(numbers)].mean().reset_index()


def _row(group: pd.DataFrame, best: pd.DataFrame, mix: str, frame: int) -> dict:
    """One row of the table. best: exact draws in place of particles, for the same mixes."""
    by_replicate = best.groupby("replicate")
    several = group[group["explanations"] > 1]
    row = {key: group[key].iloc[0] for key in ("dataset", "method", "prior")}
    row |= {"mix": mix, "frame": frame, "n": len(group), "reference_error": best["error"].mean()}
    for name, ends in (("coverage_50", ("coverage_50_low", "coverage_50_high")), ("coverage_95", ("low", "high"))):
        values = group[name].to_numpy()
        row |= {name: values.mean()} | dict(zip(ends, intervals.share(values), strict=True))
    means = by_replicate[[*_RANKS, "energy_distance", "stein"]].mean()
    uneven = ((means[_RANKS] - 1 / BINS) ** 2).sum(axis=1)
    own = float(((group[_RANKS].mean() - 1 / BINS) ** 2).sum())
    row["rank_p"] = math.nan if row["method"] == EXACT else (1 + (uneven >= own).sum()) / (1 + len(uneven))
    for name, column in (("energy_distance", "energy_distance"), ("stein_discrepancy", "stein")):
        values = group[column].to_numpy()
        low, high = intervals.mean(values)
        row |= {name: values.mean(), f"{name}_low": low, f"{name}_high": high}
        row[f"{name}_at_best"] = means[column].quantile(0.95)
    row |= {"mixes_explained_twice": len(several), "mode_distance": math.nan, "mode_distance_at_best": math.nan}
    if len(several):
        row["mode_distance"] = several["mode_distance"].mean()
        of_best = best[best["explanations"] > 1].groupby("replicate")["mode_distance"].mean()
        row["mode_distance_at_best"] = of_best.quantile(0.95)
    elsewhere = group["elsewhere"].to_numpy()
    row["elsewhere"] = elsewhere.mean()
    row["elsewhere_low"], row["elsewhere_high"] = intervals.share(elsewhere)
    mean_error = group["mean_error"].mean()
    row["effective_particles"] = 1 / mean_error if mean_error > 0 else math.nan
    row["calls"] = group["calls"].mean() if "calls" in group else math.nan
    for level in (50, 95):
        row[f"truth_{level}"] = group[f"truth_{level}"].mean() if row["method"] == EXACT else math.nan
    return row | {"verdict": verdict(row)}


def verdict(row: dict) -> str:
    """Whether the method samples the posterior, as far as whole 95 % intervals say so, as for claims.

    exact: it is the posterior. misses: at least half of the particles are at no explanation of their mix. points: its
    particles are explanations, but their spread or their frequencies are wrong: coverages too narrow or too wide, or
    the energy distance above NEAR. samples: the energy distance is below NEAR. Else, and without intervals, it is
    undecided: few mixes are no evidence that a method samples.
    """
    if row["method"] == EXACT:
        return "exact"
    if row["elsewhere_low"] >= 0.5:
        return "misses"
    if row["coverage_50_high"] < 0.5 or row["high"] < 0.95:
        return "points: too narrow"
    if row["coverage_50_low"] > 0.5 or row["low"] > 0.95:
        return "points: too wide"
    if row["energy_distance_low"] > NEAR:
        return "points: wrong places"
    return "samples" if row["energy_distance_high"] < NEAR else "undecided"
