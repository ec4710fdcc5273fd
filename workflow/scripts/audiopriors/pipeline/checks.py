"""What a schema cannot say of a configuration: names that do not exist, and keys that have no effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import registry
from . import schema
from .scale import NOISE_FREE
from .schema import Key, dotted, not_allowed


def problems(config: dict) -> list[str]:
    """Every problem of one merged configuration, but for its priors' resolved settings: `key: problem`.

    Its shape is right by the schema, and each data set has its defaults.
    """
    return [*_of_datasets(config), *_of_priors(config), *_of_methods(config)]


def _of_datasets(config: dict) -> Iterator[str]:
    methods, priors = config["separation"]["methods"], config["priors"]
    yield from _each(config["build"], config["datasets"], ("build",))
    for name, dataset in config["datasets"].items():
        at = ("datasets", name)
        yield from _of_kind(dataset, at)
        yield from _each(dataset["priors"], priors, (*at, "priors"))
        yield from _each(dataset["published"], priors, (*at, "published"))
        for prior in dataset["published"]:
            if prior in dataset["priors"]:
                yield f"{dotted((*at, 'published'))}: {prior} is in `priors`, too; leave it out of one of them"
        yield from _each(dataset.get("sigmas", []), config["sigmas"], (*at, "sigmas"))
        for mix, settings in dataset["mixes"].items():
            yield from _each(settings["sources"], dataset["sources"], (*at, "mixes", mix))
            if len(settings.get("gains", settings["sources"])) != len(settings["sources"]):
                yield f"{dotted((*at, 'mixes', mix, 'gains'))}: needs one number for each source"
        for separator, supervised in dataset.get("supervised", {}).items():
            here = (*at, "supervised", separator)
            yield from _each(supervised["mixes"], dataset["mixes"], (*here, "mixes"))
            yield from not_allowed(supervised["prior"], priors, (*here, "prior"))
            if separator in config["separation"]["methods"]:
                yield f"{dotted(here)}: is the name of a method, too; give it another one"
        for method, runs in dataset["runs"].items():
            yield from not_allowed(method, methods, (*at, "runs"))
            yield from _each(runs, dataset["priors"], (*at, "runs", method))
            for prior, run in runs.items():
                yield from _each(run.get("mixes", []), dataset["mixes"], (*at, "runs", method, prior, "mixes"))
        if "file" in dataset:
            yield from not_allowed(dataset["file"]["prior"], dataset["priors"], (*at, "file", "prior"))
            yield from not_allowed(dataset["file"]["method"], methods, (*at, "file", "method"))


def _of_kind(dataset: dict, at: Key) -> Iterator[str]:
    """What only the file of its kind of data can say."""
    kind, kinds = dataset["kind"], registry.names("data")
    if kind not in kinds:
        yield from not_allowed(kind, kinds, (*at, "kind"))
        return
    yield from schema.violations_of(dataset["settings"], "data", kind, (*at, "settings"))
    allowed = ["sources", "items", "skip", *registry.says("data", kind, "mix_settings")]
    for mix, settings in dataset["mixes"].items():
        for key in [key for key in settings if key not in allowed]:
            yield f"{dotted((*at, 'mixes', mix, key))}: mixes of {kind} data have none; allowed: {', '.join(allowed)}"
    for separator in {"mix", *registry.says("data", kind, "references")}.intersection(dataset.get("supervised", {})):
        yield f"{dotted((*at, 'supervised', separator))}: is the name of a reference, too; give it another one"
    recorded = [one for one in kinds if "channel" in registry.schema("data", one)["properties"]]
    if "file" in dataset and kind not in recorded:
        yield f"{dotted((*at, 'file'))}: {kind} data are no recordings; allowed for: {', '.join(recorded)}"


def _of_priors(config: dict) -> Iterator[str]:
    levels = [float(sigma) for sigma in config["sigmas"]]
    if levels != sorted(set(levels)):
        yield "sigmas: must ascend"
    yield from _each(config["families"], registry.names("priors"), ("families",))
    for name, prior in config["priors"].items():
        yield from not_allowed(prior["family"], config["families"], ("priors", name, "family"))
        yield from _each(prior.get("datasets", []), config["datasets"], ("priors", name, "datasets"))


def priors(config: dict) -> Iterator[str]:
    """Every problem of the priors of a scale, each with what it takes from its family, and of separators of them."""
    for name, prior in config["priors"].items():
        at = ("priors", name)
        yield from schema.violations_of_prior(prior, at)
        if "model" in prior:
            yield from schema.violations_of(prior["model"], "priors", prior["family"], (*at, "model"))
        if isinstance(prior.get("levels"), list):
            yield from _each(prior["levels"], config["sigmas"], (*at, "levels"))
    separators = [
        name for name, prior in config["priors"].items()
        if "training" in prior and "outputs" in registry.arguments("priors", prior["family"], "build")
    ]  # fmt: skip
    for name, dataset in config["datasets"].items():
        for separator, supervised in dataset.get("supervised", {}).items():
            if supervised["prior"] not in separators:
                place, allowed = dotted(("datasets", name, "supervised", separator, "prior")), ", ".join(separators)
                yield f"{place}: {supervised['prior']} has no network that can give several sources; allowed: {allowed}"


def _of_methods(config: dict) -> Iterator[str]:
    samplers = registry.names("separation/methods")
    for name, method in config["separation"]["methods"].items():
        at = ("separation", "methods", name)
        if method["sampler"] not in samplers:
            allowed = ", ".join(samplers)
            yield f"{dotted((*at, 'sampler'))}: {method['sampler']!r} is not allowed; allowed: {allowed}"
            continue
        yield from schema.violations_of(method["settings"], "separation/methods", method["sampler"], (*at, "settings"))
        yield from _each(method.get("sigmas", []), [NOISE_FREE, *config["sigmas"]], (*at, "sigmas"))
        if ("plan" in method) == ("sigmas" in method):
            yield f"{dotted(at)}: needs either sigmas or plan"
        elif "sigmas" in method and registry.says("separation/methods", method["sampler"], "needs_plan"):
            yield f"{dotted(at)}: the sampler {method['sampler']} needs a plan, not sigmas"
        elif NOISE_FREE in method.get("sigmas", []) and "noise_free_sigma" not in method:
            yield f"{dotted((*at, 'noise_free_sigma'))}: is missing; sigmas with {NOISE_FREE!r} need it"


def _each(values: Iterable, allowed: Iterable, at: Key) -> list[str]:
    allowed = list(allowed)
    return [problem for value in values for problem in not_allowed(value, allowed, at)]
