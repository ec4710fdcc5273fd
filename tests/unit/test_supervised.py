"""What supervised separators are trained on, their loss, and the sizes and costs that make them fair references."""

import math
from types import SimpleNamespace

import pytest
import torch
from audiopriors import training
from audiopriors.checkpoints import build_prior
from audiopriors.pipeline import config, programs
from audiopriors.pipeline.scale import Scale
from audiopriors.separation import supervised
from configurations import SHIPPED, sentences
from families import SCORE
from test_music import FRAME, SOURCES, make, stems, write_hq
from test_training import TRAINING, data  # noqa: F401 (a fixture)
from torch.utils.flop_counter import FlopCounterMode

MIX = {"name": "band", "sources": SOURCES, "gains": [1] * 4, "unison": 0, "noise": 0}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def band(tmp_path_factory):
    """Tracks whose recorded mixture is not the sum: it has half its level."""
    root = tmp_path_factory.mktemp("tracks")
    for split, numbers in (("train", (0, 1, 2)), ("test", (3,))):
        for number in numbers:
            audio = stems(number)
            write_hq(root / "musdb" / split / f"track {number}", audio, mixture=audio.sum(0) / 2)
    (root / "cut").mkdir()
    return make(root / "musdb", root / "cut")[1]


def test_sources_apart_and_their_sum(band):
    """The sources are those of `Mixes`, from the same random numbers."""
    apart, mixes = supervised.Mixtures(band, MIX, False), supervised.Mixes(band, MIX)
    batch = apart.draw("mix", 3, FRAME, generator())
    assert batch.shape == (3, 5, FRAME) and torch.equal(batch[:, :4], mixes.draw("mix", 3, FRAME, generator()))
    assert torch.equal(batch[:, 4], batch[:, :4].sum(1))
    items = torch.tensor([4, 0])
    held_out = apart.frames("validation", "mix", items, FRAME)
    assert torch.equal(held_out[:, :4], mixes.frames("validation", "mix", items, FRAME))
    assert torch.equal(held_out[:, 4], held_out[:, :4].sum(1))


def test_sources_together_and_their_recorded_mixture(band):
    together = supervised.Mixtures(band, MIX, True)
    batch = together.draw("mix", 6, FRAME, generator())
    assert batch.shape == (6, 5, FRAME) and torch.equal(batch, together.draw("mix", 6, FRAME, generator()))
    items = torch.arange(band.count("train"))
    frames = torch.cat([band.frames("train", name, items, FRAME) for name in [*SOURCES, "mixture"]], 1)
    which = (batch[:, None] == frames).all(3).all(2)  # of one place of one track, the mixture too
    assert (which.sum(1) == 1).all() and len(set(which.int().argmax(1).tolist())) > 1
    assert (batch[:, 4] - batch[:, :4].sum(1) / 2).abs().max() < 1e-3 < batch[:, 4].std()
    held_out = together.frames("validation", "mix", torch.tensor([1]), FRAME)
    assert torch.equal(held_out[:, 4:], band.frames("validation", "mixture", torch.tensor([1]), FRAME))
    assert together.count("validation") == band.count("validation")


def test_a_separator_is_given_the_mix_that_its_sources_came_with():
    torch.manual_seed(0)
    separator = supervised.Separator("score", SCORE, 2).double()
    batch = torch.randn(3, 3, 40, generator=generator(), dtype=torch.double)  # the last is no sum
    separator.initialise(batch, batch, 0.0)
    other = supervised.Separator("score", SCORE, 2).double()
    other.inner.initialise(batch[:, 2:], batch[:, 2:], 0.0)
    torch.testing.assert_close(separator.inner.deviation, other.inner.deviation)
    estimates = separator(batch[:, 2:])
    torch.testing.assert_close(estimates.sum(1), batch[:, 2])
    errors = (estimates - batch[:, :2]).square().mean(2)
    expected = 0.5 * torch.log((errors + 1e-8) / (batch[:, :2].square().mean(2) + 1e-4)).mean()
    torch.testing.assert_close(separator.loss(batch, batch, 0.0), expected)


@pytest.mark.parametrize("together", [False, True])
def test_it_trains_on_toy_mixes_with_gains(data, tmp_path, together):  # noqa: F811
    mix = {"name": "two", "sources": ["sine", "saw"], "gains": [1, 0.5], "unison": 0}
    mixtures = supervised.Mixtures(data, mix, together)
    batch = mixtures.draw("mix", 2, 64, generator())
    torch.testing.assert_close(batch[:, 2], batch[:, 0] + batch[:, 1])
    assert 0.3 < batch[:, 1].abs().max() <= 0.5
    torch.manual_seed(0)
    losses = training.train(
        supervised.Separator("score", SCORE, 2), mixtures, "mix", 0.0, TRAINING, seed=(0,), fingerprint="f",
        state=tmp_path / "state", device=torch.device("cpu"), fresh=True,
    )  # fmt: skip
    assert len(losses) == TRAINING.log_points and losses[-1]["held_out_loss"] < losses[0]["held_out_loss"]


@pytest.fixture(scope="module")
def scales() -> dict[str, Scale]:
    return {name: Scale(name, settings) for name, settings in config.scales(SHIPPED).items()}


def test_the_config_says_how_mixes_are_drawn(scales):
    def draw(scale, name):
        asked = SimpleNamespace(separator=name, mix="band")
        return programs.train_separator(scales[scale].dataset("demo_band"), asked)["draw"]

    names = ("supervised", "supervised_large", "supervised_together")
    assert [draw("quick", name) for name in names] == ["apart", "apart", "together"]
    said = sentences({"datasets": {"musdb18": {"supervised": {"supervised": {"draw": "both"}}}}})
    assert "supervised.draw: 'both' is not allowed; allowed: apart, together" in said


def of_product(_, left, right, *others, **options) -> int:
    """Twice the multiply-adds of a product that is added in place, which the counter does not know."""
    return 2 * math.prod(left) * right[-1]


IN_PLACE = {torch.ops.aten.addmm_: of_product, torch.ops.aten.baddbmm_: of_product}


def multiplications(model, x: torch.Tensor, sigma) -> int:
    """Multiply-adds of a training step."""
    model.initialise(x, x, sigma)
    with FlopCounterMode(display=False, custom_mapping=IN_PLACE) as counter:
        model.loss(x, x, sigma).backward()
    return counter.get_total_flops() // 2


def size(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("dataset", "name", "mix"), [("toy", "score", "four"), ("musdb18", "score_music", "band")])
@pytest.mark.parametrize("scale", ["quick", "full"])
def test_separators_cost_as_much_as_four_priors_and_the_large_one_is_as_large(scales, scale, dataset, name, mix):
    described, prior = scales[scale].dataset(dataset), scales[scale].prior(name)
    model = build_prior(prior.family, prior.model)
    each = multiplications(model, 0.1 * torch.randn(2, 1, 4096), torch.full((2,), 0.3))
    of_priors = 4 * prior.training["steps"] * prior.training["batch"] * each
    for separator in described.supervised:
        asked = programs.train_separator(described, SimpleNamespace(separator=separator, mix=mix))
        built = supervised.build(asked)
        each = multiplications(built, 0.1 * torch.randn(2, 5, 4096), 0.0)
        cost = asked["training"]["steps"] * asked["training"]["batch"] * each
        assert cost == pytest.approx(of_priors, rel=0.07), separator
        whole = 4 * size(model) if separator == "supervised_large" else size(model)
        assert size(built) == pytest.approx(whole, rel=0.07), separator  # a score prior has its gate beside
