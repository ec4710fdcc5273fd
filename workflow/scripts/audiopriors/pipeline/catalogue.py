"""The types of the catalogue of tables and figures, and the conditions and inputs that its entries use.

The entries are in tables.py and figures.py. In captions {scale}, {dataset}, {frame}, {items} (test items), {mixes}
(test mixes) and {seeds} (trainings) are filled in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .curves import training_curves
from .scale import DataSet

# Tables that one program computes, as they use the same rows.
LIKELIHOOD_TABLES = ("cross_likelihood", "detection", "classification", "gradient_norm")
# Tables that claims can be decided by, where a data set has them.
CLAIMED = (*LIKELIHOOD_TABLES, "truth_gap", "separation", "denoising", "posterior_fidelity")


def _always(data: DataSet, wildcards: dict[str, str] | None = None) -> bool:
    return True


@dataclass(frozen=True)
class Input:
    """Outputs of a rule's jobs: of all jobs, or of those that `only` selects by their wildcards."""

    rule: str
    output: str
    only: Callable[[DataSet, dict[str, str]], bool] = _always


@dataclass(frozen=True)
class Table:
    """A table of a data set."""

    caption: str
    inputs: tuple[Input, ...] = ()
    settings: tuple[str, ...] = ()
    "The values of `programs.table` that its program needs, beside `dataset`."
    exists: Callable[[DataSet], bool] = _always
    families: tuple[str, ...] = ()
    "Families of priors of which its program reads something by name."
    opens_data: bool = False
    "Whether its program opens the data set itself."
    rule: str = "table"


@dataclass(frozen=True)
class Figure:
    """A figure of a data set."""

    caption: str
    inputs: tuple[Input, ...]
    exists: Callable[[DataSet], bool] = _always
    captions: dict[str, str] = field(default_factory=dict)
    "Other captions, by kind of data."
    opens_data: bool = False
    "Whether its program opens the data set itself."

    def caption_of(self, kind: str) -> str:
        """Its caption for that kind of data."""
        return self.captions.get(kind, self.caption)


def table(name: str) -> Input:
    """A table of the same data set, as an input."""
    if name in LIKELIHOOD_TABLES:
        return Input("likelihood_tables", name)
    return Input("table", "table", lambda data, wildcards: wildcards["name"] == name)


def of_first_mix(data: DataSet, wildcards: dict[str, str]) -> bool:
    """Whether a job is about the data set's first mix."""
    return wildcards["mix"] == data.first_mix


def first_of_its_prior(data: DataSet, wildcards: dict[str, str]) -> bool:
    """Whether it is the prior's first run of the first mix, in the config's order."""
    methods = [run.method for run in data.runs if run.mix == data.first_mix and run.prior == wildcards["prior"]]
    return of_first_mix(data, wildcards) and methods[0] == wildcards["method"]


def accepting(data: DataSet, wildcards: dict[str, str]) -> bool:
    """Whether a run's method says of each mix if its sources were separated."""
    return data.scale.method(wildcards["method"]).accepts


def first_accepting(data: DataSet, wildcards: dict[str, str]) -> bool:
    """Whether it is the first such run of the first mix."""
    first = next(run for run in data.runs if run.mix == data.first_mix and data.scale.method(run.method).accepts)
    return wildcards["mix"] == first.mix and (wildcards["prior"], wildcards["method"]) == (first.prior, first.method)


def has_runs(data: DataSet) -> bool:
    """Whether anything is separated."""
    return bool(data.runs)


def separates_first_mix(data: DataSet) -> bool:
    """Whether a run separates the first mix."""
    return any(run.mix == data.first_mix for run in data.runs)


def has_accepting(data: DataSet) -> bool:
    """Whether a run's method says of each mix if its sources were separated."""
    return any(data.scale.method(run.method).accepts for run in data.runs)


def accepts_first_mix(data: DataSet) -> bool:
    """Whether such a run separates the first mix."""
    return any(run.mix == data.first_mix and data.scale.method(run.method).accepts for run in data.runs)


def has_fidelity(data: DataSet) -> bool:
    """Whether samplers are compared with the exact posterior."""
    return bool(data.fidelity)


def has_planned(data: DataSet) -> bool:
    """Whether a run's noise levels are planned from error curves."""
    return any(data.scale.method(run.method).planned for run in data.runs)


def has_posteriors(data: DataSet) -> bool:
    """Whether there are posterior models."""
    return bool(data.posteriors)


def posterior_of_first_mix(data: DataSet) -> bool:
    """Whether there is a posterior model of the first mix."""
    return any(data.first_mix in posterior["mixes"] for posterior in data.posteriors.values())


def has_exact(data: DataSet) -> bool:
    """Whether there is an exact prior."""
    return data.exact is not None


def has_tracks(data: DataSet) -> bool:
    """Whether items belong to tracks."""
    return data.kind == "music"


def has_training_curves(data: DataSet) -> bool:
    """Whether there are trainings that differ in their number of steps only."""
    return bool(training_curves(data))


def has_published(data: DataSet) -> bool:
    """Whether there are priors trained as the authors did."""
    return bool(data.published)


def has_joint(data: DataSet) -> bool:
    """Whether there are priors that are trained together."""
    return bool(data.joint_priors)


def trained(data: DataSet, wildcards: dict[str, str]) -> bool:
    """Whether a model of that prior is trained on its own."""
    prior = data.scale.prior(wildcards["prior"])
    return prior.training is not None and not prior.jointly


def compared_with_joint(data: DataSet, wildcards: dict[str, str]) -> bool:
    """Whether it is a prior trained together with others, the one that such a prior starts from, or the exact prior."""
    return wildcards["prior"] in (*data.joint_priors, *data.joint_priors.values(), data.exact)


def of_own_prior(data: DataSet, wildcards: dict[str, str]) -> bool:
    """Whether it is the first training of a prior that is neither a published one nor trained with others."""
    return wildcards["prior"] in data.separate_priors and wildcards["replicate"] == "0"


ITEMS = Input("make_data", "data")
MEASURES = Input("evaluate_prior", "measures")
DENOISED = Input("evaluate_prior", "denoised")
MAPS = Input("evaluate_prior", "maps", of_own_prior)
PARTICLES = Input("separate", "particles", accepting)
