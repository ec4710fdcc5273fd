"""Rebuild and test "Problems using deep generative models for probabilistic audio source separation"."""

from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"
configfile: "claims.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/priors.smk"
include: "workflow/rules/likelihood.smk"
include: "workflow/rules/separation.smk"
include: "workflow/rules/files.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/cost.smk"


# The other targets are made in paper.smk: one a scale, and one a scale and data set (full, quick_toy, ...).


rule all:
    """What `snakemake` alone builds: the quick scale."""
    default_target: True
    input:
        "results/quick/report.html",
        "results/quick/checksums.txt",
    localrule: True


onstart:
    # Snakemake looks for ready jobs again a second after each look, once for every job that has finished, so that a long
    # run spends a part of a core on that: 16 % after 110 jobs. Nothing here needs a limit of new jobs per second.
    workflow.scheduler.job_rate_limiter = None
    for path, text in configurations().values():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
