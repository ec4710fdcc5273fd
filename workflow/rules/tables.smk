# Needs  what the catalogue says of each table (workflow/scripts/audiopriors/pipeline/tables.py): rows of measures,
#        separations and particles, clock times, other tables
# Gives  results/{scale}/tables/{dataset}/{name}.csv, .md, .html, and results/{scale}/tables/{name}.csv, .md, .html


rule likelihood_tables:
    """Tables of likelihood, detection, classification and gradient norm of one data set."""
    input:
        script=script("likelihood_tables"),
        code=library("likelihood_tables"),
        measures=outputs_of("evaluate_prior", "measures"),
    output:
        **paths.outputs("likelihood_tables"),
    log:
        paths.log("likelihood_tables"),
    benchmark:
        paths.benchmark("likelihood_tables")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("likelihood_tables"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --measures {input.measures:q} "
        "--cross-likelihood {output.cross_likelihood:q} --detection {output.detection:q} "
        "--classification {output.classification:q} --gradient-norm {output.gradient_norm:q} > {log:q} 2>&1"


rule table:
    """One table of one data set, computed by table_NAME.py."""
    input:
        script=lambda wildcards: script(program_of(wildcards.name)),
        code=asks(
            lambda data, wildcards: library(
                program_of(wildcards.name),
                data=data.kind if TABLES[wildcards.name].opens_data else None,
                families=TABLES[wildcards.name].families,
            )
        ),
        inputs=asks(lambda data, wildcards: jobs.resolve(data, TABLES[wildcards.name].inputs)),
    output:
        **paths.outputs("table"),
    log:
        paths.log("table"),
    benchmark:
        paths.benchmark("table")
    wildcard_constraints:
        name="|".join(name for name, table in TABLES.items() if table.rule == "table"),
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings=settings("table"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --inputs {input.inputs:q} "
        "--output {output.table:q} > {log:q} 2>&1"


rule costs:
    """What each kind of job cost."""
    input:
        script=script("costs"),
        code=library("costs"),
        benchmarks=asks(lambda data, wildcards: jobs.timed(data)),
        fidelity=asks(lambda data, wildcards: jobs.select(data, "sample_posterior", "rows")),
    output:
        **paths.outputs("costs"),
    log:
        paths.log("costs"),
    benchmark:
        paths.benchmark("costs")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings="{}",
    shell:
        "python {input.script:q} --settings {params.settings:q} --benchmarks {input.benchmarks:q} "
        "--fidelity {input.fidelity:q} --output {output.table:q} > {log:q} 2>&1"


rule combine_tables:
    """One table of all data sets that the scale builds, as CSV, Markdown and HTML."""
    input:
        script=script("combine_tables"),
        code=library("combine_tables"),
        tables=lambda wildcards: jobs.tables_named(scale_of(wildcards), wildcards.name),
    output:
        page=report(
            paths.output("combine_tables", "page"),
            caption="../report/caption.rst",
            category="Tables",
            labels={"table": "{name}"},
        ),
        csv=paths.output("combine_tables", "csv"),
        markdown=paths.output("combine_tables", "markdown"),
    log:
        paths.log("combine_tables"),
    benchmark:
        paths.benchmark("combine_tables")
    localrule: True
    conda:
        "../../envs/audiopriors.yaml"
    params:
        settings="{}",
        caption=lambda wildcards: TABLES[wildcards.name].caption.format(scale=wildcards.scale),
    shell:
        "python {input.script:q} --settings {params.settings:q} --tables {input.tables:q} --outputs {output:q} "
        "> {log:q} 2>&1"


use rule combine_tables as show_table with:
    input:
        script=script("combine_tables"),
        code=library("combine_tables"),
        tables="results/{scale}/tables/{dataset}/{name}.csv",
    output:
        page=report(
            paths.output("show_table", "page"),
            caption="../report/caption.rst",
            category="Tables",
            subcategory="{dataset}",
            labels={"table": "{name}"},
        ),
        markdown=paths.output("show_table", "markdown"),
    log:
        paths.log("show_table"),
    benchmark:
        paths.benchmark("show_table")
