"""The verdict on every claim of the sources: a number of a table, held against a rule of the config."""

from __future__ import annotations

import math

import pandas as pd

from .columns import COLUMNS
from .errors import UserError

KEYS = ("prior_source", "prior", "method", "test_source", "source", "mix")
UNDECIDED = "undecided at this scale"
NOT_MEASURED = "undecided: not measured here"  # this configuration has not what the claim is about


def choose(table: pd.DataFrame, selection: dict) -> pd.DataFrame:
    """The rows whose columns have the values selected: one value or a list; `own` is the prior's own source."""
    for column, wanted in selection.items():
        if wanted == "own":
            table = table[table[column] == table["prior_source"]]
        else:
            table = table[table[column].isin([wanted] if isinstance(wanted, str) else wanted)]
    return table


def measure(
    claim: dict, table: pd.DataFrame, changes: dict, prior_source: str | None = None
) -> tuple[float, float, float]:
    """Value and interval of what a claim is about; NaN where the table has no such row or column.

    changes: what differs from `select` (and from `minus`). prior_source: the only source whose priors count, if any.
    The interval of a difference is the widest that the intervals of its parts allow.
    """
    if claim["value"] not in table:
        return math.nan, math.nan, math.nan
    only = {"prior_source": prior_source} if prior_source else {}
    rows = choose(table, claim["select"] | changes | only)
    name = claim["value"]
    ends = [end if (end := f"{name}_{side}") in rows else side for side in ("low", "high")]
    value, low, high = rows[name], rows[ends[0]], rows[ends[1]]
    if "minus" in claim:
        # Each row less every row that is the same but for what `minus` changes.
        keys = [key for key in KEYS if key in table and key not in claim["minus"]]
        other = choose(table, claim["select"] | claim["minus"] | changes | only)
        pairs = rows.merge(other, "left", on=keys, suffixes=("", "_less"))
        value, low, high = pairs[name], pairs[ends[0]], pairs[ends[1]]
        parts = (
            (value, pairs[f"{name}_less"]), (low, pairs[f"{ends[1]}_less"]), (high, pairs[f"{ends[0]}_less"]),
        )  # fmt: skip
        if claim.get("in_units_of") == "slope":
            steps = (pairs["data_sigma"].astype(float) / pairs["data_sigma_less"].astype(float)).map(math.log)
            value, *ends = ((one / another).map(math.log) / steps for one, another in parts)
            low, high = (pd.concat(ends, axis=1).agg(kind, axis=1) for kind in ("min", "max"))
        else:
            value, low, high = (one - another for one, another in parts)
    if not len(value) or value.isna().any():
        return math.nan, math.nan, math.nan
    if len(value) > 1 and "reduce" not in claim:
        raise UserError(
            f"claim {claim['claim']!r}: {len(value)} rows are selected; say `reduce: min`, `max` or `range`"
        )
    if claim.get("reduce") == "range":
        return value.max() - value.min(), max(0.0, low.max() - high.min()), high.max() - low.min()
    place = value.argmin() if claim.get("reduce") == "min" else value.argmax()
    return float(value.iloc[place]), float(low.iloc[place]), float(high.iloc[place])


def holds(rule: dict, low: float, high: float) -> bool | None:
    """Whether the interval is on the claim's side of every bound (True), or on the other side of one (False)."""
    above, below = rule.get("above", -math.inf), rule.get("below", math.inf)
    if math.isnan(low) or math.isnan(high):
        return None
    if low > above and high < below:
        return True
    return False if high <= above or low >= below else None


def verdict(claim: dict, measured: tuple[float, float, float], published: float, paper_size: bool) -> str:
    """holds, does not hold, depends on the metric (the published one says otherwise), or undecided, and why.

    measured: value, low and high of the measure that decides. published: the value of the published measure.
    """
    if math.isnan(measured[0]):
        return NOT_MEASURED
    words = {True: "holds", False: "does not hold", None: UNDECIDED}
    decided = holds(claim["holds"], *measured[1:])
    said = words[decided]
    if decided is not None and not paper_size and claim["small_models"] != said:
        return UNDECIDED
    by_published = words[holds(claim["holds"], published, published)]
    # Two measures of one model that disagree are a matter of the metric at any size; another model counts for itself.
    same_model = "prior" not in claim.get("as_published", {})
    counts = by_published != UNDECIDED and (same_model or paper_size or by_published == claim["small_models"])
    return "depends on the metric" if counts and decided is not None and by_published != said else said


def together(verdicts: list[str]) -> str:
    """The verdict on a claim that holds if all of these do."""
    if all(one == "holds" for one in verdicts):
        return "holds"
    return next((one for one in ("does not hold", NOT_MEASURED) if one in verdicts), UNDECIDED)


def table(claims: list[dict], tables: dict[str, pd.DataFrame], dataset: str, sources: list[str], scale: str,
          paper_size: bool) -> pd.DataFrame:  # fmt: skip
    """One row a claim that is about this data set.

    tables: by name, those that there are, with the sigma of a prior's member in prior_sigma (`tables.members`).
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
                f"all {len(parts)} hold: {', '.join(claim['all_of'])}",
            ))  # fmt: skip
            continue
        rule = " and ".join(f"{claim['value']} {side} {bound:g}" for side, bound in claim["holds"].items())
        prior, table_of = claim["select"]["prior"], tables.get(claim["table"], pd.DataFrame())
        for prior_source in sources if claim.get("each") else [None]:
            measured, (published, *_), (exact, *_) = (
                measure(claim, table_of, changes, prior_source) if changes is not None else (math.nan,)
                for changes in ({}, claim.get("as_published"), claim.get("exact"))
            )
            verdicts.append(verdict(claim, measured, published, paper_size))
            rows.append((
                claim["claim"].format(prior_source=prior_source), claim["where"], dataset,
                prior if isinstance(prior, str) else ", ".join(prior),
                claim["published"].format(prior_source=prior_source), published, *measured, exact, scale,
                verdicts[-1], rule,
            ))  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS["claims"]))
