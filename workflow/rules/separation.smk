# Needs the data's items and trained priors. Gives metrics, traces and examples of each method, and audio of all.

SEPARATION = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}"


def separation_settings(wildcards, method, family):
    mix = wildcards.mix.split("+")
    unknown = [source for source in mix if source not in dataset(wildcards)["sources"]]
    if unknown:
        there = ", ".join(dataset(wildcards)["sources"])
        raise WorkflowError(f"{wildcards.dataset} has no source {unknown[0]!r}; it has {there}")
    chosen = at(wildcards)["separation"]
    return dict(
        threads=at(wildcards)["threads"],
        dataset=wildcards.dataset,
        data=data_of(wildcards),
        frame=dataset(wildcards)["frame"],
        items=chosen["items"],
        batch_samples=chosen["batch_samples"],
        examples=chosen["examples"],
        prior=family,
        method=method,
        mix=mix,
        seed=[at(wildcards)["seed"], "separate", wildcards.dataset, family, method, wildcards.mix],
    )


def method_of(wildcards):
    there = at(wildcards)["separation"]["methods"]
    if wildcards.method not in there:
        raise WorkflowError(
            f"there is no method {wildcards.method!r} in the config; there are {', '.join(there)}"
        )
    return there[wildcards.method]


def separation_priors(wildcards):
    """For each sigma of the method in turn, each source of the mix in turn."""
    return [
        PRIOR.format(
            scale=wildcards.scale,
            dataset=wildcards.dataset,
            family=wildcards.family,
            source=source,
            sigma=sigma,
            replicate=0,
        )
        for sigma in method_of(wildcards)["sigmas"]
        for source in wildcards.mix.split("+")
    ]


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
        rows=SEPARATION + ".parquet",
        trace=SEPARATION + ".trace.parquet",
        examples=SEPARATION + ".examples.npy",
    log:
        "results/{scale}/logs/separate/{dataset}/{family}/{method}/{mix}.log",
    benchmark:
        "results/{scale}/benchmarks/separate/{dataset}/{family}/{method}/{mix}.tsv"
    wildcard_constraints:
        family="(?!reference/)[a-z0-9_]+",
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=lambda wildcards: as_json(
            settings=method_of(wildcards),
            **separation_settings(wildcards, wildcards.method, wildcards.family),
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "--rows {output.rows:q} --trace {output.trace:q} --examples {output.examples:q} > {log:q} 2>&1"


rule separate_reference:
    """The references: the mix as estimate, and an oracle that knows every frequency and phase."""
    input:
        script=script("separate_reference"),
        code=lambda wildcards: [*data_code(wildcards), *library("samplers.py", "separation.py", "metrics.py")],
        data=ITEMS,
    output:
        rows="results/{scale}/separation/{dataset}/reference/{reference}/{mix}.parquet",
    log:
        "results/{scale}/logs/separate_reference/{dataset}/{reference}/{mix}.log",
    benchmark:
        "results/{scale}/benchmarks/separate_reference/{dataset}/{reference}/{mix}.tsv"
    wildcard_constraints:
        reference="mix|parametric_oracle",
    threads: threads_of
    params:
        settings=lambda wildcards: as_json(**separation_settings(wildcards, wildcards.reference, "reference")),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --rows {output.rows:q} "
        "> {log:q} 2>&1"
