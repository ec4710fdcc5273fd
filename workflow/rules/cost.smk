# Needs the config. Gives what a data set of a scale will take, before anything is started.


rule cost:
    """What a data set of a scale will take: jobs, hours and disk, from steps measured on the device at hand."""
    input:
        script=script("cost"),
        data=lambda wildcards: [ITEMS] if exact_prior(wildcards) else [],
    output:
        "results/{scale}/cost/{dataset}.md",
    log:
        "results/{scale}/logs/cost/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/cost/{dataset}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=cost_settings,
        data=lambda wildcards, input: f"--data {input.data}" if input.data else "",
    shell:
        "python {input.script:q} --settings {params.settings:q} {params.data} --output {output:q} > {log:q} 2>&1"


for scale in SCALES:
    for name in SCALES[scale]["datasets"]:

        rule:
            name:
                f"{scale}_{name}_cost"
            input:
                f"results/{scale}/cost/{name}.md",
            log:
                f"results/{scale}/logs/cost/{name}.txt",
            localrule: True
            conda:
                "../../envs/audiopriors.yaml"
            # Removed, as the next time, perhaps on another machine, it is measured anew.
            shell:
                "tee {log:q} < {input:q} && rm {input:q}"
