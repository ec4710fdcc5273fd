"""How configurations are merged, and what a prior takes from its family."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from .. import registry

POSTERIOR = registry.schema_of(Path(registry.__file__).with_name("settings.py"), "Posterior")["properties"]
"The JSON schema of a posterior model's own settings, by name."


def merge(base: dict, changes: dict | None) -> dict:
    """Merge `changes` into `base`. Mappings are merged, null removes its key, all else is replaced (RFC 7396)."""
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
    """The configuration with each data set's optional entries filled in. Its shape must be right by the schema.

    The defaults are no published priors, no runs, one mix of all sources, and the default settings of its kind. A data
    set also gets the priors that name it.
    """
    filled = {name: _dataset_with_defaults(dataset) for name, dataset in config["datasets"].items()}
    for name, prior in config["priors"].items():
        for dataset in set(prior.get("datasets", [])) & set(filled):
            if name not in filled[dataset]["priors"]:
                filled[dataset]["priors"] = [*filled[dataset]["priors"], name]
    return config | {"datasets": filled}


def _dataset_with_defaults(dataset: dict) -> dict:
    filled = {"published": [], "runs": {}, "mixes": {"all": {"sources": dataset["sources"]}}} | dataset
    if dataset["kind"] in registry.names("data"):
        properties = registry.schema("data", dataset["kind"])["properties"]
        defaults = {key: field["default"] for key, field in properties.items() if "default" in field}
        filled["settings"] = defaults | dataset["settings"]
    if "posteriors" in dataset:
        defaults = {key: field["default"] for key, field in POSTERIOR.items() if "default" in field}
        filled["posteriors"] = {name: defaults | settings for name, settings in dataset["posteriors"].items()}
    return filled


def prior_settings(name: str, family: str, *layers: dict) -> dict[str, Any]:
    """A prior's settings from several configurations; a later one counts before an earlier one.

    In each, what the prior says counts before what its family says.
    """
    settings: dict[str, Any] = {}
    for layer in layers:
        settings = merge(settings, (layer.get("families") or {}).get(family))
        settings = merge(settings, (layer.get("priors") or {}).get(name))
    return settings | {"family": family}
