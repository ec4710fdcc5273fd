"""The configuration shipped, with a user's changes, and what is said of them."""

import copy
import json

import pytest
import yaml
from audiopriors.pipeline import config
from conftest import ROOT

SHIPPED = {}
for _name in ("config", "scales", "claims"):
    SHIPPED |= yaml.safe_load((ROOT / f"{_name}.yaml").read_text())
SHIPPED = json.loads(json.dumps(SHIPPED))  # YAML's aliases are copies, as Snakemake makes them


def with_changes(changes: dict) -> dict:
    """The shipped configuration with a user's file merged into it, as Snakemake does."""
    whole = copy.deepcopy(SHIPPED)

    def update(into: dict, values: dict) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                into[key] = into[key] if isinstance(into.get(key), dict) else {}
                update(into[key], value)
            else:
                into[key] = value

    update(whole, changes)
    return whole


def sentences(changes: dict) -> str:
    """What is wrong with the shipped configuration and these changes, a sentence a line."""
    with pytest.raises(config.ConfigError) as error:
        config.scales(with_changes(changes))
    return str(error.value)
