"""What every figure shares: colours, heat maps that print their numbers, and one way to save."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import math
import os
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from . import runtime, tables
from .files import write_bytes

# The user's settings of matplotlib change no figure. It reads them once, when it is imported: a variable, and a file
# that it looks for in the working folder first. So that is, for the import, the folder of its own defaults.
os.environ["MPLBACKEND"] = "Agg"
with contextlib.chdir(Path(str(getattr(importlib.util.find_spec("matplotlib"), "origin", ""))).with_name("mpl-data")):
    import matplotlib
    import matplotlib.pyplot as plt
    import seaborn
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import SymmetricalLogLocator
    from matplotlib.transforms import Bbox
matplotlib.use("Agg")  # where a notebook has imported it before

# Okabe and Ito's colour-blind safe palette; a source has the colour of its place in the config's order.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]  # beside the colour, for print in grey
MILLISECONDS = 8  # of a waveform
DPI = 110  # of PNGs
WIDTH = 11  # inches: 1200 pixels, and with the fonts of set_style legible at half of it
LETTERS = 17  # of a line of a name beside a row
SMALL = 9.5  # points, the smallest that is legible at half width
NUMBERS = 9  # points, of numbers in heat maps
EMPTY = "empty"  # the id of a panel with nothing to show
# Nats/sample at which the colours of means end, by kind of data; music is soft, so its densities are high.
MEANS = {"toy": (-4, 2), "music": (-6, 5)}
SHARES = (0, 1)  # the same for AUROC
LOWEST = -1e5  # nats/sample, where axes end


def set_style() -> None:
    """One look for all figures: seaborn's, without the upper and right line of frames, and with text as text in PDF."""
    matplotlib.rcdefaults()  # what a notebook has set, or its file of settings
    seaborn.set_theme(
        context="paper", style="ticks", font_scale=1.2, palette=PALETTE,
        rc={"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "pdf.fonttype": 42,
            "figure.labelsize": 11.5, "figure.constrained_layout.h_pad": 0.05,
            "font.sans-serif": ["DejaVu Sans"]},  # matplotlib's own; seaborn's first choice is on some machines only
    )  # fmt: skip


def style(sources: list[str]) -> dict[str, dict]:
    """Colour and marker of each source."""
    return {source: {"color": PALETTE[k], "marker": MARKERS[k]} for k, source in enumerate(sources)}


def style_of_priors(priors: list[str], exact: str | None = None) -> dict[str, dict]:
    """Colour and marker of each prior, other colours than those of sources; the exact one is black."""
    shades = plt.get_cmap("viridis")
    return {
        prior: {"color": "black" if prior == exact else shades(0.9 * k / max(1, len(priors) - 1)),
                "marker": MARKERS[k % len(MARKERS)]}
        for k, prior in enumerate(priors)
    }  # fmt: skip


def title(settings: dict, name: str, letters: int = 0) -> str:
    """What a reader calls the prior, method or mix of that name; in lines of at most so many letters, if given."""
    text = settings["titles"].get(name, name.replace("_", " "))
    if not letters or len(text) <= letters:
        return text
    parts = text.replace(" (", "\n(").split("\n")  # what is in brackets stands on a line of its own
    return "\n".join(line for part in parts for line in _even_lines(part, letters))


def _even_lines(text: str, letters: int) -> list[str]:
    """The text in as few lines of at most so many letters as it takes, of about the same length."""
    by_width = [
        textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) for width in range(1, letters + 1)
    ]
    return next(lines for lines in by_width if len(lines) <= len(by_width[-1]))


def grid(
    rows: int, columns: int, height: float, least: float = 1.2, most: float = 3.6, margin: float = 0.9, **keywords
) -> tuple[Figure, np.ndarray]:
    """A figure of rows x columns panels, as wide as a page, its rows `height` inches high.

    It is wider where panels were narrower than `least`, and narrower where they were wider than `most`. margin: inches
    above and below the panels.
    """
    width = min(max(WIDTH, least * columns + 2), most * columns + 2)
    return plt.subplots(
        rows, columns, figsize=(width, height * rows + margin), squeeze=False, layout="constrained", **keywords
    )


def published_measure(table: pd.DataFrame, prior: str) -> str | None:
    """The measure of that prior that is like the published one, or what the thesis meant; None if it has none."""
    measures = set(table.loc[table["prior"] == prior, "measure"])
    published = ("published_score", "latent_log_prob", "code_log_prob", "mel_log_prob")
    return next((measure for measure in published if measure in measures), None)


def limits_of_means(kind: str, likelihood: pd.DataFrame) -> tuple[float, float]:
    """The means in nats/sample at which colours end, the same in a whole figure.

    Of a kind of data that MEANS does not have, they are whole numbers that hold the middle 90 % of the means of sources
    under priors of the same noise. likelihood: a table cross_likelihood; only its log_prob counts, where there is one.
    """
    if kind in MEANS:
        return MEANS[kind]
    same_noise = likelihood[likelihood["prior_sigma"] == likelihood["data_sigma"]]
    shown = same_noise[same_noise["test_source"].isin([*likelihood["prior_source"], "mix"])]
    densities = shown[shown["measure"] == "log_prob"]
    means = (shown if densities.empty else densities)["mean"]
    means = means[np.isfinite(means)]
    low, high = np.quantile(means, [0.05, 0.95]) if len(means) else (0, 0)
    return math.floor(low), max(math.ceil(high), math.floor(low) + 1)


def wrapped(panels: int, columns: int, height: float, **keywords) -> tuple[Figure, np.ndarray]:
    """The figure of `grid` for so many panels in lines of at most so many; those that are left over are empty."""
    columns = min(columns, panels)
    figure, axes = grid(-(-panels // columns), columns, height, **keywords)
    for one in axes.flat[panels:]:
        empty(one, "")
    return figure, axes


def empty(axes: Axes, reason: str) -> None:
    """A panel with nothing to show but its labels, and why."""
    axes.set_gid(EMPTY)
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", left=False, labelleft=False, bottom=False, labelbottom=False)
    axes.text(0.5, 0.5, reason, ha="center", va="center", color="grey", fontsize=SMALL, transform=axes.transAxes)


def is_empty(axes: Axes) -> bool:
    """Whether it is a panel with nothing to show."""
    return axes.get_gid() == EMPTY


def name_row(row: np.ndarray, name: str) -> None:
    """A name at the left of a row of panels (Axes), of which the first that is not empty has its ticks labelled."""
    row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=7)
    next((axes for axes in row if not is_empty(axes)), row[0]).tick_params(labelleft=True)


def label_lowest(panels: np.ndarray, label: str = "") -> None:
    """Ticks of the x axis have labels below the lowest panel of each column that is not empty, and there alone."""
    for column in panels.T:
        if all(map(is_empty, column)):
            continue
        *others, lowest = [axes for axes in column if not is_empty(axes)]
        for axes in others:
            axes.tick_params(labelbottom=False)
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel(label)


def legend(figure: Figure, *panels: Axes, where: str = "upper", **keywords) -> None:
    """One legend of all that these panels label, above (or `lower`: below) the figure."""
    handles: dict[str, Artist] = {}
    for axes in panels:
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    keywords = {"ncols": max(1, len(handles)), "loc": f"outside {where} center", **keywords}
    figure.legend(handles.values(), handles.keys(), **keywords)


def program(description: str, draw: Callable[[dict, list[str]], tuple[Figure, pd.DataFrame]]) -> None:
    """A figure's command line: `draw(settings, inputs)` gives the figure and the data that it shows."""

    def main() -> None:
        program = runtime.Program(description)
        program.input("--inputs", "tables and rows the figure is drawn from", many=True)
        program.output("--pdf", "the figure")
        program.output("--png", "the figure")
        program.output("--csv", "the data shown")
        arguments = program.arguments()
        logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every glyph
        set_style()
        figure, data = draw(arguments.settings, arguments.inputs)
        for kind, content in rendered(figure).items():
            write_bytes(getattr(arguments, kind), content)
        tables.write(data, arguments.csv)

    runtime.run(main)


def rendered(figure: Figure) -> dict[str, bytes]:
    """The figure's files by kind, `pdf` and `png`; the same bytes from run to run."""
    # Laid out once, not for each file; text is not as wide in both, so it is measured in both.
    figure.set_dpi(DPI)
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # not "none", with which each file would be drawn twice
    boxes = []
    for dpi in (DPI, 72):  # of the PNG, of the PDF
        figure.set_dpi(dpi)
        boxes.append(figure.get_tightbbox().frozen())
    whole, files = Bbox.union(boxes).padded(plt.rcParams["savefig.pad_inches"]), {}
    for kind, metadata in (("pdf", {"CreationDate": None, "ModDate": None}), ("png", {"Software": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata, bbox_inches=whole, facecolor="white")
        files[kind] = _fewer_colours(buffer) if kind == "png" else buffer.getvalue()
    return files


def _fewer_colours(png: io.BytesIO) -> bytes:
    """The PNG with a palette of 128 colours: a third of the bytes, and no difference to the eye."""
    small = io.BytesIO()
    Image.open(png).convert("RGB").quantize(128).save(small, "png", optimize=True)
    return small.getvalue()


def heat_map(
    axes: Axes,
    matrix: np.ndarray,
    rows: list[str],
    columns: list[str],
    low: float,
    high: float,
    cmap: str,
    digits: int,
) -> None:
    """A heat map with its numbers in the cells; colours are clipped to [low, high], numbers are not."""
    shown = np.ma.masked_invalid(np.clip(matrix, low, high))
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.set_visible(False)  # seaborn draws the whole figure for each heat map, to see whether labels overlap
    seaborn.heatmap(
        shown, vmin=low, vmax=high, cmap=plt.get_cmap(cmap).with_extremes(bad="0.93"), cbar=False,
        xticklabels=columns, yticklabels=rows, ax=axes,
    )  # fmt: skip
    figure.set_visible(True)
    # Not seaborn's `annot`: it writes nothing where a value is missing, and white on a green that black is clearer on.
    colours = axes.collections[0].to_rgba(shown)
    for (row, column), value in np.ndenumerate(matrix):
        ink = "black" if colours[row, column, :3] @ (0.299, 0.587, 0.114) > 0.5 else "white"
        where = (column + 0.5, row + 0.5)
        text = axes.text(*where, number(value, digits), ha="center", va="center", color=ink, fontsize=NUMBERS)
        text.set_in_layout(False)  # it is within the cell, so its size need not be asked for
    axes.set_xticks(axes.get_xticks(), columns, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(axes.get_yticks(), rows, rotation=0)
    axes.tick_params(length=0)


def strips(axes: Axes, values: np.ndarray, rows: list[str], span: tuple, ends: tuple) -> None:
    """Values (rows, times) as strips of colour, over the times from span[0] to span[1]; colours end at `ends`."""
    # Few colours, as a PNG has 128, those of lines among them.
    axes.imshow(np.ma.masked_invalid(values), aspect="auto", extent=(*span, len(rows), 0), vmin=ends[0], vmax=ends[1],
                cmap=plt.get_cmap("viridis", 24).with_extremes(bad="0.93"), interpolation="nearest")  # fmt: skip
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.tick_params(axis="y", length=0)


def number(value: float, digits: int) -> str:
    """A number that fits a cell: the larger, the fewer digits behind the point."""
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1000:
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e").replace("-", "−")
    places = max(0, digits - (abs(value) >= 10) - (abs(value) >= 100))
    return f"{value:.{places}f}".replace("-", "−")


def matrix(table: pd.DataFrame, value: str, rows: list[str], columns: list[str]) -> np.ndarray:
    """`value` by test source (rows) and prior source (columns); gaps are NaN."""
    return (
        table.pivot(index="test_source", columns="prior_source", values=value)
        .reindex(index=rows, columns=columns)
        .to_numpy(float)
    )


def sigma_axis(axes: Axes, sigmas: list[str]) -> dict[str, int]:
    """Noise levels at even places, as categories: they are a list, with 0 in it. Returns the place of each."""
    axes.set_xticks(range(len(sigmas)), sigmas)
    return {sigma: place for place, sigma in enumerate(sigmas)}


def value_scale(axes: Axes, along: str = "y") -> None:
    """A linear axis where the values allow it (within 20), else logarithmic on both sides of zero."""
    low, high = axes.dataLim.intervaly if along == "y" else axes.dataLim.intervalx
    if high - low > 20:
        _logarithmic(axes, along)
        axes.autoscale_view()


def _logarithmic(axes: Axes, along: str) -> None:
    """An axis that is logarithmic on both sides of zero, with few ticks."""
    (axes.set_yscale if along == "y" else axes.set_xscale)("symlog", linthresh=10)
    locator = (axes.yaxis if along == "y" else axes.xaxis).get_major_locator()
    assert isinstance(locator, SymmetricalLogLocator)
    locator.set_params(numticks=4)


def end_axis(axes: Axes, values: Iterable[float]) -> None:
    """End the y axis at these values (intervals may reach far beyond), and at LOWEST; linear, if they are within 20."""
    finite = [value for value in values if np.isfinite(value)]
    low, high = min(finite), max(finite)
    if high - low <= 20:
        margin = 0.1 * (high - low) + 0.2
        axes.set_ylim(low - margin, high + margin)
    else:
        _logarithmic(axes, "y")
        axes.set_ylim(max(low - abs(low), LOWEST), max(high + abs(high), 5))


def intervals(axes: Axes, x, rows: pd.DataFrame, value: str = "mean", **line) -> None:
    """A line through `value` with its 95 % interval as error bars."""
    below, above = (rows[value] - rows["low"]).clip(lower=0), (rows["high"] - rows[value]).clip(lower=0)
    axes.errorbar(x, rows[value], yerr=[below, above], capsize=2, markersize=4, linewidth=1.2, **line)


def waveform(axes: Axes, sources: list[str], source: str, wave: np.ndarray, right: np.ndarray | None, rate: int):
    """The wave's first milliseconds, which are returned with their times in ms, over the true one in grey."""
    wave = wave[: int(rate * MILLISECONDS / 1000)]
    time = 1000 * np.arange(len(wave)) / rate
    if right is not None:
        axes.plot(time, right[: len(wave)], color="0.7", linewidth=2)
    colour = "black" if source == "mix" else style(sources)[source]["color"]
    axes.plot(time, wave, color=colour, linewidth=0.9)
    axes.set_ylim(-1.6, 1.6)
    return wave, time


def spectrogram(axes: Axes, wave: np.ndarray, rate: int):
    """The spectrogram of a wave (samples,), from -140 to -40 dB; returns what a colour bar needs."""
    window = int(np.clip(len(wave) // 4, 16, 512 * rate // 16000))
    padded = np.pad(wave, (0, max(0, 2 * window - len(wave))))  # two at least
    with np.errstate(divide="ignore"):  # silence
        *_, shown = axes.specgram(padded, NFFT=window, Fs=rate, noverlap=window * 3 // 4, vmin=-140, vmax=-40)
    return shown
