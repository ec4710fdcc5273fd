# Needs what the other rules give. Gives the tables, the figures, the audio page, the report and the targets.
# A figure NAME is made by workflow/scripts/figure_NAME.py and captioned by workflow/report/figures/NAME.rst.


rule likelihood_tables:
    """Tables of likelihood, detection, classification and gradient norm of one data set."""
    input:
        script=script("likelihood_tables"),
        code=library("tables.py", "columns.py", "detection.py", "seeds.py"),
        scores=every_prior(SCORES),
    output:
        cross_likelihood="results/{scale}/tables/{dataset}/cross_likelihood.csv",
        detection="results/{scale}/tables/{dataset}/detection.csv",
        classification="results/{scale}/tables/{dataset}/classification.csv",
        gradient_norm="results/{scale}/tables/{dataset}/gradient_norm.csv",
    log:
        "results/{scale}/logs/likelihood_tables/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/likelihood_tables/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            frame=dataset(wildcards)["frame"],
            sources=dataset(wildcards)["sources"],
            bootstrap=at(wildcards)["evaluation"]["bootstrap"],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --measures {input.scores:q} "
        "--cross-likelihood {output.cross_likelihood:q} --detection {output.detection:q} "
        "--classification {output.classification:q} --gradient-norm {output.gradient_norm:q} > {log:q} 2>&1"


rule detection_by_track:
    """Table of detection within each track of one data set of recordings."""
    input:
        script=script("table_detection_by_track"),
        code=library("tables.py", "columns.py", "detection.py", "seeds.py"),
        scores=every_prior(SCORES),
    output:
        "results/{scale}/tables/{dataset}/detection_by_track.csv",
    log:
        "results/{scale}/logs/detection_by_track/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/detection_by_track/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            frame=dataset(wildcards)["frame"], sources=dataset(wildcards)["sources"]
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.scores:q} --output {output:q} "
        "> {log:q} 2>&1"


rule truth_gap:
    """Table of the gap between the true density and every other, of one data set; stops at an impossible one."""
    input:
        script=script("table_truth_gap"),
        code=library("tables.py", "columns.py", "detection.py", "seeds.py", "priors/exact.py"),
        scores=every_prior(SCORES),
    output:
        "results/{scale}/tables/{dataset}/truth_gap.csv",
    log:
        "results/{scale}/logs/truth_gap/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/truth_gap/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            exact=exact_prior(wildcards),
            frame=dataset(wildcards)["frame"],
            bootstrap=at(wildcards)["evaluation"]["bootstrap"],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.scores:q} --output {output:q} "
        "> {log:q} 2>&1"


rule claims:
    """The verdict on every claim of the paper and the thesis about one data set."""
    input:
        script=script("table_claims"),
        code=library("claims.py", "tables.py", "columns.py"),
        tables=tables("cross_likelihood", "detection", "classification", "gradient_norm", "separation"),
    output:
        "results/{scale}/tables/{dataset}/claims.csv",
    log:
        "results/{scale}/logs/claims/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/claims/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            claims=at(wildcards)["claims"],
            dataset=wildcards.dataset,
            sources=dataset(wildcards)["sources"],
            scale=wildcards.scale,
            paper_size=at(wildcards)["paper_size"],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.tables:q} --output {output:q} "
        "> {log:q} 2>&1"


rule separation_table:
    """Table of separation of one data set."""
    input:
        script=script("table_separation"),
        code=library("tables.py", "columns.py", "detection.py", "seeds.py"),
        references=references,
        rows=separations(SEPARATED),
    output:
        "results/{scale}/tables/{dataset}/separation.csv",
    log:
        "results/{scale}/logs/separation_table/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/separation_table/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            frame=dataset(wildcards)["frame"], bootstrap=at(wildcards)["evaluation"]["bootstrap"]
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.references:q} {input.rows:q} "
        "--output {output:q} > {log:q} 2>&1"


rule acceptance_table:
    """Table of how well the misfit of the planned samplers tells failures, of one data set."""
    input:
        script=script("table_acceptance"),
        code=library("tables.py", "columns.py", "detection.py"),
        particles=particles,
    output:
        "results/{scale}/tables/{dataset}/acceptance.csv",
    log:
        "results/{scale}/logs/acceptance_table/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/acceptance_table/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.particles:q} --output {output:q} "
        "> {log:q} 2>&1"


rule table_1:
    """Table 1: constant zero and Gaussian noise as inputs."""
    input:
        script=script("table_1"),
        code=library("tables.py", "columns.py"),
        cross_likelihood=tables("cross_likelihood"),
    output:
        "results/{scale}/tables/{dataset}/table_1.csv",
    log:
        "results/{scale}/logs/table_1/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/table_1/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(sources=dataset(wildcards)["sources"], sigmas=sigmas(wildcards)),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.cross_likelihood:q} "
        "--output {output:q} > {log:q} 2>&1"


rule table_2:
    """Table 2: the hyperparameters of every prior."""
    input:
        script=script("table_2"),
        code=library("tables.py", "columns.py"),
    output:
        "results/{scale}/tables/{dataset}/table_2.csv",
    log:
        "results/{scale}/logs/table_2/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/table_2/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            priors={
                name: settings_of_config.prior_settings(at(wildcards), name)
                for name in dataset(wildcards)["priors"] + dataset(wildcards)["published"]
            },
            fine_tuned=[
                name
                for name in dataset(wildcards)["priors"] + dataset(wildcards)["published"]
                if trained(wildcards, name) and levels(wildcards, name) != ["all"]
            ],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"


rule costs:
    """What each kind of job cost."""
    input:
        script=script("costs"),
        code=library("tables.py", "columns.py"),
        benchmarks=benchmarks,
    output:
        "results/{scale}/tables/{dataset}/costs.csv",
    log:
        "results/{scale}/logs/costs/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/costs/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=as_json(),
    shell:
        "python {input.script:q} --settings {params.settings:q} --benchmarks {input.benchmarks:q} --output {output:q} "
        "> {log:q} 2>&1"


rule combine_tables:
    """One table of all data sets that the scale builds, as CSV, Markdown and HTML."""
    input:
        script=script("combine_tables"),
        code=library("pages.py"),
        tables=lambda wildcards: [
            table
            for name in at(wildcards)["build"]
            for table in tables_of(wildcards.scale, name, wildcards.name)
        ],
    output:
        page=report(
            "results/{scale}/tables/{name}.html",
            caption="../report/caption.rst",
            category="Tables",
            labels={"table": "{name}"},
        ),
        csv="results/{scale}/tables/{name}.csv",
        markdown="results/{scale}/tables/{name}.md",
    log:
        "results/{scale}/logs/combine_tables/{name}.log",
    benchmark:
        "results/{scale}/benchmarks/combine_tables/{name}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=as_json(),
        caption=caption("tables/{name}.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --tables {input.tables:q} --outputs {output:q} "
        "> {log:q} 2>&1"


use rule combine_tables as show_table with:
    input:
        script=script("combine_tables"),
        code=library("pages.py"),
        tables="results/{scale}/tables/{dataset}/{name}.csv",
    output:
        page=report(
            "results/{scale}/tables/{dataset}/{name}.html",
            caption="../report/caption.rst",
            category="Tables",
            subcategory="{dataset}",
            labels={"table": "{name}"},
        ),
        markdown="results/{scale}/tables/{dataset}/{name}.md",
    log:
        "results/{scale}/logs/show_table/{dataset}/{name}.log",
    benchmark:
        "results/{scale}/benchmarks/show_table/{dataset}/{name}.tsv"


rule figure:
    """One figure of one data set, drawn by figure_NAME.py, with the data that it shows."""
    input:
        script=lambda wildcards: script(f"figure_{wildcards.name}"),
        code=lambda wildcards: library(
            "plotting.py", "tables.py", "columns.py", *FIGURE_CODE.get(wildcards.name, [])
        ),
        shown=lambda wildcards: FIGURES[wildcards.name](wildcards),
    output:
        pdf="results/{scale}/figures/{name}_{dataset}.pdf",
        png=report(
            "results/{scale}/figures/{name}_{dataset}.png",
            caption="../report/caption.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "{name}"},
        ),
        csv="results/{scale}/figures/{name}_{dataset}.csv",
    log:
        "results/{scale}/logs/figure/{name}_{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/figure/{name}_{dataset}.tsv"
    wildcard_constraints:
        name="|".join(FIGURES),
        dataset="|".join(sorted({name for scale in SCALES.values() for name in scale["datasets"]})),
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            data=data_of(wildcards),
            frame=dataset(wildcards)["frame"],
            sources=dataset(wildcards)["sources"],
            priors=dataset(wildcards)["priors"],
            published=dataset(wildcards)["published"],
            families={name: prior["family"] for name, prior in at(wildcards)["priors"].items()},
            sigmas=sigmas(wildcards),
            mix=mix_of(wildcards, first_mix(wildcards)),
            runs=[run[:2] for run in runs(wildcards, first_mix(wildcards))],
            plans=plans_of(wildcards),
        ),
        caption=caption("figures/{name}.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.shown:q} "
        "--pdf {output.pdf:q} --png {output.png:q} --csv {output.csv:q} > {log:q} 2>&1"


rule audio:
    """The example mixes and every method's estimates as wav files, and a page that plays them."""
    input:
        script=script("audio"),
        code=lambda wildcards: [*data_code(wildcards), *library("separation/running.py", "pages.py")],
        data=ITEMS,
        examples=separations(EXAMPLES),
    output:
        wavs=directory("results/{scale}/audio/{dataset}"),
        page=report(
            "results/{scale}/figures/listen_{dataset}.html",
            caption="../report/caption.rst",
            category="Audio",
            subcategory="{dataset}",
            labels={"page": "listen"},
        ),
    log:
        "results/{scale}/logs/audio/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/audio/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=lambda wildcards: as_json(
            dataset=wildcards.dataset,
            data=data_of(wildcards),
            frame=dataset(wildcards)["frame"],
            mixes=[mix_of(wildcards, mix) for mix in dict.fromkeys(run[2] for run in runs(wildcards))],
            examples=at(wildcards)["separation"]["examples"],
            runs=runs(wildcards),
        ),
        caption=caption("figures/listen.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --examples {input.examples:q} "
        "--wavs {output.wavs:q} --page {output.page:q} > {log:q} 2>&1"


rule report:
    """The report: one HTML file, readable offline."""
    input:
        script=script("report"),
        files=lambda wildcards: shown(wildcards.scale, at(wildcards)["build"]),
    output:
        "results/{scale}/report.html",
    log:
        "results/{scale}/logs/report.log",
    benchmark:
        "results/{scale}/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        # A function, as claims have braces. A recording of the user's changes no report.
        settings=lambda wildcards: as_json(config={key: config[key] for key in config if key != "file"}),
        snakefile=os.path.relpath(workflow.main_snakefile),
    shell:
        "python {input.script:q} --settings {params.settings:q} --snakefile {params.snakefile:q} "
        "--files {input.files:q} --output {output:q} > {log:q} 2>&1"


use rule report as report_of_dataset with:
    input:
        script=script("report"),
        files=lambda wildcards: shown(wildcards.scale, [wildcards.dataset]),
    output:
        "results/{scale}/report_{dataset}.html",
    log:
        "results/{scale}/logs/report_{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/report_{dataset}.tsv"


rule checksums:
    """The checksum of every result of a scale that is the same from run to run."""
    input:
        script=script("checksums"),
        files=lambda wildcards: reproducible(wildcards.scale, at(wildcards)["build"]),
    output:
        "results/{scale}/checksums.txt",
    log:
        "results/{scale}/logs/checksums.log",
    benchmark:
        "results/{scale}/benchmarks/checksums.tsv"
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=as_json(),
    shell:
        "python {input.script:q} --settings {params.settings:q} --files {input.files:q} --output {output:q} "
        "> {log:q} 2>&1"


use rule checksums as checksums_of_dataset with:
    input:
        script=script("checksums"),
        files=lambda wildcards: reproducible(wildcards.scale, [wildcards.dataset]),
    output:
        "results/{scale}/checksums_{dataset}.txt",
    log:
        "results/{scale}/logs/checksums_{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/checksums_{dataset}.tsv"


for scale in SCALES:

    rule:
        name:
            scale
        input:
            f"results/{scale}/report.html",
            f"results/{scale}/checksums.txt",
        localrule: True

    for name in SCALES[scale]["datasets"]:

        rule:
            name:
                f"{scale}_{name}"
            input:
                f"results/{scale}/report_{name}.html",
                f"results/{scale}/checksums_{name}.txt",
            localrule: True

        for what, of_file in {"separate_file": separated_file, "score_file": scored_file}.items():
            if takes_files(scale, name):

                rule:
                    name:
                        f"{scale}_{name}_{what}"
                    input:
                        of_file(scale, name, roots.short_name(str(config.get("file") or "none"))),
                    localrule: True
