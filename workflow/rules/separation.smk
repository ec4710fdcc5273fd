# Needs the data's items and trained priors. Gives metrics, traces and examples of each method, and the references.


rule error_curve:
    """How well a prior denoises its own source at each noise level: what samplers' levels are planned from."""
    input:
        script=script("error_curve"),
        code=lambda wildcards: [
            *data_code(wildcards),
            *prior_code(wildcards),
            *library("separation/schedules.py", "separation/scaled.py"),
        ],
        data=ITEMS,
        prior=expand(PRIOR, sigma="all", replicate=0, allow_missing=True),
    output:
        ERRORS,
    log:
        "results/{scale}/logs/error_curve/{dataset}/{family}/{source}.log",
    benchmark:
        "results/{scale}/benchmarks/error_curve/{dataset}/{family}/{source}.tsv"
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
            data=data_of(wildcards),
            frame=dataset(wildcards)["frame"],
            prior=wildcards.family,
            prior_source=wildcards.source,
            **at(wildcards)["separation"]["error_curve"],
            seed=[at(wildcards)["seed"], "error_curve", wildcards.dataset, wildcards.source],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --prior {input.prior:q} "
        "--output {output:q} > {log:q} 2>&1"


rule separate:
    """Separate test mixes by sampling p(sources | mix) under trained priors."""
    input:
        script=script("separate"),
        code=lambda wildcards: [
            *data_code(wildcards),
            *prior_code(wildcards),
            *library(
                "separation/samplers.py", "audio/spectra.py", "separation/schedules.py", "separation/acceptance.py", "separation/methods/base.py", "separation/methods/langevin.py", "separation/methods/alternating.py", "separation/methods/guided.py", "separation/running.py", "separation/scaled.py", "metrics.py"
            ),
        ],
        data=ITEMS,
        priors=separation_priors,
        errors=separation_errors,
    output:
        rows=SEPARATED,
        trace=TRACE,
        particles=PARTICLES,
        forming=FORMING,
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
            settings=run_method(wildcards),
            method=wildcards.method,
            prior=wildcards.family,
            examples=at(wildcards)["separation"]["examples"],
            seed=[
                at(wildcards)["seed"],
                "separate",
                *(wildcards[key] for key in ("dataset", "family", "method", "mix")),
            ],
            **separation_settings(wildcards, run_items(wildcards)),
        ),
        errors=lambda wildcards, input: "--errors" if input.errors else "",
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "{params.errors} {input.errors:q} --rows {output.rows:q} --trace {output.trace:q} "
        "--particles {output.particles:q} --forming {output.forming:q} --examples {output.examples:q} > {log:q} 2>&1"


rule train_separator:
    """Train the supervised separator of a mix, a reference; interrupted, it continues where it was."""
    input:
        script=script("train_separator"),
        code=lambda wildcards: [
            *data_code(wildcards),
            *prior_code(SimpleNamespace(**wildcards, family=dataset(wildcards)["supervised"]["prior"])),
            *library("separation/supervised.py", "training.py", "optimiser.py", "resume.py"),
        ],
        data=ITEMS,
    output:
        separator=SEPARATOR,
        losses=SEPARATOR_LOSSES,
    log:
        "results/{scale}/logs/train_separator/{dataset}/{mix}.log",
    benchmark:
        "results/{scale}/benchmarks/train_separator/{dataset}/{mix}.tsv"
    priority: 1  # the longest job: begun late, one core would wait for it
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("train_minutes"),
    params:
        settings=supervised_settings,
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --code {input.code:q} "
        "--minutes {resources.runtime} --separator {output.separator:q} --losses {output.losses:q} > {log:q} 2>&1"


rule separate_reference:
    """The references: the mix as estimate, what the data set can give, such as an oracle, a supervised separator."""
    input:
        script=script("separate_reference"),
        code=lambda wildcards: [*data_code(wildcards), *library("separation/references.py", "separation/running.py", "audio/spectra.py", "metrics.py")],
        data=ITEMS,
        separator=separator_of,
    output:
        rows=REFERENCE,
    log:
        "results/{scale}/logs/separate_reference/{dataset}/{mix}.log",
    benchmark:
        "results/{scale}/benchmarks/separate_reference/{dataset}/{mix}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=lambda wildcards: as_json(**separation_settings(wildcards, reference_items(wildcards))),
        separator=lambda wildcards, input: f"--supervised {input.separator}" if input.separator else "",
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} {params.separator} "
        "--rows {output.rows:q} > {log:q} 2>&1"
