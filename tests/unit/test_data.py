"""What every kind of data derives from its frames, on the example of a kind of data."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from audiopriors import registry
from audiopriors.data import base
from audiopriors.errors import UserError
from audiopriors.separation import references
from copied import copy_examples

CONFIG = {
    "rate": 8000, "frequency_range": [200.0, 800.0], "slope_range": [1.0, 4.0], "train": 20, "validation": 4, "test": 6,
}  # fmt: skip
SOURCES = ["rising", "falling", "steady"]
MIX = {"name": "three", "sources": SOURCES, "gains": [1, 0.5, 2], "unison": 0, "noise": 0, "skip": 0}


@pytest.fixture
def chirps(tmp_path, monkeypatch):
    copy_examples(tmp_path / "library", monkeypatch)
    config = registry.settings("data", "chirps", CONFIG)
    path = tmp_path / "items.parquet"
    table = registry.load("data", "chirps").make(config, SOURCES, (0,), tmp_path, 2048)
    table.to_parquet(path)
    return registry.open_data({"kind": "chirps", "settings": CONFIG}, str(path))


def test_frames_of_chirps(chirps):
    items = torch.arange(chirps.count("test"))
    assert chirps.rate == 8000 and len(items) == 6 and chirps.tracks("test") == list("012345")
    frames = {source: chirps.frames("test", source, items, 2048) for source in SOURCES}
    for source, frame in frames.items():
        assert frame.shape == (6, 1, 2048) and frame.dtype == torch.float32 and 0.4 < frame.abs().max() <= 1
        assert torch.equal(chirps.frames("test", source, items[3:4], 2048), frame[3:4])
        # Half periods in the first and the second half of the frame say where the frequency goes.
        crossings = (frame[:, 0, 1:] * frame[:, 0, :-1] < 0).float()
        change = (crossings[:, 1024:].sum(1) - crossings[:, :1023].sum(1)).numpy()
        assert {"rising": change > 2, "falling": change < -2, "steady": np.abs(change) <= 2}[source].all()
    drawn = [chirps.draw("rising", 4, 256, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*drawn) and drawn[0].shape == (4, 1, 256)
    with pytest.raises(UserError, match="no source 'gong'; they have rising, falling, steady"):
        registry.load("data", "chirps").make(chirps.config, ["gong"], (0,))


def test_mixes_that_the_base_derives(chirps):
    items = torch.arange(5)
    parts = [chirps.frames("test", source, items, 512) for source in SOURCES]
    torch.testing.assert_close(chirps.mixture("test", SOURCES, items, 512), sum(parts))
    truth, total = chirps.mixed(MIX, items, 512)
    for one, part, gain in zip(truth, parts, MIX["gains"], strict=True):
        torch.testing.assert_close(one, gain * part)
    torch.testing.assert_close(total, truth.sum(0))
    trained_on, _ = chirps.mixed(MIX, items, 512, "train")
    torch.testing.assert_close(trained_on[1], 0.5 * chirps.frames("train", SOURCES[1], items, 512))
    with pytest.raises(UserError, match="mix three: these data have no frequencies that could be put in unison"):
        chirps.mixed(MIX | {"unison": 0.01}, items, 512)

    class Mean(type(chirps)):
        def mix_divisor(self, sources):
            return len(sources)

    chirps.__class__ = Mean
    torch.testing.assert_close(chirps.mixture("test", SOURCES, items, 512), sum(parts) / 3)
    truth, total = chirps.mixed(MIX, items, 2048)
    as_estimate = references.estimates(chirps, MIX, truth, total, items)["mix"]
    torch.testing.assert_close(as_estimate[0], truth.sum(0))  # the sources at their own levels, not the mean


def test_references_that_any_data_have(chirps, monkeypatch):
    items = torch.arange(4)
    truth, total = chirps.mixed(MIX, items, 8192)
    compared = references.estimates(chirps, MIX, truth, total, items)
    assert list(compared) == ["mix", "static_wiener", "ideal_ratio_mask", "ideal_power_mask"]
    torch.testing.assert_close(compared["mix"][1], total)
    for name in ("static_wiener", "ideal_ratio_mask", "ideal_power_mask"):
        assert compared[name].shape == truth.shape
        torch.testing.assert_close(compared[name].sum(0), total, rtol=0, atol=1e-4)
    error = {name: (one - truth).square().mean() for name, one in compared.items()}
    assert error["ideal_ratio_mask"] < min(error["static_wiener"], error["mix"])
    assert error["ideal_power_mask"] < error["ideal_ratio_mask"]
    monkeypatch.setattr(type(chirps), "references", ("nope",))
    with pytest.raises(UserError, match="no reference 'nope': there are parametric_oracle, static_wiener, ideal"):
        references.estimates(chirps, MIX, truth, total, items)


def test_the_static_wiener_filter_shares_white_noise_by_power():
    """Two sources of white noise of variance 1, one at half the gain: they get 1 / 1.25 and .25 / 1.25 of the mix."""

    def draw(source, batch, frame, generator):
        return torch.randn(batch, 1, frame, generator=generator)

    data, mix = SimpleNamespace(draw=draw), {"sources": ["a", "b"], "gains": [1, 0.5]}
    total = torch.randn(2, 1, 4096, generator=torch.Generator().manual_seed(0))
    one, other = references.static_wiener(data, mix, None, total, None)
    assert (one - 0.8 * total).square().mean() < 1e-3 and (other - 0.2 * total).square().mean() < 1e-3
    assert math.isclose((one + other - total).abs().max().item(), 0, abs_tol=1e-4)


def test_data_without_what_they_must_give_are_refused():
    class Half(base.Frames):
        def count(self, split):
            return 1

    with pytest.raises(TypeError, match=r"abstract.*draw.*frames"):
        Half()
