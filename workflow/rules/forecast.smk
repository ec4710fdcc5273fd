# Needs  the config, and results/{scale}/data/{dataset}/items.parquet where an exact prior is made of the data's law
# Gives  what a data set of a scale will take, before anything is started: targets {scale}_{dataset}_forecast


rule forecast:
    """What a data set of a scale will take: jobs, hours and disk, from steps measured on the device at hand."""
    input:
        script=script("forecast"),
        data=asks(lambda data, wildcards: jobs.select(data, "make_data", "data") if data.exact else []),
    output:
        **paths.outputs("forecast"),
    log:
        paths.log("forecast"),
    benchmark:
        paths.benchmark("forecast")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=settings("forecast"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --output {output.table:q} "
        "> {log:q} 2>&1"


for scale in SCALES.values():
    for data in scale.datasets.values():

        rule:
            name:
                f"{scale.name}_{data.name}_forecast"
            input:
                paths.output("forecast", "table").format(scale=scale.name, dataset=data.name),
            log:
                f"results/{scale.name}/logs/forecast/{data.name}.txt",
            localrule: True
            conda:
                "../../envs/audiopriors.yaml"
            # Removed, as the next time, perhaps on another machine, it is measured anew.
            shell:
                "tee {log:q} < {input:q} && rm {input:q}"
