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


# The other targets are made in paper.smk: one a scale, and one a scale and data set (full, quick_toy, ...).


rule all:
    """What `snakemake` alone builds: the quick scale."""
    default_target: True
    input:
        "results/quick/report.html",
    localrule: True
