"""What the page that tells a run's story reads, and what its program gets of the config."""

from __future__ import annotations

from . import paths
from .catalogue import accepting
from .figures import FIGURES
from .jobs import csvs, jobs, resolve, select, table_path
from .scale import DataSet, Run, Scale

PAGES = {"page_of_file": "separated", "page_of_scores": "scored"}  # of recordings


def inputs(scale: Scale, names: list[str]) -> dict[str, list[str]]:
    """The files that the page reads, by the option of its program; of each data set in turn."""
    listed: dict[str, list[str]] = {key: [] for key in ("figures", "sounds", "wavs", "states", "traces", "pages")}
    for data in map(scale.dataset, names):
        listed["figures"] += select(data, "figure", "png")
        listed["sounds"] += select(data, "audio", "index")
        listed["wavs"] += select(data, "audio", "wavs")
        listed["pages"] += [path for rule in PAGES for path in select(data, rule, "page")]
        run = forming_run(data)
        if run:
            of_run = {"prior": run.prior, "method": run.method, "mix": run.mix}
            listed["states"] += select(data, "separate", "forming", **of_run)
            listed["traces"] += select(data, "separate", "trace", **of_run)
    return listed | {"tables": csvs(scale, names)}


def settings(scale: Scale, names: list[str]) -> dict:
    """What the program of the page gets of the config."""
    together = names == scale.settings["build"]
    beside = {"report": "report", "checksums": "checksums"}
    rules = {kind: rule if together else f"{rule}_of_dataset" for kind, rule in beside.items()}
    links = {kind: next(iter(paths.outputs(rule).values())) for kind, rule in rules.items()}
    return {
        "scale": scale.name,
        "paper_size": scale.settings["paper_size"],
        "links": {kind: path.format(scale=scale.name, dataset=names[0]) for kind, path in links.items()},
        "headlines": scale.settings.get("headlines", []),
        "datasets": [_of_data(data) for data in map(scale.dataset, names)],
    }


def _of_data(data: DataSet) -> dict:
    run = forming_run(data)
    return {
        "kind": data.kind,
        "figures": [job.wildcards["name"] for job in jobs(data) if job.rule == "figure"],
        "sources": data.sources,
        "facts": data.facts,
        "first_mix": data.first_mix,
        "titles": data.titles,
        "sounds": bool(data.runs),
        "recordings": [
            f"{job.wildcards['recording']}, {said}"
            for rule, said in PAGES.items()
            for job in jobs(data)
            if job.rule == rule
        ],
        "forming": run and {"prior": run.prior, "method": run.method, "sources": data.mix(run.mix)["sources"]},
        "claims": figures_of_claims(data),
    }


def forming_run(data: DataSet) -> Run | None:
    """The run of the first mix whose estimates the page shows at each noise level.

    It is the first that says of each mix if its sources were separated, as in the figure `forming`; without one, the
    first whose noise levels are planned.
    """
    runs = [run for run in data.runs if run.mix == data.first_mix]
    judging = [run for run in runs if accepting(data, {"method": run.method})]
    planned = [run for run in runs if data.scale.method(run.method).planned]
    return next(iter(judging + planned), None)


def figures_of_claims(data: DataSet) -> dict[str, str]:
    """The figure that shows the numbers of each claim about the data set; none for a claim that no figure shows."""
    about = [claim for claim in data.scale.settings["claims"] if data.name in claim["datasets"]]
    tables = {claim["label"]: claim["table"] for claim in about if "label" in claim and "table" in claim}
    listed = {}
    for claim in about:
        of_parts = {tables[part] for part in claim.get("all_of", []) if part in tables}
        figure = figure_of(data, {claim["table"]} if "table" in claim else of_parts)
        for source in data.sources if claim.get("each") else [""]:
            listed[claim["claim"].format(prior_source=source)] = figure
    return {claim: figure for claim, figure in listed.items() if figure}


def figure_of(data: DataSet, tables: set[str]) -> str:
    """The figure that is drawn from all of these tables: the one with a table's name, else the first; "" for none."""
    if not tables:
        return ""
    wanted = {table_path(data, name) for name in tables}
    showing = [
        name for name, figure in FIGURES.items() if figure.exists(data) and wanted <= {*resolve(data, figure.inputs)}
    ]
    return next((name for name in showing if name in tables), next(iter(showing), ""))
