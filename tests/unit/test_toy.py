"""The toy data: laws of the parameters, and waveforms as pure functions of them."""

import math

import numpy as np
import pytest
import torch
from audiopriors.data import toy
from audiopriors.separation import references

PAPER = toy.Config("paper", 16000, 16384, "uniform", (27.5, 4186), (0.8, 1.0), False, 2000, 10, 20)
PUBLISHED = toy.Config("published", 14700, 16384, "piano_keys", (26, 1102), (0.8, 1.0), False, 2000, 10, 20)


def rows(config, sources=toy.SOURCES):
    return toy.make(config, list(sources), (0, "test"))


def test_paper_laws():
    train = rows(PAPER).query("split == 'train'")
    assert train.groupby("source").size().eq(2000).all()
    for column, low, high in (("frequency", 27.5, 4186), ("amplitude", 0.8, 1.0), ("phase", 0, 2 * math.pi)):
        values = (train[column] - low) / (high - low)
        assert values.between(0, 1).all()
        assert abs(values.mean() - 0.5) < 4 * math.sqrt(1 / 12 / len(values))


def test_frequency_laws():
    logarithmic = rows(toy.Config("paper", 16000, 16384, "log_uniform", (27.5, 4186), (0.8, 1), False, 4000, 1, 1))
    position = np.log(logarithmic["frequency"] / 27.5) / math.log(4186 / 27.5)
    assert position.between(0, 1).all() and abs(position.mean() - 0.5) < 0.02
    keys = rows(toy.Config("paper", 16000, 16384, "piano_keys", (27.5, 4186.1), (0.8, 1), False, 4000, 1, 1))
    numbers = 12 * np.log2(keys["frequency"] / 440) + 49
    assert np.allclose(numbers, numbers.round()) and set(numbers.round()) == set(range(1, 89))


def test_published_variant_has_whole_periods_and_fixed_test_amplitude():
    table = rows(PUBLISHED)
    period = PUBLISHED.rate / table["frequency"]
    assert np.allclose(period, period.round())
    shift = table["phase"] / (2 * math.pi) * period
    assert np.allclose(shift, shift.round())
    assert table.query("split != 'train'")["amplitude"].eq(1).all()
    assert table.query("split == 'train'")["amplitude"].nunique() > 1000


def test_published_edges_are_exact():
    """Whole periods put samples on the edges: rounding must not flip their sign (it did in the authors' code)."""
    table = rows(PUBLISHED, ["square"]).query("split == 'test'")
    columns = [torch.tensor(table[name].to_numpy()) for name in ("frequency", "amplitude", "phase")]
    waves = toy.render("square", *columns, 4000, PUBLISHED.rate)[:, 0]
    for wave, frequency in zip(waves, columns[0], strict=True):
        period = round(PUBLISHED.rate / frequency.item())
        assert torch.equal(wave[period:], wave[:-period])
        assert int((wave[:period] > 0).sum()) == (period + 1) // 2


def test_adding_a_source_changes_no_other():
    few, many = rows(PAPER, ["sine", "saw"]), rows(PAPER)
    one, other = (table.query("source == 'saw'").reset_index(drop=True) for table in (few, many))
    assert one.equals(other)


@pytest.mark.parametrize("source", toy.SOURCES)
@pytest.mark.parametrize("bandlimited", [False, True])
def test_waveforms(source, bandlimited):
    one = torch.ones(1, dtype=torch.float64)
    wave = toy.render(source, 100 * one, 0.9 * one, 0 * one, 1600, 16000, bandlimited=bandlimited)
    assert wave.shape == (1, 1, 1600) and wave.dtype == torch.float64
    wave = wave[0, 0]
    torch.testing.assert_close(wave[160:320], wave[:160], atol=1e-9, rtol=0)
    power = {"sine": 1 / 2, "square": 1, "saw": 1 / 3, "triangle": 1 / 3}[source]
    assert wave.square().mean().item() == pytest.approx(0.81 * power, rel=0.02)
    later = toy.render(
        source, 100 * one, 0.9 * one, 0 * one, 100, 16000, offset=torch.tensor([37]), bandlimited=bandlimited
    )
    torch.testing.assert_close(later[0, 0], wave[37:137], atol=1e-9, rtol=0)


@pytest.mark.parametrize("source", toy.SOURCES)
def test_bandlimited_has_the_naive_harmonics_and_no_alias(source):
    one = torch.ones(1, dtype=torch.float64)
    spectra = [
        torch.fft.rfft(toy.render(source, 999 * one, one, 0.3 * one, 16000, 16000, bandlimited=way)[0, 0]).abs() / 8000
        for way in (False, True)
    ]
    harmonics = torch.arange(999, 8000, 999)
    torch.testing.assert_close(spectra[1][harmonics], spectra[0][harmonics], atol=0.06, rtol=0)
    others = torch.ones(8001, dtype=torch.bool)
    others[harmonics] = False
    assert spectra[1][others].max() < 1e-9
    if source in ("square", "saw"):
        assert spectra[0][others].max() > 1e-3  # the paper's own data aliases


def test_unknown_source_is_named():
    with pytest.raises(ValueError, match="no source 'gong'; it has sine, square, saw, triangle"):
        toy.make(PAPER, ["sine", "gong"], (0,))


def test_frames(tmp_path):
    path = tmp_path / "items.parquet"
    rows(PAPER).to_parquet(path)
    data = toy.Frames(str(path), PAPER)
    items = torch.arange(5)
    frames = data.frames("test", "saw", items, 256)
    assert frames.shape == (5, 1, 256) and frames.dtype == torch.float32 and data.count("test") == 20
    torch.testing.assert_close(data.frames("test", "saw", items[3:4], 256), frames[3:4], atol=0, rtol=0)
    draw = [data.draw("saw", 4, 256, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*draw) and draw[0].shape == (4, 1, 256)
    mix = {"name": "saw", "sources": ["saw"], "gains": [1], "unison": 0, "noise": 0, "skip": 0}
    compared = references.estimates(data, mix, frames[None], frames.double(), items)
    assert set(compared) == {"mix", "parametric_oracle"}
    torch.testing.assert_close(compared["parametric_oracle"][0], frames)
    mean = data.mixture("test", ["saw", "sine"], items, 256)
    torch.testing.assert_close(2 * mean, frames + data.frames("test", "sine", items, 256))
