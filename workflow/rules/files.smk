# Needs trained priors and a recording of the user's (config key `file`). Gives its sources, its scores, and figures.


rule separate_file:
    """Separate a recording into one wav per source, at its own rate, channels and length."""
    input:
        script=script("separate_file"),
        code=lambda wildcards: [
            *prior_code(wildcards),
            *library(
                "audio/recordings.py", "separation/samplers.py", "audio/spectra.py", "separation/schedules.py", "separation/acceptance.py", "separation/methods/base.py", "separation/methods/langevin.py", "separation/methods/alternating.py", "separation/methods/guided.py", "separation/running.py", "separation/scaled.py", "separation/overlap.py"
            ),
            *library("seeds.py", "metrics.py", "pages.py"),
        ],
        recording=recording,
        priors=file_priors,
        errors=file_errors,
    output:
        wavs=directory("results/{scale}/files/{dataset}/{recording}/{family}/{method}/wavs"),
        levels="results/{scale}/files/{dataset}/{recording}/{family}/{method}/levels.csv",
        page=report(
            "results/{scale}/files/{dataset}/{recording}/{family}/{method}/listen.html",
            caption="../report/caption.rst",
            category="Audio",
            subcategory="{dataset}",
            labels={"page": "{recording}"},
        ),
    log:
        "results/{scale}/logs/separate_file/{dataset}/{recording}/{family}/{method}.log",
    benchmark:
        "results/{scale}/benchmarks/separate_file/{dataset}/{recording}/{family}/{method}.tsv"
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("separate_minutes"),
    params:
        settings=lambda wildcards: as_json(
            threads=at(wildcards)["threads"],
            dataset=wildcards.dataset,
            mix=mix_of(wildcards, first_mix(wildcards)),
            rate=dataset(wildcards)["settings"]["rate"],
            frame=dataset(wildcards)["frame"],
            prior=wildcards.family,
            method=wildcards.method,
            settings=method_of(wildcards),
            overlap=at(wildcards)["separation"]["overlap"],
            batch_samples=at(wildcards)["separation"]["batch_samples"],
            seed=[at(wildcards)["seed"], "separate_file"],
        ),
        errors=lambda wildcards, input: "--errors" if input.errors else "",
        caption=caption("files/listen.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --recording {input.recording:q} "
        "--priors {input.priors:q} {params.errors} {input.errors:q} --wavs {output.wavs:q} --levels {output.levels:q} --page {output.page:q} "
        "> {log:q} 2>&1"


rule score_file:
    """Score a recording under every prior of a data set, frame by frame."""
    input:
        script=script("score_file"),
        code=lambda wildcards: [
            *library("audio/recordings.py", "likelihood.py", "seeds.py"),
            *(
                path
                for family in dataset(wildcards)["priors"]
                for path in prior_code(SimpleNamespace(**wildcards, family=family))
            ),
        ],
        recording=recording,
        priors=lambda wildcards: [path for path, _ in scoring_priors(wildcards)],
    output:
        "results/{scale}/files/{dataset}/{recording}/scores.csv",
    log:
        "results/{scale}/logs/score_file/{dataset}/{recording}.log",
    benchmark:
        "results/{scale}/benchmarks/score_file/{dataset}/{recording}.tsv"
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
            dataset=wildcards.dataset,
            rate=dataset(wildcards)["settings"]["rate"],
            channel=dataset(wildcards)["settings"]["channel"],
            frame=dataset(wildcards)["frame"],
            priors=[described for _, described in scoring_priors(wildcards)],
            batch_samples=at(wildcards)["evaluation"]["batch_samples"],
            seed=[at(wildcards)["seed"], "score_file"],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --recording {input.recording:q} "
        "--priors {input.priors:q} --output {output:q} > {log:q} 2>&1"


rule figure_separated_file:
    """The separated recording: waveforms and spectrograms."""
    input:
        script=script("figure_separated_file"),
        code=library("plotting.py", "tables.py"),
        wavs=rules.separate_file.output.wavs,
        levels=rules.separate_file.output.levels,
    output:
        pdf="results/{scale}/files/{dataset}/{recording}/{family}/{method}/separated.pdf",
        png=report(
            "results/{scale}/files/{dataset}/{recording}/{family}/{method}/separated.png",
            caption="../report/caption.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "{recording} separated"},
        ),
        csv="results/{scale}/files/{dataset}/{recording}/{family}/{method}/separated.csv",
    log:
        "results/{scale}/logs/figure_separated_file/{dataset}/{recording}/{family}/{method}.log",
    benchmark:
        "results/{scale}/benchmarks/figure_separated_file/{dataset}/{recording}/{family}/{method}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            sources=dataset(wildcards)["sources"], rate=dataset(wildcards)["settings"]["rate"]
        ),
        caption=caption("files/separated.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.wavs:q} {input.levels:q} "
        "--pdf {output.pdf:q} --png {output.png:q} --csv {output.csv:q} > {log:q} 2>&1"


rule figure_scored_file:
    """The scored recording: likelihood of each frame under every prior."""
    input:
        script=script("figure_scored_file"),
        code=library("plotting.py", "tables.py"),
        scores=rules.score_file.output,
    output:
        pdf="results/{scale}/files/{dataset}/{recording}/scores.pdf",
        png=report(
            "results/{scale}/files/{dataset}/{recording}/scores.png",
            caption="../report/caption.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "{recording} scored"},
        ),
        csv="results/{scale}/files/{dataset}/{recording}/scores_figure.csv",
    log:
        "results/{scale}/logs/figure_scored_file/{dataset}/{recording}.log",
    benchmark:
        "results/{scale}/benchmarks/figure_scored_file/{dataset}/{recording}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            sources=dataset(wildcards)["sources"], frame=dataset(wildcards)["frame"]
        ),
        caption=caption("files/scores.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.scores:q} "
        "--pdf {output.pdf:q} --png {output.png:q} --csv {output.csv:q} > {log:q} 2>&1"
