"""Keys of the configuration that have no effect: what a user writes and nothing reads is a mistake, and is named."""

from __future__ import annotations

from collections.abc import Iterator

from .schema import Key, dotted


def without_effect(base: dict, changes: dict, whole: dict, at: Key) -> list[str]:
    """Every key that has no effect, of the base alone (changes empty) or of what a scale changes; `at` leads to it.

    whole: the scale's configuration, in which each prior has what it takes from its family.
    """
    written = changes or base
    return [
        *(_removes_nothing(base, changes, at) if changes else []),
        *_of_priors(changes, written, whole, at),
        *_of_datasets(written, whole, at),
        *_of_methods(written, at),
    ]


def _removes_nothing(base: dict, changes: dict, at: Key) -> Iterator[str]:
    for key, value in changes.items():
        if value is None and key not in base:
            yield f"{dotted((*at, key))}: null has no effect, as there is no {key!r} above it; there is {_list(base)}"
        elif isinstance(value, dict):
            below = base.get(key)
            yield from _removes_nothing(below if isinstance(below, dict) else {}, value, (*at, key))


def _of_priors(changes: dict, written: dict, whole: dict, at: Key) -> Iterator[str]:
    used = {prior["family"] for prior in whole["priors"].values()}
    for family in written.get("families", {}):
        if family not in used:
            yield f"{dotted((*at, 'families', family))}: has no effect, as no prior is of it; there are {_list(used)}"
    for name, prior in written.get("priors", {}).items():
        if not prior:
            continue
        place, levels = (*at, "priors", name), whole["priors"][name]["levels"]
        if "error_curve" in prior and levels != "one":
            yield f"{dotted((*place, 'error_curve'))}: has no effect, as {name} does not serve all noise levels"
        for key in ("finetune", "chain"):
            if key in prior and (levels == "one" or "training" not in whole["priors"][name]):
                yield f"{dotted((*place, key))}: has no effect, as {name} has no model that is fine-tuned (levels: one)"
    for folder in ("families", "priors") if changes else ("priors",):  # a family's own training is whole
        for name, settings in written.get(folder, {}).items():
            yield from _of_schedule((settings or {}).get("training") or {}, (*at, folder, name, "training"))


def _of_schedule(training: dict, at: Key) -> Iterator[str]:
    for key in ("decays", "decay"):
        if training.get("schedule") == "cosine" and key in training:
            yield f"{dotted((*at, key))}: has no effect with schedule cosine; it is for schedule steps"


def _of_datasets(written: dict, whole: dict, at: Key) -> Iterator[str]:
    for name, settings in written.get("datasets", {}).items():
        if not settings:
            continue
        levels = [whole["priors"][prior]["levels"] for prior in whole["datasets"][name]["priors"]]
        if "sigmas" in settings and "one" not in levels:
            yield (
                f"{dotted((*at, 'datasets', name, 'sigmas'))}: has no effect, as none of its priors serves all noise "
                "levels; their levels say at which they are evaluated"
            )


def _of_methods(written: dict, at: Key) -> Iterator[str]:
    for name, method in written.get("separation", {}).get("methods", {}).items():
        if method and "plan" in method and "noise_free_sigma" in method:
            place = (*at, "separation", "methods", name, "noise_free_sigma")
            yield f"{dotted(place)}: has no effect with a plan; it is for sigmas"


def _list(names) -> str:
    return ", ".join(sorted(map(str, names)))
