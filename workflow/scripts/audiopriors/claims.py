"""Verdicts on the claims of the paper and the thesis: a number from a table is compared with a rule of the config."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from . import intervals
from .columns import COLUMNS, SHARES
from .errors import UserError

KEYS = ("prior_source", "prior", "method", "test_source", "source", "mix")
UNDECIDED = "undecided at this scale"
NOT_MEASURED = "undecided: not measured here"  # this configuration lacks what the claim is about
TOO_FEW = "undecided: too few units for an interval"
NO_EVIDENCE = "undecided: no row is evidence"  # no row meets the claim's `provided`
DEPENDS = "depends on the metric"
Measured = tuple[float, float, float]  # a value and the ends of its interval
NOTHING: Measured = (math.nan, math.nan, math.nan)


def choose(table: pd.DataFrame, selection: dict) -> pd.DataFrame:
    """The rows whose columns have the selected values: one value or a list; `own` means the prior's own source."""
    for column, wanted in selection.items():
        if wanted == "own":
            table = table[table[column] == table["prior_source"]]
        else:
            table = table[table[column].isin([wanted] if isinstance(wanted, str) else wanted)]
    return table


def _evidence(claim: dict, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that count as evidence: their numbers are within what the claim has as `provided`."""
    for column, bounds in claim.get("provided", {}).items():
        above, below = bounds.get("above", -math.inf), bounds.get("below", math.inf)
        rows = rows[(rows[column] > above) & (rows[column] < below)]
    return rows


def measure(claim: dict, table: pd.DataFrame, changes: dict | None, prior_source: str | None = None) -> Measured:
    """The value that a claim is about, with its interval; NaN where the table has no such row or column.

    changes: what differs from `select` (and from `minus`); None gives NaN. prior_source: the only source whose priors
    count, if any. The interval of a difference is the widest that the intervals of its parts allow.
    """
    if changes is None or claim["value"] not in table:
        return NOTHING
    only = {"prior_source": prior_source} if prior_source else {}
    rows = _evidence(claim, choose(table, claim["select"] | changes | only))
    name = claim["value"]
    left, right = (end if (end := f"{name}_{side}") in rows else side for side in ("low", "high"))
    value, low, high = rows[name], rows[left], rows[right]
    if "minus" in claim:
        # Each row minus the row that differs only in what `minus` changes.
        keys = [key for key in KEYS if key in table and key not in claim["minus"]]
        other = choose(table, claim["select"] | claim["minus"] | changes | only)
        pairs = rows.merge(other, "left", on=keys, suffixes=("", "_less"))
        value, low, high = pairs[name], pairs[left], pairs[right]
        parts = (
            (value, pairs[f"{name}_less"]), (low, pairs[f"{right}_less"]), (high, pairs[f"{left}_less"]),
        )  # fmt: skip
        if claim.get("in_units_of") == "slope":
            steps = (pairs["data_sigma"].astype(float) / pairs["data_sigma_less"].astype(float)).map(math.log)
            with np.errstate(divide="ignore"):  # an interval of a mean may reach down to 0
                value, *slopes = (np.log((one / another).clip(lower=0)) / steps for one, another in parts)
            low, high = (pd.concat(slopes, axis=1).agg(kind, axis=1) for kind in ("min", "max"))
        else:
            value, low, high = (one - another for one, another in parts)
    if not len(value) or value.isna().any():
        return NOTHING
    if len(value) > 1 and "reduce" not in claim:
        raise UserError(
            f"claim {claim['claim']!r}: {len(value)} rows are selected; say `reduce: min`, `max` or `range`"
        )
    values, ends = value.to_numpy(), pd.concat([low, high], axis=1).to_numpy()
    if len(values) == 1:
        return float(values[0]), float(ends[0, 0]), float(ends[0, 1])
    if claim["reduce"] == "range":
        return float(np.ptp(values)), *intervals.spread(values, ends)
    least = claim["reduce"] == "min"
    bounded = claim["value"] in SHARES and "minus" not in claim
    return float(values.min() if least else values.max()), *intervals.extreme(claim["reduce"], values, ends, bounded)


def holds(rule: dict, low: float, high: float) -> bool | None:
    """True if the interval is on the claim's side of every bound, False if on the other side of one, else None."""
    above, below = rule.get("above", -math.inf), rule.get("below", math.inf)
    if math.isnan(low) or math.isnan(high):
        return None
    if low > above and high < below:
        return True
    return False if high <= above or low >= below else None


def verdict(claim: dict, measured: Measured, others: list[tuple[dict, Measured]], paper_size: bool) -> str:
    """The verdict on a claim: holds, does not hold, depends on the metric (another measure disagrees), or undecided.

    An undecided verdict also says why. measured: by the measure that decides. others: changes of `select` by another
    measure, and its result. Each result is compared with the same rule, by its whole interval.
    """
    if math.isnan(measured[0]):
        return NOT_MEASURED
    if math.isnan(measured[1]):
        return TOO_FEW
    words = {True: "holds", False: "does not hold", None: UNDECIDED}
    decided = holds(claim["holds"], *measured[1:])
    said = words[decided]
    if decided is not None and not paper_size and claim["small_models"] != said:
        return UNDECIDED
    for changes, (_, low, high) in others:
        by_other = words[holds(claim["holds"], low, high)]
        # Two measures of one model that disagree are a matter of the metric at any size; of two models, each counts
        # for itself.
        counts = "prior" not in changes or paper_size or by_other == claim["small_models"]
        if decided is not None and counts and by_other not in (said, UNDECIDED):
            return DEPENDS
    return said


def together(verdicts: list[str]) -> str:
    """The verdict on a claim that holds if all of these verdicts do."""
    if all(one == "holds" for one in verdicts):
        return "holds"
    return next((one for one in ("does not hold", NOT_MEASURED, DEPENDS) if one in verdicts), UNDECIDED)


def table(claims: list[dict], tables: dict[str, pd.DataFrame], dataset: str, sources: list[str], scale: str,
          paper_size: bool) -> pd.DataFrame:  # fmt: skip
    """The table of claims: one row for each claim about this data set.

    tables: the tables that exist, by name. Their prior_sigma is the sigma of a prior's member (`tables.members`).
    """
    rows = []
    of_label: dict[str | None, list[str]] = {}  # the verdicts on a claim: one a source, where it has `each`
    for claim in [one for one in claims if dataset in one["datasets"]]:
        verdicts = of_label.setdefault(claim.get("label"), [])
        if "all_of" in claim:
            parts = [together(of_label[label]) for label in claim["all_of"]]
            verdicts.append(together(parts))
            rows.append((
                claim["claim"].format(), claim["where"], dataset, "", claim["published"].format(), math.nan,
                parts.count("holds"), math.nan, math.nan, math.nan, scale, verdicts[-1],
                f"all {len(parts)} hold: {', '.join(claim['all_of'])}", *[math.nan] * 5,
            ))  # fmt: skip
            continue
        rule = " and ".join(f"{claim['value']} {side} {bound:g}" for side, bound in claim["holds"].items())
        prior, table_of = claim["select"]["prior"], tables.get(claim["table"], pd.DataFrame())
        for prior_source in sources if claim.get("each") else [None]:
            every: list[dict | None] = [{}, *(claim.get(key) for key in ("as_published", "second", "exact"))]
            measured, published, second, exact = (measure(claim, table_of, one, prior_source) for one in every)
            others = [(claim.get("as_published", {}), published), (claim.get("second", {}), second)]
            verdicts.append(verdict(claim, measured, others, paper_size))
            if "provided" in claim and math.isnan(measured[0]) and not choose(table_of, claim["select"]).empty:
                verdicts[-1] = NO_EVIDENCE
            rows.append((
                claim["claim"].format(prior_source=prior_source), claim["where"], dataset,
                prior if isinstance(prior, str) else ", ".join(prior),
                claim["published"].format(prior_source=prior_source), published[0], *measured, exact[0], scale,
                verdicts[-1], rule, *published[1:], *second,
            ))  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS["claims"]))
