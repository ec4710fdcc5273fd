"""The paths of all files below `results/{scale}`: each rule's outputs, its log and its clock times."""

from __future__ import annotations

RESULTS = "results/{scale}"

# The names and paths of each rule's outputs.
_OUTPUTS = {
    "make_data": {"data": "data/{dataset}/items.parquet"},
    "train_prior": {
        "prior": "priors/{dataset}/{prior}/{prior_source}/{sigma}/seed{replicate}.safetensors",
        "losses": "priors/{dataset}/{prior}/{prior_source}/{sigma}/seed{replicate}.losses.csv",
    },
    "train_jointly": {  # a source's name has no -
        "priors": "priors/{dataset}/{prior}/all-sources/{sigma}/seed{replicate}.safetensors",
        "losses": "priors/{dataset}/{prior}/all-sources/{sigma}/seed{replicate}.losses.csv",
    },
    "sample_prior": {"samples": "samples/{dataset}/{prior}.npy"},
    "evaluate_prior": {
        "measures": "likelihood/{dataset}/{prior}/{prior_source}/seed{replicate}.parquet",
        "denoised": "likelihood/{dataset}/{prior}/{prior_source}/seed{replicate}.denoised.parquet",
        "maps": "likelihood/{dataset}/{prior}/{prior_source}/seed{replicate}.maps.npy",
    },
    "error_curve": {"errors": "error_curves/{dataset}/{prior}/{prior_source}.parquet"},
    "train_separator": {
        "separator": "separation/{dataset}/supervised/{separator}/{mix}.safetensors",
        "losses": "separation/{dataset}/supervised/{separator}/{mix}.losses.csv",
    },
    "separate_reference": {"rows": "separation/{dataset}/reference/{mix}.parquet"},
    "train_posterior": {
        "posterior": "posteriors/{dataset}/{posterior}/{mix}.safetensors",
        "losses": "posteriors/{dataset}/{posterior}/{mix}.losses.csv",
    },
    "separate_posterior": {
        "rows": "posteriors/{dataset}/{posterior}/{mix}.parquet",
        "bounds": "posteriors/{dataset}/{posterior}/{mix}.bounds.parquet",
        "denoised": "posteriors/{dataset}/{posterior}/{mix}.denoised.parquet",
        "bands": "posteriors/{dataset}/{posterior}/{mix}.bands.npy",
    },
    "separate": {
        "rows": "separation/{dataset}/{prior}/{method}/{mix}.parquet",
        "trace": "separation/{dataset}/{prior}/{method}/{mix}.trace.parquet",
        "particles": "separation/{dataset}/{prior}/{method}/{mix}.particles.parquet",
        "forming": "separation/{dataset}/{prior}/{method}/{mix}.forming.npy",
        "examples": "separation/{dataset}/{prior}/{method}/{mix}.examples.npy",
    },
    "exact_posterior": {
        "draws": "exact_posterior/{dataset}/{mix}.npy", "rows": "exact_posterior/{dataset}/{mix}.parquet",
    },
    "sample_posterior": {
        "rows": "fidelity/{dataset}/{prior}/{method}.parquet",
        "particles": "fidelity/{dataset}/{prior}/{method}.particles.parquet",
    },
    "likelihood_tables": {
        name: f"tables/{{dataset}}/{name}.csv"
        for name in ("cross_likelihood", "detection", "classification", "gradient_norm")
    },
    "table": {"table": "tables/{dataset}/{name}.csv"},
    "costs": {"table": "tables/{dataset}/costs.csv"},
    "combine_tables": {
        "page": "tables/{name}.html", "csv": "tables/{name}.csv", "markdown": "tables/{name}.md",
    },
    "show_table": {"page": "tables/{dataset}/{name}.html", "markdown": "tables/{dataset}/{name}.md"},
    "figure": {kind: f"figures/{{name}}_{{dataset}}.{kind}" for kind in ("pdf", "png", "csv")},
    "audio": {
        "wavs": "audio/{dataset}", "index": "audio/{dataset}.json", "page": "figures/listen_{dataset}.html",
    },
    "separate_recording": {
        "wavs": "files/{dataset}/{recording}/{prior}/{method}/wavs",
        "levels": "files/{dataset}/{recording}/{prior}/{method}/levels.csv",
        "about": "files/{dataset}/{recording}/{prior}/{method}/about.json",
        "forming": "files/{dataset}/{recording}/{prior}/{method}/forming.npy",
    },
    "score_recording": {
        "measures": "files/{dataset}/{recording}/scores.csv", "maps": "files/{dataset}/{recording}/maps.parquet",
    },
    "figure_separated_file": {
        kind: f"files/{{dataset}}/{{recording}}/{{prior}}/{{method}}/separated.{kind}" for kind in ("pdf", "png", "csv")
    },
    "figure_scored_file": {
        "pdf": "files/{dataset}/{recording}/scores.pdf",
        "png": "files/{dataset}/{recording}/scores.png",
        "csv": "files/{dataset}/{recording}/scores_figure.csv",
    },
    "ship": {"folder": "shipped/{dataset}"},
    "page_of_file": {"page": "files/{dataset}/{recording}/{prior}/{method}/index.html"},
    "page_of_scores": {"page": "files/{dataset}/{recording}/index.html"},
    "index": {"page": "index.html"},
    "index_of_dataset": {"page": "index_{dataset}.html"},
    "report": {"page": "report.html"},
    "report_of_dataset": {"page": "report_{dataset}.html"},
    "checksums": {"list": "checksums.txt"},
    "checksums_of_dataset": {"list": "checksums_{dataset}.txt"},
    "forecast": {"table": "forecast/{dataset}.md"},
}  # fmt: skip

# Where each rule's log and clock times lie below `logs/RULE` and `benchmarks/RULE`.
_PLACES = {
    "make_data": "{dataset}",
    "train_prior": "{dataset}/{prior}/{prior_source}/{sigma}/seed{replicate}",
    "train_jointly": "{dataset}/{prior}/{sigma}/seed{replicate}",
    "sample_prior": "{dataset}/{prior}",
    "evaluate_prior": "{dataset}/{prior}/{prior_source}/seed{replicate}",
    "error_curve": "{dataset}/{prior}/{prior_source}",
    "train_separator": "{dataset}/{separator}/{mix}",
    "separate_reference": "{dataset}/{mix}",
    "train_posterior": "{dataset}/{posterior}/{mix}",
    "separate_posterior": "{dataset}/{posterior}/{mix}",
    "separate": "{dataset}/{prior}/{method}/{mix}",
    "exact_posterior": "{dataset}/{mix}",
    "sample_posterior": "{dataset}/{prior}/{method}",
    "likelihood_tables": "{dataset}",
    "table": "{name}_{dataset}",
    "costs": "{dataset}",
    "combine_tables": "{name}",
    "show_table": "{dataset}/{name}",
    "figure": "{name}_{dataset}",
    "audio": "{dataset}",
    "separate_recording": "{dataset}/{recording}/{prior}/{method}",
    "score_recording": "{dataset}/{recording}",
    "figure_separated_file": "{dataset}/{recording}/{prior}/{method}",
    "figure_scored_file": "{dataset}/{recording}",
    "ship": "{dataset}",
    "page_of_file": "{dataset}/{recording}/{prior}/{method}",
    "page_of_scores": "{dataset}/{recording}",
    "index": "index",
    "index_of_dataset": "{dataset}",
    "report": "report",
    "report_of_dataset": "{dataset}",
    "checksums": "checksums",
    "checksums_of_dataset": "{dataset}",
    "forecast": "{dataset}",
}


def outputs(rule: str) -> dict[str, str]:
    """The outputs of a rule by name, with wildcards."""
    return {name: f"{RESULTS}/{path}" for name, path in _OUTPUTS[rule].items()}


def output(rule: str, name: str) -> str:
    """One output of a rule, with wildcards."""
    return outputs(rule)[name]


def log(rule: str) -> str:
    """The file where a rule's program writes its lines of progress and its errors."""
    return f"{RESULTS}/logs/{rule}/{_PLACES[rule]}.log"


def benchmark(rule: str) -> str:
    """The file where Snakemake writes a rule's clock times."""
    return f"{RESULTS}/benchmarks/{rule}/{_PLACES[rule]}.tsv"
