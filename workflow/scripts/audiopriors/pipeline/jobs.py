"""The list of a data set's jobs. Targets, checksums, clock times and the forecast are selections from it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from ..audio import roots
from . import paths
from .catalogue import Input
from .figures import FIGURES
from .scale import DataSet, Scale
from .tables import TABLES

# Rules whose clock times `costs` adds up.
TIMED = (
    "make_data", "train_prior", "train_jointly", "evaluate_prior", "sample_prior", "separate", "error_curve",
    "train_separator", "separate_reference", "train_posterior", "separate_posterior", "exact_posterior",
    "sample_posterior",
)  # fmt: skip
# Rules whose results are clock times, pages and sounds, or are computed from a recording: they have no checksum.
UNLISTED = (
    "costs", "audio", "separate_recording", "score_recording", "figure_separated_file", "figure_scored_file",
    "page_of_file", "page_of_scores",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One job: its rule and wildcards."""

    rule: str
    wildcards: dict[str, str]

    @property
    def outputs(self) -> dict[str, str]:
        """The job's outputs by name."""
        return {name: path.format(**self.wildcards) for name, path in paths.outputs(self.rule).items()}

    @property
    def benchmark(self) -> str:
        """The file of the job's clock times."""
        return paths.benchmark(self.rule).format(**self.wildcards)


@functools.cache
def jobs(data: DataSet) -> tuple[Job, ...]:
    """Every job of the data set, including those for the recording that comes with the pipeline."""

    def listed() -> Iterator[tuple[str, dict]]:
        yield "make_data", {}
        for prior in data.priors:
            for source in data.sources:
                of_source = {"prior": prior.name, "prior_source": source}
                for sigma in prior.levels:
                    for replicate in data.replicates(prior):
                        yield "train_prior", of_source | {"sigma": sigma, "replicate": replicate}
                for replicate in data.replicates(prior):
                    yield "evaluate_prior", of_source | {"replicate": replicate}
        for name in data.joint_priors:
            prior = data.scale.prior(name)
            for sigma in prior.levels:
                for replicate in data.replicates(prior):
                    yield "train_jointly", {"prior": name, "sigma": sigma, "replicate": replicate}
        for name in data.separate_priors:
            yield "sample_prior", {"prior": name}
        curves = {
            (run.prior, source): None
            for run in data.runs
            if data.scale.method(run.method).planned
            for source in data.mix(run.mix)["sources"]
        }
        curves |= {(run.prior, source): None for run in data.fidelity_runs for source in data.mixed_sources}
        for name, source in curves:
            yield "error_curve", {"prior": name, "prior_source": source}
        for separator, settings in data.supervised.items():
            for mix in settings["mixes"]:
                yield "train_separator", {"separator": separator, "mix": mix}
        for posterior, settings in data.posteriors.items():
            for mix in settings["mixes"]:
                yield "train_posterior", {"posterior": posterior, "mix": mix}
                yield "separate_posterior", {"posterior": posterior, "mix": mix}
        for mix in dict.fromkeys(run.mix for run in data.runs):
            yield "separate_reference", {"mix": mix}
        for run in data.runs:
            yield "separate", {"prior": run.prior, "method": run.method, "mix": run.mix}
        for mix in data.settings["mixes"] if data.fidelity else ():
            yield "exact_posterior", {"mix": mix}
        for run in data.fidelity_runs:
            yield "sample_posterior", {"prior": run.prior, "method": run.method}
        yield "likelihood_tables", {}
        yield "costs", {}
        for name, table in TABLES.items():
            if table.rule == "table" and table.exists(data):
                yield "table", {"name": name}
        for name, figure in FIGURES.items():
            if figure.exists(data):
                yield "figure", {"name": name}
        if data.runs:
            yield "audio", {}
        if data.file:
            of_song = {"recording": roots.REAL_SONG}
            of_separated = ("separate_recording", "figure_separated_file", "page_of_file")
            for rule in of_separated if data.can_run(**data.file) else ():
                yield rule, of_song | data.file
            for rule in ("score_recording", "figure_scored_file", "page_of_scores"):
                yield rule, of_song

    of_data = {"scale": data.scale.name, "dataset": data.name}
    return tuple(
        Job(rule, of_data | {key: str(value) for key, value in wildcards.items()}) for rule, wildcards in listed()
    )


def select(data: DataSet, rule: str, output: str, **only: str) -> list[str]:
    """The paths of one output of a rule's jobs; with `only`, of those with these wildcards."""
    return [
        job.outputs[output]
        for job in jobs(data)
        if job.rule == rule and all(job.wildcards[key] == value for key, value in only.items())
    ]


def resolve(data: DataSet, inputs: tuple[Input, ...]) -> list[str]:
    """The paths of a table's or figure's inputs."""
    return [
        job.outputs[one.output]
        for one in inputs
        for job in jobs(data)
        if job.rule == one.rule and one.only(data, job.wildcards)
    ]


def timed(data: DataSet) -> list[str]:
    """The files of clock times of every training, evaluation, sampling and separation."""
    return [job.benchmark for rule in TIMED for job in jobs(data) if job.rule == rule]


def table_path(data: DataSet, name: str) -> str:
    """The path of that table of the data set."""
    rule = TABLES[name].rule
    return paths.output(rule, name if rule == "likelihood_tables" else "table").format(
        scale=data.scale.name, dataset=data.name, name=name
    )


def reproducible(scale: Scale, names: list[str]) -> list[str]:
    """Every file of these data sets that is the same from run to run: not clock times, pages, sounds and logs."""
    listed = [
        path
        for name in names
        for job in jobs(scale.dataset(name))
        if job.rule not in UNLISTED
        for path in job.outputs.values()
    ]
    kinds = [table for table in TABLES if TABLES[table].rule not in UNLISTED]
    return listed + [path for path in _put_together(scale, names, kinds) if not path.endswith(".html")]


def shown(scale: Scale, names: list[str]) -> list[str]:
    """Figures, sounds and tables of these data sets, as the report shows them."""
    pictures, pages, files = [], [], []
    for job in (job for name in names for job in jobs(scale.dataset(name))):
        if job.rule == "figure":
            pictures.append(job.outputs["png"])
        elif job.rule == "audio":
            pages.append(job.outputs["page"])
        elif job.rule in ("figure_separated_file", "figure_scored_file"):
            files.append(job.outputs["png"])
        elif job.rule == "page_of_file":
            files.append(job.outputs["page"])
    tables = [path for path in _put_together(scale, names, list(TABLES)) if path.endswith(".html")]
    return pictures + pages + files + tables


def _put_together(scale: Scale, names: list[str], tables: list[str]) -> list[str]:
    """The files of these tables.

    There is one table of each kind if the data sets are those that the scale builds, else each data set has its own.
    """
    together = names == scale.settings["build"]
    rule = "combine_tables" if together else "show_table"
    kinds = [table for table in tables if any(TABLES[table].exists(scale.dataset(name)) for name in names)]
    return [
        path.format(scale=scale.name, dataset=name, name=kind)
        for kind in kinds
        for name in (names[:1] if together else names)
        if together or TABLES[kind].exists(scale.dataset(name))
        for path in paths.outputs(rule).values()
    ]


def csvs(scale: Scale, names: list[str]) -> list[str]:
    """The CSV of each table of these data sets, see `_put_together`."""
    together = [path for path in _put_together(scale, names, list(TABLES)) if path.endswith(".csv")]
    every = [(scale.dataset(name), table) for name in names for table in TABLES]
    return together or [table_path(data, table) for data, table in every if TABLES[table].exists(data)]


def tables_named(scale: Scale, name: str) -> list[str]:
    """That table of every data set that the scale builds and that has it."""
    built = [scale.dataset(dataset) for dataset in scale.settings["build"]]
    return [table_path(data, name) for data in built if TABLES[name].exists(data)]


def of_recording(data: DataSet, recording: str) -> dict[str, list[str]]:
    """The files that the targets separate_file and score_file of a data set build, if it takes recordings."""
    if not data.file:
        return {}
    place = {"scale": data.scale.name, "dataset": data.name, "recording": recording, **data.file}
    return {
        "separate_file": [
            paths.output(rule, output).format(**place)
            for rule, output in (("figure_separated_file", "png"), ("page_of_file", "page"))
        ],
        "score_file": [
            paths.output(rule, output).format(**place)
            for rule, output in (("figure_scored_file", "png"), ("page_of_scores", "page"))
        ],
    }
