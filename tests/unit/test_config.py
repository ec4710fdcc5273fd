"""The configuration: what is shipped is valid, and every mistake gets one line that names key, problem and remedy."""

import copy

import pytest
import yaml
from audiopriors import registry
from audiopriors.pipeline import config, schema
from configurations import SHIPPED
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
        (
            "datasets/fidelity/mixes/easy/noise",
            None,
            "mixes.easy: a mix of one source needs noise, and so do all mixes",
        ),
        ("datasets/fidelity/mixes/octave/multiples", [2], "mixes.octave.multiples: needs one number for each source"),
        ("datasets/fidelity/mixes/octave/unison", None, "mixes.octave.multiples: needs a unison above 0"),
        ("datasets/fidelity/fidelity/compare/particles", 1, "particles: must be 39, 79, 119, ...: one particle has no"),
        ("datasets/fidelity/fidelity/tempering/draws", 10, "draws: must be at least 79, as many as particles"),
        ("datasets/fidelity/fidelity/tempering/chains", 7, "chains: must be an even number from 6 on"),
        ("datasets/fidelity/fidelity/tempering/burn_in", 4000, "burn_in: must be below `steps`, 4000"),
        ("datasets/fidelity/fidelity/runs/nope", {}, "fidelity.runs: there is no 'nope'; allowed: langevin_noise_free"),
        (
            "datasets/fidelity/fidelity/runs/langevin_annealed",
            {},
            "runs.langevin_annealed: samplers of mixes with noise",
        ),
        ("datasets/fidelity/fidelity/runs/alternating_amortised", {}, "begins at a posterior model's estimates"),
        (
            "datasets/fidelity/fidelity/runs/dirac/wavenet",
            {},
            "runs.dirac: there is no 'wavenet'; allowed: exact_short",
        ),
        (
            "datasets/fidelity/priors",
            ["score_short"],
            "datasets.fidelity.fidelity: the exact posterior needs a prior of",
        ),
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
            "families: there is no 'flownet'; allowed: exact, flowavenet, glow, score, score_emphasised, "
            "score_music, wavenet",
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
            "nope",
            "sampler: 'nope' is not allowed; allowed: alternating, alternating_pairs, annealed_gibbs, gibbs, ",
        ),
        ("separation/methods/langevin_annealed/settings/stepz", 1, "settings.stepz: unknown key; allowed: steps"),
        ("separation/methods/alternating/settings/steps", 1, "settings.steps: unknown key; allowed: turns, share"),
        ("separation/methods/alternating/plan/entry", 2, "plan.entry: 2 is greater than the maximum of 1"),
        ("separation/methods/alternating/sigmas", ["0.01"], "methods.alternating: needs either sigmas or plan"),
        ("separation/methods/langevin_annealed/sigmas", None, "langevin_annealed: needs either sigmas or plan"),
        ("datasets/toy/mixes/four/sources", ["sine", "gong"], "toy.mixes.four: there is no 'gong'; allowed: sine"),
        ("datasets/toy/mixes/four/gains", [1, 2], "datasets.toy.mixes.four.gains: needs one number for each source"),
        ("datasets/toy/mixes/four/gain", 1, "datasets.toy.mixes.four.gain: unknown key; allowed: sources, gains"),
        ("datasets/toy/runs/nope", {"score": {}}, "toy.runs: there is no 'nope'; allowed: langevin_noise_free"),
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
        (
            "datasets/toy/mixes/two/sources",
            ["sine"],
            "mixes.two: a mix of one source needs noise, and so do all mixes of a data set with `fidelity`; no other",
        ),
        (
            "datasets/toy/mixes/two/noise",
            "0.3",
            "mixes.two: a mix of one source needs noise, and so do all mixes of a data set with `fidelity`; no other",
        ),
        ("datasets/toy/runs/dirac/score/mixes", ["saw_noise"], "dirac.score: the mix saw_noise has noise, which only"),
        ("datasets/toy/supervised/supervised/mixes", ["saw_noise"], "supervised.supervised: the mix saw_noise has noi"),
        ("datasets/toy/mixes/saw_noise/noise", "0.1", "posterior_denoise_sleep.sigma: must be below the noise 0.1 of"),
        (
            "datasets/toy/posteriors/posterior_elbo_annealed/mixes",
            ["saw_noise"],
            "posterior_elbo_annealed.objective: elbo_annealed is for mixes without noise, and saw_noise has noise",
        ),
        (
            "datasets/toy/posteriors/posterior_elbo_annealed/from_sigma",
            0.1,
            "posterior_elbo_annealed.from_sigma: must be above sigma, 0.129",
        ),
        (
            "datasets/toy/posteriors/posterior_elbo_discriminative/sigma",
            "0.129",
            "posterior_elbo_discriminative.sigma: there is no '0.129'; allowed: 0.359",
        ),
        (
            "datasets/toy/posteriors/posterior_elbo_flow/mixes",
            ["four_gains"],
            "posterior_elbo_flow: the mix four_gains has gains, and flowavenet serves one noise level only, which a",
        ),
        (
            "datasets/toy/runs/langevin_one_sigma/wavenet/mixes",
            ["four_gains"],
            "langevin_one_sigma.wavenet: the mix four_gains has gains, and wavenet serves one noise level only",
        ),
        ("separation/methods/dirac/posterior", "posterior_sleep", "posterior: guided does not begin at estimates; all"),
        (
            "separation/methods/alternating_song/posterior",
            "posterior_sleep",
            "musdb18.file.method: recordings have no posterior model; choose one without",
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
            "musdb18.file.method: wavenet_music has no models of what alternating_song needs; allowed: langevin_n",
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


def test_all_mistakes_at_once_and_each_once():
    changed = copy.deepcopy(SHIPPED)
    changed["sede"], changed["threads"] = 1, "two"
    with pytest.raises(config.ConfigError) as error:
        config.scales(changed)
    assert len(str(error.value).splitlines()) == 2


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
