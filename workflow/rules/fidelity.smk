# Needs  results/{scale}/data/{dataset}/items.parquet
#        results/{scale}/priors/{dataset}/{prior}/{prior_source}/all/seed0.safetensors
#        results/{scale}/error_curves/{dataset}/{prior}/{prior_source}.parquet
# Gives  results/{scale}/exact_posterior/{dataset}/{mix}.npy and .parquet
#        results/{scale}/fidelity/{dataset}/{prior}/{method}.parquet and .particles.parquet


rule exact_posterior:
    """Draw from the exact posterior of test mixes, and check how exact the draws are."""
    input:
        script=script("exact_posterior"),
        code=asks(lambda data, wildcards: library("exact_posterior", data=data.kind, families=["exact"])),
        data=paths.output("make_data", "data"),
        priors=asks(inputs.exact_priors),
    output:
        **paths.outputs("exact_posterior"),
    log:
        paths.log("exact_posterior"),
    benchmark:
        paths.benchmark("exact_posterior")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=settings("exact_posterior"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "--draws {output.draws:q} --rows {output.rows:q} > {log:q} 2>&1"


rule sample_posterior:
    """Sample the posterior of every test mix by a sampler, and compare its particles with exact draws."""
    input:
        script=script("sample_posterior"),
        code=asks(
            lambda data, wildcards: library("sample_posterior", **inputs.loaded_by_sampling(data, wildcards))
        ),
        data=paths.output("make_data", "data"),
        priors=asks(inputs.priors_of_sampling),
        errors=asks(inputs.errors_of_sampling),
        exact=asks(inputs.exact_priors),
        draws=asks(inputs.draws_of_sampling),
    output:
        **paths.outputs("sample_posterior"),
    log:
        paths.log("sample_posterior"),
    benchmark:
        paths.benchmark("sample_posterior")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=settings("sample_posterior"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "--errors {input.errors:q} --exact {input.exact:q} --draws {input.draws:q} --rows {output.rows:q} "
        "--particles {output.particles:q} > {log:q} 2>&1"
