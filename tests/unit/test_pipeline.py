"""The pipeline's knowledge: one list of jobs from which all else follows, what programs get, and code by imports."""

import ast
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from audiopriors import registry
from audiopriors.columns import COLUMNS
from audiopriors.errors import UserError
from audiopriors.pipeline import code, config, inputs, jobs, paths, programs, story
from audiopriors.pipeline.curves import training_curves
from audiopriors.pipeline.figures import FIGURES
from audiopriors.pipeline.merging import merge
from audiopriors.pipeline.scale import Scale
from audiopriors.pipeline.tables import TABLES, program_of
from audiopriors.priors import exact
from conftest import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"
SHIPPED = {}
for name in ("config", "scales", "claims"):
    SHIPPED |= yaml.safe_load((ROOT / f"{name}.yaml").read_text())


@pytest.fixture(scope="module")
def scales() -> dict[str, Scale]:
    return {name: Scale(name, settings) for name, settings in config.scales(SHIPPED).items()}


@pytest.fixture(scope="module")
def datasets(scales):
    """Those shipped, one without runs, and one with runs of another mix than the first."""
    toy = SHIPPED["datasets"]["toy"] | {"posteriors": {}}  # smoke has not all their levels
    more = {"unseparated": toy | {"runs": {}}, "second": toy | {"runs": {"alternating": {"score": {"mixes": ["two"]}}}}}
    few = Scale("full", config.scales(SHIPPED | {"datasets": SHIPPED["datasets"] | more})["full"])
    return [data for scale in scales.values() for data in scale.datasets.values()] + [
        few.dataset(name) for name in more
    ]


def test_the_library_of_the_workflow_imports_nothing_heavy():
    ask = (
        "import sys; from audiopriors.pipeline import code, config, inputs, jobs, paths, programs, recordings; "
        "print(*sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'pandas', 'scipy', 'snakemake'}))"
    )
    done = subprocess.run([sys.executable, "-c", ask], cwd=SCRIPTS, text=True, capture_output=True, check=True)
    assert done.stdout.split() == []


def test_every_job_is_listed_once_and_its_paths_are_its_own(datasets):
    for data in datasets:
        outputs = [path for job in jobs.jobs(data) for path in job.outputs.values()]
        assert len(outputs) == len(set(outputs)) and all(data.name in path for path in outputs)
        places = [job.benchmark for job in jobs.jobs(data)]
        assert len(places) == len(set(places))


def test_what_follows_from_the_jobs(scales):
    toy = scales["full"].dataset("toy")
    counts = {rule: len(list(group)) for rule, group in itertools.groupby(sorted(job.rule for job in jobs.jobs(toy)))}
    # Flow and WaveNet, and the MDCT's flow: noise-free and five sigmas; told flow and score prior: one model; published
    # ones and the spectrogram's: two ends; two flows and a WaveNet trained together: one; three seeds each, four
    # sources. The exact prior: once a source.
    assert counts["train_prior"] == 4 * (3 * (6 + 6 + 6 + 1 + 1 + 2 + 2 + 2 + 3) + 1)
    assert counts["train_jointly"] == 3 * 3 and counts["evaluate_prior"] == 4 * (3 * 11 + 1)
    assert counts["sample_prior"] == 6 and counts["train_separator"] == 2 and counts["separate_reference"] == 6
    listed = jobs.reproducible(scales["full"], ["toy"])
    assert len(listed) == len(set(listed))
    assert not [
        path for path in listed if "costs" in path or path.endswith((".html", ".tsv", ".log")) or "audio/" in path
    ]
    assert set(jobs.select(toy, "train_prior", "prior")) < set(listed)
    shown = jobs.shown(scales["full"], ["toy"])
    assert {Path(path).suffix for path in shown} == {".png", ".html"} and len(shown) == len(set(shown))
    assert len(jobs.timed(toy)) == sum(counts.get(rule, 0) for rule in jobs.TIMED)


def test_the_forecast_counts_the_jobs(datasets):
    for data in datasets:
        forecast = programs.forecast(data, SimpleNamespace())
        for rule, key in (
            ("train_prior", "trainings"),
            ("evaluate_prior", "evaluations"),
            ("error_curve", "error_curves"),
        ):
            counted = sum(prior[key] for prior in forecast["priors"].values())
            assert counted == sum(job.rule == rule for job in jobs.jobs(data))
        sampling = ("separate", "sample_posterior")
        assert len(forecast["runs"]) == sum(job.rule in sampling for job in jobs.jobs(data))


def test_every_input_of_a_job_is_an_output_of_another(datasets):
    for data in datasets:
        outputs = {path for job in jobs.jobs(data) for path in job.outputs.values()}
        for job in jobs.jobs(data):
            wildcards = SimpleNamespace(**job.wildcards)
            needed = []
            if job.rule == "train_prior":
                needed = inputs.initial_prior(data, wildcards)
            elif job.rule == "train_jointly":
                needed = inputs.separate_models(data, wildcards)
            elif job.rule == "evaluate_prior":
                needed = inputs.models(data, wildcards)
            elif job.rule == "sample_prior":
                needed = inputs.sampled_models(data, wildcards)
            elif job.rule == "separate":
                needed = inputs.priors_of_run(data, wildcards) + inputs.errors_of_run(data, wildcards)
            elif job.rule == "table":
                needed = jobs.resolve(data, TABLES[wildcards.name].inputs)
            elif job.rule == "figure":
                needed = jobs.resolve(data, FIGURES[wildcards.name].inputs)
                assert needed, f"{wildcards.name} of {data.name} is drawn from nothing"
            assert set(needed) <= outputs, job


def test_a_file_is_separated_where_the_prior_has_the_models():
    """At full a flow has every sigma, at quick one; recordings are scored at both."""
    file = {"prior": "flowavenet_music", "method": "langevin_annealed"}
    band = SHIPPED["datasets"]["demo_band"] | {"file": file}
    merged = config.scales(SHIPPED | {"datasets": SHIPPED["datasets"] | {"demo_band": band}})
    full, quick = (Scale(name, merged[name]).dataset("demo_band") for name in ("full", "quick"))
    assert jobs.select(full, "separate_recording", "wavs") and not jobs.select(quick, "separate_recording", "wavs")
    assert jobs.select(full, "score_recording", "measures") and jobs.select(quick, "score_recording", "measures")
    with pytest.raises(UserError, match="flowavenet_music has no models of what langevin_annealed needs"):
        inputs.priors_of_file(quick, SimpleNamespace(**file))
    with pytest.raises(UserError, match="flowavenet_music has no models of what alternating_music needs"):
        inputs.priors_of_file(full, SimpleNamespace(**file | {"method": "alternating_music"}))


def test_no_two_jobs_compute_the_same(datasets):
    for data in datasets:
        by_rule = {}
        for job in jobs.jobs(data):
            if job.rule in jobs.TIMED:
                settings = getattr(programs, job.rule)(data, SimpleNamespace(**job.wildcards))
                by_rule.setdefault(job.rule, []).append(json.dumps(settings, sort_keys=True))
        for rule, all_settings in by_rule.items():
            assert len(set(all_settings)) == len(all_settings), rule


def test_tables_and_figures_are_of_something(datasets):
    """Also of data sets of which nothing is separated, or not the first mix."""
    toy, of_two = SHIPPED["datasets"]["toy"] | {"runs": {}, "posteriors": {}}, {"mixes": ["two"]}
    others = {"runs": {"langevin_annealed": {"flowavenet": of_two}, "alternating": {"score": of_two}}}
    own = {"datasets": {"bare": merge(toy, {"supervised": None}), "other": merge(toy, others)}}
    scale = Scale("smoke", config.scales(merge(SHIPPED, own))["smoke"])
    bare, other = scale.dataset("bare"), scale.dataset("other")
    assert not bare.runs and {run.mix for run in other.runs} == {"two"}
    assert not {"separate", "separate_reference", "audio"} & {job.rule for job in jobs.jobs(bare)}
    for data in [*datasets, bare, other]:
        for job in jobs.jobs(data):
            if job.rule in ("table", "figure"):
                for one in {"table": TABLES, "figure": FIGURES}[job.rule][job.wildcards["name"]].inputs:
                    # A claim about separation is undecided without; not every data set has posterior models, or priors
                    # trained together.
                    optional = job.wildcards["name"] == "claims" or one.rule in ("separate_posterior", "train_jointly")
                    assert jobs.resolve(data, (one,)) or optional, (data.name, job.wildcards["name"], one.rule)


def test_a_title_redraws_figures_and_trains_nothing(datasets):
    """Only figures and pages get titles, of every name that they can meet."""
    with_titles = {"figure", "figure_scored_file", "audio", "page_of_file", "page_of_scores"}
    for data in datasets:
        for job in jobs.jobs(data):
            if hasattr(programs, job.rule):
                settings = getattr(programs, job.rule)(data, SimpleNamespace(**job.wildcards))
                assert ("titles" in settings) == (job.rule in with_titles), job.rule
        shown = {name for run in data.runs for name in (run.prior, run.method, run.mix)}
        shown |= {prior.name for prior in data.priors} | {*data.posteriors, *data.supervised, "mix"}
        assert shown <= set(data.titles)
        assert not [title for title in data.titles.values() if "_" in title]
        assert max(map(len, data.titles.values())) <= 40  # what figures have room for


def test_claims_lead_to_figures_that_are_drawn_from_their_tables(scales):
    of_toy = story.figures_of_claims(scales["quick"].dataset("toy"))
    assert of_toy["A noise-free toy flow tells its source from all others"] == "detection"
    assert of_toy["A prior can be smooth, discriminative and separate (the above, up to σ = .129)"] == "dilemma"
    for scale in scales.values():
        for data in scale.datasets.values():
            drawn = {job.wildcards["name"] for job in jobs.jobs(data) if job.rule == "figure"}
            assert set(story.figures_of_claims(data).values()) <= drawn
    assert story.figure_of(scales["quick"].dataset("toy"), set()) == ""


def test_headlines_are_claims_and_a_page_reads_what_is_there(scales):
    assert {one["claim"] for one in SHIPPED["headlines"]} <= {one["claim"] for one in SHIPPED["claims"]}
    for scale in scales.values():
        for names in (scale.settings["build"], *([name] for name in scale.datasets)):
            read = story.inputs(scale, names)
            outputs = {
                path for name in names for job in jobs.jobs(scale.dataset(name)) for path in job.outputs.values()
            }
            together = names == scale.settings["build"]
            assert {path for key in read if key != "tables" or not together for path in read[key]} <= outputs
            of_page = story.settings(scale, names)
            assert len(read["figures"]) == sum(len(data["figures"]) for data in of_page["datasets"])
            assert (
                len(read["states"]) == len(read["traces"]) == sum(bool(data["forming"]) for data in of_page["datasets"])
            )
            assert len(json.dumps(of_page)) < 2**16  # an argument of a program is at most twice as long


def test_fine_tuning_starts_where_the_chain_says(scales):
    flow = scales["quick"].prior("flowavenet")
    assert flow.chain == "serial" and flow.starts_from("0") is None
    assert [flow.starts_from(sigma) for sigma in flow.levels[1:]] == list(flow.levels[:-1])
    wavenet = scales["full"].prior("wavenet")
    assert {wavenet.starts_from(sigma) for sigma in wavenet.levels[1:]} == {"0"}
    assert not scales["full"].prior("flowavenet_told").fine_tuned and not scales["full"].prior("exact").fine_tuned
    assert flow.training_of("0.01")["steps"] == flow.finetune["steps"] != flow.training_of("0")["steps"]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda scale: scale.dataset("tox"), "there is no data set 'tox' in the config; there are toy, "),
        (lambda scale: scale.prior("flow"), "there is no prior 'flow' in the config; there are flowavenet, "),
        (lambda scale: scale.method("nope"), "there is no method 'nope' in the config; there are langevin_"),
        (lambda scale: scale.dataset("toy").mix("five"), "toy has no mix 'five'; it has four, "),
        (lambda scale: scale.dataset("toy").run("exact", "dirac", "four"), "no run of exact with dirac on toy; add it"),
        (
            lambda scale: scale.dataset("toy").run("wavenet", "dirac", "four"),
            "wavenet has no models of what dirac needs",
        ),
    ],
)
def test_what_is_not_in_the_config_is_one_sentence(scales, ask, sentence):
    with pytest.raises(UserError, match=r"^[^\n]+$") as error:
        ask(scales["smoke"])
    assert sentence in str(error.value)


def test_every_table_and_figure_has_its_program_columns_and_caption():
    for name, table in TABLES.items():
        assert name in COLUMNS
        program = program_of(name) if table.rule == "table" else table.rule
        assert (SCRIPTS / f"{program}.py").exists()
    for name, figure in FIGURES.items():
        assert (SCRIPTS / f"figure_{name}.py").exists()
        for caption in (figure.caption, *figure.captions.values()):
            values = {"scale": "s", "dataset": "d", "frame": 1, "items": 2, "mixes": 3, "seeds": 4}
            assert len(caption.format(**values)) > 60
    files = {path.stem.removeprefix("figure_") for path in SCRIPTS.glob("figure_*.py")}
    assert files == {*FIGURES, "separated_file", "scored_file"}


def test_code_follows_imports():
    of_training = code.of_program("train_prior", data="toy", families=["flowavenet"])
    assert {"data/toy.py", "priors/flowavenet.py", "layers.py", "training.py", "seeds.py"} <= set(of_training)
    assert not [path for path in of_training if path.startswith("separation/") or path == "priors/wavenet.py"]
    assert "audio/band.py" in code.of_program("make_data", data="music")
    of_curve = code.of_program("error_curve", data="toy", families=["score"])
    assert {"diffusion.py", "separation/schedules.py", "priors/base.py"} <= set(of_curve)
    for path in of_training:
        assert (code.LIBRARY / path).is_file() and Path(path).stem not in code.CHANGES_NO_NUMBER


def test_what_is_read_of_a_module_without_importing_it():
    assert registry.constant("priors", "exact", "ERROR") == exact.ERROR
    assert not registry.says("separation/methods", "langevin", "needs_plan")
    assert registry.says("separation/methods", "guided", "needs_plan")  # of the base
    assert registry.says("separation/methods", "alternating", "judges")
    assert registry.arguments("priors", "score", "build") == ["config", "outputs"]
    assert registry.says("data", "toy", "mix_settings") == ("gains", "unison", "multiples", "noise")
    with pytest.raises(KeyError):
        registry.constant("priors", "exact", "EROR")


def test_paths_of_programs_are_those_of_rules():
    """Every rule has a program of its name, and what a rule file calls a rule is one that paths.py knows."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = path.read_text()
        for line in text.splitlines():
            if line.startswith("rule ") and line.endswith(":"):
                rule = line.removeprefix("rule ").removesuffix(":")
                assert paths.outputs(rule) and paths.log(rule) and paths.benchmark(rule)
                assert (SCRIPTS / f"{rule}.py").exists() or rule in ("table", "figure", "page_of_scores"), rule
        assert len(text.splitlines()) <= 250


def test_names_say_what_a_thing_holds():
    """No variable, argument or attribute of ours is called by a word that says nothing of what it holds."""
    empty = {"made", "found", "there", "known", "told", "given"}
    for path in [*SCRIPTS.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        tree = ast.parse(path.read_text())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not names & empty, f"{path.relative_to(ROOT)}: {names & empty}"


def test_training_curves_have_trainings_that_differ_in_their_length_only(scales):
    priors, separators = training_curves(scales["quick"].dataset("chorales"))
    names = ["score_chorales", "score_chorales_quarter", "score_chorales_sixteenth"]
    assert priors["title"] == "alternating_music" and list(priors["steps"]) == names
    for curve in (priors, separators):
        steps = list(curve["steps"].values())
        assert steps == [steps[0], steps[0] // 4, steps[0] // 16]
    assert separators["methods"] == list(separators["steps"])
    assert not training_curves(scales["quick"].dataset("demo_band"))  # large and small networks are not compared
    assert not training_curves(scales["quick"].dataset("toy"))
