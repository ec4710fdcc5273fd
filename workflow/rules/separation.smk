# Needs the data's items and trained priors. Gives metrics, traces and examples of each method, and audio of all.


rule separate:
    """Separate test mixes by sampling p(sources | mix) under trained priors."""
    input:
        script=script("separate"),
        code=lambda wildcards: [
            *data_code(wildcards),
            *prior_code(wildcards),
            *library("samplers.py", "separation.py", "metrics.py"),
        ],
        data=ITEMS,
        priors=separation_priors,
    output:
        rows=SEPARATED,
        trace=TRACE,
        examples=EXAMPLES,
    log:
        "results/{scale}/logs/separate/{dataset}/{family}/{method}/{mix}.log",
    benchmark:
        "results/{scale}/benchmarks/separate/{dataset}/{family}/{method}/{mix}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=lambda wildcards: as_json(
            settings=method_of(wildcards),
            method=wildcards.method,
            prior=wildcards.family,
            examples=at(wildcards)["separation"]["examples"],
            batch_samples=at(wildcards)["separation"]["batch_samples"],
            seed=[
                at(wildcards)["seed"],
                "separate",
                *(wildcards[key] for key in ("dataset", "family", "method", "mix")),
            ],
            **separation_settings(wildcards),
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "--rows {output.rows:q} --trace {output.trace:q} --examples {output.examples:q} > {log:q} 2>&1"


rule separate_reference:
    """The references: the mix as estimate, and what the data set can give, such as an oracle."""
    input:
        script=script("separate_reference"),
        code=lambda wildcards: [*data_code(wildcards), *library("samplers.py", "separation.py", "metrics.py")],
        data=ITEMS,
    output:
        rows=REFERENCE,
    log:
        "results/{scale}/logs/separate_reference/{dataset}/{mix}.log",
    benchmark:
        "results/{scale}/benchmarks/separate_reference/{dataset}/{mix}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    params:
        settings=lambda wildcards: as_json(**separation_settings(wildcards)),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --rows {output.rows:q} "
        "> {log:q} 2>&1"
