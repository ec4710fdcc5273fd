"""A scale and its data sets, as typed views of the merged configuration."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from .. import registry
from ..columns import DENOISERS
from ..errors import UserError

NOISE_FREE, ALL = "0", "all"  # in place of a noise level: no noise; one model for every level above 0


@dataclass(frozen=True)
class Prior:
    """A prior of the config, with what it takes from its family."""

    name: str
    family: str
    model: dict
    levels: tuple[str, ...]
    "The noise levels of its models, as in paths."
    training: dict | None
    "None if it needs no training."
    finetune: dict
    "The changes of `training` for fine-tuning."
    chain: str
    "Where fine-tuning starts: `noise_free` or `serial`."
    error_curve: dict
    "How its error curve is measured, if it serves all noise levels."
    jointly: dict | None = None
    "How the priors of all sources are trained together, from those of another prior; None if each on its own."

    @property
    def serves_all(self) -> bool:
        """Whether one model serves all noise levels above 0."""
        return self.levels == (ALL,)

    @property
    def fine_tuned(self) -> bool:
        """Whether it has models that are fine-tuned from another."""
        return self.training is not None and any(self.is_fine_tuned(sigma) for sigma in self.levels)

    def is_fine_tuned(self, sigma: str) -> bool:
        """Whether its model of that level starts from another."""
        return self.training is not None and (self.jointly is not None or sigma not in (NOISE_FREE, ALL))

    def starts_from(self, sigma: str) -> str | None:
        """The noise level of the model that the training of this level starts from; None if from scratch."""
        if not self.is_fine_tuned(sigma):
            return None
        if self.jointly:
            return sigma
        return self.levels[self.levels.index(sigma) - 1] if self.chain == "serial" else NOISE_FREE

    def training_of(self, sigma: str) -> dict | None:
        """The training of that level's model."""
        if self.training is None:
            return None
        return self.training | (self.finetune if self.is_fine_tuned(sigma) else {})


@dataclass(frozen=True)
class Method:
    """A sampling method of the config."""

    name: str
    settings: dict

    @property
    def planned(self) -> bool:
        """Whether its noise levels are planned from error curves."""
        return "plan" in self.settings

    @property
    def accepts(self) -> bool:
        """Whether it says of each mix if its sources were separated."""
        judges = registry.says("separation/methods", self.settings["sampler"], "judges")
        return judges and self.settings.get("combine", "best") == "best"

    def can_run(self, prior: Prior) -> bool:
        """Whether the prior has what the method needs: models of its sigmas, or, for a plan, one model for all."""
        sigmas = self.settings.get("sigmas")
        if prior.serves_all:
            return sigmas is None or NOISE_FREE not in sigmas
        return sigmas is not None and set(sigmas) <= set(prior.levels)


@dataclass(frozen=True)
class Run:
    """Test mixes separated by one prior with one method."""

    prior: str
    method: str
    mix: str
    settings: dict
    "The config's settings of the run: items, particles, rounds."


@dataclass(frozen=True, eq=False)
class Scale:
    """The configuration at one scale, in which each prior has what it takes from its family."""

    name: str
    settings: dict

    @functools.cached_property
    def text(self) -> str:
        """The whole configuration as JSON, without the user's recording."""
        whole = {key: value for key, value in self.settings.items() if key != "file"}
        return json.dumps(whole, indent=1, sort_keys=True) + "\n"

    @property
    def record(self) -> tuple[str, str, int, int]:
        """The file that keeps this configuration, its SHA-256, and the config's seed and seeds."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        file = f"results/configs/{self.name}-{digest[:12]}.json"
        return file, digest, self.settings["seed"], self.settings["seeds"]

    @functools.cached_property
    def datasets(self) -> dict[str, DataSet]:
        """Every data set, by name."""
        return {name: DataSet(self, name) for name in self.settings["datasets"]}

    def dataset(self, name: str) -> DataSet:
        """The data set of that name."""
        return _one(self.datasets, name, "there is no data set {!r} in the config; there are {}")

    @functools.cached_property
    def priors(self) -> dict[str, Prior]:
        """Every prior, by name."""
        return {name: self._prior(name, settings) for name, settings in self.settings["priors"].items()}

    def prior(self, name: str) -> Prior:
        """The prior of that name."""
        return _one(self.priors, name, "there is no prior {!r} in the config; there are {}")

    def _prior(self, name: str, settings: dict) -> Prior:
        sigmas, levels = self.settings["sigmas"], settings["levels"]
        if isinstance(levels, list):
            levels = [NOISE_FREE, *sorted(levels, key=float)]
        else:
            named = {
                "each": [NOISE_FREE, *sigmas],
                "ends": [NOISE_FREE, sigmas[-1]],
                "widest": sigmas[-1:],
                "one": [ALL],
            }
            levels = named[levels]
        return Prior(
            name, settings["family"], settings["model"], tuple(levels), settings.get("training"),
            settings.get("finetune", {}), settings.get("chain", "noise_free"),
            self.settings["separation"]["error_curve"] | settings.get("error_curve", {}), settings.get("jointly"),
        )  # fmt: skip

    def method(self, name: str) -> Method:
        """The sampling method of that name."""
        methods = self.settings["separation"]["methods"]
        return Method(name, _one(methods, name, "there is no method {!r} in the config; there are {}"))


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set at one scale."""

    scale: Scale
    name: str

    @property
    def settings(self) -> dict:
        """Its entry in the config."""
        return self.scale.settings["datasets"][self.name]

    @property
    def kind(self) -> str:
        """The file of audiopriors/data for this kind of data."""
        return self.settings["kind"]

    @property
    def data(self) -> dict:
        """Its kind and settings, with which a program opens it."""
        return {"kind": self.kind, "settings": self.settings["settings"]}

    @property
    def sources(self) -> list[str]:
        """Names of its sources."""
        return self.settings["sources"]

    @property
    def frame(self) -> int:
        """Samples of a frame."""
        return self.settings["frame"]

    @property
    def published(self) -> list[str]:
        """Names of priors trained as the authors did, for comparison: neither sampled nor separated with."""
        return self.settings["published"]

    @property
    def own_priors(self) -> list[str]:
        """Names of the priors that are evaluated, sampled and separated with."""
        return self.settings["priors"]

    @property
    def separate_priors(self) -> list[str]:
        """Those of its own priors whose sources are each trained on their own: most figures show them alone."""
        return [name for name in self.own_priors if not self.scale.prior(name).jointly]

    @property
    def joint_priors(self) -> dict[str, str]:
        """Those of its own priors that are trained together, each with the one that it starts from."""
        joint = {name: self.scale.prior(name).jointly for name in self.own_priors}
        return {name: settings["starts_from"] for name, settings in joint.items() if settings}

    @property
    def priors(self) -> list[Prior]:
        """Every prior that is trained and evaluated, the published ones last."""
        return [self.scale.prior(name) for name in (*self.own_priors, *self.published)]

    @property
    def exact(self) -> str | None:
        """The name of its exact prior, if it has one."""
        return next((name for name in self.own_priors if self.scale.prior(name).family == "exact"), None)

    def sigmas_of(self, prior: Prior) -> list[str]:
        """The data's noise levels above 0 at which the prior is evaluated: all, or those that it has models for."""
        if prior.serves_all:
            return self.settings.get("sigmas", self.scale.settings["sigmas"])
        return [sigma for sigma in prior.levels if sigma != NOISE_FREE]

    @property
    def sigmas(self) -> list[str]:
        """The noise levels at which at least one of its own priors is evaluated, 0 first."""
        evaluated = {sigma for name in self.own_priors for sigma in self.sigmas_of(self.scale.prior(name))}
        return [NOISE_FREE, *(sigma for sigma in self.scale.settings["sigmas"] if sigma in evaluated)]

    @property
    def mapped_sigma(self) -> str:
        """The noise level at which likelihoods are split over time: the middle one of those that most priors have."""
        own = [self.sigmas_of(prior) for prior in map(self.scale.prior, self.separate_priors)]
        having = {sigma: sum(sigma in levels for levels in own) for sigma in self.sigmas[1:]}
        levels = [sigma for sigma, number in having.items() if number == max(having.values())]
        return levels[(len(levels) - 1) // 2]

    def replicates(self, prior: Prior) -> range:
        """The numbers of a prior's trainings. A prior that is not trained has one."""
        return range(self.scale.settings["seeds"] if prior.training is not None else 1)

    def check(self, prior: Prior, source: str, sigma: str | None = None) -> None:
        """Raise UserError if the data set has no such source, or the prior no model of that noise level."""
        _one(dict.fromkeys(self.sources), source, f"{self.name} has no source {{!r}}; it has {{}}")
        if sigma is not None:
            levels = dict.fromkeys(prior.levels)
            _one(levels, sigma, f"{prior.name} has no sigma {{!r}} at this scale; it has {{}}")

    @property
    def first_mix(self) -> str:
        """The mix that figures show."""
        return next(iter(self.settings["mixes"]))

    def mix(self, name: str) -> dict:
        """A mix as programs take it: name, sources, gains, unison, noise, skip; multiples if any."""
        settings = _one(self.settings["mixes"], name, f"{self.name} has no mix {{!r}}; it has {{}}")
        gains = settings.get("gains", [1] * len(settings["sources"]))
        others = {key: settings.get(key, 0) for key in ("unison", "skip")}
        others |= {key: settings[key] for key in ("multiples",) if key in settings}
        noise = float(settings.get("noise", 0))
        return {"name": name, "sources": settings["sources"], "gains": gains, "noise": noise, **others}

    def mix_items(self, name: str, wanted: int) -> int:
        """The wanted number of test mixes, or the mix's own limit if that is lower."""
        return min(wanted, self.settings["mixes"][name].get("items", wanted))

    @functools.cached_property
    def runs(self) -> list[Run]:
        """Everything that is separated."""
        return [
            Run(prior, method, mix, settings)
            for method, priors in self.settings["runs"].items()
            for prior, settings in priors.items()
            for mix in settings.get("mixes", [self.first_mix])
            if self.can_run(prior, method)
        ]

    def can_run(self, prior: str, method: str) -> bool:
        """Whether the prior has the models that the method needs."""
        return self.scale.method(method).can_run(self.scale.prior(prior))

    def check_run(self, prior: str, method: str) -> None:
        """Raise UserError if the prior lacks the models that the method needs."""
        if not self.can_run(prior, method):
            levels = ", ".join(self.scale.prior(prior).levels)
            raise UserError(f"{prior} has no models of what {method} needs; it has {levels}")

    def run(self, prior: str, method: str, mix: str) -> Run:
        """The run of that prior and method, for any mix."""
        self.mix(mix)
        self.scale.method(method)
        settings = self.settings["runs"].get(method, {}).get(prior)
        self.check_run(prior, method)
        if settings is None:
            raise UserError(
                f"the config has no run of {prior} with {method} on {self.name}; add it under datasets.{self.name}.runs"
            )
        return Run(prior, method, mix, settings)

    @functools.cached_property
    def fidelity(self) -> dict:
        """How samplers are compared with the exact posterior; empty if they are not."""
        return self.settings.get("fidelity", {})

    @functools.cached_property
    def fidelity_runs(self) -> list[Run]:
        """Every sampler that is compared with the exact posterior, of every mix: `mix` is empty."""
        return [
            Run(prior, method, "", settings)
            for method, priors in self.fidelity.get("runs", {}).items()
            for prior, settings in priors.items()
        ]

    def fidelity_run(self, prior: str, method: str) -> Run:
        """The comparison of that prior and method."""
        for run in self.fidelity_runs:
            if (run.prior, run.method) == (prior, method):
                return run
        raise UserError(
            f"the config does not compare {prior} with {method} on {self.name}; add it under "
            f"datasets.{self.name}.fidelity.runs"
        )

    @property
    def mixed_sources(self) -> list[str]:
        """The sources that are in some mix."""
        mixed = {source for mix in self.settings["mixes"].values() for source in mix["sources"]}
        return [source for source in self.sources if source in mixed]

    @property
    def supervised(self) -> dict:
        """The config's supervised separators by name: prior, mixes, draw, training."""
        return self.settings.get("supervised", {})

    def separator_training(self, name: str) -> dict:
        """The training of a supervised separator. Mixes have no noise, whatever the training of its prior has."""
        separator = self.supervised[name]
        training = self.scale.prior(separator["prior"]).training or {}
        return training | {"noise": "fixed"} | separator.get("training", {})

    @property
    def posteriors(self) -> dict:
        """The config's posterior models by name: encoder, prior, sigma, mixes, start, training, and their settings."""
        return self.settings.get("posteriors", {})

    def posterior(self, name: str, mix: str) -> dict:
        """The posterior model of that name, which the config has for that mix."""
        posterior = _one(self.posteriors, name, f"{self.name} has no posterior model {{!r}}; it has {{}}")
        _one(dict.fromkeys(posterior["mixes"]), mix, f"{name} is not trained for the mix {{!r}}, but for {{}}")
        noise, sigma, number = self.mix(mix)["noise"], float(posterior["sigma"]), len(self.mix(mix)["sources"])
        if noise:  # the law of sources + noise, given each source + the part of that noise with deviation sigma
            posterior = posterior | {"mixture_width": math.sqrt(noise**2 - number * sigma**2) / sigma}
        return posterior

    @property
    def titles(self) -> dict[str, str]:
        """What its figures call every name that they can meet: the config's title, or the name with spaces for _."""
        names = [
            *self.own_priors, *self.published, *self.scale.settings["separation"]["methods"], *self.posteriors,
            *self.supervised, "mix", *registry.says("data", self.kind, "references"), *DENOISERS,
            *self.settings["mixes"],
        ]  # fmt: skip
        titles = self.scale.settings.get("titles", {})
        return {name: titles.get(name, name.replace("_", " ")) for name in names}

    @property
    def facts(self) -> dict[str, str | int]:
        """What its captions have in braces."""
        settings = self.scale.settings
        return {
            "scale": self.scale.name, "dataset": self.name, "frame": self.frame, "seeds": settings["seeds"],
            "items": settings["evaluation"]["test_items"], "mixes": settings["separation"]["items"],
        }  # fmt: skip

    @property
    def file(self) -> dict | None:
        """How a user's recording is separated: prior and method; None if the data set takes no recordings."""
        return self.settings.get("file")


def _one(choices: dict, name: str, sentence: str):
    if name not in choices:
        raise UserError(sentence.format(name, _listed(choices)))
    return choices[name]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
