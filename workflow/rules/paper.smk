# Needs what the other rules give. Gives the tables, the figures, the audio page, the report and the targets.
# A figure NAME is made by workflow/scripts/figures/NAME.py and captioned by workflow/report/figures/NAME.rst.

TABLES = [
    "cross_likelihood",
    "detection",
    "classification",
    "gradient_norm",
    "separation",
    "table_1",
    "table_2",
    "costs",
]


def prior_sources(wildcards):
    """Every (family, source) of the data set."""
    return [
        {"family": family, "source": source}
        for family in dataset(wildcards)["priors"]
        for source in dataset(wildcards)["sources"]
    ]


def every_prior(pattern):
    """Paths of the pattern for every family, source, sigma and replicate of the data set."""

    def paths(wildcards):
        known = dict(scale=wildcards.scale, dataset=wildcards.dataset)
        return [
            pattern.format(**known, **one, sigma=sigma, replicate=replicate)
            for one in prior_sources(wildcards)
            for sigma in levels(wildcards)
            for replicate in seeds(wildcards)
        ]

    return paths


def runs(wildcards, mixes=None):
    """Every (family, method, mix) that is separated."""
    return [
        (family, method, "+".join(mix))
        for mix in (mixes or dataset(wildcards)["mixes"])
        for family in dataset(wildcards)["priors"]
        for method in at(wildcards)["separation"]["methods"]
    ]


def separations(suffix, mixes=None, references=()):
    """Paths of every run, after those of the references."""

    def paths(wildcards):
        chosen = [
            ("reference", name, "+".join(mix)) for name in references for mix in dataset(wildcards)["mixes"]
        ]
        chosen += runs(wildcards, mixes and mixes(wildcards))
        return [
            SEPARATION.format(scale=wildcards.scale, dataset=wildcards.dataset, family=f, method=m, mix=mix)
            + suffix
            for f, m, mix in chosen
        ]

    return paths


def first_mix(wildcards):
    return dataset(wildcards)["mixes"][:1]


def tables(*names):
    return expand("results/{scale}/tables/{dataset}/{name}.csv", name=names, allow_missing=True)


def all_samples(wildcards):
    return [
        f"results/{wildcards.scale}/samples/{wildcards.dataset}/{one['family']}/{one['source']}.npy"
        for one in prior_sources(wildcards)
    ]


FIGURES = {  # name: what it is drawn from
    "waveforms": lambda wildcards: [ITEMS.format(**wildcards)],
    "training": every_prior(PRIOR.replace(".safetensors", ".losses.csv")),
    "cross_likelihood": lambda wildcards: expand(tables("cross_likelihood", "detection"), **wildcards),
    "noise_grid": lambda wildcards: expand(tables("cross_likelihood", "detection"), **wildcards),
    "detection": lambda wildcards: expand(tables("detection"), **wildcards),
    "peakedness": lambda wildcards: expand(tables("cross_likelihood"), **wildcards),
    "inputs": lambda wildcards: expand(tables("cross_likelihood"), **wildcards),
    "gradient_norm": lambda wildcards: expand(tables("gradient_norm"), **wildcards),
    "samples": all_samples,
    "separation": lambda wildcards: expand(tables("separation"), **wildcards),
    "separation_examples": lambda wildcards: [
        ITEMS.format(**wildcards),
        *separations(".examples.npy", first_mix)(wildcards),
    ],
    "energy": separations(".trace.parquet", first_mix),
}


def caption(path):
    """The caption of a figure or table, with its scale, frame and number of items."""

    def text(wildcards):
        file = Path(workflow.basedir) / "workflow" / "report" / path.format(**wildcards)
        written = file.read_text(encoding="utf-8")
        known = {"scale": wildcards.scale}
        if "dataset" in wildcards.keys():
            known |= {
                "dataset": wildcards.dataset,
                "frame": dataset(wildcards)["frame"],
                "items": at(wildcards)["evaluation"]["test_items"],
                "mixes": at(wildcards)["separation"]["items"],
                "seeds": at(wildcards)["seeds"],
            }
        return written.format(**known)

    return text


rule likelihood_tables:
    """Tables of likelihood, detection, classification and gradient norm of one data set."""
    input:
        script=script("likelihood_tables"),
        code=library("tables.py", "detection.py", "seeds.py"),
        scores=every_prior(
            "results/{scale}/likelihood/{dataset}/{family}/{source}/{sigma}/seed{replicate}.parquet"
        ),
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
    params:
        settings=lambda wildcards: as_json(
            frame=dataset(wildcards)["frame"],
            sources=dataset(wildcards)["sources"],
            bootstrap=at(wildcards)["evaluation"]["bootstrap"],
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --scores {input.scores:q} "
        "--cross-likelihood {output.cross_likelihood:q} --detection {output.detection:q} "
        "--classification {output.classification:q} --gradient-norm {output.gradient_norm:q} > {log:q} 2>&1"


rule separation_table:
    """Table of separation of one data set."""
    input:
        script=script("separation_table"),
        code=library("tables.py", "detection.py", "seeds.py"),
        rows=separations(".parquet", references=["mix", "parametric_oracle"]),
    output:
        "results/{scale}/tables/{dataset}/separation.csv",
    log:
        "results/{scale}/logs/separation_table/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/separation_table/{dataset}.tsv"
    localrule: True
    params:
        settings=lambda wildcards: as_json(
            frame=dataset(wildcards)["frame"], bootstrap=at(wildcards)["evaluation"]["bootstrap"]
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --rows {input.rows:q} --output {output:q} "
        "> {log:q} 2>&1"


rule table_1:
    """Table 1: constant zero and Gaussian noise as inputs."""
    input:
        script=script("table_1"),
        code=library("tables.py"),
        cross_likelihood=tables("cross_likelihood"),
    output:
        "results/{scale}/tables/{dataset}/table_1.csv",
    log:
        "results/{scale}/logs/table_1/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/table_1/{dataset}.tsv"
    localrule: True
    params:
        settings=lambda wildcards: as_json(sources=dataset(wildcards)["sources"], sigmas=levels(wildcards)),
    shell:
        "python {input.script:q} --settings {params.settings:q} --cross-likelihood {input.cross_likelihood:q} "
        "--output {output:q} > {log:q} 2>&1"


rule table_2:
    """Table 2: the hyperparameters of every prior."""
    input:
        script=script("table_2"),
        code=library("tables.py"),
    output:
        "results/{scale}/tables/{dataset}/table_2.csv",
    log:
        "results/{scale}/logs/table_2/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/table_2/{dataset}.tsv"
    localrule: True
    params:
        settings=lambda wildcards: as_json(
            priors={
                name: settings_of_config.prior_settings(at(wildcards), name)
                for name in dataset(wildcards)["priors"]
            }
        ),
    shell:
        "python {input.script:q} --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"


def benchmarks(wildcards):
    """The clock times of every training, evaluation, drawing of samples and separation of the data set."""
    made = every_prior("{family}/{source}/{sigma}/seed{replicate}")(wildcards)
    below = f"results/{wildcards.scale}/benchmarks"
    return [
        f"{below}/make_data/{wildcards.dataset}.tsv",
        *(
            f"{below}/{rule}/{wildcards.dataset}/{one}.tsv"
            for rule in ("train_prior", "evaluate_prior")
            for one in made
        ),
        *(
            path.replace("/samples/", "/benchmarks/sample_prior/").replace(".npy", ".tsv")
            for path in all_samples(wildcards)
        ),
        *(path.replace("/separation/", "/benchmarks/separate/") for path in separations(".tsv")(wildcards)),
    ]


rule costs:
    """What each kind of job cost."""
    input:
        script=script("costs"),
        code=library("tables.py"),
        benchmarks=benchmarks,
    output:
        "results/{scale}/tables/{dataset}/costs.csv",
    log:
        "results/{scale}/logs/costs/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/costs/{dataset}.tsv"
    localrule: True
    params:
        settings=as_json(),
    shell:
        "python {input.script:q} --settings {params.settings:q} --benchmarks {input.benchmarks:q} --output {output:q} "
        "> {log:q} 2>&1"


rule combine_tables:
    """One table of all data sets that the scale builds, as CSV and Markdown."""
    input:
        script=script("combine_tables"),
        code=library("tables.py"),
        tables=lambda wildcards: expand(
            tables(wildcards.name), scale=wildcards.scale, dataset=at(wildcards)["build"]
        ),
    output:
        csv=report(
            "results/{scale}/tables/{name}.csv",
            caption="../report/caption.rst",
            category="Tables",
            labels={"table": "{name}"},
        ),
        markdown="results/{scale}/tables/{name}.md",
    log:
        "results/{scale}/logs/combine_tables/{name}.log",
    benchmark:
        "results/{scale}/benchmarks/combine_tables/{name}.tsv"
    localrule: True
    params:
        settings=as_json(),
        caption=caption("tables/{name}.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --tables {input.tables:q} --csv {output.csv:q} "
        "--markdown {output.markdown:q} > {log:q} 2>&1"


rule figure:
    """One figure of one data set, drawn by figures/NAME.py, with the data that it shows."""
    input:
        script=lambda wildcards: script(f"figures/{wildcards.name}"),
        code=library("plotting.py", "tables.py"),
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
    params:
        settings=lambda wildcards: as_json(
            data=data_of(wildcards),
            frame=dataset(wildcards)["frame"],
            sources=dataset(wildcards)["sources"],
            families=dataset(wildcards)["priors"],
            sigmas=levels(wildcards),
            mixes=dataset(wildcards)["mixes"],
            runs=[run[:2] for run in runs(wildcards, first_mix(wildcards))],
        ),
        caption=caption("figures/{name}.rst"),
    shell:
        "PYTHONPATH={SCRIPTS:q} python {input.script:q} --settings {params.settings:q} --inputs {input.shown:q} "
        "--pdf {output.pdf:q} --png {output.png:q} --csv {output.csv:q} > {log:q} 2>&1"


rule audio:
    """The example mixes and every method's estimates as wav files, and a page that plays them."""
    input:
        script=script("audio"),
        code=lambda wildcards: [*data_code(wildcards), *library("separation.py")],
        data=ITEMS,
        examples=separations(".examples.npy"),
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
    params:
        settings=lambda wildcards: as_json(
            data=data_of(wildcards),
            frame=dataset(wildcards)["frame"],
            mixes=dataset(wildcards)["mixes"],
            examples=at(wildcards)["separation"]["examples"],
            runs=runs(wildcards),
        ),
        caption=caption("figures/listen.rst"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --examples {input.examples:q} "
        "--wavs {output.wavs:q} --page {output.page:q} > {log:q} 2>&1"


def shown(scale, names):
    """Figures, audio and tables of these data sets, as the report shows them."""
    return [
        *expand(f"results/{scale}/figures/{{name}}_{{dataset}}.png", name=FIGURES, dataset=names),
        *expand(f"results/{scale}/figures/listen_{{dataset}}.html", dataset=names),
        *(
            expand(f"results/{scale}/tables/{{name}}.csv", name=TABLES)
            if names == SCALES[scale]["build"]
            else expand(f"results/{scale}/tables/{{dataset}}/{{name}}.csv", dataset=names, name=TABLES)
        ),
    ]


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
    params:
        settings=as_json(config=config),
        snakefile=str(workflow.main_snakefile),
    shell:
        "python {input.script:q} --settings {params.settings:q} --snakefile {params.snakefile:q} "
        "--files {input.files:q} --output {output:q} > {log:q} 2>&1"


for scale in SCALES:

    rule:
        name:
            scale
        default_target: scale == "quick"
        input:
            f"results/{scale}/report.html",
        localrule: True

    for name in SCALES[scale]["datasets"]:

        rule:
            name:
                f"{scale}_{name}"
            input:
                shown(scale, [name]),
            localrule: True
