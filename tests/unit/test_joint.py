"""Priors that are trained together: the objective, its limits, what is written, and what the config may say."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from audiopriors import training
from audiopriors.checkpoints import CheckpointError, build_prior, load_part, load_prior, save_prior
from audiopriors.errors import UserError
from audiopriors.joint import JointPriors
from audiopriors.pipeline import config, inputs, jobs, programs
from audiopriors.pipeline.scale import Scale
from audiopriors.runtime import OutOfTime
from audiopriors.separation.supervised import Mixes
from configurations import SHIPPED, sentences, with_changes
from conftest import ROOT
from families import FLOW, WAVENET, prior_of
from test_training import DATA, MODEL, TRAINING, data, same  # noqa: F401 (a fixture)

SOURCES = ["sine", "saw"]
CASES = [("flowavenet", FLOW, 0.3), ("wavenet", WAVENET, 0.3), ("wavenet", WAVENET, 0.0)]


def several(family, model, n=3):
    return [prior_of(family, model, spread).requires_grad_(True) for spread in (0.2, 0.3, 0.25)[:n]]


def waves(batch, sources, length=16):
    return torch.randn(batch, sources, length, generator=torch.Generator().manual_seed(3), dtype=torch.double).tanh()


def gradients(model, loss) -> list[torch.Tensor]:
    return torch.autograd.grad(loss, list(model.parameters()), allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize(("family", "model", "sigma"), CASES)
def test_loss_and_gradient_are_the_formulas(family, model, sigma):
    """- mean over items of log p_k(x_k) + weight log softmax_j(log p_j(x_k) / tau)_k, over T; in float64."""
    joint = JointPriors(several(family, model), "softmax", 3.0, 2.0, 16)
    x, total = waves(2, 3), 0.0
    for item in x:
        for source, wave in enumerate(item):
            logits = [prior.log_prob(wave[None, None], sigma)[0] / 2.0 for prior in joint.priors]
            total = total - 2.0 * logits[source]
            total = total - 3.0 * (
                logits[source] - torch.log(sum(torch.exp(one - logits[0]) for one in logits)) - logits[0]
            )
    expected = total / (2 * 3 * 16)
    loss = joint.loss(x, x, sigma)
    torch.testing.assert_close(loss, expected)
    for one, other in zip(gradients(joint, loss), gradients(joint, expected), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-10)


def test_without_weight_it_is_the_separate_training():
    priors, x = several("flowavenet", FLOW), waves(2, 3)
    joint = JointPriors(priors, "softmax", 0.0, 1.0, 16)
    separate = torch.stack([prior.loss(x[:, k : k + 1], x, 0.3) for k, prior in enumerate(priors)]).mean()
    torch.testing.assert_close(joint.loss(x, x, 0.3), separate)
    for one, other in zip(gradients(joint, joint.loss(x, x, 0.3)), gradients(joint, separate), strict=True):
        torch.testing.assert_close(one, other)


def test_temperature_only_divides_the_logits():
    """Far above all ratios every class is as likely, whatever the priors say."""
    priors, x = several("flowavenet", FLOW), waves(2, 3)
    none, cold, hot = (
        JointPriors(priors, "softmax", weight, temperature, 16).loss(x, x, 0.3)
        for weight, temperature in ((0.0, 1.0), (4.0, 1.0), (4.0, 1e9))
    )
    torch.testing.assert_close(hot - none, 4.0 / 16 * torch.tensor(3.0, dtype=torch.double).log())
    assert not torch.isclose(cold, hot)


def test_a_classifier_learns_through_the_latents_and_is_not_kept(tmp_path):
    priors, x = several("flowavenet", FLOW), waves(2, 3)
    torch.manual_seed(0)
    joint = JointPriors(priors, "classifier", 4.0, 1.0, 16).double()
    plain = JointPriors(priors, "softmax", 0.0, 1.0, 16)
    # The last layer starts at zero: all classes alike, and no gradient to the priors yet.
    torch.testing.assert_close(
        joint.loss(x, x, 0.3) - plain.loss(x, x, 0.3), 4.0 / 16 * torch.tensor(3.0, dtype=torch.double).log()
    )
    with torch.no_grad():
        for classifier in joint.classifiers:
            classifier.last.weight.normal_()
    differences = gradients(joint.priors, joint.loss(x, x, 0.3) - plain.loss(x, x, 0.3))
    assert sum(float(one.abs().sum()) for one in differences) > 0
    described = {"family": "flowavenet", "model": FLOW, "sources": ["a", "b", "c"]}
    save_prior(tmp_path / "j", joint.priors, described)
    part = load_part(tmp_path / "j", "b", expect={"family": "flowavenet"})
    assert same(part.double(), priors[1].float().double())
    with pytest.raises(CheckpointError, match="is a prior with family 'flowavenet', but 'wavenet' was asked for"):
        load_part(tmp_path / "j", "b", expect={"family": "wavenet"})
    with pytest.raises(UserError, match="for priors with latents; these have none"):
        JointPriors(several("wavenet", WAVENET), "classifier", 1.0, 1.0, 16)


def together(data, folder, objective="softmax", settings=TRAINING, **options):  # noqa: F811
    training.initial_weights((0, "test"))
    priors = [build_prior("flowavenet", MODEL) for _ in SOURCES]
    joint = JointPriors(priors, objective, 5.0, 1.0, settings.frame)
    losses = training.train(
        joint, Mixes(data, {"sources": SOURCES, "gains": [1, 1]}), "all", 0.1, settings, seed=(0, "test"),
        fingerprint="f", state=folder / "state", device=torch.device("cpu"), fresh=False, **options,
    )  # fmt: skip
    return joint, losses


@pytest.mark.parametrize("objective", ["softmax", "classifier"])
def test_resumes_bit_for_bit_and_learns_to_tell_apart(data, tmp_path, objective):  # noqa: F811
    whole, losses = together(data, tmp_path / "whole", objective)
    for _ in range(3):
        with pytest.raises(OutOfTime):
            together(data, tmp_path / "interrupted", objective, deadline=time.monotonic() - 1)
    resumed, resumed_losses = together(data, tmp_path / "interrupted", objective)
    assert same(whole, resumed) and losses == resumed_losses
    longer, _ = together(data, tmp_path / "longer", objective, replace(TRAINING, steps=80, learning_rate=3e-3))
    items = Mixes(data, {"sources": SOURCES, "gains": [1, 1]}).frames(
        "validation", "all", torch.arange(8), TRAINING.frame
    )
    x = items + 0.1 * torch.randn(items.shape, generator=torch.Generator().manual_seed(0))
    assert cross_entropy(longer, x) < 0.9 * cross_entropy(whole, x)


def cross_entropy(joint: JointPriors, x: torch.Tensor) -> float:
    """What the weight is on, in nats."""
    with torch.no_grad():
        losses = []
        for weight in (1.0, 0.0):
            joint.weight = weight
            losses.append(joint.loss(x, x, 0.1))
    return x.shape[2] * (losses[0] - losses[1]).item()


def test_the_program_writes_what_train_prior_takes_apart(tmp_path, data):  # noqa: F811
    described = {"family": "flowavenet", "model": MODEL, "sigma": "0.1"}
    for source in SOURCES:
        save_prior(tmp_path / source, build_prior("flowavenet", MODEL), described | {"prior_source": source})
    fields = {name: getattr(DATA, name) for name in DATA.__dataclass_fields__}
    settings = described | {
        "threads": 1, "dataset": "toy", "prior": "joint", "sources": SOURCES, "seed": [0, "train"],
        "data": {"kind": "toy", "settings": fields}, "training": vars(replace(TRAINING, steps=3)),
        "jointly": {"objective": "softmax", "weight": 5, "temperature": 1},
    }  # fmt: skip

    def program(name, settings, *arguments):
        command = [sys.executable, str(ROOT / f"workflow/scripts/{name}.py"), "--settings", json.dumps(settings)]
        command += [
            "--data",
            str(tmp_path / "items.parquet"),
            "--losses",
            str(tmp_path / f"{name}.csv"),
            *map(str, arguments),
        ]
        subprocess.run(command, check=True, capture_output=True)

    program("train_jointly", settings, "--initial", *(tmp_path / source for source in SOURCES),
            "--priors", tmp_path / "joint")  # fmt: skip
    of_source = settings | {"prior_source": "saw", "training": None}
    program("train_prior", of_source, "--initial", tmp_path / "joint", "--prior", tmp_path / "part")
    part = load_prior(tmp_path / "part", expect={"prior_source": "saw", "sigma": "0.1", "prior": "joint"})
    assert same(part, load_part(tmp_path / "joint", "saw")) and not same(part, load_prior(tmp_path / "saw"))
    assert len(Path(tmp_path / "train_jointly.csv").read_text().splitlines()) == 1 + 3
    assert len(Path(tmp_path / "train_prior.csv").read_text().splitlines()) == 1


def test_jobs_of_priors_that_are_trained_together():
    """One training for all sources, of which each source's model is a part; it starts where the separate ones end."""
    toy = Scale("full", config.scales(SHIPPED)["full"]).dataset("toy")
    place = {"prior": "flowavenet_discriminative", "sigma": "0.359", "replicate": "1"}
    (joint,) = jobs.select(toy, "train_jointly", "priors", **place)
    starts = inputs.separate_models(toy, SimpleNamespace(**place))
    assert starts == [
        path for source in toy.sources
        for path in jobs.select(toy, "train_prior", "prior", **place | {"prior": "flowavenet", "prior_source": source})
    ]  # fmt: skip
    assert inputs.initial_prior(toy, SimpleNamespace(**place, prior_source="saw")) == [joint]
    settings = programs.train_jointly(toy, SimpleNamespace(**place))
    assert settings["training"]["steps"] == 30000 and settings["sources"] == toy.sources
    assert programs.train_prior(toy, SimpleNamespace(**place, prior_source="saw"))["training"] is None
    assert len(programs.forecast(toy, SimpleNamespace())["joint"]) == sum(
        job.rule == "train_jointly" for job in jobs.jobs(toy)
    )
    assert set(toy.separate_priors) | set(toy.joint_priors) == set(toy.own_priors)


JOINTLY = {"starts_from": "flowavenet", "objective": "softmax", "weight": 1, "temperature": 1}


def mine(jointly=JOINTLY, **changes) -> dict:
    prior = {"family": "flowavenet", "datasets": ["toy"], "levels": "widest", "jointly": JOINTLY | jointly}
    return {"priors": {"mine": prior | changes}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (mine({"starts_from": "flow"}), "priors.mine.jointly.starts_from: there is no prior 'flow'; allowed: flow"),
        (mine({"starts_from": "wavenet"}), "priors.mine.jointly.starts_from: wavenet is no separately trained prior of "
         "mine's family and model; allowed: flowavenet"),
        (mine(model={"width": 8}), "mine.jointly.starts_from: flowavenet is no separately trained prior of mine's"),
        (mine({"starts_from": "flowavenet_discriminative"}), "flowavenet_discriminative is no separately"),
        (mine(levels="one"), "priors.mine.levels: flowavenet, which it starts from, has not all these models; allow"),
        (mine(datasets=["musdb18"]), "datasets.musdb18.priors: mine starts from flowavenet, so add that, too"),
        (mine({"starts_from": "wavenet", "objective": "classifier"}, family="wavenet"),
         "priors.mine.jointly.objective: wavenet has no latents to classify; allowed: softmax, or a prior of flow"),
        (mine({"temperature": 0}), "priors.mine.jointly.temperature: 0 "),
        (mine({"tau": 1}), "priors.mine.jointly.tau: unknown key; allowed: starts_from, objective, weight, tem"),
        (mine(chain="serial"), "priors.mine.chain: has no effect, as mine starts from another prior's models of the"),
        ({"priors": {"mine": {"family": "flowavenet", "datasets": ["toy"], "levels": "widest"}}},
         "priors.mine.levels: widest is for priors with `jointly`"),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence_each(changes, expected):
    assert expected in sentences(changes)


def test_a_prior_may_be_trained_together_at_any_level_that_the_separate_one_has():
    merged = config.scales(with_changes(mine(levels="each")))
    scale = Scale("full", merged["full"])
    prior = scale.prior("mine")
    assert prior.levels == scale.prior("flowavenet").levels
    assert all(prior.starts_from(sigma) == sigma and prior.is_fine_tuned(sigma) for sigma in prior.levels)
