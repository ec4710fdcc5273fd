"""Trainings of a data set that differ in their number of steps only: what more training is worth."""

from __future__ import annotations

import json

from .scale import DataSet


def training_curves(data: DataSet) -> list[dict]:
    """Methods under priors, and supervised separators, of which there are trainings of several lengths.

    Each has a `title`, `methods`, and `steps`: for each prior, or separator, the steps of all its models together. A
    separator is its own method.
    """
    curves: dict[str, dict] = {}

    def add(title: str, method: str, name: str, steps: int, *else_alike) -> None:
        curve = curves.setdefault(json.dumps([title, *else_alike]), {"title": title, "methods": [], "steps": {}})
        curve["methods"].append(method)
        curve["steps"][name] = steps

    for run in data.runs:
        prior = data.scale.prior(run.prior)
        if run.mix == data.first_mix and prior.serves_all and prior.training:
            models, others = len(data.mix(run.mix)["sources"]), prior.training | {"steps": 0}
            add(run.method, run.method, prior.name, models * prior.training["steps"], prior.model, others)
    for name, separator in data.supervised.items():
        if data.first_mix in separator["mixes"]:
            model, training = data.scale.prior(separator["prior"]).model, data.separator_training(name)
            others, draw = training | {"steps": 0}, separator.get("draw", "apart")
            add("supervised", name, name, training["steps"], model, others, draw)
    return [curve for curve in curves.values() if len(set(curve["steps"].values())) > 1]
