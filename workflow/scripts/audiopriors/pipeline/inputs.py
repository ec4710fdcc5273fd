"""Files and code that a job needs, where they follow from the config and not from its path alone."""

from __future__ import annotations

import os
from types import SimpleNamespace

from .. import shipped_priors
from ..errors import UserError
from . import paths, programs, shipped
from .scale import ALL, DataSet


def _model(data: DataSet, prior: str, source: str, sigma: str, replicate: str = "0") -> str:
    if data.scale.name == shipped.SCALE:
        return os.path.relpath(shipped_priors.bundle(data.name).prior(source))
    return paths.output("train_prior", "prior").format(
        scale=data.scale.name, dataset=data.name, prior=prior, prior_source=source, sigma=sigma, replicate=replicate
    )


def initial_prior(data: DataSet, wildcards) -> list[str]:
    """The model that a fine-tuning starts from, or models trained together; none for a training from scratch."""
    prior = data.scale.prior(wildcards.prior)
    data.check(prior, wildcards.prior_source, wildcards.sigma)
    if prior.jointly:
        place = {"scale": data.scale.name, "dataset": data.name, "prior": prior.name}
        joint = paths.output("train_jointly", "priors")
        return [joint.format(**place, sigma=wildcards.sigma, replicate=wildcards.replicate)]
    start = prior.starts_from(wildcards.sigma)
    return [_model(data, prior.name, wildcards.prior_source, start, wildcards.replicate)] if start else []


def separate_models(data: DataSet, wildcards) -> list[str]:
    """The models that a training of all sources together starts from: one for each source."""
    prior = data.scale.prior(wildcards.prior)
    data.check(prior, data.sources[0], wildcards.sigma)
    start = data.joint_priors[prior.name]
    return [_model(data, start, source, wildcards.sigma, wildcards.replicate) for source in data.sources]


def models(data: DataSet, wildcards) -> list[str]:
    """Every model of a prior, for one source and replicate."""
    prior = data.scale.prior(wildcards.prior)
    data.check(prior, wildcards.prior_source)
    return [_model(data, prior.name, wildcards.prior_source, sigma, wildcards.replicate) for sigma in prior.levels]


def sampled_models(data: DataSet, wildcards) -> list[str]:
    """Every model of a prior's first replicate: for each source in turn, each noise level in turn."""
    prior = data.scale.prior(wildcards.prior)
    return [_model(data, prior.name, source, sigma) for source in data.sources for sigma in prior.levels]


def priors_of_run(data: DataSet, wildcards) -> list[str]:
    """The models of a run: for each sigma of the method in turn, each source of the mix in turn."""
    run = data.run(wildcards.prior, wildcards.method, wildcards.mix)
    return _separating(data, run.prior, run.method, run.mix)


def exact_priors(data: DataSet, wildcards) -> list[str]:
    """The exact prior of each source that is compared with the exact posterior; of one mix, if it is in the path."""
    if not data.fidelity or data.exact is None:
        raise UserError(f"{data.name} has no exact posterior: the config has no datasets.{data.name}.fidelity")
    sources = data.mix(wildcards.mix)["sources"] if hasattr(wildcards, "mix") else data.mixed_sources
    return [_model(data, data.exact, source, ALL) for source in sources]


def priors_of_sampling(data: DataSet, wildcards) -> list[str]:
    """The models of a sampler that is compared with the exact posterior: one for each source."""
    run = data.fidelity_run(wildcards.prior, wildcards.method)
    return [_model(data, run.prior, source, ALL) for source in data.mixed_sources]


def errors_of_sampling(data: DataSet, wildcards) -> list[str]:
    """The error curves of such a sampler's priors."""
    place = {"scale": data.scale.name, "dataset": data.name, "prior": wildcards.prior}
    errors = paths.output("error_curve", "errors")
    return [errors.format(**place, prior_source=source) for source in data.mixed_sources]


def draws_of_sampling(data: DataSet, wildcards) -> list[str]:
    """The exact draws of every mix."""
    place, draws = {"scale": data.scale.name, "dataset": data.name}, paths.output("exact_posterior", "draws")
    return [draws.format(**place, mix=mix) for mix in data.settings["mixes"]]


def loaded_by_sampling(data: DataSet, wildcards) -> dict:
    """The modules that such a sampler loads by name, and those of the exact prior."""
    loaded = _loaded(data, wildcards.prior, wildcards.method)
    return loaded | {"families": [*loaded["families"], "exact"]}


def _separating(data: DataSet, prior: str, method: str, mix: str) -> list[str]:
    serves_all = data.scale.prior(prior).serves_all
    sigmas = [ALL] if serves_all else data.scale.method(method).settings["sigmas"]
    return [_model(data, prior, source, sigma) for sigma in sigmas for source in data.mix(mix)["sources"]]


def errors_of_run(data: DataSet, wildcards) -> list[str]:
    """The error curve of each source's prior, if the method has a plan."""
    if not data.scale.method(wildcards.method).planned:
        return []
    if data.scale.name == shipped.SCALE:
        return [os.path.relpath(shipped_priors.bundle(data.name).errors(source)) for source in data.sources]
    place = {"scale": data.scale.name, "dataset": data.name, "prior": wildcards.prior}
    errors = paths.output("error_curve", "errors")
    return [errors.format(**place, prior_source=source) for source in data.mix(wildcards.mix)["sources"]]


def priors_of_posterior(data: DataSet, wildcards) -> list[str]:
    """The frozen priors of a posterior model: one for each source of the mix in turn."""
    posterior = data.posterior(wildcards.posterior, wildcards.mix)
    serves_all = data.scale.prior(posterior["prior"]).serves_all
    sigma = ALL if serves_all else posterior["sigma"]
    return [_model(data, posterior["prior"], source, sigma) for source in data.mix(wildcards.mix)["sources"]]


def start_of_posterior(data: DataSet, wildcards) -> list[str]:
    """The posterior model that its training starts from; none for a training from scratch."""
    start = data.posterior(wildcards.posterior, wildcards.mix).get("start")
    return [_posterior(data, start, wildcards.mix)] if start else []


def posterior_of_run(data: DataSet, wildcards) -> list[str]:
    """The posterior model whose estimates a method begins with, if there is one."""
    name = data.scale.method(wildcards.method).settings.get("posterior")
    return [_posterior(data, name, wildcards.mix)] if name and data.posterior(name, wildcards.mix) else []


def _posterior(data: DataSet, posterior: str, mix: str) -> str:
    place = {"scale": data.scale.name, "dataset": data.name, "posterior": posterior, "mix": mix}
    return paths.output("train_posterior", "posterior").format(**place)


def loaded_by_posterior(data: DataSet, wildcards) -> dict:
    """The modules that the training and the use of a posterior model load by name."""
    posterior = data.posterior(wildcards.posterior, wildcards.mix)
    families = [data.scale.prior(posterior[key]).family for key in ("encoder", "prior")]
    return {"data": data.kind, "families": families, "laws": [posterior["law"]]}


def loaded_by_run(data: DataSet, wildcards) -> dict:
    """The modules that a run loads by name, see code.of_program."""
    loaded, begin = _loaded(data, wildcards.prior, wildcards.method), _begun_by(data, wildcards.method)
    if begin:
        loaded["families"].append(data.scale.prior(begin["encoder"]).family)
        loaded["laws"] = [begin["law"]]
    return loaded


def _begun_by(data: DataSet, method: str) -> dict | None:
    """The posterior model whose estimates a method begins with, if there is one."""
    name = data.scale.method(method).settings.get("posterior")
    return data.posteriors[name] if name else None


def _loaded(data: DataSet, prior: str, method: str) -> dict:
    return {
        "data": data.kind,
        "families": [data.scale.prior(prior).family],
        "samplers": [data.scale.method(method).settings["sampler"]],
    }


def priors_of_file(data: DataSet, wildcards) -> list[str]:
    """The models that separate a recording."""
    data.check_run(wildcards.prior, wildcards.method)
    return _separating(data, wildcards.prior, wildcards.method, data.first_mix)


def errors_of_file(data: DataSet, wildcards) -> list[str]:
    """The error curves of the priors that separate a recording."""
    return errors_of_run(data, SimpleNamespace(prior=wildcards.prior, method=wildcards.method, mix=data.first_mix))


def scored_priors(data: DataSet, wildcards) -> list[str]:
    """The models that score a recording, in the order of its program's settings."""
    described = programs.score_recording(data, wildcards)["priors"]
    return [_model(data, one["prior"], one["prior_source"], one["prior_sigma"]) for one in described]


def loaded_by_file(data: DataSet, wildcards) -> dict:
    """The modules that the separation of a recording loads by name."""
    loaded = _loaded(data, wildcards.prior, wildcards.method)
    return {key: value for key, value in loaded.items() if key != "data"}


def loaded_by_separator(data: DataSet, wildcards) -> dict:
    """The modules that the training of a supervised separator loads by name."""
    return {"data": data.kind, "families": [data.scale.prior(data.supervised[wildcards.separator]["prior"]).family]}


def loaded_by_reference(data: DataSet, wildcards) -> dict:
    """The modules that the references of a mix load by name, including the networks of supervised separators."""
    priors = [one["prior"] for one in data.supervised.values() if wildcards.mix in one["mixes"]]
    return {"data": data.kind, "families": [data.scale.prior(prior).family for prior in priors]}
