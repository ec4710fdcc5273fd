"""The configuration, merged for each scale and checked, with what each prior takes from its family.

One rule of precedence: a prior's setting is that of its family, unless the prior changes it, unless the scale changes
the family's, unless the scale changes the prior's:

    families.FAMILY < priors.PRIOR < scales.SCALE.families.FAMILY < scales.SCALE.priors.PRIOR

Everywhere else, a scale's value counts before the value above it. A user's file is merged into config.yaml first.
"""

from __future__ import annotations

import functools
import re

from ..errors import UserError
from . import checks, claims, jointly, schema
from .effects import removes_nothing, without_effect
from .merging import merge, prior_settings, with_defaults
from .schema import Key, dotted
from .unused import never_separates_files, never_used

ROOT = schema.LIBRARY.parents[2]  # where config.yaml and scales.yaml lie


class ConfigError(UserError):
    """A configuration is wrong. The message has one line for each problem."""


def scales(config: dict) -> dict[str, dict]:
    """The configuration of every scale: merged and checked, with what each prior takes from its family.

    Raises
    ------
    ConfigError: all problems of all scales, each once, with its key, the problem and what is allowed.
    """
    named = config.get("scales")
    if not isinstance(named, dict) or not named:
        raise ConfigError("scales: the configuration needs at least one scale, such as `scales: {quick: {}}`")
    base = {key: value for key, value in config.items() if key != "scales"}
    whole_base, of_base = _merged(base, {})
    problems, merged = dict.fromkeys(of_base), {}
    for name, changes in named.items():
        of_entry = _of_entry(str(name), changes)
        problems |= dict.fromkeys(of_entry)
        if not of_entry:
            whole, of_scale = _merged(base, changes or {})
            problems |= {f"(scale {name}) {problem}": None for problem in of_scale if problem not in problems}
            if not of_scale:
                merged[name] = whole
                vain = removes_nothing(base, changes or {}, whole) | without_effect(changes or {}, [whole])
                problems |= _sentences(vain, ("scales", name))
    if not of_base:
        problems |= _sentences(without_effect(base, [whole_base, *merged.values()]))
    if not problems:
        every = {"": whole_base, **merged}
        problems = _sentences(_not_shipped(never_used(every.values())) | never_separates_files(every.values()))
    if not problems:
        # Shipped claims may name what the user's file has removed: they stay undecided.
        problems = _of_claims(every, []) and _of_claims(every, _shipped())
    if problems:
        raise ConfigError("\n".join(problems))
    return merged


def _merged(base: dict, changes: dict) -> tuple[dict, list[str]]:
    """A scale's configuration, with what each prior takes from its family, and all its problems.

    base: a null in it is what a user's file has removed, as Snakemake merges it; for a prior, also what its family has.
    """
    whole = merge(merge({}, base), changes)
    problems = schema.violations(whole)
    if not problems:
        whole = with_defaults(whole)
        problems = checks.problems(whole)
    if not problems:
        priors = {name: prior_settings(name, prior["family"], base, changes) for name, prior in whole["priors"].items()}
        whole |= {"priors": priors}
        problems = list(checks.priors(whole)) or list(jointly.problems(whole))
    return whole, problems


def _not_shipped(problems: dict[Key, str]) -> dict[Key, str]:
    """Problems of keys that the shipped configuration lacks: what a user's file leaves unused in that is no mistake."""

    def has(settings: dict, key: Key) -> bool:
        return not key or (key[0] in settings and has(settings[key[0]], key[1:]))

    shipped = _shipped() if problems else []
    return {key: problem for key, problem in problems.items() if not any(has(scale, key) for scale in shipped)}


def _of_claims(scales: dict[str, dict], others: list[dict]) -> dict[str, None]:
    """Every problem of the claims of these scales. Claims may name what any of these scales or of the others has.

    The base, which the scales change, has no name.
    """
    problems: dict[str, None] = {}
    for name, scale in scales.items():
        for problem in claims.problems(scale["claims"], [*scales.values(), *others]):
            if problem not in problems:
                problems[f"(scale {name}) {problem}" if name else problem] = None
    return problems


@functools.cache
def _shipped() -> list[dict]:
    """The scales of the configuration that comes with the pipeline, without those that have problems."""
    config = schema.read(ROOT / "config.yaml") | {"claims": []}
    entries = schema.read(ROOT / "scales.yaml")["scales"].values()
    return [whole for whole, problems in (_merged(config, changes or {}) for changes in ({}, *entries)) if not problems]


def _sentences(problems: dict[Key, str], at: Key = ()) -> dict[str, None]:
    """The problems of keys below `at`, as sentences."""
    return {f"{dotted((*at, *key))}: {problem}": None for key, problem in problems.items()}


def _of_entry(name: str, changes) -> list[str]:
    """The problems of an entry of `scales` before it is merged."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        return [f"scales.{name}: a name has lower-case letters, digits and _, and begins with a letter"]
    if changes is not None and not isinstance(changes, dict):
        return [f"scales.{name}: must be a mapping of what the scale changes, not {changes!r}"]
    return []
