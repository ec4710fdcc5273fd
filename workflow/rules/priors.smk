# Needs the data's items. Gives trained priors with their loss tables, and samples of them.


rule train_prior:
    """Train one prior: one source, one noise level, one replicate; interrupted, it continues where it was."""
    input:
        script=script("train_prior"),
        code=lambda wildcards: [*data_code(wildcards), *prior_code(wildcards), *library("training.py", "optimiser.py", "resume.py")],
        data=ITEMS,
        initial=initial_prior,
    output:
        prior=PRIOR,
        losses=LOSSES,
    log:
        "results/{scale}/logs/train_prior/{dataset}/{family}/{source}/{sigma}/seed{replicate}.log",
    benchmark:
        "results/{scale}/benchmarks/train_prior/{dataset}/{family}/{source}/{sigma}/seed{replicate}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("train_minutes"),
    params:
        settings=train_settings,
        initial=lambda wildcards, input: f"--initial {input.initial}" if input.initial else "",
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --code {input.code:q} "
        "{params.initial} --minutes {resources.runtime} --prior {output.prior:q} --losses {output.losses:q} "
        "> {log:q} 2>&1"


rule sample_prior:
    """Draw waveforms from the priors of one family: a set for each source and noise level."""
    input:
        script=script("sample_prior"),
        code=prior_code,
        priors=lambda wildcards: expand(
            PRIOR,
            source=dataset(wildcards)["sources"],
            sigma=levels(wildcards),
            replicate=0,
            allow_missing=True,
        ),
    output:
        SAMPLES,
    log:
        "results/{scale}/logs/sample_prior/{dataset}/{family}.log",
    benchmark:
        "results/{scale}/benchmarks/sample_prior/{dataset}/{family}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=lambda wildcards: as_json(
            threads=at(wildcards)["threads"],
            sources=dataset(wildcards)["sources"],
            levels=levels(wildcards),
            sigmas=sigmas(wildcards),
            samples=at(wildcards)["evaluation"]["samples"],
            frame=dataset(wildcards)["frame"],
            seed=[at(wildcards)["seed"], "sample", wildcards.dataset, wildcards.family],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --priors {input.priors:q} --output {output:q} "
        "> {log:q} 2>&1"
