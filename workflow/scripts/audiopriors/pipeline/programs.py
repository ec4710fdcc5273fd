"""What each program gets of the config: a change of it, and of nothing else in the config, reruns the program.

The function RULE(data, wildcards) gives the settings of rule RULE, whose program is workflow/scripts/RULE.py.
"""

from __future__ import annotations

from types import SimpleNamespace

from . import recordings
from .curves import training_curves
from .jobs import select
from .merging import POSTERIOR
from .scale import ALL, DataSet, Prior, Run
from .tables import TABLES


def make_data(data: DataSet, wildcards) -> dict:
    return {
        "data": data.data,
        "sources": data.sources,
        "frame": data.frame,
        "seed": _seed(data, "data", data.name),
        "recordings": recordings.state(data),
    }


def train_prior(data: DataSet, wildcards) -> dict:
    prior, sigma = data.scale.prior(wildcards.prior), wildcards.sigma
    training = None if prior.jointly else prior.training_of(sigma)
    return {
        **_trained(data, prior, sigma, training),
        "prior_source": wildcards.prior_source,
        "seed": _seed(data, "train", data.name, prior.name, wildcards.prior_source, sigma, wildcards.replicate),
    }


def train_jointly(data: DataSet, wildcards) -> dict:
    prior, sigma = data.scale.prior(wildcards.prior), wildcards.sigma
    return {
        **_trained(data, prior, sigma, prior.training_of(sigma)),
        "sources": data.sources,
        "jointly": {key: value for key, value in (prior.jointly or {}).items() if key != "starts_from"},
        "seed": _seed(data, "train_jointly", data.name, prior.name, sigma, wildcards.replicate),
    }


def _trained(data: DataSet, prior: Prior, sigma: str, training: dict | None) -> dict:
    """The settings of each training of a prior's model; training: None if the prior is not trained."""
    return {
        "threads": data.scale.settings["threads"],
        "dataset": data.name,
        "data": data.data,
        "prior": prior.name,
        "family": prior.family,
        "model": prior.model,
        "sigma": sigma,
        "training": training and training | {"frame": data.frame},
    }


def sample_prior(data: DataSet, wildcards) -> dict:
    prior = data.scale.prior(wildcards.prior)
    return {
        "threads": data.scale.settings["threads"],
        "sources": data.sources,
        "levels": prior.levels,
        "sigmas": data.sigmas,
        "samples": data.scale.settings["evaluation"]["samples"],
        "frame": data.frame,
        "seed": _seed(data, "sample", data.name, prior.name),
    }


def evaluate_prior(data: DataSet, wildcards) -> dict:
    prior = data.scale.prior(wildcards.prior)
    return {
        "threads": data.scale.settings["threads"],
        "dataset": data.name,
        "data": data.data,
        "sources": data.sources,
        "frame": data.frame,
        "prior": prior.name,
        "family": prior.family,
        "model": prior.model,
        "prior_source": wildcards.prior_source,
        "levels": prior.levels,
        "replicate": int(wildcards.replicate),
        "sigmas": data.sigmas_of(prior),
        "mapped_sigma": data.mapped_sigma,
        "evaluation": _evaluation(data),
        "seed": _seed(data, "evaluate", data.name),
    }


def error_curve(data: DataSet, wildcards) -> dict:
    return {
        "threads": data.scale.settings["threads"],
        "data": data.data,
        "frame": data.frame,
        "prior": wildcards.prior,
        "prior_source": wildcards.prior_source,
        **data.scale.prior(wildcards.prior).error_curve,
        "seed": _seed(data, "error_curve", data.name, wildcards.prior_source),
    }


def train_separator(data: DataSet, wildcards) -> dict:
    supervised = data.supervised[wildcards.separator]
    prior = data.scale.prior(supervised["prior"])
    return {
        "name": wildcards.separator,
        "threads": data.scale.settings["threads"],
        "data": data.data,
        "family": prior.family,
        "model": prior.model,
        "training": data.separator_training(wildcards.separator) | {"frame": data.frame},
        "mix": data.mix(wildcards.mix),
        "draw": supervised.get("draw", "apart"),
        "seed": _seed(data, wildcards.separator, data.name, wildcards.mix),
    }


def train_posterior(data: DataSet, wildcards) -> dict:
    posterior = data.posterior(wildcards.posterior, wildcards.mix)
    encoder = data.scale.prior(posterior["encoder"])
    noise = {"noise": "falling" if posterior["objective"] == "elbo_annealed" else "fixed"}
    return {
        "name": wildcards.posterior,
        "threads": data.scale.settings["threads"],
        "data": data.data,
        "prior": posterior["prior"],
        "family": encoder.family,
        "model": encoder.model,
        "training": (encoder.training or {}) | noise | posterior.get("training", {}) | {"frame": data.frame},
        "mix": data.mix(wildcards.mix),
        "sigma": float(posterior["sigma"]),
        "posterior": {key: value for key, value in posterior.items() if key in POSTERIOR},
        "seed": _seed(data, "posterior", data.name, wildcards.posterior, wildcards.mix),
    }


def separate_posterior(data: DataSet, wildcards) -> dict:
    posterior = data.posterior(wildcards.posterior, wildcards.mix)
    noise = data.settings["mixes"][wildcards.mix].get("noise")
    same = {"level": noise, "evaluation": _evaluation(data), "seed": _seed(data, "evaluate", data.name)}
    return {
        "posterior": wildcards.posterior,
        "prior": posterior["prior"],
        "prior_sigma": ALL if data.scale.prior(posterior["prior"]).serves_all else posterior["sigma"],
        "denoising": same if noise else None,  # as priors are measured
        "objective": posterior["objective"],
        "law": posterior["law"],
        "steps": train_posterior(data, wildcards)["training"]["steps"],
        "sigma": float(posterior["sigma"]),
        "mixture_width": posterior["mixture_width"],
        "examples": data.scale.settings["separation"]["examples"],
        "seed": _seed(data, "separate_posterior", data.name, wildcards.mix),
        **_separation(data, wildcards.mix, posterior.get("items", data.scale.settings["separation"]["items"])),
    }


def separate_reference(data: DataSet, wildcards) -> dict:
    default = data.scale.settings["separation"]["items"]
    most = max((run.settings.get("items", default) for run in data.runs), default=default)
    return _separation(data, wildcards.mix, most)


def separate(data: DataSet, wildcards) -> dict:
    run = data.run(wildcards.prior, wildcards.method, wildcards.mix)
    changes = {key: value for key, value in run.settings.items() if key in ("particles", "rounds")}
    return {
        "settings": data.scale.method(run.method).settings | changes,
        "method": run.method,
        "prior": run.prior,
        "examples": data.scale.settings["separation"]["examples"],
        "seed": _seed(data, "separate", data.name, run.prior, run.method, run.mix),
        **_separation(data, run.mix, run.settings.get("items", data.scale.settings["separation"]["items"])),
    }


def _separation(data: DataSet, mix: str, items: int) -> dict:
    return {
        "threads": data.scale.settings["threads"],
        "dataset": data.name,
        "data": data.data,
        "frame": data.frame,
        "items": data.mix_items(mix, items),
        "batch_samples": data.scale.settings["separation"]["batch_samples"],
        "mix": data.mix(mix),
    }


def exact_posterior(data: DataSet, wildcards) -> dict:
    return {
        **_fidelity(data),
        "mix": data.mix(wildcards.mix),
        "prior": data.exact,
        "tempering": data.fidelity["tempering"],
        "seed": _seed(data, "exact_posterior", data.name, wildcards.mix),
    }


def sample_posterior(data: DataSet, wildcards) -> dict:
    run = data.fidelity_run(wildcards.prior, wildcards.method)
    method = data.scale.method(run.method).settings
    levels = {"levels": run.settings.get("levels", method["plan"]["levels"])}
    return {
        **_fidelity(data, run.settings.get("items")),
        "mixes": [data.mix(mix) for mix in data.settings["mixes"]],
        "settings": method | {"plan": method["plan"] | levels},
        "method": run.method,
        "prior": run.prior,
        "seed": _seed(data, "sample_posterior", data.name, run.prior, run.method),
    }


def _fidelity(data: DataSet, items: int | None = None) -> dict:
    compare = data.fidelity["compare"]
    return {
        "threads": data.scale.settings["threads"],
        "dataset": data.name,
        "data": data.data,
        "frame": data.frame,
        "fidelity": compare | {"items": min(items or compare["items"], compare["items"])},
    }


def separate_recording(data: DataSet, wildcards) -> dict:
    settings = data.scale.settings["separation"]
    return {
        "threads": data.scale.settings["threads"],
        "dataset": data.name,
        "recording": wildcards.recording,
        "mix": data.mix(data.first_mix),
        "rate": data.settings["settings"]["rate"],
        "frame": data.frame,
        "prior": wildcards.prior,
        "method": wildcards.method,
        "settings": data.scale.method(wildcards.method).settings,
        "overlap": settings["overlap"],
        "together": settings["together"],
        "batch_samples": settings["batch_samples"],
        "seed": _seed(data, "separate_file"),
    }


def score_recording(data: DataSet, wildcards) -> dict:
    return {
        "threads": data.scale.settings["threads"],
        "dataset": data.name,
        "recording": wildcards.recording,
        "rate": data.settings["settings"]["rate"],
        "channel": data.settings["settings"]["channel"],
        "frame": data.frame,
        "priors": _scoring_priors(data),
        "batch_samples": data.scale.settings["evaluation"]["batch_samples"],
        "seed": _seed(data, "score_file"),
    }


def _scoring_priors(data: DataSet) -> list[dict]:
    """Every prior that a recording is scored under."""
    return [
        {"prior": name, "prior_source": source, "prior_sigma": sigma, "data_sigma": level}
        for name in data.own_priors
        for sigma in data.scale.prior(name).levels
        for level in (data.sigmas_of(data.scale.prior(name)) if sigma == ALL else [sigma])
        for source in data.sources
    ]


def likelihood_tables(data: DataSet, wildcards) -> dict:
    return {"frame": data.frame, "sources": data.sources}


def table(data: DataSet, wildcards) -> dict:
    settings = data.scale.settings
    choices = {
        "data": data.data,
        "sources": data.sources,
        "frame": data.frame,
        "sigmas": data.sigmas,
        "exact": data.exact,
        "claims": settings["claims"],
        "scale": data.scale.name,
        "paper_size": settings["paper_size"],
        "priors": {prior.name: _described(prior) for prior in data.priors},
        "fine_tuned": [prior.name for prior in data.priors if prior.fine_tuned],
    }
    return {"dataset": data.name} | {key: choices[key] for key in TABLES[wildcards.name].settings}


def _described(prior: Prior) -> dict:
    description = {"family": prior.family, "model": prior.model, "levels": prior.levels}
    if prior.jointly:
        description["jointly"] = prior.jointly
    if prior.training is not None:
        description |= {"training": prior.training, "finetune": prior.finetune}
    return description


def figure(data: DataSet, wildcards) -> dict:
    methods = [data.scale.method(name) for name in data.settings["runs"]]
    alternating = [method for method in methods if method.settings["sampler"] == "alternating"]
    return {
        "data": data.data,
        "frame": data.frame,
        "sources": data.sources,
        "priors": data.separate_priors,
        "joint_priors": data.joint_priors,
        "exact": data.exact,
        "published": data.published,
        "families": {prior.name: prior.family for prior in data.scale.priors.values()},
        "sigmas": data.sigmas,
        "mapped_sigma": data.mapped_sigma,
        "mix": data.mix(data.first_mix),
        "runs": [(run.prior, run.method) for run in data.runs if run.mix == data.first_mix],
        "posteriors": [name for name, one in data.posteriors.items() if data.first_mix in one["mixes"]],
        "plans": [method.settings["plan"] for method in alternating],
        "curves": training_curves(data),
        "titles": data.titles,
    }


def audio(data: DataSet, wildcards) -> dict:
    return {
        "dataset": data.name,
        "data": data.data,
        "frame": data.frame,
        "mixes": [data.mix(mix) for mix in dict.fromkeys(run.mix for run in data.runs)],
        "examples": data.scale.settings["separation"]["examples"],
        "runs": [(run.prior, run.method, run.mix) for run in data.runs],
        "titles": data.titles,
    }


def figure_separated_file(data: DataSet, wildcards) -> dict:
    return {"sources": data.sources, "rate": data.settings["settings"]["rate"]}


def page_of_file(data: DataSet, wildcards) -> dict:
    return {"sources": data.sources, "titles": data.titles, "facts": data.facts, "recording": wildcards.recording}


def figure_scored_file(data: DataSet, wildcards) -> dict:
    rate = data.settings["settings"]["rate"]
    return {"sources": data.sources, "frame": data.frame, "rate": rate, "titles": data.titles}


def _evaluation(data: DataSet) -> dict:
    """The config's evaluation, but for what only samples need."""
    return {key: value for key, value in data.scale.settings["evaluation"].items() if key != "samples"}


def _seed(data: DataSet, *purpose: str) -> list:
    """The first part of the seed of each random draw of a program."""
    return [data.scale.settings["seed"], *purpose]


def forecast(data: DataSet, wildcards) -> dict:
    """The settings of a forecast: each prior's models and jobs, each run's calls, and what is stored."""
    priors = {}
    for prior in data.priors:
        finetune = prior.training_of(prior.levels[-1])
        priors[prior.name] = _described(prior) | {
            "trainings": len(select(data, "train_prior", "prior", prior=prior.name)),
            "evaluations": len(select(data, "evaluate_prior", "measures", prior=prior.name)),
            "error_curves": len(select(data, "error_curve", "errors", prior=prior.name)),
            "error_curve": prior.error_curve,
            "data_levels": data.sigmas_of(prior),
            "finetune_steps": finetune and finetune["steps"],
        }
    runs = []
    for run in data.runs:
        described = separate(data, SimpleNamespace(prior=run.prior, method=run.method, mix=run.mix))
        waves = described["items"] * len(described["mix"]["sources"])
        runs.append(_run_forecast(data, run, f"separation, {run.mix}", described["settings"], waves))
    for run in data.fidelity_runs:
        described = sample_posterior(data, run)
        fidelity = described["fidelity"]
        method = described["settings"] | {"particles": fidelity["particles"]}
        waves = fidelity["items"] * sum(len(mix["sources"]) for mix in described["mixes"])
        runs.append(_run_forecast(data, run, "comparison with exact draws", method, waves))
    return {
        "title": f"{data.scale.name}, {data.name}",
        "threads": data.scale.settings["threads"],
        "data": data.data,
        "frame": data.frame,
        "sources": data.sources,
        "priors": priors,
        "runs": runs,
        "joint": [
            train_jointly(data, SimpleNamespace(prior=name, sigma=sigma, replicate=str(replicate)))
            for name in data.joint_priors
            for sigma in data.scale.prior(name).levels
            for replicate in data.replicates(data.scale.prior(name))
        ],
        "separators": [
            train_separator(data, SimpleNamespace(separator=separator, mix=mix))
            for separator, supervised in data.supervised.items()
            for mix in supervised["mixes"]
        ],
        "posteriors": [
            train_posterior(data, at) | {"items": separate_posterior(data, at)["items"]}
            for posterior, settings in data.posteriors.items()
            for at in (SimpleNamespace(posterior=posterior, mix=mix) for mix in settings["mixes"])
        ],
        "evaluation": _evaluation(data),
        "test_items": _items(data, "test"),
        "validation_items": _items(data, "validation"),
        "bytes_of_data": _stored(data),
    }


def _run_forecast(data: DataSet, run: Run, what: str, method: dict, waves: int) -> dict:
    """How often a sampler calls the priors for so many waves of a source, in its first round."""
    plan, settings = method.get("plan"), method["settings"]
    levels = plan["levels"] + plan["settle"] if plan else len(method["sigmas"])
    draw = settings.get("steps", 1)
    if settings.get("probe"):  # see `separation.methods.base.Sampler.drawing`
        draw = 1 if run.prior == data.exact else 2 * draw
    calls = method["particles"] * levels * draw * settings.get("sweeps", 1) * waves
    return {"what": what, "prior": run.prior, "method": run.method, "planned": bool(plan), "calls": calls}


def _items(data: DataSet, split: str) -> int:
    """The number of items of a split: that of the settings, or, for recordings, tracks times frames."""
    settings = data.settings["settings"]
    return settings[split] * settings.get("frames", 1)


def _stored(data: DataSet) -> int:
    """Bytes of a data set's frames: for recordings two per sample, of every source and the mixture."""
    settings = data.settings["settings"]
    if "frames" not in settings:
        return 0
    tracks = settings.get("songs") or 150  # MUSDB18's
    return 2 * tracks * settings["frames"] * data.frame * (len(data.sources) + 1)
