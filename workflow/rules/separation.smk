# Needs  results/{scale}/data/{dataset}/items.parquet
#        results/{scale}/priors/{dataset}/{prior}/{prior_source}/{sigma}/seed0.safetensors
# Gives  results/{scale}/error_curves/{dataset}/{prior}/{prior_source}.parquet
#        results/{scale}/separation/{dataset}/{prior}/{method}/{mix}.parquet, .trace.parquet, .particles.parquet,
#        .forming.npy, .examples.npy
#        results/{scale}/separation/{dataset}/supervised/{separator}/{mix}.safetensors and .losses.csv
#        results/{scale}/separation/{dataset}/reference/{mix}.parquet


rule error_curve:
    """How well a prior denoises its own source at each noise level: what samplers' levels are planned from."""
    input:
        script=script("error_curve"),
        code=library_of_prior("error_curve"),
        data=paths.output("make_data", "data"),
        prior=expand(paths.output("train_prior", "prior"), sigma="all", replicate=0, allow_missing=True),
    output:
        **paths.outputs("error_curve"),
    log:
        paths.log("error_curve"),
    benchmark:
        paths.benchmark("error_curve")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=settings("error_curve"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --prior {input.prior:q} "
        "--output {output.errors:q} > {log:q} 2>&1"


rule separate:
    """Separate test mixes by sampling p(sources | mix) under trained priors."""
    input:
        script=script("separate"),
        code=asks(lambda data, wildcards: library("separate", **inputs.loaded_by_run(data, wildcards))),
        data=paths.output("make_data", "data"),
        priors=asks(inputs.priors_of_run),
        errors=asks(inputs.errors_of_run),
        posterior=asks(inputs.posterior_of_run),
    output:
        **paths.outputs("separate"),
    log:
        paths.log("separate"),
    benchmark:
        paths.benchmark("separate")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=settings("separate"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "--errors {input.errors:q} --posterior {input.posterior:q} --rows {output.rows:q} --trace {output.trace:q} "
        "--particles {output.particles:q} --forming {output.forming:q} --examples {output.examples:q} > {log:q} 2>&1"


rule train_separator:
    """Train the supervised separator of a mix, a reference; interrupted, it continues where it was."""
    input:
        script=script("train_separator"),
        code=asks(
            lambda data, wildcards: library("train_separator", **inputs.loaded_by_separator(data, wildcards))
        ),
        data=paths.output("make_data", "data"),
    output:
        **paths.outputs("train_separator"),
    log:
        paths.log("train_separator"),
    benchmark:
        paths.benchmark("train_separator")
    priority: 1  # the longest job: begun late, one core would wait for it
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("train_minutes"),
    params:
        settings=settings("train_separator"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --code {input.code:q} "
        "--minutes {resources.runtime} --separator {output.separator:q} --losses {output.losses:q} > {log:q} 2>&1"


rule separate_reference:
    """The references: the mix as estimate, what the data set can give, such as an oracle, supervised separators."""
    input:
        script=script("separate_reference"),
        code=asks(
            lambda data, wildcards: library(
                "separate_reference", **inputs.loaded_by_reference(data, wildcards)
            )
        ),
        data=paths.output("make_data", "data"),
        separators=outputs_of("train_separator", "separator", "mix"),
    output:
        **paths.outputs("separate_reference"),
    log:
        paths.log("separate_reference"),
    benchmark:
        paths.benchmark("separate_reference")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=settings("separate_reference"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} "
        "--supervised {input.separators:q} --rows {output.rows:q} > {log:q} 2>&1"
