"""Rebuild and test "Problems using deep generative models for probabilistic audio source separation"."""

from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"
configfile: "scales.yaml"
configfile: "claims.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/priors.smk"
include: "workflow/rules/likelihood.smk"
include: "workflow/rules/separation.smk"
include: "workflow/rules/posteriors.smk"
include: "workflow/rules/fidelity.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/files.smk"
include: "workflow/rules/shipped.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/forecast.smk"


# The other targets are made in report.smk: one a scale, and one a scale and data set (full, quick_toy, ...).


rule all:
    """What `snakemake` alone builds: the quick scale."""
    default_target: True
    input:
        "results/quick/index.html",
        "results/quick/report.html",
        "results/quick/checksums.txt",
    localrule: True


onstart:
    # Snakemake looks for ready jobs again a second after each look, once for every job that has finished, so that a long
    # run spends a part of a core on that: 16 % after 110 jobs. Nothing here needs a limit of new jobs per second, and no
    # option lifts it: --max-jobs-per-timespan with a long timespan makes Snakemake wait that long before it ends.
    workflow.scheduler.job_rate_limiter = None
    for scale in SCALES.values():
        file = Path(scale.record[0])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(scale.text, encoding="utf-8")
