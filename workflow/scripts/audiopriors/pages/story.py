"""What a page says of a run, from its tables: verdicts, each with its row and figure, separations, costs, versions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .. import provenance
from ..claims import DEPENDS

VERDICTS = ("holds", "does not hold", DEPENDS, "undecided")


@dataclass(frozen=True)
class Strip:
    """An interval on a line, in percent of its length."""

    low: float
    high: float
    value: float
    bounds: tuple[float, ...]
    "Where the claim's rule has its limits."


@dataclass(frozen=True)
class Claim:
    """A row of the table of claims."""

    anchor: str
    row: dict
    figure: str
    "The anchor of the figure that shows its numbers; empty if none does."

    @property
    def verdict(self) -> str:
        """One of VERDICTS."""
        return next(one for one in VERDICTS if self.row["verdict"].startswith(one))

    @property
    def strip(self) -> Strip | None:
        """Its interval and its rule's limits; None without an interval."""
        ends = [self.row["low"], self.row["high"]]
        bounds = [float(bound) for bound in re.findall(r"(?:above|below) (-?[\d.e+-]+)", self.row["rule"])]
        if not all(map(math.isfinite, ends)):
            return None
        first, last = min(*ends, *bounds), max(*ends, *bounds)
        width = (last - first) or 1
        low, high, value, *limits = (
            8 + 84 * (place - first) / width for place in (*ends, self.row["measured"], *bounds)
        )  # fmt: skip
        return Strip(low, high, value, tuple(limits))


@dataclass(frozen=True)
class Headline:
    """A claim in a reader's words."""

    said: str
    ours: bool
    digits: int
    claim: Claim
    other: tuple[str, float, float, float] | None
    "Another measure of the same: its name, value and interval."


def claims(table: pd.DataFrame, figures: dict[str, dict[str, str]]) -> list[Claim]:
    """The rows of the table of claims. figures: by data set, the figure that shows what a claim is about."""
    rows = table.to_dict("records")
    return [
        Claim(f"claim-{number}", row, anchor(figures.get(row["dataset"], {}).get(row["claim"], ""), row["dataset"]))
        for number, row in enumerate(rows, 1)
    ]


def anchor(figure: str, dataset: str) -> str:
    """The anchor of a figure on the page; empty for no figure."""
    return f"figure-{figure}-{dataset}" if figure else ""


def headlines(chosen: list[dict], rows: list[Claim]) -> list[Headline]:
    """Those of the chosen claims that the table has."""
    others = {
        "published": ("as published", "published_score_here", "published_"),
        "second": ("by log p", "second", "second_"),
    }
    listed = []
    for one in chosen:
        for claim in (claim for claim in rows if claim.row["claim"] == one["claim"]):
            other = None
            if "also" in one:
                words, column, prefix = others[one["also"]]
                other = (words, claim.row[column], claim.row[f"{prefix}low"], claim.row[f"{prefix}high"])
            listed.append(Headline(one["said"], one.get("ours", False), one["digits"], claim, other))
    return listed


def counts(rows: list[Claim]) -> dict[str, int]:
    """How many claims have each verdict."""
    return {verdict: sum(claim.verdict == verdict for claim in rows) for verdict in VERDICTS}


def separations(table: pd.DataFrame, mix: str) -> list[dict]:
    """The rows of the table of separation for all sources of that mix, the best first."""
    rows = table[(table["mix"] == mix) & (table["source"] == "all")]
    return rows.sort_values("si_sdr_median", ascending=False, kind="stable").to_dict("records")


def costs(table: pd.DataFrame) -> list[dict]:
    """Jobs and seconds of each kind of job, the dearest first."""
    kinds = table.groupby("what", as_index=False).agg({"jobs": "sum", "seconds": "sum", "memory_mb": "max"})
    return kinds.sort_values("seconds", ascending=False, kind="stable").to_dict("records")


def record(tables: Iterable[str | Path]) -> dict:
    """Commit, versions, machine and seed with which tables were computed, from the first of their records."""
    beside = (provenance.beside(path) for path in tables)
    return next((json.loads(path.read_text("utf-8")) for path in beside if path.exists()), {})
