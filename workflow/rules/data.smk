# Needs nothing. Gives results/{scale}/data/{dataset}/items.parquet.


rule make_data:
    """Make a data set's items (toy: the table of parameters that IS the data)."""
    input:
        script=script("make_data"),
        code=data_code,
    output:
        ITEMS,
    log:
        "results/{scale}/logs/make_data/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/make_data/{dataset}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            data=data_of(wildcards),
            sources=dataset(wildcards)["sources"],
            seed=[at(wildcards)["seed"], "data", wildcards.dataset],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"
