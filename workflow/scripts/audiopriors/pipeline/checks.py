"""Checks of a configuration beyond its schema: names that do not exist, and settings that do not fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import registry
from . import schema
from .scale import NOISE_FREE
from .schema import Key, dotted, not_allowed

NOISE_RULE = "a mix of one source needs noise, and so do all mixes of a data set with `fidelity`; no other mix has any"


def problems(config: dict) -> list[str]:
    """Every problem of one merged configuration, except those of its priors' resolved settings: `key: problem`.

    Its shape must be right by the schema, and each data set must have its defaults.
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
            if (len(settings["sources"]) == 1 or "fidelity" in dataset) != ("noise" in settings):
                yield f"{dotted((*at, 'mixes', mix))}: {NOISE_RULE}"
            if len(settings.get("multiples", settings["sources"])) != len(settings["sources"]):
                yield f"{dotted((*at, 'mixes', mix, 'multiples'))}: needs one number for each source"
            if "multiples" in settings and not settings.get("unison"):
                yield f"{dotted((*at, 'mixes', mix, 'multiples'))}: needs a unison above 0, the range around them"
        noisy = [mix for mix, settings in dataset["mixes"].items() if "noise" in settings]
        for separator, supervised in dataset.get("supervised", {}).items():
            here = (*at, "supervised", separator)
            yield from _each(supervised["mixes"], dataset["mixes"], (*here, "mixes"))
            yield from _with_noise(noisy, supervised["mixes"], here)
            yield from not_allowed(supervised["prior"], priors, (*here, "prior"))
            if separator in config["separation"]["methods"]:
                yield f"{dotted(here)}: is the name of a method, too; give it another one"
        for posterior in dataset.get("posteriors", {}):
            yield from _of_posterior(posterior, config, dataset, (*at, "posteriors", posterior))
        for method, runs in dataset["runs"].items():
            yield from not_allowed(method, methods, (*at, "runs"))
            yield from _each(runs, dataset["priors"], (*at, "runs", method))
            for prior, run in runs.items():
                mixes = _mixes_of(run, dataset)
                yield from _each(mixes, dataset["mixes"], (*at, "runs", method, prior, "mixes"))
                yield from _with_noise(noisy, mixes, (*at, "runs", method, prior))
                begun_by = methods.get(method, {}).get("posterior")
                if begun_by:
                    yield from _begun(begun_by, prior, mixes, dataset, (*at, "runs", method, prior))
        if "fidelity" in dataset:
            yield from _of_fidelity(dataset, config, (*at, "fidelity"))
        if "file" in dataset:
            yield from not_allowed(dataset["file"]["prior"], dataset["priors"], (*at, "file", "prior"))
            yield from not_allowed(dataset["file"]["method"], methods, (*at, "file", "method"))
            if "posterior" in methods.get(dataset["file"]["method"], {}):
                yield f"{dotted((*at, 'file', 'method'))}: recordings have no posterior model; choose one without"


def _of_fidelity(dataset: dict, config: dict, at: Key) -> Iterator[str]:
    methods, priors = config["separation"]["methods"], config["priors"]
    compare, tempering, runs = (dataset["fidelity"][key] for key in ("compare", "tempering", "runs"))
    if (compare["particles"] + 1) % 40:
        yield (
            f"{dotted((*at, 'compare', 'particles'))}: must be 39, 79, 119, ...: one particle has no spread, and "
            "of other numbers no region between two of them has 50 % and 95 %"
        )
    if tempering["chains"] % 2 or tempering["chains"] < 6:
        yield f"{dotted((*at, 'tempering', 'chains'))}: must be an even number from 6 on"
    if tempering["draws"] < compare["particles"]:
        yield f"{dotted((*at, 'tempering', 'draws'))}: must be at least {compare['particles']}, as many as particles"
    if tempering["burn_in"] >= tempering["steps"]:
        yield f"{dotted((*at, 'tempering', 'burn_in'))}: must be below `steps`, {tempering['steps']}"
    if not any(prior in priors and priors[prior]["family"] == "exact" for prior in dataset["priors"]):
        yield f"{dotted(at)}: the exact posterior needs a prior of the family exact under the data set's `priors`"
    for method, of_method in runs.items():
        yield from not_allowed(method, methods, (*at, "runs"))
        yield from _each(of_method, dataset["priors"], (*at, "runs", method))
        if method in methods and "plan" not in methods[method]:
            yield f"{dotted((*at, 'runs', method))}: samplers of mixes with noise need a plan, not sigmas"
        if "posterior" in methods.get(method, {}):
            yield f"{dotted((*at, 'runs', method))}: begins at a posterior model's estimates; choose one without"


def _mixes_of(run: dict, dataset: dict) -> list[str]:
    """The mixes that a run separates; by default the data set's first mix."""
    return run.get("mixes", list(dataset["mixes"])[:1])


def _with_noise(noisy: list[str], mixes: list[str], at: Key) -> Iterator[str]:
    """Problems of mixes with noise, for a run or separator that does not denoise."""
    for mix in mixes:
        if mix in noisy:
            yield f"{dotted(at)}: the mix {mix} has noise, which only posterior models take away"


def _of_posterior(name: str, config: dict, dataset: dict, at: Key) -> Iterator[str]:
    posterior = dataset["posteriors"][name]
    yield from _each(posterior["mixes"], dataset["mixes"], (*at, "mixes"))
    yield from not_allowed(posterior["encoder"], config["priors"], (*at, "encoder"))
    yield from not_allowed(posterior["prior"], dataset["priors"], (*at, "prior"))
    yield from not_allowed(posterior["law"], registry.names("posteriors"), (*at, "law"))
    if name in {*config["separation"]["methods"], *dataset.get("supervised", {})}:
        yield f"{dotted(at)}: is the name of a method or a supervised separator, too; give it another one"
    if posterior["objective"] == "elbo_annealed" and posterior["from_sigma"] <= float(posterior["sigma"]):
        yield f"{dotted((*at, 'from_sigma'))}: must be above sigma, {posterior['sigma']}"
    for mix in posterior["mixes"]:
        settings = dataset["mixes"].get(mix, {"sources": []})
        noise, number = settings.get("noise"), len(settings["sources"])
        if noise is not None and float(noise) ** 2 <= number * float(posterior["sigma"]) ** 2:
            yield f"{dotted((*at, 'sigma'))}: must be below the noise {noise} of the mix {mix}"
        if noise is not None and posterior["objective"] == "elbo_annealed":
            yield f"{dotted((*at, 'objective'))}: elbo_annealed is for mixes without noise, and {mix} has noise"
    start = posterior.get("start")
    if start is not None:
        others = [other for other in dataset["posteriors"] if other != name]
        yield from not_allowed(start, others, (*at, "start"))
        other = dataset["posteriors"].get(start, posterior)
        for key in ("encoder", "prior", "law"):
            if other[key] != posterior[key]:
                yield f"{dotted((*at, 'start'))}: {start} has another {key}, {other[key]}"
        for mix in set(posterior["mixes"]) - set(other["mixes"]):
            yield f"{dotted((*at, 'start'))}: {start} is not trained for the mix {mix}"
        if "start" in other and other is not posterior:
            yield f"{dotted((*at, 'start'))}: {start} starts from another one itself; allowed: one without `start`"


def _begun(name: str, prior: str, mixes: list[str], dataset: dict, at: Key) -> Iterator[str]:
    """Problems of a run whose method begins with the estimates of a posterior model."""
    posteriors = dataset.get("posteriors", {})
    yield from not_allowed(name, posteriors, at, "posterior model")
    if name in posteriors:
        if posteriors[name]["prior"] != prior:
            yield f"{dotted(at)}: begins with {name}, which is of the prior {posteriors[name]['prior']}"
        for mix in mixes:
            if mix not in posteriors[name]["mixes"]:
                yield f"{dotted(at)}: begins with {name}, which is not trained for the mix {mix}"


def _of_kind(dataset: dict, at: Key) -> Iterator[str]:
    """Problems that only the file of the data set's kind can show."""
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
    """Every problem of a scale's priors, resolved with their families, and of separators made from them."""
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
    allowed = ", ".join(separators)
    for name, dataset in config["datasets"].items():
        for kind, key in (("supervised", "prior"), ("posteriors", "encoder")):
            for one, settings in dataset.get(kind, {}).items():
                if settings[key] not in separators:
                    place = dotted(("datasets", name, kind, one, key))
                    yield f"{place}: {settings[key]} has no network that can give several sources; allowed: {allowed}"
        for method, runs in dataset["runs"].items():
            for prior, run in runs.items():
                if config["priors"][prior]["levels"] != "one":
                    for mix in _mixes_of(run, dataset):
                        yield from _with_gains(dataset, mix, prior, ("datasets", name, "runs", method, prior))
        for method, of_method in dataset.get("fidelity", {}).get("runs", {}).items():
            for prior in of_method:
                if config["priors"][prior]["levels"] != "one":
                    place = dotted(("datasets", name, "fidelity", "runs", method, prior))
                    yield f"{place}: a plan needs a prior that serves all noise levels"
        for one, settings in dataset.get("posteriors", {}).items():
            levels, here = config["priors"][settings["prior"]]["levels"], ("datasets", name, "posteriors", one)
            if levels != "one":
                for mix in settings["mixes"]:
                    yield from _with_gains(dataset, mix, settings["prior"], here)
                sigmas = {"each": config["sigmas"], **dict.fromkeys(("ends", "widest"), config["sigmas"][-1:])}.get(
                    str(levels), levels
                )
                yield from not_allowed(settings["sigma"], sigmas, (*here, "sigma"))
                if settings["objective"] == "elbo_annealed":
                    yield f"{dotted((*here, 'objective'))}: elbo_annealed needs a prior that serves all noise levels"


def _with_gains(dataset: dict, mix: str, prior: str, at: Key) -> Iterator[str]:
    """Problems of a mix for a prior with models of one noise level each."""
    if set(dataset["mixes"][mix].get("gains", [1])) != {1}:
        yield f"{dotted(at)}: the mix {mix} has gains, and {prior} serves one noise level only, which a gain changes"


def _of_methods(config: dict) -> Iterator[str]:
    samplers = registry.names("separation/methods")
    for name, method in config["separation"]["methods"].items():
        at = ("separation", "methods", name)
        if method["sampler"] not in samplers:
            allowed = ", ".join(samplers)
            yield f"{dotted((*at, 'sampler'))}: {method['sampler']!r} is not allowed; allowed: {allowed}"
            continue
        yield from schema.violations_of(method["settings"], "separation/methods", method["sampler"], (*at, "settings"))
        if "posterior" in method and not registry.says("separation/methods", method["sampler"], "begins"):
            able = ", ".join(one for one in samplers if registry.says("separation/methods", one, "begins"))
            yield f"{dotted((*at, 'posterior'))}: {method['sampler']} does not begin at estimates; allowed: {able}"
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
