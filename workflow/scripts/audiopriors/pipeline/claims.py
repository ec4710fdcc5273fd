"""Claims name tables, columns and values that exist: checked at start, as a typo would leave a claim undecided."""

from __future__ import annotations

from collections.abc import Iterator

from .. import columns, registry
from .catalogue import LIKELIHOOD_TABLES
from .schema import Key, dotted, not_allowed

TABLES = (*LIKELIHOOD_TABLES, "separation")  # those that claims are decided by
SELECTIONS = ("select", "minus", "as_published", "exact")


def problems(claims: list[dict], scales: dict[str, dict]) -> list[str]:
    """Every name in the claims that no scale knows: `key: problem`."""
    return [problem for number, claim in enumerate(claims) for problem in _of_claim(claim, ("claims", number), scales)]


def _of_claim(claim: dict, at: Key, scales: dict[str, dict]) -> Iterator[str]:
    datasets = [
        (scale, scale["datasets"][name])
        for scale in scales.values()
        for name in claim["datasets"]
        if name in scale["datasets"]
    ]
    every = dict.fromkeys(name for scale in scales.values() for name in scale["datasets"])
    for name in claim["datasets"]:
        yield from not_allowed(name, every, (*at, "datasets"), "data set")
    if "all_of" in claim or not datasets:
        return
    if claim["table"] not in TABLES:
        yield from not_allowed(claim["table"], TABLES, (*at, "table"), "table for claims")
        return
    of_table = columns.COLUMNS[claim["table"]]
    yield from not_allowed(claim["value"], of_table, (*at, "value"), f"column of {claim['table']}")
    if claim.get("each") and "prior_source" not in of_table:
        yield f"{dotted((*at, 'each'))}: {claim['table']} has no column prior_source, so no claim for each source"
    if "select" in claim and "prior" not in claim["select"]:
        yield f"{dotted((*at, 'select', 'prior'))}: is missing; the prior that the claim is about"
    allowed = _values(datasets)
    for key in SELECTIONS:
        for column, values in claim.get(key, {}).items():
            yield from not_allowed(column, of_table, (*at, key), f"column of {claim['table']}")
            for value in [values] if isinstance(values, str) else values:
                if column in of_table and column in allowed:
                    yield from not_allowed(value, allowed[column], (*at, key, column), column.replace("_", " "))


def _values(datasets: list[tuple[dict, dict]]) -> dict[str, dict[str, None]]:
    """By column, what can stand in it for one of these data sets at some scale."""
    allowed: dict[str, dict[str, None]] = {}

    def add(column: str, *names: str) -> None:
        allowed.setdefault(column, {}).update(dict.fromkeys(names))

    for scale, dataset in datasets:
        sources, evaluation = dataset["sources"], scale["evaluation"]
        add("prior", *dataset["priors"], *dataset["published"], "reference")
        add("prior_source", *sources, "own")
        add("source", *sources, "all")
        add("test_source", "own", *sources, "rest", "mix")
        add("test_source", *(f"constant_{value:g}" for value in evaluation["constants"]))
        add("test_source", *(f"normal_{value:g}" for value in evaluation["normals"]))
        add("prior_sigma", "0", *scale["sigmas"], "all")
        add("data_sigma", "0", *scale["sigmas"], *evaluation["peakedness"])
        add("method", *scale["separation"]["methods"], "mix", "supervised")
        add("method", *registry.says("data", dataset["kind"], "references"))
        add("mix", *dataset["mixes"])
    add("measure", *columns.MEASURES)
    return allowed
