# Needs  results/{scale}/data/{dataset}/items.parquet
#        results/{scale}/priors/{dataset}/{prior}/{prior_source}/{sigma}/seed0.safetensors
# Gives  results/{scale}/posteriors/{dataset}/{posterior}/{mix}.safetensors, .losses.csv, .parquet, .bounds.parquet,
#        .denoised.parquet, .bands.npy


rule train_posterior:
    """Train the posterior model of a mix against frozen priors; interrupted, it continues where it was."""
    input:
        script=script("train_posterior"),
        code=asks(
            lambda data, wildcards: library("train_posterior", **inputs.loaded_by_posterior(data, wildcards))
        ),
        data=paths.output("make_data", "data"),
        priors=asks(inputs.priors_of_posterior),
        start=asks(inputs.start_of_posterior),
    output:
        **paths.outputs("train_posterior"),
    log:
        paths.log("train_posterior"),
    benchmark:
        paths.benchmark("train_posterior")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("train_minutes"),
    params:
        settings=settings("train_posterior"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --code {input.code:q} "
        "--priors {input.priors:q} --start {input.start:q} --minutes {resources.runtime} "
        "--posterior {output.posterior:q} --losses {output.losses:q} > {log:q} 2>&1"


rule separate_posterior:
    """Separate test mixes by a posterior model, with its evidence lower bound and its calibration."""
    input:
        script=script("separate_posterior"),
        code=asks(
            lambda data, wildcards: library(
                "separate_posterior", **inputs.loaded_by_posterior(data, wildcards)
            )
        ),
        data=paths.output("make_data", "data"),
        posterior=paths.output("train_posterior", "posterior"),
        priors=asks(inputs.priors_of_posterior),
    output:
        **paths.outputs("separate_posterior"),
    log:
        paths.log("separate_posterior"),
    benchmark:
        paths.benchmark("separate_posterior")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=settings("separate_posterior"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} "
        "--posterior {input.posterior:q} --priors {input.priors:q} --rows {output.rows:q} "
        "--bounds {output.bounds:q} --denoised {output.denoised:q} --bands {output.bands:q} > {log:q} 2>&1"
