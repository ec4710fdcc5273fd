# Needs  the config, and for music recordings, or MIDI files and a soundfont
# Gives  results/{scale}/data/{dataset}/items.parquet


rule make_data:
    """Make a data set's items: toy data's parameters, or frames of recorded tracks, which lie beside them."""
    input:
        script=script("make_data"),
        recordings=asks(lambda data, wildcards: recordings.check(data) or []),
        code=asks(lambda data, wildcards: library("make_data", data=data.kind)),
    output:
        **paths.outputs("make_data"),
    log:
        paths.log("make_data"),
    benchmark:
        paths.benchmark("make_data")
    conda:
        "../../envs/audiopriors.yaml"
    resources:
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=settings("make_data"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --output {output.data:q} > {log:q} 2>&1"
