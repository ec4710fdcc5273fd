"""Checks that claims name existing tables, columns and values. A typo would leave a claim undecided."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .. import columns, registry
from .catalogue import CLAIMED
from .schema import Key, dotted, not_allowed

SLOPES = "gradient_norm"  # the only table whose numbers are all above 0, so that they have a logarithm
SELECTIONS = ("select", "minus", "as_published", "second", "exact")


def problems(claims: list[dict], scales: list[dict]) -> list[str]:
    """Every name in the claims that none of these scales has, and every rule without meaning: `key: problem`."""
    return [
        problem
        for number, claim in enumerate(claims)
        for problem in _of_claim(claim, ("claims", number), claims[:number], scales)
    ]


def _of_claim(claim: dict, at: Key, earlier: list[dict], scales: list[dict]) -> Iterator[str]:
    every = dict.fromkeys(name for scale in scales for name in scale["datasets"])
    for name in claim["datasets"]:
        yield from not_allowed(name, every, (*at, "datasets"), "data set")
    for key in ("claim", "published"):
        yield from _of_braces(claim[key], bool(claim.get("each")), (*at, key))
    if "all_of" in claim:
        yield from _of_parts(claim, earlier, (*at, "all_of"))
    elif claim["table"] not in CLAIMED:
        yield from not_allowed(claim["table"], CLAIMED, (*at, "table"), "table for claims")
    elif set(claim["datasets"]) & set(every):
        yield from _of_names(claim, at, scales)
        yield from _of_difference(claim, at)


def _of_braces(text: str, each: bool, at: Key) -> Iterator[str]:
    try:
        text.format(**({"prior_source": ""} if each else {}))
    except (LookupError, ValueError, TypeError, AttributeError):
        allowed = "{prior_source}" if each else "{prior_source}, with each: true"
        yield f"{dotted(at)}: {text!r} has braces that nothing can be filled into; allowed: {allowed}"


def _of_parts(claim: dict, earlier: list[dict], at: Key) -> Iterator[str]:
    """Problems of a claim made of others: each of its data sets needs earlier claims with these labels about it."""
    for dataset in claim["datasets"]:
        labels = [one["label"] for one in earlier if "label" in one and dataset in one["datasets"]]
        for label in claim["all_of"]:
            yield from not_allowed(label, labels, at, f"earlier claim about {dataset} with label")


def _of_names(claim: dict, at: Key, scales: list[dict]) -> Iterator[str]:
    """Problems of a claim's columns: columns of names select rows, columns of numbers decide."""
    table, allowed = claim["table"], _names(claim["datasets"], scales)
    names = [column for column in columns.COLUMNS[table] if column in allowed]
    numbers = [column for column in columns.COLUMNS[table] if column not in allowed]
    for column, key in [(claim["value"], "value"), *((column, "provided") for column in claim.get("provided", {}))]:
        yield from not_allowed(column, numbers, (*at, key), f"column of numbers in {table}")
    if claim["value"] in numbers:  # a verdict needs an interval, and `low` and `high` may belong to another column
        ready = [one for one in numbers if one in columns.INTERVALS or f"{one}_low" in numbers]
        yield from not_allowed(claim["value"], ready, (*at, "value"), f"column with an interval in {table}")
    for key, bounds in [("holds", claim["holds"]), *claim.get("provided", {}).items()]:
        if bounds.get("above", -math.inf) >= bounds.get("below", math.inf):
            yield f"{dotted((*at, key))}: nothing is above {bounds['above']:g} and below {bounds['below']:g}"
    yield from _of_bounds(claim, at)
    if claim.get("each") and "prior_source" not in names:
        yield f"{dotted((*at, 'each'))}: {table} has no column prior_source, so no claim for each source"
    if "prior" not in claim["select"]:
        yield f"{dotted((*at, 'select', 'prior'))}: is missing; the prior that the claim is about"
    for key in SELECTIONS:
        for column, values in claim.get(key, {}).items():
            yield from not_allowed(column, names, (*at, key), f"column of names in {table}")
            for value in _listed(values):
                if column in names:
                    yield from not_allowed(value, allowed[column], (*at, key, column), column.replace("_", " "))


def _of_bounds(claim: dict, at: Key) -> Iterator[str]:
    """Problems of a rule about numbers between 0 and 1, or about a range, that no row can decide."""
    bounds, lowest, highest = claim["holds"], -math.inf, math.inf
    if claim["value"] in columns.SHARES:
        lowest, highest = (-1.0 if "minus" in claim else 0.0), 1.0
    elif claim.get("reduce") == "range":
        lowest = 0.0
    for key, value in bounds.items():
        if not lowest < value < highest:
            limits = f"{claim['value']} is {lowest:g} to {highest:g} at most"
            yield f"{dotted((*at, 'holds', key))}: no row can decide, as {limits}"


def _of_difference(claim: dict, at: Key) -> Iterator[str]:
    minus = claim.get("minus", {})
    for key in ("as_published", "second", "exact"):
        for column in set(claim.get(key, {})) & set(minus):
            yield f"{dotted((*at, key, column))}: leaves no difference, as it stands also for what `minus` changes"
    if "in_units_of" in claim:
        place = dotted((*at, "in_units_of"))
        levels = [_listed(rows.get("data_sigma", "0")) for rows in (claim["select"], minus)]
        if claim["table"] != SLOPES:
            yield f"{place}: {claim['table']} has numbers that are not above 0; a slope is of {SLOPES}"
        if "0" in levels[0] + levels[1] or set(levels[0]) & set(levels[1]):
            yield f"{place}: a slope is between two noise levels: select and minus need each its data_sigma above 0"


def _listed(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values


def _names(datasets: list[str], scales: list[dict]) -> dict[str, dict[str, None]]:
    """By column of names, the values that it can have for one of these data sets at some scale."""
    allowed: dict[str, dict[str, None]] = {}

    def add(column: str, *names: str) -> None:
        allowed.setdefault(column, {}).update(dict.fromkeys(names))

    for scale, name in ((scale, name) for scale in scales for name in datasets if name in scale["datasets"]):
        dataset, evaluation = scale["datasets"][name], scale["evaluation"]
        sources = dataset["sources"]
        add("dataset", name)
        add("prior", *dataset["priors"], *dataset["published"], "reference")
        add("prior_source", *sources, "own")
        add("source", *sources, "all")
        add("test_source", "own", *sources, "rest", "mix")
        add("test_source", *(f"constant_{value:g}" for value in evaluation["constants"]))
        add("test_source", *(f"normal_{value:g}" for value in evaluation["normals"]))
        add("prior_sigma", "0", *scale["sigmas"], "all")
        add("data_sigma", "0", *scale["sigmas"], *evaluation["peakedness"], *evaluation["denoised"])
        add("method", *scale["separation"]["methods"], "mix", *dataset.get("supervised", {}))
        add("method", *dataset.get("posteriors", {}), *columns.DENOISERS)
        add("method", *registry.says("data", dataset["kind"], "references"))
        add("mix", *dataset["mixes"], *(["all"] if "fidelity" in dataset else []))
    add("measure", *columns.MEASURES)
    return allowed
