# Needs  figures, sounds and tables
# Gives  results/{scale}/index.html, report.html and checksums.txt; index_{dataset}.html, report_{dataset}.html and
#        checksums_{dataset}.txt; and the targets: one a scale, one a scale and data set, and those of recordings


rule index:
    """The page that tells a run's story, readable offline."""
    input:
        script=script("index"),
        code=library("index"),
        figures=of_story("figures"),
        tables=of_story("tables"),
        sounds=of_story("sounds"),
        wavs=of_story("wavs"),
        states=of_story("states"),
        traces=of_story("traces"),
        pages=of_story("pages"),
    output:
        **paths.outputs("index"),
    log:
        paths.log("index"),
    benchmark:
        paths.benchmark("index")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: json.dumps(story.settings(*shown_by(wildcards)), sort_keys=True),
    shell:
        "python {input.script:q} --settings {params.settings:q} --figures {input.figures:q} --tables {input.tables:q} "
        "--sounds {input.sounds:q} --wavs {input.wavs:q} --states {input.states:q} --traces {input.traces:q} "
        "--pages {input.pages:q} --output {output.page:q} > {log:q} 2>&1"


use rule index as index_of_dataset with:
    output:
        **paths.outputs("index_of_dataset"),
    log:
        paths.log("index_of_dataset"),
    benchmark:
        paths.benchmark("index_of_dataset")


rule report:
    """The report: one HTML file, readable offline."""
    input:
        script=script("report"),
        code=library("report"),
        files=lambda wildcards: jobs.shown(scale_of(wildcards), scale_of(wildcards).settings["build"]),
    output:
        **paths.outputs("report"),
    log:
        paths.log("report"),
    benchmark:
        paths.benchmark("report")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        # A function, as claims have braces. A recording of the user's changes no report.
        settings=lambda wildcards: json.dumps(
            {"config": {key: config[key] for key in config if key != "file"}}, sort_keys=True
        ),
        snakefile=os.path.relpath(workflow.main_snakefile),
    shell:
        "python {input.script:q} --settings {params.settings:q} --snakefile {params.snakefile:q} "
        "--files {input.files:q} --output {output.page:q} > {log:q} 2>&1"


use rule report as report_of_dataset with:
    input:
        script=script("report"),
        code=library("report"),
        files=lambda wildcards: jobs.shown(scale_of(wildcards), [wildcards.dataset]),
    output:
        **paths.outputs("report_of_dataset"),
    log:
        paths.log("report_of_dataset"),
    benchmark:
        paths.benchmark("report_of_dataset")


rule checksums:
    """The checksum of every result of a scale that is the same from run to run."""
    input:
        script=script("checksums"),
        code=library("checksums"),
        files=lambda wildcards: jobs.reproducible(scale_of(wildcards), scale_of(wildcards).settings["build"]),
    output:
        **paths.outputs("checksums"),
    log:
        paths.log("checksums"),
    benchmark:
        paths.benchmark("checksums")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings="{}",
    shell:
        "python {input.script:q} --settings {params.settings:q} --files {input.files:q} --output {output.list:q} "
        "> {log:q} 2>&1"


use rule checksums as checksums_of_dataset with:
    input:
        script=script("checksums"),
        code=library("checksums"),
        files=lambda wildcards: jobs.reproducible(scale_of(wildcards), [wildcards.dataset]),
    output:
        **paths.outputs("checksums_of_dataset"),
    log:
        paths.log("checksums_of_dataset"),
    benchmark:
        paths.benchmark("checksums_of_dataset")


for scale in SCALES.values():

    rule:
        name:
            scale.name
        input:
            f"results/{scale.name}/index.html",
            f"results/{scale.name}/report.html",
            f"results/{scale.name}/checksums.txt",
        localrule: True

    for data in scale.datasets.values():

        rule:
            name:
                f"{scale.name}_{data.name}"
            input:
                f"results/{scale.name}/index_{data.name}.html",
                f"results/{scale.name}/report_{data.name}.html",
                f"results/{scale.name}/checksums_{data.name}.txt",
            localrule: True

        for what, files in jobs.of_recording(data, recordings.name_in_paths(FILE)).items():

            rule:
                name:
                    f"{scale.name}_{data.name}_{what}"
                input:
                    files,
                localrule: True
