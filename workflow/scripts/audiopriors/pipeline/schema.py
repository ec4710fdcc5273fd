"""The config's JSON schema: the file in workflow/schemas, and what the dataclasses of settings say."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from .. import registry

LIBRARY = Path(__file__).parents[1]
FILE = LIBRARY.parents[1] / "schemas" / "config.schema.yaml"

Key = tuple[str | int, ...]  # the keys that lead to a value


def read(path: Path) -> dict:
    """What a YAML file holds."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.cache
def whole() -> dict:
    """The schema of a merged configuration."""
    schema = read(FILE)
    training = dict(_of("Training"))
    training["properties"] = {key: value for key, value in training["properties"].items() if key != "frame"}
    training["required"] = [key for key in training["required"] if key != "frame"]
    evaluation = dict(_of("Evaluation"))
    fields = evaluation["properties"] | schema["$defs"].pop("samples")["properties"]
    # Of lists: what is listed twice would be measured twice, under one name.
    evaluation["properties"] = {key: field | {"uniqueItems": True} for key, field in fields.items()}
    evaluation["required"] = list(evaluation["properties"])
    sigmas = {"type": "array", "items": {"$ref": "#/$defs/sigma"}}
    for key in ("peakedness", "denoised"):
        evaluation["properties"][key] = evaluation["properties"][key] | sigmas
    posterior = schema["properties"]["datasets"]["additionalProperties"]["properties"]["posteriors"]
    posterior["additionalProperties"]["properties"] |= _of("Posterior")["properties"]
    schema["$defs"] |= {
        "training": training,
        "some_training": {key: value for key, value in training.items() if key != "required"},
        "evaluation": evaluation,
        "error_curve": _of("ErrorCurve"),
        "some_error_curve": {key: value for key, value in _of("ErrorCurve").items() if key != "required"},
        "plan": _of("Plan"),
        "jointly": _of("Jointly"),
        "fidelity": _of("Fidelity"),
        "tempering": _of("Tempering"),
    }
    return schema


def _of(name: str) -> dict:
    return registry.schema_of(LIBRARY / "settings.py", name)


@functools.cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(whole())


def violations(config: dict) -> list[str]:
    """What is wrong with a merged configuration by its schema: `key: problem`."""
    return _said(_validator(), config, ())


def violations_of(value, kind: str, name: str, at: Key) -> list[str]:
    """What is wrong with the settings of a prior, data set or sampler by the Config in its file."""
    return _said(Draft202012Validator(registry.schema(kind, name)), value, at)


@functools.cache
def _validator_of_family() -> Draft202012Validator:
    family = whole()["properties"]["families"]["additionalProperties"]
    return Draft202012Validator(family | {"$defs": whole()["$defs"]})


def violations_of_prior(prior: dict, at: Key) -> list[str]:
    """What is wrong with a prior's settings after its family's were added: together they are a family's whole entry."""
    own = {key: value for key, value in prior.items() if key not in ("family", "datasets", "jointly")}
    return _said(_validator_of_family(), own, at)


def is_whole_training(training: dict) -> bool:
    """Whether these settings name everything that a training has, and so also what its schedule does not read."""
    return set(whole()["$defs"]["training"]["required"]) <= set(training)


def dotted(key: Key) -> str:
    """A key as messages to users name it."""
    return ".".join(map(str, key)) or "the configuration"


def not_allowed(value, allowed: Iterable, at: Key, what: str = "") -> list[str]:
    """The problem of a value that is none of those allowed: `key: problem`, or nothing; what: it is the name of."""
    allowed = list(allowed)
    name = f"{what} {value!r}".lstrip()
    return [] if value in allowed else [f"{dotted(at)}: there is no {name}; allowed: {', '.join(allowed) or 'none'}"]


def _said(validator: Draft202012Validator, value, at: Key) -> list[str]:
    sentences: dict[str, None] = {}
    for error in sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path))):
        path = (*at, *error.absolute_path)
        description = error.schema.get("description", "")
        if error.validator == "additionalProperties":
            allowed = error.schema["properties"]
            for key in sorted(map(str, set(error.instance) - set(allowed))):
                sentences[f"{dotted((*path, key))}: unknown key; allowed: {', '.join(allowed)}"] = None
        elif error.validator == "enum":
            allowed = ", ".join(map(str, error.validator_value))
            sentences[f"{dotted(path)}: {error.instance!r} is not allowed; allowed: {allowed}"] = None
        elif error.validator in ("pattern", "not", "anyOf", "oneOf"):
            wanted = description or "see the schema"
            sentences[f"{dotted(path)}: {error.instance!r} is not allowed; allowed: {wanted}"] = None
        elif error.validator == "required":
            key = error.message.split("'")[1]
            wanted = error.schema["properties"][key].get("description", "")
            sentences["; ".join([f"{dotted((*path, key))}: is missing", *([wanted] if wanted else [])])] = None
        else:
            sentences[f"{dotted(path)}: {error.message}" + (f" ({description})" if description else "")] = None
    return list(sentences)
