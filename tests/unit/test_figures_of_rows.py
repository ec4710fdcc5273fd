"""Figures of rows, losses and waves: which numbers they show, what is written at their axes, and any kind of data."""

import importlib
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from audiopriors import files, registry
from audiopriors.data import toy
from configurations import SHIPPED
from drawn import SETTINGS, SIGMAS, SOURCES, words


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def draw(name, *inputs, **changes):
    return importlib.import_module(f"figure_{name}").draw(SETTINGS | changes, [str(path) for path in inputs])


def test_training(tmp_path):
    losses = pd.DataFrame({"step": [1, 2, 3], "loss": [3.0, 2, 1], "held_out_loss": [3.5, np.nan, 1.5]})
    paths = [tmp_path / "flow" / source / sigma / "seed0.losses.csv" for source in "ab" for sigma in SIGMAS]
    paths += [tmp_path / "score" / source / "all" / "seed0.losses.csv" for source in "ab"]
    for path in paths:
        path.parent.mkdir(parents=True)
        losses.to_csv(path, index=False)
    figure, shown = draw("training", *paths)
    assert len(shown) == 2 * len(paths) and shown["held_out_loss"].tolist()[:2] == [3.5, 1.5]
    assert set(zip(shown["prior"], shown["sigma"], strict=True)) == {
        ("score", "all"), *(("flow", sigma) for sigma in SIGMAS),
    }  # fmt: skip
    assert words(figure, "title") == {"a flow\nσ = 0", "σ = 0.1", "σ = 0.5", "a score prior\n(all σ)"}
    assert figure.get_supxlabel() == "step" and "nats/sample" in figure.get_supylabel()


def test_training_together_has_a_panel_of_its_own(tmp_path):
    losses = pd.DataFrame({"step": [1, 2], "loss": [3.0, 2], "held_out_loss": [3.5, 1.5]})
    paths = [tmp_path / place / "0.5" / "seed0.losses.csv" for place in ("flow/a", "flow/b", "joint/all-sources")]
    for path in paths:
        path.parent.mkdir(parents=True)
        losses.to_csv(path, index=False)
    figure, shown = draw("training", *paths, joint_priors={"joint": "flow"})
    assert words(figure, "title") == {"a flow\nσ = 0.5", "trained together\nσ = 0.5"}
    assert [len(axes.lines) for axes in figure.axes] == [4, 2]
    assert set(shown["prior"]) == {"flow", "joint"}
    lengths = {"flow": 3, "wide": 4, "one": 1, "other": 1, "long": 5}
    assert importlib.import_module("figure_training").in_lines(lengths, 6) == {
        "flow": (0, 0), "wide": (1, 0), "one": (1, 4), "other": (1, 5), "long": (2, 0),
    }  # fmt: skip


def test_logits(tmp_path):
    """An item of a has 5 nats more by a's prior than by b's, and 2 more than by c's; by the joint ones twice that."""
    rows = []
    for prior, factor in (("flow", 1.0), ("joint", 2.0), ("truth", 10.0)):
        for source, test, item in itertools.product(SOURCES, SOURCES, range(3)):
            value = -100 - factor * {0: 0, 1: 5, 2: 2}[(SOURCES.index(source) - SOURCES.index(test)) % 3]
            level = "all" if prior == "truth" else "0.5"
            rows.append((prior, source, 0, level, "test", test, "0.5", "log_prob", item, value))
    columns = ["prior", "prior_source", "seed", "prior_sigma", "split", "test_source", "data_sigma", "measure", "item"]
    path = tmp_path / "measures.parquet"
    pd.DataFrame(rows, columns=[*columns, "value"]).to_parquet(path)
    figure, shown = draw("logits", path, joint_priors={"joint": "flow"}, exact="truth")
    medians = shown.groupby(["prior", "test_source", "against"])["margin"].median()
    assert medians["flow", "a"].to_dict() == {"b": 5, "c": 2, "best other": 2}
    assert medians["joint", "b"].to_dict() == {"c": 10, "a": 4, "best other": 4} and medians["truth", "a", "b"] == 50
    assert len(shown) == 3 * 3 * 3 * 3
    assert {title.strip() for title in words(figure, "title")} == {f"items of {source}" for source in SOURCES}
    assert words(figure, "ylabel") == {"other prior"} and figure.get_supxlabel().endswith("(nats)")
    assert {text.get_text() for text in figure.axes[0].texts} == {"100 %", "joint (open: a flow), σ = 0.5"}
    assert {text.get_text() for text in figure.axes[3].texts} == {"100 %", "truth, σ = 0.5"}


def test_scored_file(tmp_path):
    table = pd.DataFrame(
        [("flow", source, "0", "0", measure, start, -20.0, value) for measure in ("log_prob", "latent_log_prob")
         for start in (0.0, 0.5) for source, value in zip(SOURCES, (1.0, 1.0, -50.0), strict=True)],
        columns=["prior", "prior_source", "prior_sigma", "data_sigma", "measure", "start", "level_db", "value"],
    )  # fmt: skip
    table.to_csv(tmp_path / "t.csv", index=False)
    maps = pd.DataFrame(
        [("flow", source, "0", "0", 0.25 * part, 10.0 * k + part) for k, source in enumerate(SOURCES)
         for part in range(4)],
        columns=["prior", "prior_source", "prior_sigma", "data_sigma", "start", "value"],
    )  # fmt: skip
    files.write_rows(maps, tmp_path / "maps")
    figure, shown = draw("scored_file", tmp_path / "t.csv", tmp_path / "maps", rate=20)
    within = shown[shown["quantity"] == "log_prob_map"]
    assert within["start"].tolist() == [0, 0.25, 0.5, 0.75]
    assert within[SOURCES].to_numpy().tolist() == [[part, 10 + part, 20 + part] for part in range(4)]
    (image,) = [image for axes in figure.axes for image in axes.images]
    assert image.get_array().tolist() == within[SOURCES].to_numpy().T.tolist()
    assert image.get_extent() == [0, 1, 3, 0]  # two frames of ten samples
    likelihood, ratio = (shown[shown["quantity"] == quantity] for quantity in ("log_prob", "mixture_ratio"))
    assert likelihood[SOURCES].to_numpy().tolist() == [[1, 1, -50]] * 2
    # Two of three are as likely, the third has no share: log 1 - log 2/3, over ten samples.
    assert ratio[["a", "b"]].to_numpy() == pytest.approx(np.log(1.5) / 10)
    assert ratio["c"].to_numpy() == pytest.approx(np.log(1.5) / 10 - 51)
    assert figure.get_supxlabel() == "time (s)" and figure.get_supylabel() == "nats/sample, but for the level"
    assert words(figure, "ylabel") == {"level (dB)", "a flow\nσ = 0"}


def test_a_long_recording_has_as_many_parts_as_a_page_can_show():
    maps = pd.DataFrame({"start": np.arange(1201) / 2, "prior_source": "a", "value": np.arange(1201.0)})
    within = importlib.import_module("figure_scored_file").within_frames(maps, ["a"])
    assert len(within) == 401 and within["a"].tolist()[:2] == [1, 4] and within.index.tolist()[:2] == [0, 1.5]


@pytest.mark.parametrize("kind", ["toy", "speech"])
def test_likelihood_map(kind, monkeypatch, tmp_path):
    """Of each prior and source in turn, maps of three sources and the mix; a toy's first 8 ms, all of other waves."""
    monkeypatch.setattr(registry, "open_data", lambda described, path: Speech())
    paths = [tmp_path / f"{k}.npy" for k in range(6)]
    for k, path in enumerate(paths):
        files.write_array((100 * k + 10 * np.arange(4)[:, None] + np.arange(128) / 128).astype(np.float32), path)
    files.write_array(np.full((4, 128), np.nan, np.float32), paths[3])
    changes = {"data": {"kind": kind, "settings": {}}, "frame": 128, "mapped_sigma": "0.1"}
    figure, shown = draw("likelihood_map", "data", *paths, **changes)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 2 * 4 and len({image.get_clim() for image in images}) == 1
    first = images[1].get_array().filled(np.nan)  # of flow, source b
    assert first[:, 0].tolist() == pytest.approx([each + (0 if kind == "toy" else 1 / 256) for each in (10, 110, 210)])
    assert first.shape == (3, 8 if kind == "toy" else 64) and images[5].get_array().mask[:, 0].tolist() == [1, 0, 0]
    flow = shown[(shown["prior"] == "flow") & (shown["test_source"] == "mix")]
    assert flow["time_ms"].tolist()[:2] == ([0, 1] if kind == "toy" else [0, 2])
    assert flow["b"].iloc[0] == pytest.approx(first[1, 0] + 20)
    assert words(figure, "ylabel") == {
        "amplitude", "a flow", "a score prior\n(all σ)", "log p at this time, nats/sample (σ = 0.1)",
    }  # fmt: skip
    assert words(figure, "title") == {*SOURCES, "mix"} and figure.get_supxlabel() == "time (ms)"


def test_energy(tmp_path):
    rows = [(level, step, 1.0 - 0.5 * level, 10.0 * item, 0.1 * item) for level in (0, 1) for step in (0, 1)
            for item in range(11)]  # fmt: skip
    files.write_rows(pd.DataFrame(rows, columns=["level", "step", "sigma", "energy", "residual"]), tmp_path / "t")
    figure, shown = draw("energy", tmp_path / "t", runs=[("score", "good")])
    energy = shown[shown["quantity"] == "energy"]  # quantiles over items, a sample
    assert energy["number"].tolist() == [0, 1, 2, 3]
    assert energy[["0.1", "0.5", "0.9"]].to_numpy() == pytest.approx(np.tile([1, 5, 9], (4, 1)))
    assert words(figure, "title") == {"a good method"} and words(figure, "xlabel") == {"step"}
    assert words(figure, "ylabel") == {"energy\n(nats/sample)", "residual"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a score prior (all σ)"]
    # A method has one panel of each quantity, whatever number of priors it has.
    runs = [("score", "good"), ("flow", "good"), ("flow", "other")]
    figure, shown = draw("energy", *[tmp_path / "t"] * 3, runs=runs)
    assert words(figure, "title") == {"a good method", "other"} and len(figure.axes) == 4
    assert [len(axes.collections) for axes in figure.axes] == [2, 1, 2, 1] and len(shown) == 3 * 2 * 4


def test_acceptance(tmp_path):
    rows = pd.DataFrame({"mix": ["two", "three"], "misfit": [0.5, 2], "worst_si_sdr": [30, 3]})
    files.write_rows(rows.assign(method="a_b", prior="score", accept=1.0), tmp_path / "t")
    figure, shown = draw("acceptance", tmp_path / "t")
    assert shown["misfit"].tolist() == [0.5, 2]
    assert [points.get_offsets().tolist() for points in figure.axes[0].collections] == [[[0.5, 30]], [[2, 3]]]
    assert words(figure, "title") == {"a b\na score prior (all σ)"}
    assert figure.get_supylabel() == "SI-SDR of the worst source (dB)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["two sources", "three"]


def test_risk_coverage(tmp_path):
    rows = pd.DataFrame({"mix": ["two", "three", "two"], "misfit": [0.5, 2, 0.8], "worst_si_sdr": [30, 3, 4]})
    files.write_rows(rows.assign(method="a_b", prior="score", accept=1.0), tmp_path / "t")
    figure, shown = draw("risk_coverage", tmp_path / "t")
    assert shown["accepted"].tolist() == [0.5, 1, 1] and shown["wrong"].tolist() == [0, 0.5, 1]
    marks = [line.get_xydata().tolist() for line in figure.axes[0].lines if line.get_marker() != "None"]
    assert marks == [[[1, 0.5]]]  # none of `three` is accepted
    assert figure.get_supylabel() == "share of these that are wrong"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["two sources", "three"]


def test_error_curve(tmp_path):
    rows = pd.DataFrame(
        [("score", source, sigma, item, error + item, 4.0) for source in SOURCES
         for sigma, error in ((0.1, 0.5), (0.2, 1.0), (0.4, 3.0)) for item in (0, 1)],
        columns=["prior", "prior_source", "sigma", "item", "error", "power"],
    )  # fmt: skip
    files.write_rows(rows, tmp_path / "t")
    figure, shown = draw("error_curve", tmp_path / "t", plans=[])
    assert shown.groupby("sigma")["error"].unique().to_dict() == {0.1: [1.0], 0.2: [1.5], 0.4: [3.5]}
    assert figure.axes[0].lines[0].get_ydata() == pytest.approx(10 * np.log10([0.25, 0.375, 0.875]), abs=1e-6)
    assert words(figure, "title") == {"a score prior (all σ)"} and words(figure, "xlabel") == {"σ"}
    assert words(figure, "ylabel") == {"error relative to the source's power (dB)"}


class Speech:
    """Frames of a kind of data that no figure knows: item i of a source is its place + i."""

    rate = 1000

    def count(self, split):
        return 4

    def frames(self, split, source, items, frame):
        return (SOURCES.index(source) + items)[:, None, None].expand(-1, 1, frame).float()

    def mixture(self, split, sources, items, frame):
        return sum(self.frames(split, source, items, frame) for source in sources)

    def mixed(self, mix, items, frame):
        truth = torch.stack([self.frames("test", source, items, frame) for source in mix["sources"]])
        return truth, truth.sum(0)

    def mix_divisor(self, sources):
        return 2.0


def test_an_unknown_kind_of_data_has_waveforms(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "open_data", lambda described, path: Speech())
    changes = {"data": {"kind": "speech", "settings": {}}, "frame": 64, "runs": [("score", "good")]}
    figure, shown = draw("waveforms", "data", **changes)
    assert shown.groupby("source")["amplitude"].unique().to_dict() == {"a": [0], "b": [1], "c": [2], "mix": [3]}
    assert words(figure, "ylabel") >= {"amplitude", "frequency (Hz)"} and words(figure, "xlabel") == {"time (s)"}
    files.write_array(np.full((2, 1, 64), 5.0, np.float32), tmp_path / "examples.npy")
    changes["runs"].append(("score", "bad"))  # the second method of a prior is not shown
    figure, shown = draw("separation_examples", "data", tmp_path / "examples.npy", **changes)
    value = shown.groupby(["what", "source"])["amplitude"].unique()
    assert value["truth"].to_dict() == {"a": [0], "b": [1], "mix": [0.5]}
    assert value["good score"].to_dict() == {"a": [5], "b": [5], "mix": [5]}
    assert words(figure, "title") == {"mix", "a", "b"}
    assert words(figure, "ylabel") == {"truth", "a score prior\n(all σ)\na good method"}


def test_amplitudes_of_an_unknown_kind_of_data(monkeypatch):
    """No law in closed form, and the first item of the first source, which is constant, has no Beta density."""
    monkeypatch.setattr(registry, "open_data", lambda described, path: Speech())
    figure, shown = draw("amplitudes", "data", data={"kind": "speech", "settings": {}}, frame=64)
    of = shown.groupby(["shown", "source"])
    assert of["n"].first()["first item"].tolist() == [64] * 3 and of["n"].first()["4 items"].tolist() == [256] * 3
    assert shown["true_density"].isna().all() and np.isnan(of["alpha"].first()["first item"]).all()
    assert of["alpha"].first()["4 items", "a"] > 0 and np.isnan(of["alpha"].first()["4 items", "b"])  # all beyond 1
    assert words(figure, "ylabel") >= {"density (log scale)"} and words(figure, "xlabel") == {"sample value"}
    assert words(figure, "title") == {
        *(f"{source}\n{what}" for source in SOURCES for what in ("first item", "4 items")), "Beta densities",
    }  # fmt: skip


def test_amplitudes_of_the_toy_data(tmp_path):
    described = SHIPPED["datasets"]["toy"]["settings"] | {"train": 300, "validation": 1, "test": 1}
    toy.make(toy.Config(**described), ["sine", "square"], (0, "test")).to_parquet(tmp_path / "items.parquet")
    data = {"kind": "toy", "settings": described}
    figure, shown = draw("amplitudes", tmp_path / "items.parquet", data=data, sources=["sine", "square"], frame=2000)
    of = shown.set_index(["shown", "source"])
    # The law has what the histogram has, but for the noise of 300 amplitudes, and for the poles within a bin.
    pooled = of.loc[("300 items", "sine")]
    inner = pooled["value"].abs() < 0.7
    assert pooled.loc[inner, "density"].to_numpy() == pytest.approx(pooled.loc[inner, "true_density"], rel=0.05)
    assert (2 * pooled["density"] / len(pooled)).sum() == pytest.approx(1)
    assert pooled["n"].eq(300 * 512).all() and pooled["alpha"].iloc[0] == pytest.approx(
        pooled["beta"].iloc[0], rel=0.05
    )
    one = of.loc[("A = 0.9", "square")]
    assert one.loc[one["density"] > 0, "value"].tolist() == pytest.approx([-0.9, 0.9])
    assert of.loc[("300 items", "square"), "alpha"].iloc[0] < pooled["alpha"].iloc[0] < 1
    to_compare = of.loc[("Beta densities", "")]
    assert to_compare.groupby(["alpha", "beta"]).ngroups == 5
    assert to_compare.loc[to_compare["alpha"] == 1, "beta_density"].to_numpy() == pytest.approx(0.5)
    alpha, beta = of.loc[("A = 0.9", "sine"), ["alpha", "beta"]].iloc[0]
    assert [text.get_text() for text in figure.axes[0].texts] == [f"α = {alpha:.2f}\nβ = {beta:.2f}"]
    labels = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert labels == ["samples", "Beta, fitted", "true law"] and words(figure, "ylabel") >= {"density"}
