# Needs the data's items and the priors of one source. Gives their scores on every test input, one row an item.


rule evaluate_prior:
    """Score the priors of one source on every source, the mix, constants and noise, at every noise level of the data."""
    input:
        script=script("evaluate_prior"),
        code=lambda wildcards: [*data_code(wildcards), *prior_code(wildcards), *library("likelihood.py")],
        data=ITEMS,
        priors=lambda wildcards: expand(PRIOR, sigma=levels(wildcards), allow_missing=True),
    output:
        SCORES,
    log:
        "results/{scale}/logs/evaluate_prior/{dataset}/{family}/{source}/seed{replicate}.log",
    benchmark:
        "results/{scale}/benchmarks/evaluate_prior/{dataset}/{family}/{source}/seed{replicate}.tsv"
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
            dataset=wildcards.dataset,
            data=data_of(wildcards),
            sources=dataset(wildcards)["sources"],
            frame=dataset(wildcards)["frame"],
            prior=wildcards.family,
            family=prior(wildcards)["family"],
            model=prior(wildcards)["model"],
            prior_source=wildcards.source,
            levels=levels(wildcards),
            replicate=int(wildcards.replicate),
            sigmas=data_levels(wildcards),
            evaluation=evaluation_of(wildcards),
            seed=[at(wildcards)["seed"], "evaluate", wildcards.dataset],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "--output {output:q} > {log:q} 2>&1"
