"""What every figure shares: colours, heat maps that print their numbers, and one way to save."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from . import runtime, tables
from .files import write_bytes

# Okabe and Ito's colour-blind safe palette; a source has the colour of its place in the config's order.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]  # beside the colour, for print in grey
MEASURES = {
    "log_prob": "log p(x)",
    "latent_log_prob": "latent term only\n(as published)",
    "code_log_prob": "log P of the codes\n(clamped, as published)",
    "published_score": "log of mean sigmoid\n(as published)",
    "denoising_score": "denoising score\n(cheaper than log p)",
    "log_ratio": "log p$_k$ − log p$_j$",
    "complexity_corrected": "log p(x) − log p$_{FLAC}$(x)",
    "mixture_ratio": "log p$_k$ − log mean$_j$ p$_j$",
    "typicality": "typicality",
}


MILLISECONDS = 8  # of a waveform
# Nats/sample at which the colours of means end, by kind of data; music is soft, so its densities are high.
MEANS = {"toy": (-4, 2), "music": (-6, 5)}

# That of seaborn's "paper" and "ticks"; the library itself takes 1.7 s to import, in every figure's program.
STYLE = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "0.15", "axes.labelcolor": "0.15",
    "text.color": "0.15", "xtick.color": "0.15", "ytick.color": "0.15", "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "DejaVu Sans", "Liberation Sans"], "font.size": 10.5, "axes.labelsize": 10.5,
    "axes.titlesize": 10.5, "xtick.labelsize": 9.5, "ytick.labelsize": 9.5, "legend.fontsize": 9.5,
    "lines.solid_capstyle": "round", "legend.frameon": False, "pdf.fonttype": 42,
}  # fmt: skip


def style(sources: list[str]) -> dict[str, dict]:
    """Colour and marker of each source."""
    return {source: {"color": PALETTE[k], "marker": MARKERS[k]} for k, source in enumerate(sources)}


def published_measure(table: pd.DataFrame, prior: str) -> str | None:
    """The measure of that prior that is like the published one, None if it has none."""
    there = set(table.loc[table["prior"] == prior, "measure"])
    return next(
        (measure for measure in ("published_score", "latent_log_prob", "code_log_prob") if measure in there), None
    )


def empty(axes: Axes, reason: str) -> None:
    """A panel with nothing to show, and why."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, reason, ha="center", va="center", color="grey", fontsize=8, transform=axes.transAxes)


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
        plt.rcParams |= STYLE
        figure, data = draw(arguments.settings, arguments.inputs)
        for path, kind, metadata in (
            (arguments.pdf, "pdf", {"CreationDate": None, "ModDate": None}),  # same bytes from run to run
            (arguments.png, "png", {"Software": None}),
        ):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=110, metadata=metadata, bbox_inches="tight", facecolor="white")
            write_bytes(path, _fewer_colours(buffer) if kind == "png" else buffer.getvalue())
        tables.write(data, arguments.csv)

    runtime.run(main)


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
    colours = plt.get_cmap(cmap).with_extremes(bad="0.93")
    axes.imshow(np.ma.masked_invalid(np.clip(matrix, low, high)), vmin=low, vmax=high, cmap=colours, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(matrix):
        shade = (np.clip(value, low, high) - low) / (high - low)
        red, green, blue, _ = (1, 1, 1, 1) if np.isnan(value) else colours(float(shade))
        ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
        axes.text(column, row, number(value, digits), ha="center", va="center", color=ink, fontsize=7.5)


def number(value: float, digits: int) -> str:
    """A number that fits a cell."""
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1000:
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e").replace("-", "−")
    return f"{value:.{0 if abs(value) >= 100 else digits}f}".replace("-", "−")


def matrix(table: pd.DataFrame, value: str, rows: list[str], columns: list[str]) -> np.ndarray:
    """`value` by test (rows) and prior (columns); gaps are NaN."""
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
        (axes.set_yscale if along == "y" else axes.set_xscale)("symlog", linthresh=10)
        axes.autoscale_view()


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
    padded = np.pad(wave, (0, max(0, window - len(wave))))
    with np.errstate(divide="ignore"):  # silence
        *_, shown = axes.specgram(padded, NFFT=window, Fs=rate, noverlap=window * 3 // 4, vmin=-140, vmax=-40)
    return shown
