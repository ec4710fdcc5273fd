# Needs  what the catalogue says of each figure (workflow/scripts/audiopriors/pipeline/figures.py)
# Gives  results/{scale}/figures/{name}_{dataset}.pdf, .png, .csv
#        results/{scale}/figures/listen_{dataset}.html, results/{scale}/audio/{dataset} and what is in it, {dataset}.json


rule figure:
    """One figure of one data set, drawn by figure_NAME.py, with the data that it shows."""
    input:
        script=lambda wildcards: script(f"figure_{wildcards.name}"),
        code=asks(
            lambda data, wildcards: library(
                f"figure_{wildcards.name}", data=data.kind if FIGURES[wildcards.name].opens_data else None
            )
        ),
        inputs=asks(lambda data, wildcards: jobs.resolve(data, FIGURES[wildcards.name].inputs)),
    output:
        pdf=paths.output("figure", "pdf"),
        png=report(
            paths.output("figure", "png"),
            caption="../report/caption.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "{name}"},
        ),
        csv=paths.output("figure", "csv"),
    log:
        paths.log("figure"),
    benchmark:
        paths.benchmark("figure")
    wildcard_constraints:
        name="|".join(FIGURES),
        dataset="|".join(sorted({name for scale in SCALES.values() for name in scale.datasets})),
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("figure"),
        caption=caption_of_dataset(lambda data, wildcards: FIGURES[wildcards.name].caption_of(data.kind)),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.inputs:q} "
        "--pdf {output.pdf:q} --png {output.png:q} --csv {output.csv:q} > {log:q} 2>&1"


rule audio:
    """The example mixes and every method's estimates as wav files, and a page that plays them."""
    input:
        script=script("audio"),
        code=asks(lambda data, wildcards: library("audio", data=data.kind)),
        data=paths.output("make_data", "data"),
        examples=outputs_of("separate", "examples"),
    output:
        wavs=directory(paths.output("audio", "wavs")),
        index=paths.output("audio", "index"),
        page=report(
            paths.output("audio", "page"),
            caption="../report/caption.rst",
            category="Audio",
            subcategory="{dataset}",
            labels={"page": "listen"},
        ),
    log:
        paths.log("audio"),
    benchmark:
        paths.benchmark("audio")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("audio"),
        caption=caption_of_dataset(lambda data, wildcards: CAPTIONS["listen"]),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --examples {input.examples:q} "
        "--wavs {output.wavs:q} --index {output.index:q} --page {output.page:q} > {log:q} 2>&1"
