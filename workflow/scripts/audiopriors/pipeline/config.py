"""The configuration: merged for each scale, and checked so that no typo passes."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from .. import registry
from ..errors import UserError

SCHEMA = Path(__file__).parents[3] / "schemas" / "config.schema.yaml"


class ConfigError(UserError):
    """Everything that is wrong with a configuration, one line each."""


def merge(base: dict, changes: dict) -> dict:
    """`base` with `changes`: mappings are merged, null removes its key, everything else is replaced (RFC 7396)."""
    merged = copy.deepcopy(base)
    for key, value in (changes or {}).items():
        if value is None:
            merged.pop(key, None)
            continue
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def scales(config: dict) -> dict[str, dict]:
    """The configuration of every scale, merged and validated.

    Raises
    ------
    ConfigError: all problems of all scales, each once, with key, problem and what is allowed.
    """
    named = config.get("scales")
    if not isinstance(named, dict) or not named:
        raise ConfigError("scales: the configuration needs at least one scale, such as `scales: {quick: {}}`")
    base = {key: value for key, value in config.items() if key != "scales"}
    merged, found = {}, {}
    for name, changes in named.items():
        if not re.fullmatch("[a-z][a-z0-9_]*", str(name)):
            found[f"scales.{name}: a name has lower-case letters, digits and _, and begins with a letter"] = None
            continue
        if changes is not None and not isinstance(changes, dict):
            found[f"scales.{name}: must be a mapping of what the scale changes, not {changes!r}"] = None
            continue
        merged[name] = merge(base, changes)
        for problem in problems(merged[name]):
            in_base = any(problem == other for other in problems(base))
            found[problem if in_base else f"(scale {name}) {problem}"] = None
    if found:
        raise ConfigError("\n".join(found))
    return merged


def problems(config: dict) -> list[str]:
    """Every problem of one merged configuration: `key: problem`."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    found = _violations(config, schema, ())
    if found:
        return found  # what follows relies on the shape
    for name, dataset in config["datasets"].items():
        at = ("datasets", name)
        found += _one_of(dataset["kind"], registry.names("data"), (*at, "kind"))
        if dataset["kind"] in registry.names("data"):
            found += _violations(dataset["settings"], registry.schema("data", dataset["kind"]), (*at, "settings"))
        for key in ("priors", "published"):
            for prior in dataset[key]:
                found += _one_of(prior, config["priors"], (*at, key))
        for sigma in dataset.get("sigmas", []):
            found += _one_of(sigma, config["sigmas"], (*at, "sigmas"))
        for mix, made in dataset["mixes"].items():
            for source in made["sources"]:
                found += _one_of(source, dataset["sources"], (*at, "mixes", mix))
            if len(made.get("gains", made["sources"])) != len(made["sources"]):
                found.append(f"{_dotted((*at, 'mixes', mix, 'gains'))}: needs one number for each source")
        for mix in dataset.get("supervised", {}).get("mixes", []):
            found += _one_of(mix, dataset["mixes"], (*at, "supervised", "mixes"))
        if "supervised" in dataset:
            found += _one_of(dataset["supervised"]["prior"], config["priors"], (*at, "supervised", "prior"))
        for method, priors in dataset["runs"].items():
            found += _one_of(method, config["separation"]["methods"], (*at, "runs"))
            for prior, run in priors.items():
                found += _one_of(prior, dataset["priors"], (*at, "runs", method))
                for mix in run.get("mixes", []):
                    found += _one_of(mix, dataset["mixes"], (*at, "runs", method, prior, "mixes"))
        if "file" in dataset:
            found += _one_of(dataset["file"]["prior"], dataset["priors"], (*at, "file", "prior"))
            found += _one_of(dataset["file"]["method"], config["separation"]["methods"], (*at, "file", "method"))
    for name in config["build"]:
        found += _one_of(name, config["datasets"], ("build",))
    for name in config["families"]:
        found += _one_of(name, registry.names("priors"), ("families",))
    for name, prior in config["priors"].items():
        found += _one_of(prior["family"], config["families"], ("priors", name, "family"))
        if prior["family"] in config["families"] and prior["family"] in registry.names("priors"):
            model = prior_settings(config, name)["model"]
            found += _violations(model, registry.schema("priors", prior["family"]), ("priors", name, "model"))
            chosen = prior_settings(config, name)["levels"]
            for sigma in chosen if isinstance(chosen, list) else []:
                found += _one_of(sigma, config["sigmas"], ("priors", name, "levels"))
    labels = []
    for number, claim in enumerate(config["claims"]):
        for label in claim.get("all_of", []):
            found += _one_of(label, labels, ("claims", number, "all_of"))
        labels += [claim["label"]] if "label" in claim else []
    if sorted(config["sigmas"], key=float) != config["sigmas"]:
        found.append("sigmas: must ascend")
    samplers = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    for name, method in config["separation"]["methods"].items():
        at = ("separation", "methods", name)
        found += _violations(method["settings"], samplers[method["sampler"]], (*at, "settings"))
        for sigma in method.get("sigmas", []):
            found += _one_of(sigma, ["0", *config["sigmas"]], (*at, "sigmas"))
        if ("plan" in method) == ("sigmas" in method):
            found.append(f"{_dotted(at)}: needs either sigmas or plan")
        elif "sigmas" in method and (method["sampler"] != "langevin" or "noise_free_sigma" not in method):
            found.append(
                f"{_dotted(at)}: sigmas are for the sampler langevin, with noise_free_sigma; others need a plan"
            )
    return found


def prior_settings(config: dict, name: str) -> dict:
    """What a prior is: its family's settings with its own changes.

    Keys: family, model, levels, and, if it is trained, training, finetune, chain.
    """
    prior = config["priors"][name]
    return merge(config["families"][prior["family"]], prior)


def levels(config: dict, name: str) -> list[str]:
    """The noise levels of a prior's models, as in paths: "0" is noise-free, "all" one model of all sigmas."""
    sigmas, chosen = config["sigmas"], prior_settings(config, name)["levels"]
    if isinstance(chosen, list):
        return ["0", *sorted(chosen, key=float)]
    return {"each": ["0", *sigmas], "ends": ["0", sigmas[-1]], "one": ["all"]}[chosen]


def _one_of(value, allowed, path: tuple) -> list[str]:
    return [] if value in allowed else [f"{_dotted(path)}: there is no {value!r}; allowed: {', '.join(allowed)}"]


def _dotted(path) -> str:
    return ".".join(str(part) for part in path) or "the configuration"


def _violations(value, schema: dict, prefix: tuple) -> list[str]:
    found = []
    for error in sorted(Draft202012Validator(schema).iter_errors(value), key=lambda error: list(map(str, error.path))):
        path = (*prefix, *error.absolute_path)
        if error.validator == "additionalProperties":
            allowed = error.schema["properties"]
            for key in sorted(map(str, set(error.instance) - set(allowed))):
                found.append(f"{_dotted((*path, key))}: unknown key; allowed: {', '.join(allowed)}")
        elif error.validator == "enum":
            allowed = ", ".join(map(str, error.validator_value))
            found.append(f"{_dotted(path)}: {error.instance!r} is not allowed; allowed: {allowed}")
        elif error.validator in ("pattern", "not", "anyOf", "oneOf"):
            wanted = error.schema.get("description", "see the schema")
            found.append(f"{_dotted(path)}: {error.instance!r} is not allowed; allowed: {wanted}")
        elif error.validator == "required":
            key = error.message.split("'")[1]
            found.append(
                f"{_dotted((*path, key))}: is missing; {error.schema['properties'][key].get('description', '')}"
            )
        else:
            wanted = error.schema.get("description", "")
            found.append(f"{_dotted(path)}: {error.message}" + (f" ({wanted})" if wanted else ""))
    return list(dict.fromkeys(found))
