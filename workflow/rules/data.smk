# Needs nothing. Gives results/{scale}/data/{dataset}/items.parquet.


rule make_data:
    """Make a data set's items: toy data's parameters, or frames of recorded tracks, which lie beside them."""
    input:
        script=script("make_data"),
        root=recordings_are_there,
        code=data_code,
    output:
        ITEMS,
    log:
        "results/{scale}/logs/make_data/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/make_data/{dataset}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    resources:
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=lambda wildcards: as_json(
            data=data_of(wildcards),
            sources=dataset(wildcards)["sources"],
            frame=dataset(wildcards)["frame"],
            seed=[at(wildcards)["seed"], "data", wildcards.dataset],
            recordings=recordings_of(wildcards),
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"
