"""The configuration: what is shipped is valid, and every mistake gets one line that names key, problem and remedy."""

import copy
import re

import pytest
import yaml
from audiopriors import registry
from audiopriors.pipeline import config, schema
from audiopriors.pipeline.merging import merge
from audiopriors.pipeline.scale import Scale
from configurations import SHIPPED, sentences, with_changes
from conftest import ROOT

POSTERIOR = {
    "encoder": "score", "prior": "score", "sigma": "0.129", "law": "beta", "objective": "elbo", "mixes": ["four"],
}  # fmt: skip
SEPARATOR = {"prior": "score", "mixes": ["four"]}


def mistakes(path: str, value) -> str:
    changed = copy.deepcopy(SHIPPED)
    *parents, key = path.split("/")
    place = changed
    for parent in parents:
        place = place[int(parent)] if isinstance(place, list) else place[parent]
    if value is None:
        del place[key]
    else:
        place[int(key) if isinstance(place, list) else key] = value
    with pytest.raises(config.ConfigError) as error:
        config.scales(changed)
    return str(error.value)


def test_shipped_config_is_valid_at_every_scale():
    merged = config.scales(SHIPPED)
    assert set(merged) == {"smoke", "quick", "full"}
    full = merged["full"]
    assert full["families"]["flowavenet"]["training"]["steps"] == 150000  # the paper's
    assert full["sigmas"] == ["0.01", "0.027", "0.077", "0.129", "0.359"]
    assert full["datasets"]["toy"]["settings"]["test"] == 1500


def test_every_key_is_described():
    def check(schema, path):
        for key, part in schema.get("properties", {}).items():
            assert "description" in part or "$ref" in part or "properties" in part, f"{path}.{key}"
            check(part, f"{path}.{key}")

    check(schema.whole(), "")
    for kind in ("priors", "data"):
        for name in registry.names(kind):
            check(registry.schema(kind, name), name)
            for key, part in registry.schema(kind, name)["properties"].items():
                assert part.get("description"), f"{kind}/{name}.py: {key} has no docstring"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("separation/itmes", 3, "separation.itmes: unknown key; allowed: items, "),
        ("sede", 3, "sede: unknown key; allowed: seed, "),
        ("seed", "x", "seed: 'x' is not of type 'integer'"),
        ("seed", None, "seed: is missing"),
        ("seeds", 0, "seeds: 0 is less than the minimum of 1"),
        ("sigmas", ["0.1", "x"], "sigmas.1: 'x' is not allowed; allowed: a number above 0 in quotes"),
        ("sigmas", [0.1], "sigmas.0: 0.1 is not of type 'string'"),
        ("sigmas", ["0.2", "0.1"], "sigmas: must ascend"),
        ("datasets/toy/sources/0", "mix", "datasets.toy.sources.0: 'mix' is not allowed; allowed: lower-case"),
        ("datasets/toy/sources/0", "constant_1", "which are reserved"),
        ("datasets/toy/sources/0", "a b", "datasets.toy.sources.0: 'a b' is not allowed"),
        ("datasets/toy/kind", "tyo", "datasets.toy.kind: there is no 'tyo'; allowed: music, toy"),
        ("datasets/toy/priors", ["nope"], "datasets.toy.priors: there is no 'nope'; allowed: flowavenet"),
        ("datasets/toy/settings/variant", "old", "settings.variant: 'old' is not allowed; allowed: paper, published"),
        ("datasets/toy/settings/rat", 1, "datasets.toy.settings.rat: unknown key; allowed: variant, rate"),
        ("datasets/toy/settings/rate", None, "datasets.toy.settings.rate: is missing; Samples per second"),
        ("datasets/toy/frame", "long", "datasets.toy.frame: 'long' is not of type 'integer'"),
        ("build", ["tox"], "build: there is no 'tox'; allowed: toy, toy_published"),
        (
            "families/flownet",
            SHIPPED["families"]["flowavenet"],
            "families: there is no 'flownet'; allowed: exact, flowavenet, glow, score, score_music, wavenet",
        ),
        ("families/flowavenet/model/witdh", 3, "priors.flowavenet.model.witdh: unknown key; allowed: blocks"),
        ("families/flowavenet/model/partition", "odd", "partition: 'odd' is not allowed; allowed: interleaved, half"),
        ("families/flowavenet/training/lr", 1, "families.flowavenet.training.lr: unknown key; allowed: steps"),
        ("families/wavenet/model/input", "codes", "input: 'codes' is not allowed; allowed: scalar, one_hot"),
        ("families/wavenet/levels", "all", "levels: 'all' is not allowed; allowed: each (a model of each sigma"),
        ("families/wavenet/training/schedule", "linear", "schedule: 'linear' is not allowed; allowed: steps, cosine"),
        ("datasets/toy/published", ["nope"], "datasets.toy.published: there is no 'nope'; allowed: flowavenet"),
        ("claims/0/holds", {"over": 1}, "claims.0.holds.over: unknown key; allowed: above, below"),
        ("claims/0/all_of", ["x", "y"], "claims.0: {"),
        ("claims/0/label", 1, "claims.0.label: 1 is not of type 'string'"),
        ("claims/0/tabel", "x", "claims.0.tabel: unknown key; allowed: claim, where"),
        ("families/flowavenet/chain", "none", "chain: 'none' is not allowed; allowed: noise_free, serial"),
        ("priors/mine", {"family": "flow"}, "priors.mine.family: there is no 'flow'; allowed: flowavenet"),
        ("priors/Mine", {"family": "flowavenet"}, "'Mine'"),
        ("separation/methods/langevin_annealed/sigmas", ["0.5"], "sigmas: there is no '0.5'; allowed: 0, 0.01"),
        ("separation/methods/langevin_noise_free/noise_free_sigma", None, "sigma: is missing; sigmas with '0' need it"),
        (
            "separation/methods/langevin_annealed/sampler",
            "gibbs",
            "sampler: 'gibbs' is not allowed; allowed: alternating, guided, langevin",
        ),
        ("separation/methods/langevin_annealed/settings/stepz", 1, "settings.stepz: unknown key; allowed: steps"),
        ("separation/methods/alternating/settings/steps", 1, "settings.steps: unknown key; allowed: turns, share"),
        ("separation/methods/alternating/plan/entry", 2, "plan.entry: 2 is greater than the maximum of 1"),
        ("separation/methods/alternating/sigmas", ["0.01"], "methods.alternating: needs either sigmas or plan"),
        ("separation/methods/langevin_annealed/sigmas", None, "langevin_annealed: needs either sigmas or plan"),
        ("datasets/toy/mixes/four/sources", ["sine", "gong"], "toy.mixes.four: there is no 'gong'; allowed: sine"),
        ("datasets/toy/mixes/four/gains", [1, 2], "datasets.toy.mixes.four.gains: needs one number for each source"),
        ("datasets/toy/mixes/four/gain", 1, "datasets.toy.mixes.four.gain: unknown key; allowed: sources, gains"),
        ("datasets/toy/runs/gibbs", {"score": {}}, "toy.runs: there is no 'gibbs'; allowed: langevin_noise_free"),
        ("datasets/toy/runs/dirac/nope", {}, "toy.runs.dirac: there is no 'nope'; allowed: flowavenet"),
        ("datasets/toy/runs/dirac/score/mixes", ["five"], "score.mixes: there is no 'five'; allowed: four"),
        ("datasets/toy/supervised/dirac", SEPARATOR, "toy.supervised.dirac: is the name of a method, too; give it"),
        ("datasets/toy/supervised/mix", SEPARATOR, "toy.supervised.mix: is the name of a reference, too; give it"),
        ("datasets/toy/supervised/supervised/mixes", ["five"], "supervised.mixes: there is no 'five'; allowed: four"),
        (
            "datasets/toy/supervised/supervised/prior",
            "nope",
            "toy.supervised.supervised.prior: there is no 'nope'; allowed: flowavenet",
        ),
        (
            "datasets/toy/posteriors/posterior_sleep/mixes",
            ["five"],
            "toy.posteriors.posterior_sleep.mixes: there is no 'five'; allowed: four, three",
        ),
        ("datasets/toy/posteriors/posterior_sleep/law", "gamma", "law: there is no 'gamma'; allowed: beta, truncated"),
        ("datasets/toy/posteriors/posterior_sleep/prior", "score_music", "prior: there is no 'score_music'; allowed"),
        (
            "datasets/toy/posteriors/posterior_sleep/objective",
            "wake",
            "objective: 'wake' is not allowed; allowed: elbo",
        ),
        (
            "datasets/toy/posteriors/posterior_elbo/encoder",
            "wavenet",
            "posteriors.posterior_elbo.encoder: wavenet has no network that can give several sources; allowed: score",
        ),
        (
            "datasets/toy/posteriors/posterior_sleep_elbo/start",
            "posterior_wake",
            "posterior_sleep_elbo.start: there is no 'posterior_wake'; allowed: posterior_sleep, posterior_elbo",
        ),
        (
            "datasets/toy/posteriors/posterior_sleep_elbo/prior",
            "exact",
            "posterior_sleep_elbo.start: posterior_sleep has another prior, score",
        ),
        (
            "datasets/toy/posteriors/posterior_elbo_flow/objective",
            "elbo_annealed",
            "posterior_elbo_flow.objective: elbo_annealed needs a prior that serves all noise levels",
        ),
        (
            "datasets/toy/posteriors/posterior_elbo_flow/sigma",
            "0.2",
            "elbo_flow.sigma: there is no '0.2'; allowed: 0.01",
        ),
        (
            "datasets/toy/runs/alternating_amortised/exact",
            {},
            "alternating_amortised.exact: begins with posterior_sleep, which is of the prior score",
        ),
        (
            "datasets/toy/runs/alternating_amortised/score/mixes",
            ["two"],
            "alternating_amortised.score: begins with posterior_sleep, which is not trained for the mix two",
        ),
        (
            "separation/methods/alternating_amortised/posterior",
            "posterior_wake",
            "alternating_amortised.score: there is no posterior model 'posterior_wake'; allowed: posterior_sleep",
        ),
        ("datasets/toy/posteriors/dirac", POSTERIOR, "toy.posteriors.dirac: is the name of a method or a supervised"),
        ("priors/wavenet/levels", [], "priors.wavenet.levels: [] is not allowed; allowed: each (a model of each sigma"),
        ("scales/quick/priors/wavenet_music", {"model": None}, "(scale quick) priors.wavenet_music.model: is missing"),
        ("priors/wavenet/datasets", 5, "priors.wavenet.datasets: 5 is not of type 'array'"),
        ("priors/wavenet/datasets", [["toy"]], "priors.wavenet.datasets.0: ['toy'] is not of type 'string'"),
        ("datasets/toy/mixes", [], "datasets.toy.mixes: [] is not of type 'object'"),
        ("datasets/toy/sources", 4, "datasets.toy.sources: 4 is not of type 'array'"),
        ("sigmas", [".1", "0.1"], "sigmas: must ascend"),
        ("separation/methods/langevin_annealed/sigmas", ["0.129"] * 2, "sigmas: ['0.129', '0.129'] has non-unique"),
        ("evaluation/constants", [0, 0.5, 0.0], "evaluation.constants: [0, 0.5, 0.0] has non-unique elements"),
        ("evaluation/peakedness", ["1", "1"], "evaluation.peakedness: ['1', '1'] has non-unique elements"),
        ("datasets/toy/published", ["score"], "datasets.toy.published: score is in `priors`, too; leave it out of one"),
        (
            "datasets/toy/supervised/supervised/mixes",
            ["four"] * 2,
            "supervised.mixes: ['four', 'four'] has non-unique elements",
        ),
        (
            "datasets/toy/supervised/supervised/prior",
            "exact",
            "toy.supervised.supervised.prior: exact has no network that can give several sources; allowed: score, ",
        ),
        ("priors/score/training", {"steps": None}, "priors.score.training.steps: is missing"),
        (
            "datasets/demo_band/mixes/band/unison",
            0.01,
            "mixes.band.unison: mixes of music data have none; allowed: sou",
        ),
        (
            "datasets/musdb18/mixes/band/gains",
            [1, 1, 1, 1],
            "mixes.band.gains: mixes of music data have none; allowed:",
        ),
        (
            "datasets/toy/file",
            {"prior": "score", "method": "alternating"},
            "datasets.toy.file: toy data are no recordings; allowed for: music",
        ),
        (
            "datasets/musdb18/file/prior",
            "wavenet_music",
            "musdb18.file.method: wavenet_music has no models of what alternating_music needs; allowed: langevin_n",
        ),
        (
            "datasets/toy/runs/langevin_noise_free/score",
            {},
            "toy.runs.langevin_noise_free.score: score has no models of what langevin_noise_free needs; allowed: ",
        ),
        (
            "scales/quick/datasets/toy/runs/alternating/wavenet",
            {},
            "toy.runs.alternating.wavenet: wavenet has no models of what alternating needs; allowed: langevin_no",
        ),
        ("priors/mine", {"family": "wavenet"}, "priors.mine: has no effect, as no data set has it; give it `datasets:"),
        (
            "scales/quick/priors/mine",
            {"family": "wavenet"},
            "priors.mine: has no effect, as no data set has it",
        ),
        ("scales/quick", "fast", "scales.quick: must be a mapping"),
        ("scales/quick/seeds", 1.5, "(scale quick) seeds: 1.5 is not of type 'integer'"),
        ("scales", None, "scales: the configuration needs at least one scale"),
    ],
)
def test_mistakes(path, value, expected):
    assert expected in mistakes(path, value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"priors": {"score": {"finetune": {"steps": 3}}}}, "priors.score.finetune: has no effect, as score has no mo"),
        ({"scales": {"quick": {"priors": {"flowavenet_told": {"chain": "serial"}}}}},
         "scales.quick.priors.flowavenet_told.chain: has no effect, as flowavenet_told has no model that is fine-tune"),
        ({"priors": {"wavenet": {"error_curve": {"items": 3}}}}, "priors.wavenet.error_curve: has no effect, as waven"),
        ({"scales": {"quick": {"priors": {"exact": {"finetune": {}}}}}}, "scales.quick.priors.exact.finetune: has no "),
        ({"scales": {"smoke": {"datasets": {"toy": {"runs": {"dirak": None}}}}}},
         "scales.smoke.datasets.toy.runs.dirak: null has no effect, as there is no 'dirak' above it; there is alterna"),
        ({"scales": {"smoke": {"training": None}}}, "scales.smoke.training: null has no effect, as there is no 'train"),
        ({"scales": {"quick": {"families": {"wavenet": {"training": {"decay": 0.5}}}}}},
         "scales.quick.families.wavenet.training.decay: has no effect with schedule cosine"),
        ({"scales": {"quick": {"families": {"score": {"training": {"decays": 3}}}}}},
         "scales.quick.families.score.training.decays: has no effect with schedule cosine"),
        ({"scales": {"quick": {"priors": {"wavenet_music": {"finetune": {"decay": 0.5}}}}}},
         "scales.quick.priors.wavenet_music.finetune.decay: has no effect with schedule cosine"),
        ({"scales": {"quick": {"datasets": {"toy_published": {"sigmas": ["0.129"]}}}}},
         "scales.quick.datasets.toy_published.sigmas: has no effect, as none of its priors serves all noise levels"),
        ({"families": {"score": {"chain": "serial"}}}, "families.score.chain: has no effect, as score has no model"),
        ({"scales": {"quick": {"families": {"score": {"finetune": None}}}}},
         "scales.quick.families.score.finetune: null has no effect, as there is no 'finetune' above it; there is "),
        ({"scales": {"quick": {"priors": {"flowavenet": {"chian": None}}}}},
         "scales.quick.priors.flowavenet.chian: null has no effect, as there is no 'chian' above it; there is chain, "),
        ({"scales": {"quick": {"priors": {"mine": None}}}}, "scales.quick.priors.mine: null has no effect"),
        ({"datasets": {"toy": {"supervised": {"supervised": {"training": {"decay": 0.5}}}}}},
         "datasets.toy.supervised.supervised.training.decay: has no effect with schedule cosine"),
        ({"scales": {"quick": {"datasets": {"toy": {"runs": {"dirac": {"score": {"rounds": 2}}}}}}}},
         "scales.quick.datasets.toy.runs.dirac.score.rounds: has no effect, as dirac does not say if a mix was separa"),
        ({"datasets": {"toy": {"runs": {"langevin_one_sigma": {"exact": {"rounds": 2}}}}}},
         "datasets.toy.runs.langevin_one_sigma.exact.rounds: has no effect, as langevin_one_sigma does not say if"),
        ({"separation": {"methods": {"dirac": {"noise_free_sigma": 0.1}}}},
         "separation.methods.dirac.noise_free_sigma: has no effect; it is for sigmas with '0', the noise-free prior"),
        ({"separation": {"methods": {"langevin_one_sigma": {"noise_free_sigma": 0.1}}}},
         "separation.methods.langevin_one_sigma.noise_free_sigma: has no effect; it is for sigmas with '0'"),
        ({"scales": {"quick": {"separation": {"methods": {"langevin_annealed": {"noise_free_sigma": 0.1}}}}}},
         "scales.quick.separation.methods.langevin_annealed.noise_free_sigma: has no effect; it is for sigmas with"),
    ],
)  # fmt: skip
def test_keys_without_effect_are_refused(changes, expected):
    assert expected in sentences(changes)


def test_a_file_of_a_few_lines_is_enough():
    takes = {"kind": "music", "sources": ["flute", "voice"], "frame": 1024, "priors": ["wavenet_music"],
             "settings": {"layout": "folder", "root": "takes", "validation": 1, "test": 1}}  # fmt: skip
    whole = config.scales(with_changes({"datasets": {"takes": takes}, "scales": {"smoke": {"seeds": 2}}}))
    assert whole["smoke"]["seeds"] == 2 and whole["quick"]["seeds"] == 1
    dataset = whole["quick"]["datasets"]["takes"]
    assert dataset["mixes"] == {"all": {"sources": ["flute", "voice"]}} and dataset["runs"] == {}
    assert dataset["settings"]["rate"] == 16000 and dataset["settings"]["skip_broken"] is False
    mine = {"family": "wavenet", "datasets": ["toy"]}
    whole = config.scales(with_changes({"priors": {"mine": mine}}))
    assert all(scale["datasets"]["toy"]["priors"][-1] == "mine" for scale in whole.values())
    assert "there is no 'toi'" in sentences({"priors": {"mine": mine | {"datasets": ["toi"]}}})
    removed = config.scales(with_changes({"datasets": {"toy": {"runs": {"dirac": None}}}}))
    assert "dirac" not in removed["full"]["datasets"]["toy"]["runs"]


TONES = {
    "kind": "toy", "sources": ["sine", "saw"], "frame": 256, "priors": ["wavenet"],
    "settings": SHIPPED["datasets"]["toy"]["settings"],
}  # fmt: skip


def test_a_scale_is_merged_before_data_sets_get_their_defaults():
    """What a data set leaves out follows from what it has at that scale."""
    changes = {"sources": ["sine", "square"], "priors": ["flowavenet"]}
    smoke = {"datasets": {"tones": changes}, "priors": {"wavenet": {"datasets": ["tones"]}}}
    merged = config.scales(with_changes({"datasets": {"tones": TONES}, "scales": {"smoke": smoke}}))
    of_smoke, of_quick = (merged[name]["datasets"]["tones"] for name in ("smoke", "quick"))
    assert of_smoke["mixes"] == {"all": {"sources": ["sine", "square"]}}
    assert of_quick["mixes"] == {"all": {"sources": ["sine", "saw"]}}
    assert of_smoke["priors"] == ["flowavenet", "wavenet"] and of_quick["priors"] == ["wavenet"]


WITHOUT_CHAIN = {"flowavenet": {"chain": None}}


@pytest.mark.parametrize(
    ("changes", "without"),
    [
        ({}, set()),
        ({"priors": WITHOUT_CHAIN}, {"full flowavenet"}),
        ({"scales": {"quick": {"priors": WITHOUT_CHAIN}}}, {"quick flowavenet"}),
        ({"scales": {"quick": {"families": WITHOUT_CHAIN}}}, {"quick flowavenet", "quick flowavenet_music"}),
        ({"priors": WITHOUT_CHAIN, "scales": {"quick": {"priors": WITHOUT_CHAIN}}},
         {"full flowavenet", "quick flowavenet"}),
        ({"families": WITHOUT_CHAIN, "scales": {"quick": {"families": WITHOUT_CHAIN}}},
         {"full flowavenet", "full flowavenet_music", "quick flowavenet", "quick flowavenet_music"}),
    ],
)  # fmt: skip
def test_null_removes_what_a_prior_has_by_the_rule_of_precedence(changes, without):
    """The base's families and priors have no chain where they say null, but for what the scale quick says again."""
    merged = config.scales(with_changes(changes))
    priors = {f"{scale} {name}": merged[scale]["priors"][name] for scale in ("full", "quick")
              for name in ("flowavenet", "flowavenet_music")}  # fmt: skip
    assert {name for name, prior in priors.items() if "chain" not in prior} == without


def test_a_data_set_is_removed_by_null_at_every_scale_that_changes_it():
    removed = {"datasets": {"toy_4096": None}}
    whole = config.scales(with_changes(removed | {"scales": {"smoke": removed, "quick": removed}}))
    assert all("toy_4096" not in scale["datasets"] for scale in whole.values())
    # What a scale removes of something that is gone is no mistake.
    whole = config.scales(with_changes({"datasets": {"toy": {"runs": None}}}))
    assert whole["full"]["datasets"]["toy"]["runs"] == {}


def test_a_key_of_the_base_needs_an_effect_at_one_scale_only():
    decays = {"priors": {"score": {"training": {"decays": 3}}}}
    assert "priors.score.training.decays: has no effect with schedule cosine" in sentences(decays)
    config.scales(
        with_changes(decays | {"scales": {"mine": {"families": {"score": {"training": {"schedule": "steps"}}}}}})
    )


def test_what_a_users_file_leaves_unused_of_the_shipped_configuration_is_no_mistake():
    """Priors that no data set has any more, and runs that a prior can run no more."""
    fewer = {"toy_published": None, "toy_4096": None, "toy": {"published": []}}
    scales = {name: {"datasets": {"toy_published": None, "toy_4096": None}} for name in ("smoke", "quick")}
    config.scales(with_changes({"datasets": fewer, "scales": scales}))
    config.scales(with_changes({"priors": {"flowavenet_told": {"levels": "each", "training": {"noise": "fixed"}}}}))


def test_a_prior_may_be_of_one_scale_only():
    quick = {"datasets": {"toy_4096": {"priors": ["score_4096", "mine"]}}}
    config.scales(with_changes({"priors": {"mine": {"family": "wavenet"}}, "scales": {"quick": quick}}))


def test_a_prior_without_changes_uses_its_family():
    quick = {"families": {"exact": {"model": {"nodes": 128}}}, "priors": {"exact": {}}}
    merged = config.scales(with_changes({"scales": {"quick": quick}}))
    assert merged["quick"]["priors"]["exact"]["model"]["nodes"] == 128


def test_the_entry_in_the_readme_is_valid():
    (entry,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    merged = config.scales(with_changes(yaml.safe_load(entry)))
    assert all(Scale(name, scale).dataset("quartet").runs for name, scale in merged.items())


def test_the_comparison_of_precisions_differs_in_nothing_else():
    merged = config.scales(merge(SHIPPED, yaml.safe_load((ROOT / "benchmarks/precision.yaml").read_text())))
    compared = 0
    for scale in merged.values():
        for name, prior in scale["priors"].items():
            if prior.get("training", {}).get("precision") == "bfloat16":
                in_float32 = scale["priors"][name.removesuffix("_bfloat16")]
                expected = merge(in_float32, {"training": {"precision": "bfloat16"}, "datasets": prior["datasets"]})
                assert prior == expected
                compared += 1
    assert compared == 4 * len(merged)


def test_acceptance_is_measured_on_mixes_that_nothing_was_chosen_on():
    merged = config.scales(merge(SHIPPED, yaml.safe_load((ROOT / "benchmarks/acceptance.yaml").read_text())))
    fresh, shipped = (merged["quick"]["datasets"][name] for name in ("fresh", "toy"))
    assert fresh["settings"] | {"test": 0} == shipped["settings"] | {"test": 0} and fresh["frame"] == shipped["frame"]
    (run,) = fresh["runs"]["alternating"].values()
    assert 256 <= run["items"] <= fresh["settings"]["test"] - fresh["mixes"]["four"]["skip"]


def test_precedence_of_a_priors_settings():
    """families < priors < the scale's families < the scale's priors, each over all before it."""

    def steps(*, family=None, prior=None, scale_family=None, scale_prior=None) -> int:
        def training(value):
            return {"training": {"steps": value}} if value else {}

        whole = copy.deepcopy(SHIPPED)
        whole["families"]["wavenet"] = merge(whole["families"]["wavenet"], training(family))
        whole["priors"]["wavenet"] = merge(whole["priors"]["wavenet"], training(prior))
        whole["scales"] = {"mine": {
            "families": {"wavenet": training(scale_family)}, "priors": {"wavenet": training(scale_prior)},
        }}  # fmt: skip
        return config.scales(whole)["mine"]["priors"]["wavenet"]["training"]["steps"]

    assert steps(family=1) == 1
    assert steps(family=1, prior=2) == 2
    assert steps(family=1, prior=2, scale_family=3) == 3
    assert steps(family=1, prior=2, scale_family=3, scale_prior=4) == 4
    assert steps(prior=2, scale_family=3) == 3 and steps(family=1, scale_prior=4) == 4


def test_all_mistakes_at_once_and_each_once():
    changed = copy.deepcopy(SHIPPED)
    changed["sede"], changed["threads"] = 1, "two"
    with pytest.raises(config.ConfigError) as error:
        config.scales(changed)
    assert len(str(error.value).splitlines()) == 2


def test_merge_replaces_lists_and_merges_mappings():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(base, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}, "d": 1}
    assert merge(base, None) == base and base["a"]["c"] == [1, 2]
    assert merge(base, {"a": {"b": None}, "e": None}) == {"a": {"c": [1, 2]}, "d": 1}  # null removes


def test_conda_environment_agrees_with_the_lock():
    import tomllib

    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = {
        one["name"]: one["version"]
        for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
        if "< '3.12'" in one.get("resolution-markers", ["< '3.12'"])[0]  # the environment has Python 3.11
    }
    environment = yaml.safe_load((ROOT / "envs" / "audiopriors.yaml").read_text())
    (pip,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    names = [one.split("==")[0] for one in needed]
    assert pip == [f"{name}=={locked[name]}" for name in names]
    assert all(one in pip for one in needed if "==" in one)
