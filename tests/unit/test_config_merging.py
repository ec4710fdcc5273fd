"""How the configuration's files are merged: defaults, precedence of a prior's settings, keys that have no effect."""

import copy
import re

import pytest
import yaml
from audiopriors.pipeline import config
from audiopriors.pipeline.merging import merge
from audiopriors.pipeline.scale import Scale
from configurations import SHIPPED, sentences, with_changes
from conftest import ROOT


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


def test_titles():
    own = {"priors": {"mine": {"family": "wavenet", "datasets": ["toy"]}}, "titles": {"mine": "my prior", "score": "S"}}
    titles = Scale("quick", config.scales(with_changes(own))["quick"]).dataset("toy").titles
    assert (titles["mine"], titles["score"], titles["wavenet"]) == ("my prior", "S", "WaveNet (one model per σ)")
    assert titles["parametric_oracle"] == "parametric oracle"  # has none: its name
    assert "titles.scor: no figure shows anything of that name; it" in sentences({"titles": {"scor": "S"}})
    assert "titles.score" in sentences({"titles": {"score": ""}})
    # A title of what a user's file removes is no mistake, and without titles there are names.
    config.scales(with_changes({"datasets": {"toy": {"published": []}, "toy_published": {"published": []}}}))
    plain = Scale("quick", config.scales(with_changes({"titles": None}))["quick"]).dataset("toy").titles
    assert plain["flowavenet_told"] == "flowavenet told"


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


def test_the_entry_of_the_page_on_recordings_is_valid():
    (entry,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/recordings.md").read_text(), re.DOTALL)
    merged = config.scales(with_changes(yaml.safe_load(entry)))
    assert all(Scale(name, scale).dataset("quartet").runs for name, scale in merged.items())


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_benchmarks_configurations_are_valid(path):
    config.scales(with_changes(yaml.safe_load(path.read_text())))


def test_the_comparison_of_precisions_differs_in_nothing_else():
    merged = config.scales(merge(SHIPPED, yaml.safe_load((ROOT / "benchmarks/precision.yaml").read_text())))
    compared = 0
    for scale in merged.values():
        for name, prior in scale["priors"].items():
            shipped, _, precision = name.rpartition("_")
            if precision in ("bfloat16", "float32"):
                changes = {"training": {"precision": precision}, "datasets": prior["datasets"]}
                assert prior == merge(scale["priors"][shipped], changes) != scale["priors"][shipped]
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


def test_merge_replaces_lists_and_merges_mappings():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(base, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}, "d": 1}
    assert merge(base, None) == base and base["a"]["c"] == [1, 2]
    assert merge(base, {"a": {"b": None}, "e": None}) == {"a": {"c": [1, 2]}, "d": 1}  # null removes
