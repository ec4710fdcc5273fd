"""The configuration: merged for each scale, checked, and what each prior takes from its family.

One rule of precedence: what is more particular counts. A prior's setting is that of its family, unless the prior changes
it, unless the scale changes the family's, unless the scale changes the prior's:

    families.FAMILY < priors.PRIOR < scales.SCALE.families.FAMILY < scales.SCALE.priors.PRIOR

Everywhere else, a scale's value counts before the value above it. A user's file is merged into config.yaml first.
"""

from __future__ import annotations

import re

from ..errors import UserError
from . import checks, claims
from .effects import without_effect
from .merging import merge, prior_settings


class ConfigError(UserError):
    """Everything that is wrong with a configuration, one line each."""


def scales(config: dict) -> dict[str, dict]:
    """The configuration of every scale: merged, checked, and each prior with what it takes from its family.

    Raises
    ------
    ConfigError: all problems of all scales, each once, with key, problem and what is allowed.
    """
    named = config.get("scales")
    if not isinstance(named, dict) or not named:
        raise ConfigError("scales: the configuration needs at least one scale, such as `scales: {quick: {}}`")
    base = {key: value for key, value in config.items() if key != "scales"}
    of_base = dict.fromkeys(checks.problems(base) or without_effect(base, {}, ()))
    merged: dict[str, dict] = {}
    problems: dict[str, None] = {}
    for name, changes in named.items():
        if not re.fullmatch("[a-z][a-z0-9_]*", str(name)):
            problems[f"scales.{name}: a name has lower-case letters, digits and _, and begins with a letter"] = None
            continue
        if changes is not None and not isinstance(changes, dict):
            problems[f"scales.{name}: must be a mapping of what the scale changes, not {changes!r}"] = None
            continue
        whole = merge(base, changes)
        mistakes = checks.problems(whole)
        if not mistakes:
            merged[name] = whole | {"priors": _resolved(base, changes or {}, whole)}
            mistakes = checks.priors(merged[name]) + without_effect(base, changes or {}, ("scales", name))
        for problem in mistakes:
            problems[
                problem if problem in of_base or problem.startswith("scales.") else f"(scale {name}) {problem}"
            ] = None
    problems |= of_base
    if not problems:
        problems |= dict.fromkeys(claims.problems(base["claims"], merged))
    if problems:
        raise ConfigError("\n".join(problems))
    return merged


def _resolved(base: dict, changes: dict, whole: dict) -> dict[str, dict]:
    """Every prior of a scale with what it takes from its family, by the rule of precedence."""
    return {name: prior_settings(name, prior["family"], base, changes) for name, prior in whole["priors"].items()}
