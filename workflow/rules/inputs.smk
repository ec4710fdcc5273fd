# Gives the rule files their paths, and the functions that say which files and settings a job needs.

from types import SimpleNamespace

ITEMS = "results/{scale}/data/{dataset}/items.parquet"
PRIOR = "results/{scale}/priors/{dataset}/{family}/{source}/{sigma}/seed{replicate}.safetensors"
LOSSES = "results/{scale}/priors/{dataset}/{family}/{source}/{sigma}/seed{replicate}.losses.csv"
SCORES = "results/{scale}/likelihood/{dataset}/{family}/{source}/seed{replicate}.parquet"
SAMPLES = "results/{scale}/samples/{dataset}/{family}.npy"
REFERENCE = "results/{scale}/separation/{dataset}/reference/{mix}.parquet"
SEPARATED = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.parquet"
TRACE = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.trace.parquet"
EXAMPLES = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.examples.npy"


def recordings_are_there(wildcards):
    """Nothing; stops everything, before the first job, where a data set's recordings are asked for and not there."""
    settings = dataset(wildcards)["settings"]
    if dataset(wildcards)["kind"] == "music" and settings["layout"] != "demo_band":
        wrong = roots.problem(settings["layout"], settings["root"])
        if wrong and not Path(ITEMS.format(**wildcards)).exists():
            raise WorkflowError(f"data set {wildcards.dataset}: {wrong}")
    return []


def initial_prior(wildcards):
    """The prior that a fine-tuning starts from: the noise-free one, or the next smaller sigma's."""
    if wildcards.source not in dataset(wildcards)["sources"]:
        there = ", ".join(dataset(wildcards)["sources"])
        raise WorkflowError(f"{wildcards.dataset} has no source {wildcards.source!r}; it has {there}")
    chosen = prior(wildcards)
    if wildcards.sigma not in levels(wildcards):
        there = ", ".join(levels(wildcards))
        raise WorkflowError(
            f"{wildcards.family} has no sigma {wildcards.sigma!r} at this scale; it has {there}"
        )
    if wildcards.sigma == "0" or "training" not in chosen:
        return []
    serial = chosen["chain"] == "serial"
    before = levels(wildcards)[levels(wildcards).index(wildcards.sigma) - 1] if serial else "0"
    return PRIOR.replace("{sigma}", before)


def train_settings(wildcards):
    """What a training needs of the config, as JSON: a change of it retrains, and nothing else of the config does."""
    chosen, training = prior(wildcards), None
    if "training" in chosen:
        training = chosen["training"] | (chosen["finetune"] if wildcards.sigma != "0" else {})
        training |= {"frame": dataset(wildcards)["frame"]}
    return as_json(
        threads=at(wildcards)["threads"],
        dataset=wildcards.dataset,
        data=data_of(wildcards),
        prior=wildcards.family,
        family=chosen["family"],
        model=chosen["model"],
        training=training,
        source=wildcards.source,
        sigma=wildcards.sigma,
        seed=[
            at(wildcards)["seed"],
            "train",
            *(wildcards[key] for key in ("dataset", "family", "source", "sigma", "replicate")),
        ],
    )


def separation_settings(wildcards):
    """What both separate and separate_reference need."""
    mix = wildcards.mix.split("+")
    unknown = [source for source in mix if source not in dataset(wildcards)["sources"]]
    if unknown:
        there = ", ".join(dataset(wildcards)["sources"])
        raise WorkflowError(f"{wildcards.dataset} has no source {unknown[0]!r}; it has {there}")
    return dict(
        threads=at(wildcards)["threads"],
        dataset=wildcards.dataset,
        data=data_of(wildcards),
        frame=dataset(wildcards)["frame"],
        items=at(wildcards)["separation"]["items"],
        mix=mix,
    )


def method_of(wildcards):
    """The sampling method in the path."""
    there = at(wildcards)["separation"]["methods"]
    if wildcards.method not in there:
        raise WorkflowError(
            f"there is no method {wildcards.method!r} in the config; there are {', '.join(there)}"
        )
    return there[wildcards.method]


def separation_priors(wildcards):
    """For each sigma of the method in turn, each source of the mix in turn."""
    one_for_all = levels(wildcards) == ["all"]
    return [
        PRIOR.format(
            scale=wildcards.scale,
            dataset=wildcards.dataset,
            family=wildcards.family,
            source=source,
            sigma="all" if one_for_all else sigma,
            replicate=0,
        )
        for sigma in method_of(wildcards)["sigmas"]
        for source in wildcards.mix.split("+")
    ]


def recording(wildcards):
    """The path of the recording: the config's `file`, or the real song that is in every install."""
    given = str(at(wildcards).get("file", ""))
    if wildcards.recording == roots.REAL_SONG:
        return str(roots.real_song())
    if not given:
        raise WorkflowError("no recording is given: add --config file=PATH, such as --config file=song.wav")
    if wildcards.recording != roots.short_name(given):
        raise WorkflowError(
            f"the recording {given!r} is called {roots.short_name(given)!r} here, not {wildcards.recording!r}"
        )
    if not Path(given).is_file():
        raise WorkflowError(f"there is no file {given!r}; give the path of a recording, such as song.wav")
    return given


def file_priors(wildcards):
    """The priors that a recording is separated with."""
    mix = "+".join(dataset(wildcards)["sources"])
    if not can_run(wildcards, wildcards.family, method_of(wildcards)["sigmas"]):
        raise WorkflowError(
            f"{wildcards.family} has no models of {', '.join(method_of(wildcards)['sigmas'])}, which "
            f"{wildcards.method} needs; it has {', '.join(levels(wildcards))}"
        )
    return separation_priors(SimpleNamespace(**wildcards, mix=mix))


def scoring_priors(wildcards):
    """Every prior that is no published variant, first replicates: its path, and what it is."""
    there, found = dataset(wildcards), []
    for family in there["priors"]:
        for sigma in levels(wildcards, family):
            for level in at(wildcards)["sigmas"] if sigma == "all" else [sigma]:
                for source in there["sources"]:
                    known = {"family": family, "prior": source, "prior_sigma": sigma, "data_sigma": level}
                    path = PRIOR.format(**wildcards, family=family, source=source, sigma=sigma, replicate=0)
                    found.append((path, known))
    return found


def separated_file(scale, name, recording):
    """Figure and page of a recording, separated as the data set's `file` says."""
    chosen = SCALES[scale]["datasets"][name]["file"]
    below = f"results/{scale}/files/{name}/{recording}/{chosen['prior']}/{chosen['method']}"
    return [f"{below}/separated.png", f"{below}/listen.html"]


def scored_file(scale, name, recording):
    """Figure of a recording's scores."""
    return [f"results/{scale}/files/{name}/{recording}/scores.png"]


def takes_files(scale, name):
    """Whether recordings can be separated with the data set's priors."""
    return "file" in SCALES[scale]["datasets"][name]


TABLES = [
    "claims",
    "cross_likelihood",
    "detection",
    "detection_by_track",
    "classification",
    "truth_gap",
    "gradient_norm",
    "separation",
    "table_1",
    "table_2",
    "costs",
]


def prior_sources(wildcards):
    """Every (family, source) of the data set."""
    there = dataset(wildcards)
    return [
        {"family": family, "source": source}
        for family in there["priors"] + there["published"]
        for source in there["sources"]
    ]


def data_levels(wildcards):
    """The data's noise levels above 0 that the prior in the path is scored at: all, or those that it has models of."""
    if levels(wildcards) == ["all"]:
        return at(wildcards)["sigmas"]
    return [sigma for sigma in levels(wildcards) if sigma != "0"]


def trained(wildcards, family):
    """Whether the prior needs training."""
    return "training" in settings_of_config.prior_settings(at(wildcards), family)


def replicates(wildcards, family):
    """The trainings of a prior; one that is not trained has one."""
    return seeds(wildcards) if trained(wildcards, family) else range(1)


def every_prior(pattern, only_trained=False):
    """Paths of the pattern for every family, source, replicate and, if it has one, sigma, of the data set."""

    def paths(wildcards):
        known = dict(scale=wildcards.scale, dataset=wildcards.dataset)
        return [
            pattern.format(**known, **one, sigma=sigma, replicate=replicate)
            for one in prior_sources(wildcards)
            if trained(wildcards, one["family"]) or not only_trained
            for sigma in (levels(wildcards, one["family"]) if "{sigma}" in pattern else [""])
            for replicate in replicates(wildcards, one["family"])
        ]

    return paths


def can_run(wildcards, family, wanted):
    """Whether the prior has models of these levels; one model of all sigmas has no noise-free density."""
    there = levels(wildcards, family)
    return "0" not in wanted if there == ["all"] else set(wanted) <= set(there)


def runs(wildcards, mixes=None):
    """Every (family, method, mix) that is separated."""
    return [
        (family, method, "+".join(mix))
        for mix in (mixes or dataset(wildcards)["mixes"])
        for family in dataset(wildcards)["priors"]
        for method, settings in at(wildcards)["separation"]["methods"].items()
        if can_run(wildcards, family, settings["sigmas"])
    ]


def references(wildcards):
    """The references of every mix."""
    return expand(REFERENCE, mix=["+".join(mix) for mix in dataset(wildcards)["mixes"]], allow_missing=True)


def separations(pattern, mixes=None):
    """Paths of the pattern for every run."""

    def paths(wildcards):
        return [
            pattern.format(scale=wildcards.scale, dataset=wildcards.dataset, family=f, method=m, mix=mix)
            for f, m, mix in runs(wildcards, mixes and mixes(wildcards))
        ]

    return paths


def exact_prior(wildcards):
    """The name of the data set's exact prior, None if it has none."""
    there = dataset(wildcards)["priors"]
    return next((name for name in there if at(wildcards)["priors"][name]["family"] == "exact"), None)


def first_mix(wildcards):
    """The mix that figures show."""
    return dataset(wildcards)["mixes"][:1]


def tables(*names):
    """Tables of the data set in the path."""
    return expand("results/{scale}/tables/{dataset}/{name}.csv", name=names, allow_missing=True)


def every_family(pattern):
    """Paths of the pattern for every family of the data set that is sampled and separated with."""

    def paths(wildcards):
        return [
            pattern.format(scale=wildcards.scale, dataset=wildcards.dataset, family=family)
            for family in dataset(wildcards)["priors"]
        ]

    return paths


FIGURES = {  # name: what it is drawn from
    "waveforms": lambda wildcards: [ITEMS.format(**wildcards)],
    "training": every_prior(LOSSES, only_trained=True),
    "cross_likelihood": lambda wildcards: expand(tables("cross_likelihood", "detection"), **wildcards),
    "published": lambda wildcards: expand(tables("cross_likelihood", "detection", "table_1"), **wildcards),
    "noise_grid": lambda wildcards: expand(tables("cross_likelihood", "detection"), **wildcards),
    "detection": lambda wildcards: expand(tables("detection"), **wildcards),
    "detection_by_track": lambda wildcards: expand(tables("detection_by_track"), **wildcards),
    "peakedness": lambda wildcards: expand(tables("cross_likelihood"), **wildcards),
    "inputs": lambda wildcards: expand(tables("cross_likelihood"), **wildcards),
    "truth_gap": lambda wildcards: expand(tables("truth_gap"), **wildcards),
    "gradient_norm": lambda wildcards: expand(tables("gradient_norm"), **wildcards),
    "samples": every_family(SAMPLES),
    "separation": lambda wildcards: expand(tables("separation"), **wildcards),
    "separation_examples": lambda wildcards: [
        ITEMS.format(**wildcards),
        *separations(EXAMPLES, first_mix)(wildcards),
    ],
    "energy": separations(TRACE, first_mix),
}


def caption(path):
    """The caption of a figure or table, with its scale, frame and number of items."""

    def text(wildcards):
        file = Path(workflow.basedir) / "workflow" / "report" / path.format(**wildcards)
        if "dataset" in wildcards.keys():
            of_kind = file.with_stem(f"{file.stem}_{dataset(wildcards)['kind']}")
            file = of_kind if of_kind.exists() else file
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


def benchmarks(wildcards):
    """The clock times of every training, evaluation, drawing of samples and separation of the data set."""
    below = "results/{scale}/benchmarks"
    of_prior = "{dataset}/{family}/{source}/{sigma}/seed{replicate}.tsv"
    return [
        *expand(f"{below}/make_data/{{dataset}}.tsv", **wildcards),
        *every_prior(f"{below}/train_prior/{of_prior}")(wildcards),
        *every_prior(f"{below}/evaluate_prior/{{dataset}}/{{family}}/{{source}}/seed{{replicate}}.tsv")(
            wildcards
        ),
        *every_family(f"{below}/sample_prior/{{dataset}}/{{family}}.tsv")(wildcards),
        *separations(f"{below}/separate/{{dataset}}/{{family}}/{{method}}/{{mix}}.tsv")(wildcards),
    ]


def there_is(scale, name, what):
    """Whether the data set has that table or figure."""
    known = SimpleNamespace(scale=scale, dataset=name)
    if what == "truth_gap":
        return exact_prior(known) is not None
    if what == "detection_by_track":
        return dataset(known)["kind"] == "music"
    return what != "published" or bool(dataset(known)["published"])


def tables_of(scale, name, what):
    """The path of that table of the data set, if there is one."""
    return expand(tables(what), scale=scale, dataset=name) if there_is(scale, name, what) else []


def shown(scale, names):
    """Figures, audio and tables of these data sets, as the report shows them."""
    figures = [(what, name) for name in names for what in FIGURES if there_is(scale, name, what)]
    made = [what for what in TABLES if any(there_is(scale, name, what) for name in names)]
    return [
        *(f"results/{scale}/figures/{what}_{name}.png" for what, name in figures),
        *expand(f"results/{scale}/figures/listen_{{dataset}}.html", dataset=names),
        *(
            path
            for name in names
            if takes_files(scale, name)
            for of_song in (separated_file, scored_file)
            for path in of_song(scale, name, roots.REAL_SONG)
        ),
        *(
            expand(f"results/{scale}/tables/{{name}}.html", name=made)
            if names == SCALES[scale]["build"]
            else expand(f"results/{scale}/tables/{{dataset}}/{{name}}.html", dataset=names, name=made)
        ),
    ]
