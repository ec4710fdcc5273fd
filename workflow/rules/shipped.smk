# Needs  results/{scale}/priors and error_curves of a prior that is shipped (audiopriors/pipeline/shipped.py),
#        results/{scale}/tables/{dataset}/separation.csv
# Gives  results/{scale}/shipped/{dataset}: SOURCE.safetensors, SOURCE.parquet and card.json; and the targets of a
#        recording under the priors that came with the package: separate_file, score_file, and of each data set its own


rule ship:
    """The priors of a data set as the package ships them; `make ship` puts them into it."""
    input:
        script=script("ship"),
        code=library("ship"),
        priors=asks(lambda data, wildcards: shipped.files(data)["priors"]),
        errors=asks(lambda data, wildcards: shipped.files(data)["errors"]),
        table=asks(lambda data, wildcards: shipped.files(data)["table"]),
    output:
        folder=directory(paths.output("ship", "folder")),
    log:
        paths.log("ship"),
    benchmark:
        paths.benchmark("ship")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=asks(lambda data, wildcards: json.dumps(shipped.card(data), sort_keys=True)),
    shell:
        "python {input.script:q} --settings {params.settings:q} --priors {input.priors:q} --errors {input.errors:q} "
        "--table {input.table:q} --output {output.folder:q} > {log:q} 2>&1"


if shipped.SCALE in WITH_SHIPPED:
    for data in WITH_SHIPPED[shipped.SCALE].datasets.values():
        for what, files in jobs.of_recording(data, recordings.name_in_paths(FILE)).items():
            for name in [f"{data.name}_{what}", *([what] if data.name == shipped_priors.DEFAULT else [])]:

                rule:
                    name:
                        name
                    input:
                        files,
                    localrule: True
