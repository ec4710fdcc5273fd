"""Parts of a configuration that no scale uses: priors without a data set, titles of nothing, runs without models.

A single scale may leave them out, such as a run with sigmas that it does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .scale import DataSet, Scale
from .schema import Key

Use = tuple[Key, bool, str]  # a key, whether a scale uses it, and what is wrong if none does


def never_used(scales: Iterable[dict]) -> dict[Key, str]:
    """Priors that no data set of these scales has, titles of nothing, and runs that none of them can run."""
    return _nowhere(use for whole in scales for use in _uses(Scale("", whole)))


def never_separates_files(scales: Iterable[dict]) -> dict[Key, str]:
    """Methods for recordings that the prior beside them can run at none of these scales."""
    every = [data for whole in scales for data in Scale("", whole).datasets.values()]
    return _nowhere(
        _run(data, **file, at=("datasets", data.name, "file", "method")) for data in every if (file := data.file)
    )


def _nowhere(uses: Iterable[Use]) -> dict[Key, str]:
    uses = list(uses)
    used = {key for key, is_used, _ in uses if is_used}
    return {key: problem for key, _, problem in uses if key not in used}


def _uses(scale: Scale) -> Iterator[Use]:
    every = scale.datasets.values()
    names = {name for data in every for name in (*data.own_priors, *data.published)}
    names |= {supervised["prior"] for data in every for supervised in data.supervised.values()}
    names |= {posterior["encoder"] for data in every for posterior in data.posteriors.values()}
    for name in scale.priors:
        problem = "has no effect, as no data set has it; give it `datasets: [...]`, with their names"
        yield ("priors", name), name in names, problem
    titled = {name for data in every for name in data.titles}
    for name in scale.settings.get("titles", {}):
        problem = (
            "no figure shows anything of that name; it must be one of a prior, method, posterior model, supervised "
            "separator, reference or mix"
        )
        yield ("titles", name), name in titled, problem
    for data in every:
        for method, runs in data.settings["runs"].items():
            for prior in runs:
                yield _run(data, prior, method, ("datasets", data.name, "runs", method, prior))


def _run(data: DataSet, prior: str, method: str, at: Key) -> Use:
    able = [name for name in data.scale.settings["separation"]["methods"] if data.can_run(prior, name)]
    return at, method in able, f"{prior} has no models of what {method} needs; allowed: {', '.join(able) or 'none'}"
