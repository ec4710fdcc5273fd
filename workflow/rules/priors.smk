# Needs  results/{scale}/data/{dataset}/items.parquet
# Gives  results/{scale}/priors/{dataset}/{prior}/{prior_source}/{sigma}/seed{replicate}.safetensors and .losses.csv
#        results/{scale}/priors/{dataset}/{prior}/all-sources/{sigma}/seed{replicate}.safetensors and .losses.csv
#        results/{scale}/samples/{dataset}/{prior}.npy


rule train_prior:
    """Train one prior: one source, one noise level, one replicate; interrupted, it continues where it was."""
    input:
        script=script("train_prior"),
        code=library_of_prior("train_prior"),
        data=paths.output("make_data", "data"),
        initial=asks(inputs.initial_prior),
    output:
        **paths.outputs("train_prior"),
    log:
        paths.log("train_prior"),
    benchmark:
        paths.benchmark("train_prior")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("train_minutes"),
    params:
        settings=settings("train_prior"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --code {input.code:q} "
        "--initial {input.initial:q} --minutes {resources.runtime} --prior {output.prior:q} --losses {output.losses:q} "
        "> {log:q} 2>&1"


rule train_jointly:
    """Train the priors of all sources together, from separate ones; `train_prior` then takes each out of the file."""
    input:
        script=script("train_jointly"),
        code=library_of_prior("train_jointly"),
        data=paths.output("make_data", "data"),
        initial=asks(inputs.separate_models),
    output:
        **paths.outputs("train_jointly"),
    log:
        paths.log("train_jointly"),
    benchmark:
        paths.benchmark("train_jointly")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("train_minutes"),
    params:
        settings=settings("train_jointly"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --code {input.code:q} "
        "--initial {input.initial:q} --minutes {resources.runtime} --priors {output.priors:q} --losses {output.losses:q} "
        "> {log:q} 2>&1"


rule sample_prior:
    """Draw waveforms from one prior: a set for each source and noise level."""
    input:
        script=script("sample_prior"),
        code=library_of_prior("sample_prior"),
        priors=asks(inputs.sampled_models),
    output:
        **paths.outputs("sample_prior"),
    log:
        paths.log("sample_prior"),
    benchmark:
        paths.benchmark("sample_prior")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=settings("sample_prior"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --priors {input.priors:q} "
        "--output {output.samples:q} > {log:q} 2>&1"
