"""Figures of tables: which numbers they show, what is written at their axes, and colours for any kind of data."""

import importlib
import io
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from audiopriors import plotting
from conftest import ROOT
from drawn import PRIORS, SETTINGS, SIGMAS, SOURCES, words
from PIL import Image


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def draw(tmp_path):
    """Draws a figure: of its name, its inputs (tables are written as CSV), and changes of the settings."""

    def drawn(name, *inputs, **changes):
        paths = []
        for number, table in enumerate(inputs):
            path = tmp_path / f"{number}.csv"
            table.to_csv(path, index=False)
            paths.append(str(path))
        return importlib.import_module(f"figure_{name}").draw(SETTINGS | changes, paths)

    return drawn


@pytest.mark.parametrize("length", [1, 20, 35, 50])
def test_no_text_is_cut(length):
    plotting.set_style()
    figure, axes = plt.subplots(1, 2, figsize=(8, 2), layout="constrained")
    axes[0].set_yticks([0, 1], ["l" * length, "angevin, of a told prior (2)"[:length]])
    axes[1].text(1.02, 0.5, "w" * length, transform=axes[1].transAxes)
    image = np.asarray(Image.open(io.BytesIO(plotting.rendered(figure)["png"])).convert("L"))
    assert image.min() < 100
    assert all((edge == 255).all() for edge in (image[:2], image[-2:], image[:, :2], image[:, -2:]))


def likelihoods(measures=("log_prob", "latent_log_prob")):
    """A source's mean under its own prior is 1, another's -7, the mix's -3; published ones are 2 lower.

    Noise of the data that the prior does not have costs 4 a step of sigma.
    """
    rows = []
    for prior, source in itertools.product(PRIORS, SOURCES):
        for prior_sigma, test, data_sigma in itertools.product([*SIGMAS, "all"], [*SOURCES, "mix"], SIGMAS):
            if (prior == "score") != (prior_sigma == "all") or (prior_sigma == "all" and data_sigma == "0"):
                continue
            steps = 0 if prior_sigma == "all" else SIGMAS.index(data_sigma) - SIGMAS.index(prior_sigma)
            mean = {source: 1, "mix": -3}.get(test, -7) - 4 * abs(steps)
            rows += [
                ("d", prior, source, prior_sigma, test, data_sigma, measure, mean - 2 * lower)
                for lower, measure in enumerate(measures if prior == "flow" else measures[:1])
            ]
    columns = ["dataset", "prior", "prior_source", "prior_sigma", "test_source", "data_sigma", "measure", "mean"]
    table = pd.DataFrame(rows, columns=columns)
    # What each member of the prior of all sigmas gives its own source without noise.
    clean = [("d", "score", source, sigma, source, "0", "log_prob", 1 - 0.25 * k)
             for k, source in enumerate(SOURCES) for sigma in SIGMAS[1:]]  # fmt: skip
    table = pd.concat([table, pd.DataFrame(clean, columns=columns)])
    return table.assign(low=table["mean"] - 0.1, high=table["mean"] + 0.2, n=5)


def detections():
    """The AUROC falls by .1 a place of the other source in the list, and by .2 at .5; a ratio's by half of it."""
    rows = []
    for prior, source in itertools.product(PRIORS, SOURCES):
        for sigma in SIGMAS if prior == "flow" else SIGMAS[1:]:
            for measure, test in itertools.product(["log_prob", "log_ratio", "latent_log_prob"], [*SOURCES, "rest"]):
                only_density = measure == "latent_log_prob" and prior == "score"
                if test != source and not only_density and (measure, test) != ("log_ratio", "rest"):
                    place = 0 if test == "rest" else SOURCES.index(test) + 1
                    fall = (0.1 * place + 0.2 * (sigma == "0.5")) * (0.5 if measure == "log_ratio" else 1)
                    rows.append(
                        ("d", prior, source, sigma if prior == "flow" else "all", test, sigma, measure, 1 - fall)
                    )
    table = pd.DataFrame(
        rows,
        columns=["dataset", "prior", "prior_source", "prior_sigma", "test_source", "data_sigma", "measure", "auroc"],
    )
    return table.assign(low=table["auroc"] - 0.1, high=(table["auroc"] + 0.1).clip(upper=1), n=5)


def separations():
    """Two mixes; the method `good` of the score prior is better than `bad`, which has more of source a."""
    rows = [
        (mix, method, prior, source, value)
        for mix in ("two", "other")
        for method, prior, values in (("bad", "score", (20, 1, 4)), ("good", "score", (15, 11, 13)),
                                      ("bad", "flow", (3, 2, 2.5)), ("mix", "reference", (0, 0, 0)))
        for source, value in zip(["a", "b", "all"], values, strict=True)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["mix", "method", "prior", "source", "si_sdr_median"])
    return table.assign(low=table["si_sdr_median"] - 1, high=table["si_sdr_median"] + 2, n=7)


def test_cross_likelihood(draw):
    inputs = pd.concat([likelihoods(), likelihoods().assign(test_source="constant_0")])
    figure, shown = draw("cross_likelihood", inputs, detections())
    means, aurocs = (shown[shown["quantity"] == quantity] for quantity in ("mean", "auroc"))
    assert set(means["test_source"]) == {*SOURCES, "mix"} and set(aurocs["test_source"]) == set(SOURCES)
    # Noise-free, and where there is no such prior, of the smallest sigma.
    assert set(zip(shown["prior"], shown["data_sigma"], strict=True)) == {("flow", "0"), ("score", "0.1")}
    keys = ["prior", "measure", "test_source", "prior_source"]
    value = means.set_index(keys)["mean"].sort_index()
    assert value["flow", "log_prob", "a", "a"] == 1 and value["flow", "latent_log_prob", "mix", "b"] == -5
    assert value["score", "log_prob", "c", "a"] == -7 and ("score", "latent_log_prob") not in value
    assert aurocs.set_index(keys)["auroc"]["score", "log_ratio", "c", "b"] == pytest.approx(0.85)
    assert len(means) == (2 + 1) * 4 * 3 and len(aurocs) == 2 * 2 * 6
    assert figure.get_supxlabel() == "prior source (rows: test source)"
    assert words(figure, "ylabel") == {"a flow\nσ = 0", "a score prior\n(all σ)\nσ = 0.1"}
    assert words(figure, "title") == {
        "log p(x)\nmean, nats/sample", "score as published\nmean, nats/sample", "AUROC of log p(x)",
        "AUROC of the ratio\nlog p$_k$ − log p$_j$",
    }  # fmt: skip
    assert [text.get_text() for text in figure.axes[5].texts] == ["no such score"]  # of the score prior


def test_noise_grid(draw):
    figure, shown = draw("noise_grid", likelihoods(), detections())
    assert (shown["prior_sigma"] == shown["data_sigma"]).all() and set(shown["test_source"]) == set(SOURCES)
    assert shown.loc[shown["prior"] == "flow", "data_sigma"].unique().tolist() == SIGMAS
    assert shown.loc[shown["prior"] == "score", "data_sigma"].unique().tolist() == SIGMAS[1:]
    means, aurocs = (shown[shown["quantity"] == quantity] for quantity in ("mean", "auroc"))
    assert means.groupby(["prior", "measure"])["mean"].max().to_dict() == {(prior, "log_prob"): 1 for prior in PRIORS}
    assert aurocs["measure"].eq("log_ratio").all() and len(means) == (3 + 2) * 9 and len(aurocs) == (3 + 2) * 6
    assert words(figure, "title") == {f"σ = {sigma}" for sigma in SIGMAS}
    assert words(figure, "ylabel") == {
        "a flow", "a score\nprior\n(all σ)",
    }  # fmt: skip
    assert {"mean\nlog p(x)", "AUROC\nof ratio"} <= {text.get_text() for axes in figure.axes for text in axes.texts}
    assert figure.get_supxlabel() == "prior source (rows: test source)"
    levels = likelihoods()
    figure, _ = draw("noise_grid", levels[levels["prior_sigma"] != "0.1"], detections())
    said = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"no density\nat σ = 0", "not trained"} <= said


def test_published(draw):
    copies = [table[table["prior"] == "flow"].assign(prior="as_published") for table in (likelihoods(), detections())]
    likelihood, detection = (pd.concat(both) for both in zip((likelihoods(), detections()), copies, strict=True))
    table_1 = pd.DataFrame(
        [(test, sigma, prior, measure, 1.0, 2.0, 3.0)
         for test, sigma in itertools.product(["constant_0", "normal_0.5"], ["0", "0.5"])
         for prior, measure in (("FloWaveNet (paper)", "as published"), ("flow", "log_prob"), ("flow", "other"),
                                ("as_published", "latent_log_prob"))],
        columns=["input", "prior_sigma", "prior", "measure", *SOURCES],
    )  # fmt: skip
    figure, shown = draw("published", likelihood, detection, table_1, published=["as_published"])
    quantities = shown.groupby(["quantity", "prior", "measure"]).size()
    assert quantities.to_dict() == {
        ("auroc", "as_published", "latent_log_prob"): 12, ("auroc", "flow", "log_ratio"): 12,
        ("mean", "as_published", "latent_log_prob"): 18, ("mean", "flow", "log_prob"): 18,
        ("table 1", "FloWaveNet (paper)", "as published"): 12, ("table 1", "flow", "log_prob"): 12,
        ("table 1", "as_published", "latent_log_prob"): 12,
    }  # fmt: skip
    assert set(shown.loc[shown["quantity"] != "table 1", "prior_sigma"]) == {"0", "0.5"}  # the ends
    of_table = shown[shown["quantity"] == "table 1"].groupby("prior_source")["mean"].unique()
    assert of_table.to_dict() == {"a": [1], "b": [2], "c": [3]}
    assert {"Table 1\nas the paper prints it", "a flow\nAUROC of log p$_k$ − log p$_j$"} <= words(figure, "title")
    assert "as published\nmean of latent term only" in words(figure, "title")
    assert words(figure, "ylabel") == {"σ = 0", "σ = 0.5"}
    families = {"families": {"flow": "flowavenet", "score": "score", "as_published": "glow"}}
    figure, alone = draw("published", likelihood, detection, table_1, published=["as_published"], **families)
    assert set(alone.loc[alone["quantity"] != "table 1", "prior"]) == {"as_published"}  # it has no partner
    renamed = {"latent_log_prob": "mel_log_prob", "log_ratio": "mel_log_ratio", "log_prob": "log_prob_of_none"}
    of_mel = [
        table.assign(measure=table["measure"].where(table["prior"] != "as_published", table["measure"].map(renamed)))
        for table in (likelihood, detection)
    ]
    _, shown = draw("published", *of_mel, table_1, published=["as_published"])
    chosen = shown[(shown["prior"] == "as_published") & (shown["quantity"] != "table 1")]
    assert set(zip(chosen["quantity"], chosen["measure"], strict=True)) == {
        ("mean", "mel_log_prob"), ("auroc", "mel_log_ratio"),
    }  # fmt: skip
    assert "None" not in "".join(words(figure, "title") | words(figure, "ylabel"))


def test_detection(draw):
    figure, shown = draw("detection", detections())
    ratios = shown[shown["measure"] == "log_ratio"]
    # A ratio is of pairs: the worst other source is the last.
    assert ratios.groupby("prior_source")["test_source"].unique().to_dict() == {"a": ["c"], "b": ["c"], "c": ["b"]}
    assert shown.loc[shown["measure"] != "log_ratio", "test_source"].eq("rest").all()
    value = ratios.set_index(["prior", "prior_source", "data_sigma"])["auroc"]
    assert value["flow", "a", "0"] == pytest.approx(0.85) and value["score", "c", "0.5"] == pytest.approx(0.8)
    assert set(shown["measure"]) == {"log_prob", "log_ratio", "latent_log_prob"}
    assert words(figure, "xlabel") == {"σ of prior and data"}
    assert words(figure, "ylabel") == {"a flow", "a score prior\n(all σ)"}
    assert figure.get_supylabel() == "AUROC of the own source against the others"
    assert "ratio log p$_k$ − log p$_j$\n(worst other source)" in words(figure, "title")


def summaries():
    """Of each prior and level, log p and the ratio: far .9, near .7, worst .6, a ratio .05 higher."""
    rows = [
        (prior, sigma if prior == "flow" else "all", sigma, measure, kind, *(value + 0.05 * (kind == "ratio")
         for value in (0.9, 0.7, 0.6)))
        for prior in PRIORS for sigma in SIGMAS[1:]
        for measure, kind in (("log_ratio", "ratio"), ("log_prob", "one_class"))
    ]  # fmt: skip
    values = ["auroc_far", "auroc_near", "worst"]
    table = pd.DataFrame(rows, columns=["prior", "prior_sigma", "data_sigma", "measure", "kind", *values])
    return table.assign(**{f"{name}_low": table[name] - 0.1 for name in values},
                        **{f"{name}_high": table[name] + 0.04 for name in values})  # fmt: skip


def test_detection_summary(draw):
    figure, shown = draw("detection_summary", summaries())
    assert set(shown["measure"]) == {"log_prob", "log_ratio"} and set(shown["data_sigma"]) == set(SIGMAS[1:])
    first = figure.axes[0]
    assert [label.get_text() for label in first.get_yticklabels()] == ["log p(x)", "log p$_k$ − log p$_j$"]
    drawn = {line.get_label(): list(line.lines[0].get_xdata()) for line in first.containers}
    assert drawn["worst pair"] == pytest.approx([0.65, 0.6]) and drawn["mean of far pairs"] == pytest.approx(
        [0.95, 0.9]
    )
    assert words(figure, "xlabel") == {"AUROC"} and {f"σ = {sigma}" for sigma in SIGMAS[1:]} <= words(figure, "title")
    table = summaries()
    gaps = table[(table["prior"] != "flow") | (table["data_sigma"] != SIGMAS[1])]
    figure, _ = draw("detection_summary", gaps)
    assert plotting.is_empty(figure.axes[0])
    named = [axes for axes in figure.axes if axes.yaxis.get_tick_params()["labelleft"]]
    assert named == [figure.axes[0], figure.axes[2]]  # the first of each prior, also where it is empty


def test_detection_by_track(draw):
    tracks = [detections().assign(track=track, auroc=detections()["auroc"] - fall)
              for track, fall in (("t0", 0), ("t1", 0.1), ("t2", 0.3))]  # fmt: skip
    figure, shown = draw("detection_by_track", pd.concat(tracks), sigmas=["0.1"])
    assert shown["data_sigma"].eq("0.1").all() and len(shown) == 2 * 2 * 3 * 3
    ratios = shown[shown["measure"] == "log_ratio"].set_index(["prior", "prior_source", "track"])
    assert ratios.loc[("flow", "c", "t2"), "test_source"] == "b" and ratios["auroc"].min() == pytest.approx(0.55)
    points, median, *_ = figure.axes[0].lines
    assert points.get_ydata() == pytest.approx([0.7, 0.9, 1]) and median.get_ydata() == pytest.approx([0.9, 0.9])
    assert words(figure, "title") == {
        "σ = 0.1\nlog p(x)", "σ = 0.1\nratio log p$_k$ − log p$_j$\n(worst other source)",
    }  # fmt: skip
    assert words(figure, "ylabel") == {"a flow", "a score prior\n(all σ)"}
    assert figure.get_supylabel() == "AUROC within a track"
    table = pd.concat(tracks)
    figure, _ = draw("detection_by_track", table, sigmas=["7", "0.1"])  # nothing is measured at 7
    assert len(figure.axes) == 2 * len(PRIORS) and not any(map(plotting.is_empty, figure.axes))
    first = table[table["prior"] == PRIORS[0]].assign(prior_sigma="7", data_sigma="7")
    figure, _ = draw("detection_by_track", pd.concat([table, first]), sigmas=["7", "0.1"])
    assert [plotting.is_empty(axes) for axes in figure.axes] == [False] * 4 + [True, True, False, False]
    assert figure.axes[4].texts[0].get_text() == "not measured\nat σ = 7"


def test_peakedness(draw):
    table = likelihoods()
    impossible = (table["prior"] == "flow") & (table["prior_sigma"] == "0") & (table["data_sigma"] == "0.5")
    table.loc[impossible, ["mean", "low", "high"]] = -np.inf
    figure, shown = draw("peakedness", table)
    assert shown["measure"].eq("log_prob").all() and (shown["prior_source"] == shown["test_source"]).all()
    noise_free = figure.axes[0].containers[0].lines[0]  # at infinite loss there is no point
    assert noise_free.get_xdata().tolist() == [0, 0.1] and noise_free.get_ydata().tolist() == [1, -3]
    assert words(figure, "title") == set(SOURCES) and words(figure, "ylabel") == {"a flow", "a score prior\n(all σ)"}
    assert figure.get_supxlabel() == "noise added (standard deviation)"
    assert figure.get_supylabel() == "log p(x) by the own prior, nats/sample"


def test_noise_likelihood(draw):
    table = likelihoods()
    impossible = (table["prior"] == "flow") & (table["prior_sigma"] == "0") & (table["data_sigma"] == "0.5")
    table.loc[impossible, ["mean", "low", "high"]] = -np.inf
    figure, shown = draw("noise_likelihood", table)
    ends = {("flow", "0"), ("flow", "0.5"), ("score", "0.1"), ("score", "0.5")}
    assert set(zip(shown["prior"], shown["prior_sigma"], strict=True)) == ends
    assert shown["measure"].eq("log_prob").all() and (shown["prior_source"] == shown["test_source"]).all()
    without, with_noise = (axes.containers[0].lines[0] for axes in figure.axes[:2])  # of the first source
    assert without.get_xdata().tolist() == [0, 0.1] and without.get_ydata().tolist() == [1, -3]
    assert with_noise.get_xdata().tolist() == [0, 0.1, 0.5] and with_noise.get_ydata().tolist() == [-7, -3, 1]
    assert [text.get_text() for text in figure.axes[0].texts] == ["elsewhere −∞"]
    assert not figure.axes[1].texts and len(figure.legends[0].get_texts()) == len(SOURCES)
    assert words(figure, "title") == {
        "a flow\nwithout noise", "a flow\nwith noise, σ = 0.5",
        "a score prior\n(all σ)\nwith noise, σ = 0.1", "a score prior\n(all σ)\nwith noise, σ = 0.5",
    }  # fmt: skip
    assert figure.get_supylabel() == "log p(x), nats/sample"
    # Of one level there is no pair.
    figure, shown = draw("noise_likelihood", table[(table["prior"] == "flow") | (table["data_sigma"] == "0.5")])
    assert [plotting.is_empty(axes) for axes in figure.axes] == [False, False, True, False]


def test_inputs(draw):
    table = likelihoods(("log_prob", "latent_log_prob", "complexity_corrected"))
    own = table[(table["test_source"] == table["prior_source"]) & (table["data_sigma"] == table["prior_sigma"])]
    scored = [own.assign(test_source=f"{kind}_{level}", data_sigma="0", mean=float(-9 - 10 * level))
              for kind in ("constant", "normal") for level in (1, 0.5)]  # fmt: skip
    figure, shown = draw("inputs", pd.concat([table, *scored]), priors=["flow"])
    assert shown["data_sigma"].eq("0").all() and set(shown["prior_sigma"]) == {"0", "0.5"}  # the ends
    assert shown.groupby("input")["mean"].unique().to_dict() == {0.5: [-14], 1.0: [-19]}
    constants = figure.axes[0]
    assert constants.containers[0].lines[0].get_xdata().tolist() == [0.5, 1]
    assert constants.lines[3].get_ydata() == [1, 1]  # dotted: the prior's own source at its own noise
    assert shown["measure"].eq("log_prob").all() and words(figure, "ylabel") == {"a flow"}
    assert figure.get_supylabel() == "mean log p(x), nats/sample"
    assert words(figure, "xlabel") == {"constant c", "noise N(0, s²)"}
    assert words(figure, "title") == {"σ = 0", "σ = 0.5"}
    one = pd.concat([table, *scored]).query("prior == 'flow' and prior_sigma == '0.5'")
    figure, _ = draw("inputs", one, priors=["flow"])
    assert [plotting.is_empty(axes) for axes in figure.axes] == [True, True, False, False]


def test_denoising(draw):
    table = pd.DataFrame(
        [(prior, source, "0.1", sigma, method, float(sigma) ** 2 * left)
         for source in SOURCES for prior, sigma, method, left in (
             ("flow", "0.1", "tweedie", 0.5), ("flow", "0.5", "langevin", 0.25), ("flow", "0.5", "tweedie", 2.0),
             ("score", "0.1", "tweedie", 0.125), ("score", "0.5", "tweedie", 0.25), ("other", "0.5", "tweedie", 1))],
        columns=["prior", "prior_source", "prior_sigma", "data_sigma", "method", "error"],
    )  # fmt: skip
    table = table.assign(error_low=0.0, error_high=2 * table["error"], limit=math.nan, low=math.nan, high=math.nan)
    figure, shown = draw("denoising", table)
    assert set(shown["prior"]) == set(PRIORS)
    lines = {line.get_label(): line.lines[0].get_ydata().tolist() for line in figure.axes[0].containers}
    assert lines == {
        "a flow": pytest.approx([0.5, 2]), "a flow: langevin": pytest.approx([0.25]),
        "a score prior (all σ)": pytest.approx([0.125, 0.25]),
    }  # fmt: skip
    assert figure.axes[0].get_ylim()[0] == pytest.approx(0.125 / 4)  # where an interval that reaches 0 is cut
    assert words(figure, "title") == set(SOURCES) and words(figure, "xlabel") == {"σ of the noise"}
    assert words(figure, "ylabel") == {"mean square error / σ²"}
    # Over the limit, where there is one; a posterior model is a point of its own.
    table = table.assign(limit=table["error"] / 3, low=2.0, high=4.0)
    table.loc[table["prior"] == "score", "method"] = "posterior_wake"
    figure, _ = draw("denoising", table)
    lines = {line.get_label(): line.lines for line in figure.axes[0].containers}
    assert set(lines) == {"a flow", "a flow: langevin", "a score prior (all σ): posterior wake"}
    assert lines["a score prior (all σ): posterior wake"][0].get_ydata().tolist() == pytest.approx([3, 3])
    (unchanged,) = [line for line in figure.axes[0].lines if line.get_label() == "the noisy wave itself"]
    assert unchanged.get_ydata()[0] == pytest.approx(3 / 0.5) and words(figure, "ylabel") == {
        "mean square error / the least"
    }


def test_truth_gap(draw):
    table = likelihoods().query("measure == 'log_prob' and prior_source == test_source and data_sigma == prior_sigma")
    table = table.assign(gap_mean=table["mean"]).drop(columns="mean")
    figure, shown = draw("truth_gap", table)
    assert len(shown) == len(table) and shown["gap_mean"].eq(1).all()
    assert figure.axes[0].containers[0].lines[0].get_ydata().tolist() == [1, 1, 1]
    assert words(figure, "title") == {"a flow"} and words(figure, "xlabel") == {"σ of prior and data"}
    assert figure.get_supylabel() == "log p$_σ$ − log q, nats/sample"
    joint = table[(table["prior"] == "flow") & (table["prior_sigma"] == "0.5")].assign(prior="joint", gap_mean=3.0)
    figure, shown = draw("truth_gap", pd.concat([table, joint]), joint_priors={"joint": "flow"})
    own, other = (line.lines[0] for line in figure.axes[0].containers[:2])  # of the first source
    assert other.get_ydata().tolist() == [3] and other.get_fillstyle() == "none" != own.get_fillstyle()
    assert words(figure, "title") == {"a flow"} and len(shown) == len(table) + len(joint)


def test_gradient_norm(draw):
    table = pd.DataFrame(
        [(prior, source, "all" if prior == "score" else sigma, sigma, 1 / max(float(sigma), 0.01) ** 2)
         for prior, source, sigma in itertools.product(PRIORS, SOURCES, SIGMAS)],
        columns=["prior", "prior_source", "prior_sigma", "data_sigma", "mean"],
    )  # fmt: skip
    figure, shown = draw("gradient_norm", table.assign(low=table["mean"], high=table["mean"]))
    assert len(shown) == len(table)
    for axes in figure.axes:
        line, expected = axes.containers[0].lines[0], axes.lines[-1]  # of the table there is none without noise
        assert line.get_xdata() == pytest.approx([0.1, 0.5]) and line.get_ydata() == pytest.approx([100, 4])
        assert expected.get_ydata() == pytest.approx(expected.get_xdata() ** -2.0) and len(expected.get_xdata()) == 2
    assert words(figure, "title") == {"a flow", "a score prior (all σ)"} and figure.get_supylabel()


def test_dilemma(draw):
    figure, shown = draw("dilemma", likelihoods(), detections(), separations())
    shown = shown.set_index("quantity")
    least, same = shown.loc["cost of noise, prior of the least"], shown.loc["cost of noise"]
    # The flow without noise loses 4 by noise of .1; that of .5 has 8 less without noise than with its own.
    assert least[least["prior"] == "flow"]["value"].tolist() == [-4, -4, -4]
    assert same[same["prior"] == "flow"]["value"].tolist() == [8, 8, 8] and same["data_sigma"].eq("0.5").all()
    assert same[same["prior"] == "score"]["value"].tolist() == [0, 0.25, 0.5]
    worst = shown.loc[["log_prob", "log_ratio"]]  # the last other source at the largest sigma
    assert worst.groupby("quantity")["value"].unique().to_dict() == {"log_prob": [0.5], "log_ratio": [0.75]}
    assert worst["data_sigma"].eq("0.5").all() and worst["test_source"].eq("c").all() and len(worst) == 4
    # Of the first mix, by the method that is best on all sources.
    best = shown.loc["si_sdr"].set_index(["prior", "source"])["value"].loc[PRIORS]
    assert best.to_dict() == {("score", "a"): 15, ("score", "b"): 11, ("flow", "a"): 3, ("flow", "b"): 2}
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [text for text in texts if "mixes" in text] == ["bad (7 mixes)", "a good method (7 mixes)"]
    assert words(figure, "title") == {"Smooth?", "Discriminative?", "Separates 2 sources?"}
    assert len(words(figure, "xlabel")) == 3
    # First priors of one noise level a model, then those of all, then the truth.
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["a flow", "a score prior\n(all σ)"]
    figure, _ = draw("dilemma", likelihoods(), detections(), separations(), exact="flow", priors=["score", "flow"])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == rows[::-1]


def test_separation(draw):
    figure, shown = draw("separation", separations())
    assert len(shown) == len(separations())
    first, others = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == [
        "references", "mix (7)", "a flow", "bad (7)", "a score prior (all σ)", "bad (7)", "a good method (7)",
    ]  # fmt: skip
    assert [label.get_text() for label in others.get_yticklabels()][:3] == ["— other —", "mix (7)", "a flow"]
    assert [bars.lines[0].get_xdata()[0] for bars in first.containers] == [0, 0, 3, 2, 20, 1, 15, 11]
    assert words(figure, "title") == {"a + b", "other mixes"}
    assert words(figure, "xlabel") == {"median SI-SDR (dB, at most 60)"}


def test_training_cost(draw):
    """A point a training, whose steps are those of all its models; lines are means, pale points single sources."""
    rows = [
        (mix, method, prior, source, value + (source == "a"))
        for mix in ("two", "other")
        for method, prior, value in (("good", "long", 9), ("good", "short", 4), ("bad", "long", 1),
                                     ("taught", "reference", 8), ("briefly", "reference", 6),
                                     ("static_wiener", "reference", 3))
        for source in ("a", "b", "all")
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["mix", "method", "prior", "source", "si_sdr_improvement_mean"])
    curves = [
        {"title": "good", "methods": ["good", "good"], "steps": {"long": 400, "short": 100}},
        {"title": "supervised", "methods": ["taught", "briefly"], "steps": {"taught": 400, "briefly": 100}},
    ]
    figure, shown = draw("training_cost", table, curves=curves)
    assert len(shown) == 2 * 2 * 3 and set(shown["curve"]) == {"good", "supervised"}
    (axes,) = figure.axes
    lines = [line.get_xydata().tolist() for line in axes.lines]
    assert lines[0] == [[100, 4], [400, 9]] and lines[2] == [[100, 6], [400, 8]]
    assert lines[1] == [[100, 5], [100, 4], [400, 10], [400, 9]]
    assert lines[4] == [[0, 3], [1, 3]]  # the static Wiener filter, of this mix only


@pytest.mark.parametrize("name", ["cross_likelihood", "noise_grid", "published"])
def test_an_unknown_kind_of_data_has_colours_that_fit(draw, name):
    table_1 = pd.DataFrame(columns=["input", "prior_sigma", "prior", "measure", *SOURCES])
    inputs = [likelihoods(), detections(), *([table_1] if name == "published" else [])]
    copies = [table[table["prior"] == "flow"].assign(prior="as_published") for table in inputs[:2]]
    inputs[:2] = (pd.concat(both) for both in zip(inputs, copies, strict=False))
    figure, _ = draw(name, *inputs, data={"kind": "speech"}, published=["as_published"])
    limits = {axes.collections[0].get_clim() for axes in figure.axes if axes.collections}
    assert limits == {(-7, 1), (0, 1)}  # of means, of AUROC


SCREEN = 1600  # pixels


def test_a_figure_of_six_priors_is_at_most_one_screen_high(draw):
    """As many priors, sources and noise levels as the toy data have."""
    names = {"flow": ["flow", "b", "c", "d"], "score": ["score", "f"]}
    likelihood, detection = (
        pd.concat([table[table["prior"] == like].assign(prior=name) for like in names for name in names[like]])
        for table in (likelihoods(), detections())
    )
    priors = [name for alike in names.values() for name in alike]
    changes = {"priors": priors, "families": dict.fromkeys(priors, "flowavenet")}
    for name, inputs in (("cross_likelihood", [likelihood, detection]), ("noise_grid", [likelihood, detection]),
                         ("detection", [detection]), ("peakedness", [likelihood]), ("noise_likelihood", [likelihood]),
                         ("dilemma", [likelihood, detection, separations()])):  # fmt: skip
        figure, _ = draw(name, *inputs, **changes)
        assert figure.get_size_inches()[1] * plotting.DPI <= SCREEN, name


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "quick").rglob("*.png")), ids=lambda path: path.stem)
def test_a_figure_of_the_quick_scale_is_at_most_one_screen_high(path):
    assert Image.open(path).height <= SCREEN


def test_columns_without_a_panel_that_shows_something_have_no_ticks():
    figure, panels = plotting.grid(2, 2, 1.0)
    for axes in panels[:, 1]:
        plotting.empty(axes, "nothing")
    plotting.empty(panels[1, 0], "nothing")
    plotting.label_lowest(panels, "time")
    figure.canvas.draw()
    labelled = [
        [any(tick.label1.get_visible() for tick in axes.xaxis.get_major_ticks()) for axes in row] for row in panels
    ]
    assert labelled == [[True, False], [False, False]]
    assert [[axes.get_xlabel() for axes in row] for row in panels] == [["time", ""], ["", ""]]


def test_titles_are_broken_before_what_is_in_brackets():
    titles = {"titles": {"flow": "a flow (one for all)"}}
    assert plotting.title(titles, "flow") == "a flow (one for all)" and plotting.title(titles, "my_prior") == "my prior"
    assert plotting.title(titles, "flow", 14) == "a flow\n(one for all)" == plotting.title(titles, "flow", 13)
    assert plotting.title({"titles": {"flow": "Langevin, noise-free"}}, "flow", 16) == "Langevin,\nnoise-free"
    assert plotting.title(titles, "flow", 8) == "a flow\n(one for\nall)"


def test_limits_of_means():
    table = likelihoods()
    assert plotting.limits_of_means("toy", table) == (-4, 2) and plotting.limits_of_means("music", table) == (-6, 5)
    assert plotting.limits_of_means("speech", table) == (-7, 1)
    published = table[table["measure"] == "latent_log_prob"]
    assert plotting.limits_of_means("speech", published) == (-9, -1)
    assert plotting.limits_of_means("speech", table.assign(mean=-np.inf)) == (0, 1)


def test_a_heat_map_prints_its_numbers_and_clips_its_colours():
    matrix = np.array([[-2000.0, 0.456, 1.0], [np.nan, -np.inf, 7.0]])
    _, axes = plt.subplots()
    plotting.heat_map(axes, matrix, ["x", "y"], SOURCES, 0, 1, "viridis", 2)
    assert [text.get_text() for text in axes.texts] == ["−2e3", "0.46", "1.00", "–", "−∞", "7.00"]
    assert [plotting.number(value, 2) for value in (-9.87, -98.76, 987.6)] == ["−9.87", "−98.8", "988"]
    inks = [text.get_color() for text in axes.texts]
    assert inks == ["white", "white", "black", "black", "white", "black"]
    axes.figure.canvas.draw()
    colours = axes.collections[0].get_facecolors().reshape(2, 3, 4)
    assert np.array_equal(colours[0, 0], colours[1, 1]) and np.array_equal(colours[0, 2], colours[1, 2])
    assert colours[1, 0] == pytest.approx([0.93, 0.93, 0.93, 1])  # missing: grey
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "y"]
    assert [label.get_text() for label in axes.get_xticklabels()] == SOURCES
    assert axes.figure.get_visible() and axes.get_ylim() == (2, 0)
