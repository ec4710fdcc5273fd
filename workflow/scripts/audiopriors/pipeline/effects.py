"""Keys of the configuration that have no effect: a key that a user writes and nothing reads is reported as an error."""

from __future__ import annotations

from collections.abc import Iterator

from . import schema
from .merging import merge, prior_settings
from .scale import NOISE_FREE, Method
from .schema import Key

Effects = Iterator[tuple[Key, str]]  # keys as they are written, each with the reason why it has no effect


def without_effect(written: dict, scales: list[dict]) -> dict[Key, str]:
    """Every key of a configuration, or of a scale's changes, that has no effect on any of these scales."""
    written = merge({}, written)  # `removes_nothing` is about nulls
    first, *others = (
        dict([*_of_priors(written, whole), *_of_datasets(written, whole), *_of_methods(written, whole)])
        for whole in scales
    )
    return {key: problem for key, problem in first.items() if all(key in other for other in others)}


def removes_nothing(base: dict, changes: dict, whole: dict) -> dict[Key, str]:
    """Every null in a scale's changes with nothing to remove above it, by the rule of precedence."""
    families, priors = ({**(base.get(folder) or {})} for folder in ("families", "priors"))
    for name, prior in whole["priors"].items():
        family = prior["family"]
        families[family] = merge(families.get(family) or {}, prior_settings(name, family, base))
        priors[name] = prior_settings(name, family, base, {"families": changes.get("families")})
    return dict(_removes_nothing(base | {"families": families, "priors": priors}, changes, ()))


def _removes_nothing(above: dict, changes: dict, at: Key) -> Effects:
    for key, value in changes.items():
        if value is None and key not in above:
            yield (*at, key), f"null has no effect, as there is no {key!r} above it; there is {_list(above)}"
        elif isinstance(value, dict) and above.get(key, {}) is not None:  # None: a user's file has removed all below
            below = above.get(key)
            yield from _removes_nothing(below if isinstance(below, dict) else {}, value, (*at, key))


def _of_priors(written: dict, whole: dict) -> Effects:
    priors = whole["priors"]
    for name, family in written.get("families", {}).items():
        of_family = [prior for prior in priors.values() if prior["family"] == name]
        if of_family:
            yield from _of_prior(family, of_family, ("families", name))
        else:
            used = _list({prior["family"] for prior in priors.values()})
            yield ("families", name), f"has no effect, as no prior is of it; there are {used}"
    for name, prior in written.get("priors", {}).items():
        yield from _of_prior(prior, [priors[name]] if name in priors else [], ("priors", name))


def _of_prior(written: dict, priors: list[dict], at: Key) -> Effects:
    """Keys that have no effect on any of these priors, in an entry that is about them."""
    name = at[-1]
    tuned = [prior for prior in priors if prior["levels"] != "one" and "training" in prior]
    if "error_curve" in written and all(prior["levels"] != "one" for prior in priors):
        yield (*at, "error_curve"), f"has no effect, as {name} does not serve all noise levels"
    for key in ("finetune", "chain"):
        if key in written and not tuned:
            yield (*at, key), f"has no effect, as {name} has no model that is fine-tuned (levels: one)"
    if "chain" in written and priors and all("jointly" in prior for prior in priors):
        yield (*at, "chain"), f"has no effect, as {name} starts from another prior's models of the same levels"
    trainings = [prior["training"] for prior in priors if "training" in prior]
    if not schema.is_whole_training(written.get("training", {})):
        yield from _of_schedule(written.get("training", {}), trainings, (*at, "training"))
    if tuned:
        tunings = [prior["training"] | prior.get("finetune", {}) for prior in tuned]
        yield from _of_schedule(written.get("finetune", {}), tunings, (*at, "finetune"))


def _of_schedule(written: dict, trainings: list[dict], at: Key) -> Effects:
    for key in ("decays", "decay"):
        if key in written and all(training["schedule"] == "cosine" for training in trainings):
            yield (*at, key), "has no effect with schedule cosine; it is for schedule steps"


def _of_datasets(written: dict, whole: dict) -> Effects:
    for name, settings in written.get("datasets", {}).items():
        at, dataset = ("datasets", name), whole["datasets"].get(name, {"priors": []})
        levels = [whole["priors"][prior]["levels"] for prior in dataset["priors"]]
        if "sigmas" in settings and "one" not in levels:
            yield (
                (*at, "sigmas"),
                "has no effect, as none of its priors serves all noise levels; their levels say at which they are "
                "evaluated",
            )
        for separator, changes in settings.get("supervised", {}).items():
            supervised = dataset["supervised"][separator]
            training = whole["priors"][supervised["prior"]]["training"] | supervised.get("training", {})
            yield from _of_schedule(changes.get("training", {}), [training], (*at, "supervised", separator, "training"))
        for method, runs in settings.get("runs", {}).items():
            sampling = whole["separation"]["methods"].get(method)
            for prior in [prior for prior, run in runs.items() if "rounds" in run]:
                if not (sampling and Method(method, sampling).accepts):
                    key = (*at, "runs", method, prior, "rounds")
                    yield key, f"has no effect, as {method} does not say if a mix was separated"


def _of_methods(written: dict, whole: dict) -> Effects:
    for name, method in written.get("separation", {}).get("methods", {}).items():
        sigmas = whole["separation"]["methods"].get(name, {}).get("sigmas", [])
        if "noise_free_sigma" in method and NOISE_FREE not in sigmas:
            key = ("separation", "methods", name, "noise_free_sigma")
            yield key, f"has no effect; it is for sigmas with {NOISE_FREE!r}, the noise-free prior"


def _list(names) -> str:
    return ", ".join(sorted(map(str, names)))
