# Needs  a recording of the user's (config key `file`, or variable AUDIOPRIORS_FILE), or the song of every installation
#        results/{scale}/priors/{dataset}/{prior}/{prior_source}/{sigma}/seed0.safetensors
#        results/{scale}/error_curves/{dataset}/{prior}/{prior_source}.parquet
# Gives  results/{scale}/files/{dataset}/{recording}/{prior}/{method}/wavs, levels.csv, about.json,
#        forming.npy, separated.png and index.html
#        results/{scale}/files/{dataset}/{recording}/scores.csv, maps.parquet, scores.png and index.html


rule separate_recording:
    """Separate a recording into one wav per source, at its own rate, channels and length."""
    input:
        script=script("separate_recording"),
        code=asks(
            lambda data, wildcards: library("separate_recording", **inputs.loaded_by_file(data, wildcards))
        ),
        priors=asks(inputs.priors_of_file),
        errors=asks(inputs.errors_of_file),
    output:
        wavs=directory(paths.output("separate_recording", "wavs")),
        levels=paths.output("separate_recording", "levels"),
        about=paths.output("separate_recording", "about"),
        forming=paths.output("separate_recording", "forming"),
    log:
        paths.log("separate_recording"),
    benchmark:
        paths.benchmark("separate_recording")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=settings("separate_recording"),
        recording=recording,
    shell:
        'python {input.script:q} --settings {params.settings:q} --recording="${params.recording}" '
        "--priors {input.priors:q} --errors {input.errors:q} --code {input.code:q} --wavs {output.wavs:q} "
        "--levels {output.levels:q} --about {output.about:q} --forming {output.forming:q} > {log:q} 2>&1"


rule score_recording:
    """Measure a recording under every prior of a data set, frame by frame."""
    input:
        script=script("score_recording"),
        code=asks(
            lambda data, wildcards: library(
                "score_recording", families=[data.scale.prior(name).family for name in data.own_priors]
            )
        ),
        priors=asks(inputs.scored_priors),
    output:
        **paths.outputs("score_recording"),
    log:
        paths.log("score_recording"),
    benchmark:
        paths.benchmark("score_recording")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=settings("score_recording"),
        recording=recording,
    shell:
        'python {input.script:q} --settings {params.settings:q} --recording="${params.recording}" '
        "--priors {input.priors:q} --output {output.measures:q} --maps {output.maps:q} > {log:q} 2>&1"


rule figure_separated_file:
    """The separated recording: waveforms and spectrograms."""
    input:
        script=script("figure_separated_file"),
        code=library("figure_separated_file"),
        wavs=paths.output("separate_recording", "wavs"),
        levels=paths.output("separate_recording", "levels"),
    output:
        pdf=paths.output("figure_separated_file", "pdf"),
        png=report(
            paths.output("figure_separated_file", "png"),
            caption="../report/caption.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "{recording} separated"},
        ),
        csv=paths.output("figure_separated_file", "csv"),
    log:
        paths.log("figure_separated_file"),
    benchmark:
        paths.benchmark("figure_separated_file")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("figure_separated_file"),
        caption=caption_of_dataset(
            lambda data, wildcards: (
                CAPTIONS["figure_separated_file"]
                + CAPTIONS["real_song"] * (wildcards.recording == roots.REAL_SONG)
            )
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.wavs:q} {input.levels:q} "
        "--pdf {output.pdf:q} --png {output.png:q} --csv {output.csv:q} > {log:q} 2>&1"


rule figure_scored_file:
    """The recording under every prior: likelihood of each frame."""
    input:
        script=script("figure_scored_file"),
        code=library("figure_scored_file"),
        measures=paths.output("score_recording", "measures"),
        maps=paths.output("score_recording", "maps"),
    output:
        pdf=paths.output("figure_scored_file", "pdf"),
        png=report(
            paths.output("figure_scored_file", "png"),
            caption="../report/caption.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "{recording} scored"},
        ),
        csv=paths.output("figure_scored_file", "csv"),
    log:
        paths.log("figure_scored_file"),
    benchmark:
        paths.benchmark("figure_scored_file")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("figure_scored_file"),
        caption=caption_of_dataset(lambda data, wildcards: CAPTIONS["figure_scored_file"]),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.measures:q} {input.maps:q} "
        "--pdf {output.pdf:q} --png {output.png:q} --csv {output.csv:q} > {log:q} 2>&1"


rule page_of_file:
    """The page of a separated recording: its parts, to see and hear."""
    input:
        script=script("page_of_file"),
        code=library("page_of_file"),
        wavs=paths.output("separate_recording", "wavs"),
        levels=paths.output("separate_recording", "levels"),
        about=paths.output("separate_recording", "about"),
        forming=paths.output("separate_recording", "forming"),
        figure=paths.output("figure_separated_file", "png"),
    output:
        page=report(
            paths.output("page_of_file", "page"),
            caption="../report/caption.rst",
            category="Audio",
            subcategory="{dataset}",
            labels={"page": "{recording}"},
        ),
    log:
        paths.log("page_of_file"),
    benchmark:
        paths.benchmark("page_of_file")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("page_of_file"),
        caption=caption_of_dataset(lambda data, wildcards: CAPTIONS["separated_file"]),
    shell:
        "python {input.script:q} --settings {params.settings:q} --wavs {input.wavs:q} --levels {input.levels:q} "
        "--about {input.about:q} --forming {input.forming:q} --figure {input.figure:q} --output {output.page:q} "
        "> {log:q} 2>&1"


rule page_of_scores:
    """The page of a scored recording."""
    input:
        script=script("page_of_file"),
        code=library("page_of_file"),
        scores=paths.output("figure_scored_file", "png"),
    output:
        **paths.outputs("page_of_scores"),
    log:
        paths.log("page_of_scores"),
    benchmark:
        paths.benchmark("page_of_scores")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("page_of_file"),
        recording=recording,
    shell:
        'python {input.script:q} --settings {params.settings:q} --recording="${params.recording}" '
        "--scores {input.scores:q} --output {output.page:q} > {log:q} 2>&1"
