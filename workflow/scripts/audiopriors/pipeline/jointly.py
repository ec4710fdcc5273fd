"""Checks of priors that are trained together: the priors that they start from must exist, and be alike."""

from __future__ import annotations

from collections.abc import Iterator

from .. import registry
from .scale import Scale
from .schema import dotted, not_allowed


def problems(config: dict) -> Iterator[str]:
    """Every problem of such priors of a scale, resolved with their families: `key: problem`."""
    scale = Scale("", config)
    for name, prior in scale.priors.items():
        if prior.jointly:
            yield from _of_prior(scale, name, prior.jointly)
        elif config["priors"][name]["levels"] == "widest":
            yield (
                f"priors.{name}.levels: widest is for priors with `jointly`; another starts from the noise-free model, "
                "so give it `ends`"
            )
    for name, dataset in config["datasets"].items():
        for prior in dataset["priors"]:
            start = config["priors"][prior].get("jointly", {}).get("starts_from")
            if start and start not in dataset["priors"]:
                yield f"{dotted(('datasets', name, 'priors'))}: {prior} starts from {start}, so add that, too"


def _of_prior(scale: Scale, name: str, settings: dict) -> Iterator[str]:
    prior, at = scale.priors[name], ("priors", name, "jointly")
    alike = [
        other.name for other in scale.priors.values()
        if (other.family, other.model) == (prior.family, prior.model) and other.training and not other.jointly
    ]  # fmt: skip
    start = settings["starts_from"]
    if start not in scale.priors:
        yield from not_allowed(start, alike, (*at, "starts_from"), "prior")
    elif start not in alike:
        allowed = ", ".join(alike) or "none"
        yield (
            f"{dotted((*at, 'starts_from'))}: {start} is no separately trained prior of {name}'s family and model; "
            f"allowed: {allowed}"
        )
    elif prior.serves_all or not set(prior.levels) <= set(scale.priors[start].levels):
        allowed = ", ".join(level for level in scale.priors[start].levels if level != "all") or "none"
        yield f"priors.{name}.levels: {start}, which it starts from, has not all these models; allowed: {allowed}"
    if settings["objective"] == "classifier" and not registry.says("priors", prior.family, "has_latents"):
        families = [family for family in registry.names("priors") if registry.says("priors", family, "has_latents")]
        yield (
            f"{dotted((*at, 'objective'))}: {prior.family} has no latents to classify; allowed: softmax, or a prior of "
            f"{', '.join(families)}"
        )
