# Gives the rule files their paths, and the functions that say which files and settings a job needs.

from types import SimpleNamespace

ITEMS = "results/{scale}/data/{dataset}/items.parquet"
PRIOR = "results/{scale}/priors/{dataset}/{family}/{source}/{sigma}/seed{replicate}.safetensors"
LOSSES = "results/{scale}/priors/{dataset}/{family}/{source}/{sigma}/seed{replicate}.losses.csv"
SCORES = "results/{scale}/likelihood/{dataset}/{family}/{source}/seed{replicate}.parquet"
SAMPLES = "results/{scale}/samples/{dataset}/{family}.npy"
ERRORS = "results/{scale}/error_curves/{dataset}/{family}/{source}.parquet"
SEPARATOR = "results/{scale}/separation/{dataset}/supervised/{mix}.safetensors"
SEPARATOR_LOSSES = "results/{scale}/separation/{dataset}/supervised/{mix}.losses.csv"
REFERENCE = "results/{scale}/separation/{dataset}/reference/{mix}.parquet"
SEPARATED = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.parquet"
TRACE = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.trace.parquet"
PARTICLES = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.particles.parquet"
FORMING = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.forming.npy"
EXAMPLES = "results/{scale}/separation/{dataset}/{family}/{method}/{mix}.examples.npy"


def recordings_are_there(wildcards):
    """Nothing; stops everything, before the first job, where a data set's recordings are asked for and not there."""
    settings = dataset(wildcards)["settings"]
    if dataset(wildcards)["kind"] == "music" and settings["layout"] != "demo_band":
        wrong = roots.problem(settings["layout"], settings["root"])
        if wrong and not Path(ITEMS.format(**wildcards)).exists():
            raise WorkflowError(f"data set {wildcards.dataset}: {wrong}")
    return []


def recordings_of(wildcards):
    """What tells one state of a data set's recordings from another; where they are no more, the state that was cut."""
    settings = dataset(wildcards)["settings"]
    if dataset(wildcards)["kind"] != "music" or settings["layout"] == "demo_band":
        return ""
    place, kept = roots.root_of(settings["root"]), Path(ITEMS.format(**wildcards)).with_name(roots.STATE)
    if place and place.is_dir():
        return roots.state(place)
    return kept.read_text(encoding="utf-8") if kept.exists() else ""


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
    if wildcards.sigma in ("0", "all") or "training" not in chosen:
        return []
    serial = chosen["chain"] == "serial"
    before = levels(wildcards)[levels(wildcards).index(wildcards.sigma) - 1] if serial else "0"
    return PRIOR.replace("{sigma}", before)


def train_settings(wildcards):
    """What a training needs of the config, as JSON: a change of it retrains, and nothing else of the config does."""
    chosen, training = prior(wildcards), None
    if "training" in chosen:
        finetuned = wildcards.sigma not in ("0", "all")
        training = chosen["training"] | (chosen["finetune"] if finetuned else {})
        training |= {"frame": dataset(wildcards)["frame"]}
    return as_json(
        threads=at(wildcards)["threads"],
        dataset=wildcards.dataset,
        data=data_of(wildcards),
        prior=wildcards.family,
        family=chosen["family"],
        model=chosen["model"],
        training=training,
        prior_source=wildcards.source,
        sigma=wildcards.sigma,
        seed=[
            at(wildcards)["seed"],
            "train",
            *(wildcards[key] for key in ("dataset", "family", "source", "sigma", "replicate")),
        ],
    )


def mix_of(wildcards, mix=None):
    """The mix in the path, or the one named: name, sources, gains, unison."""
    there, name = dataset(wildcards)["mixes"], mix or wildcards.mix
    if name not in there:
        raise WorkflowError(f"{wildcards.dataset} has no mix {name!r}; it has {', '.join(there)}")
    made = there[name]
    gains = made.get("gains", [1] * len(made["sources"]))
    return dict(name=name, sources=made["sources"], gains=gains, unison=made.get("unison", 0))


def mix_items(wildcards, wanted):
    """So many test mixes, but no more than the mix in the path allows."""
    return min(wanted, dataset(wildcards)["mixes"][wildcards.mix].get("items", wanted))


def run_of(wildcards):
    """How the config runs the prior and method in the path."""
    of_method = dataset(wildcards)["runs"].get(wildcards.method, {})
    if wildcards.family not in of_method:
        raise WorkflowError(
            f"the config has no run of {wildcards.family} with {wildcards.method} on {wildcards.dataset}; "
            f"add it under datasets.{wildcards.dataset}.runs"
        )
    return of_method[wildcards.family]


def separation_settings(wildcards, items):
    """What both separate and separate_reference need."""
    return dict(
        threads=at(wildcards)["threads"],
        dataset=wildcards.dataset,
        data=data_of(wildcards),
        frame=dataset(wildcards)["frame"],
        items=mix_items(wildcards, items),
        batch_samples=at(wildcards)["separation"]["batch_samples"],
        mix=mix_of(wildcards),
    )


def run_items(wildcards):
    """Test mixes of the run in the path."""
    return run_of(wildcards).get("items", at(wildcards)["separation"]["items"])


def reference_items(wildcards):
    """Test mixes of the references: as many as any run has."""
    return max(
        (
            run.get("items", at(wildcards)["separation"]["items"])
            for priors in dataset(wildcards)["runs"].values()
            for run in priors.values()
        ),
        default=at(wildcards)["separation"]["items"],
    )


def separator_of(wildcards):
    """The supervised separator of the mix in the path, if the config has one."""
    wanted = dataset(wildcards).get("supervised", {}).get("mixes", [])
    return [SEPARATOR.format(**wildcards)] if wildcards.mix in wanted else []


def supervised_settings(wildcards):
    """What the training of a supervised separator needs of the config."""
    of = dataset(wildcards)["supervised"]
    like = settings_of_config.prior_settings(at(wildcards), of["prior"])
    return as_json(
        threads=at(wildcards)["threads"],
        data=data_of(wildcards),
        family=like["family"],
        model=like["model"],
        training=like["training"] | of.get("training", {}) | {"frame": dataset(wildcards)["frame"]},
        mix=mix_of(wildcards),
        seed=[at(wildcards)["seed"], "supervised", wildcards.dataset, wildcards.mix],
    )


def method_of(wildcards):
    """The sampling method in the path."""
    there = at(wildcards)["separation"]["methods"]
    if wildcards.method not in there:
        raise WorkflowError(
            f"there is no method {wildcards.method!r} in the config; there are {', '.join(there)}"
        )
    return there[wildcards.method]


def run_method(wildcards):
    """The method in the path, with what the run changes of it."""
    changed = {key: value for key, value in run_of(wildcards).items() if key in ("particles", "rounds")}
    return method_of(wildcards) | changed


def separation_priors(wildcards):
    """For each sigma of the method in turn, each source of the mix in turn; a plan's priors serve all sigmas."""
    wanted = ["all"] if levels(wildcards) == ["all"] else method_of(wildcards).get("sigmas", ["all"])
    if not can_run(wildcards, wildcards.family, wildcards.method):
        raise WorkflowError(
            f"{wildcards.family} has no models of what {wildcards.method} needs; it has "
            f"{', '.join(levels(wildcards))}"
        )
    return [
        PRIOR.format(
            scale=wildcards.scale,
            dataset=wildcards.dataset,
            family=wildcards.family,
            source=source,
            sigma=sigma,
            replicate=0,
        )
        for sigma in wanted
        for source in mix_of(wildcards)["sources"]
    ]


def separation_errors(wildcards):
    """The error curve of each source's prior, if the method has a plan."""
    if "plan" not in method_of(wildcards):
        return []
    known = dict(scale=wildcards.scale, dataset=wildcards.dataset, family=wildcards.family)
    return [ERRORS.format(**known, source=source) for source in mix_of(wildcards)["sources"]]


def recording(wildcards):
    """The path of the recording: the config's `file`, or the real song that is in every install."""
    given = str(at(wildcards).get("file", ""))
    if wildcards.recording == roots.REAL_SONG:
        return str(roots.real_song())
    # Snakemake gives its --config to a cluster's jobs in a line that a shell reads.
    if workflow.non_local_exec and set(given) & set("$`\"'\\\n"):
        raise WorkflowError(
            f"the recording {given!r} has a character of its name that a cluster's shell reads: link it under a plain name"
        )
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
    return separation_priors(SimpleNamespace(**wildcards, mix=first_mix(wildcards)))


def file_errors(wildcards):
    """The error curves of the priors that a recording is separated with."""
    return separation_errors(SimpleNamespace(**wildcards, mix=first_mix(wildcards)))


def scoring_priors(wildcards):
    """Every prior that is no published variant, first replicates: its path, and what it is."""
    there, found = dataset(wildcards), []
    for family in there["priors"]:
        for sigma in levels(wildcards, family):
            for level in there.get("sigmas", at(wildcards)["sigmas"]) if sigma == "all" else [sigma]:
                for source in there["sources"]:
                    known = {"prior": family, "prior_source": source, "prior_sigma": sigma, "data_sigma": level}
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
    "acceptance",
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
        return dataset(wildcards).get("sigmas", at(wildcards)["sigmas"])
    return [sigma for sigma in levels(wildcards) if sigma != "0"]


def evaluation_of(wildcards):
    """The config's evaluation, but for what only tables and samples need."""
    return {
        key: value
        for key, value in at(wildcards)["evaluation"].items()
        if key not in ("bootstrap", "samples")
    }


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


def can_run(wildcards, family, method):
    """Whether the prior has what the method needs: models of its sigmas, or, for a plan, one model of all."""
    there, wanted = levels(wildcards, family), at(wildcards)["separation"]["methods"][method].get("sigmas")
    if there == ["all"]:
        return wanted is None or "0" not in wanted
    return wanted is not None and set(wanted) <= set(there)


def runs(wildcards, only=None):
    """Every (family, method, mix) that is separated, or those of one mix."""
    return [
        (family, method, mix)
        for method, priors in dataset(wildcards)["runs"].items()
        for family, run in priors.items()
        for mix in run.get("mixes", [first_mix(wildcards)])
        if can_run(wildcards, family, method) and only in (None, mix)
    ]


def planned(wildcards):
    """Every (family, source) whose error curve some run needs."""
    methods = at(wildcards)["separation"]["methods"]
    return dict.fromkeys(
        (family, source)
        for family, method, mix in runs(wildcards)
        if "plan" in methods[method]
        for source in mix_of(wildcards, mix)["sources"]
    )


def planned_runs(wildcards):
    """Every run of the sampler that accepts or not: method, family, mix."""
    methods = at(wildcards)["separation"]["methods"]
    return [
        {"method": method, "family": family, "mix": mix}
        for family, method, mix in runs(wildcards)
        if methods[method]["sampler"] == "alternating" and "combine" not in methods[method]
    ]


def plans_of(wildcards):
    """The plans of the alternating sampler's runs, for the figure of error curves."""
    methods = at(wildcards)["separation"]["methods"]
    return [
        methods[method]["plan"]
        for method in dataset(wildcards)["runs"]
        if methods[method]["sampler"] == "alternating"
    ]


def particles(wildcards):
    """The particles of every run of a planned sampler."""
    return [PARTICLES.format(**wildcards, **run) for run in planned_runs(wildcards)]


def error_curves(wildcards):
    """Every error curve that some run needs."""
    return [ERRORS.format(**wildcards, family=f, source=s) for f, s in planned(wildcards)]


def forming(wildcards):
    """What the figure of forming estimates needs, of the first planned run of the first mix."""
    first = next(run for run in planned_runs(wildcards) if run["mix"] == first_mix(wildcards))
    return [pattern.format(**wildcards, **first) for pattern in (ITEMS, FORMING, TRACE)]


def references(wildcards):
    """The references of every mix that is separated."""
    return expand(REFERENCE, mix=dict.fromkeys(mix for *_, mix in runs(wildcards)), allow_missing=True)


def separations(pattern, only_first=False):
    """Paths of the pattern for every run, or those of the first mix."""

    def paths(wildcards):
        return [
            pattern.format(scale=wildcards.scale, dataset=wildcards.dataset, family=f, method=m, mix=mix)
            for f, m, mix in runs(wildcards, first_mix(wildcards) if only_first else None)
        ]

    return paths


def exact_prior(wildcards):
    """The name of the data set's exact prior, None if it has none."""
    there = dataset(wildcards)["priors"]
    return next((name for name in there if at(wildcards)["priors"][name]["family"] == "exact"), None)


def first_mix(wildcards):
    """The mix that figures show."""
    return next(iter(dataset(wildcards)["mixes"]))


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
    "dilemma": lambda wildcards: expand(tables("cross_likelihood", "detection", "separation"), **wildcards),
    "separation": lambda wildcards: expand(tables("separation"), **wildcards),
    "separation_examples": lambda wildcards: [
        ITEMS.format(**wildcards),
        *separations(EXAMPLES, only_first=True)(wildcards),
    ],
    "energy": separations(TRACE, only_first=True),
    "error_curve": lambda wildcards: error_curves(wildcards),
    "forming": lambda wildcards: forming(wildcards),
    "acceptance": lambda wildcards: particles(wildcards),
}

FIGURE_CODE = {
    "error_curve": ["separation/schedules.py"],
    "forming": ["separation/running.py"],
    "separation_examples": ["separation/running.py"],
}


def caption(path):
    """The caption of a figure or table, with its scale, frame and number of items."""

    def text(wildcards):
        file = WORKFLOW / "report" / path.format(**wildcards)
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
        *(
            f"{below}/error_curve/{{dataset}}/{family}/{source}.tsv".format(**wildcards)
            for family, source in planned(wildcards)
        ),
        *expand(
            f"{below}/train_separator/{{dataset}}/{{mix}}.tsv",
            mix=dataset(wildcards).get("supervised", {}).get("mixes", []),
            **wildcards,
        ),
    ]


def there_is(scale, name, what):
    """Whether the data set has that table or figure."""
    known = SimpleNamespace(scale=scale, dataset=name)
    if what == "truth_gap":
        return exact_prior(known) is not None
    if what == "error_curve":
        return bool(planned(known))
    if what in ("forming", "acceptance"):
        return bool(planned_runs(known))
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


def reproducible(scale, names):
    """Every file of these data sets that is the same from run to run: all but clock times, pages and logs."""
    found = []
    for name in names:
        known = SimpleNamespace(scale=scale, dataset=name)
        made = dict(scale=scale, dataset=name)
        found += [
            ITEMS.format(**made),
            *every_prior(PRIOR)(known),
            *every_prior(LOSSES)(known),
            *every_prior(SCORES)(known),
            *every_family(SAMPLES)(known),
            *(ERRORS.format(**made, family=family, source=source) for family, source in planned(known)),
            *expand(references(known), **made),
            *(
                path
                for pattern in (SEPARATED, TRACE, PARTICLES, FORMING, EXAMPLES)
                for path in separations(pattern)(known)
            ),
            *(
                path
                for mix in dataset(known).get("supervised", {}).get("mixes", [])
                for pattern in (SEPARATOR, SEPARATOR_LOSSES)
                for path in expand(pattern, **made, mix=mix)
            ),
            *(path for table in TABLES if table != "costs" for path in tables_of(scale, name, table)),
            *(
                f"results/{scale}/figures/{what}_{name}.{kind}"
                for what in FIGURES
                if there_is(scale, name, what)
                for kind in ("csv", "pdf", "png")
            ),
        ]
    together = names == SCALES[scale]["build"]
    there = [
        what for what in TABLES if what != "costs" and any(there_is(scale, name, what) for name in names)
    ]
    found += [
        f"results/{scale}/tables/{what}.{kind}"
        for what in (there if together else [f"{names[0]}/{what}" for what in there])
        for kind in (("csv", "md") if together else ("md",))
    ]
    return found


def counted(wildcards, key):
    """Items of a split that the data set has: those of its settings, or, of recordings, tracks times frames."""
    settings = dataset(wildcards)["settings"]
    return settings[key] * settings.get("frames", 1)


def cost_settings(wildcards):
    """What the program that says what a data set will take needs of the config."""
    there, methods = dataset(wildcards), at(wildcards)["separation"]["methods"]
    priors = {}
    for name in there["priors"] + there["published"]:
        known = SimpleNamespace(scale=wildcards.scale, dataset=wildcards.dataset, family=name)
        chosen = settings_of_config.prior_settings(at(wildcards), name)
        made = {"family": chosen["family"], "model": chosen["model"], "levels": levels(known)}
        made |= {"seeds": len(replicates(known, name)), "data_levels": data_levels(known)}
        if "training" in chosen:
            finetune = chosen["training"] | chosen.get("finetune", {})
            made |= {"training": chosen["training"], "finetune_steps": finetune["steps"]}
        priors[name] = made
    separated = []
    for name, method, mix in runs(wildcards):
        known = SimpleNamespace(
            scale=wildcards.scale, dataset=wildcards.dataset, family=name, method=method, mix=mix
        )
        made = run_method(known)
        steps = made["settings"].get("steps", 1)
        many = made["plan"]["levels"] + made["plan"]["settle"] if "plan" in made else len(made["sigmas"])
        of_mix = made["particles"] * mix_items(known, run_items(known)) * len(there["mixes"][mix]["sources"])
        separated.append(
            {
                "prior": name,
                "method": method,
                "mix": mix,
                "planned": "plan" in made,
                "calls": steps * many * of_mix,
            }
        )
    separators = [
        json.loads(supervised_settings(SimpleNamespace(**wildcards, mix=mix)))
        for mix in there.get("supervised", {}).get("mixes", [])
    ]
    stored = 0
    if there["kind"] == "music":  # int16; MUSDB18 has 150 tracks
        tracks = there["settings"]["songs"] or 150
        stored = 2 * tracks * there["settings"]["frames"] * there["frame"] * (len(there["sources"]) + 1)
    return as_json(
        title=f"{wildcards.scale}, {wildcards.dataset}",
        threads=at(wildcards)["threads"],
        data=data_of(wildcards),
        frame=there["frame"],
        sources=there["sources"],
        priors=priors,
        runs=separated,
        separators=separators,
        error_curves=[family for family, _ in planned(wildcards)],
        error_curve=at(wildcards)["separation"]["error_curve"],
        evaluation=evaluation_of(wildcards),
        test_items=counted(wildcards, "test"),
        validation_items=counted(wildcards, "validation"),
        bytes_of_data=stored,
    )
