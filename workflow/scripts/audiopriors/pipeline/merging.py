"""How configurations are merged, and what a prior takes from its family."""

from __future__ import annotations

import copy
from typing import Any


def merge(base: dict, changes: dict | None) -> dict:
    """`base` with `changes`: mappings are merged, null removes its key, everything else is replaced (RFC 7396)."""
    merged = copy.deepcopy(base)
    for key, value in (changes or {}).items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def with_defaults(config: dict) -> dict:
    """The configuration; a data set that does not say so has no published priors, no runs, and one mix of all."""
    filled = dict(config)
    datasets = config.get("datasets")
    if isinstance(datasets, dict):
        filled["datasets"] = {
            name: {"published": [], "runs": {}} | _one_mix(dataset) | dataset if isinstance(dataset, dict) else dataset
            for name, dataset in datasets.items()
        }
    return filled


def _one_mix(dataset: dict) -> dict:
    return {"mixes": {"all": {"sources": dataset["sources"]}}} if "sources" in dataset else {}


def prior_settings(name: str, family: str, *layers: dict) -> dict[str, Any]:
    """A prior's settings by several configurations, of which a later one counts before an earlier one.

    In each, what the prior says counts before what its family says.
    """
    settings: dict[str, Any] = {}
    for layer in layers:
        settings = merge(settings, (layer.get("families") or {}).get(family))
        settings = merge(settings, (layer.get("priors") or {}).get(name))
    return settings | {"family": family}
