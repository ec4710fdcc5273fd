"""HTML pages that play sounds and need no other file."""

from __future__ import annotations

import base64
import html
import io

import numpy as np

STYLE = (
    "body{font-family:sans-serif}th{text-align:left;padding-right:1em}td{padding-right:1em}audio{width:11em}"
    "thead th{position:sticky;top:0;background:white}"
)


def playable(wave: np.ndarray) -> np.ndarray:
    """The wave in [-1, 1] and without NaN. Only a wave that would clip is turned down, so levels stay comparable."""
    wave = np.nan_to_num(wave)
    return wave / max(1.0, float(np.abs(wave).max(initial=0)))


def player(wave: np.ndarray, rate: int) -> str:
    """A table cell that plays the wave (samples,) or (samples, channels)."""
    import soundfile  # here: pages of tables do without

    buffer = io.BytesIO()
    soundfile.write(buffer, playable(wave), rate, format="WAV", subtype="PCM_16")
    sound = base64.b64encode(buffer.getvalue()).decode()
    return f'<td><audio controls loop src="data:audio/wav;base64,{sound}"></audio></td>'


def row(name: str, cells: list[str]) -> str:
    """A table row with its name and its cells."""
    return f"<tr><th>{html.escape(name)}</th>{''.join(cells)}</tr>"


def head(names: list[str]) -> str:
    """The first row of a table."""
    return "<tr><th></th>" + "".join(f"<th>{html.escape(name)}</th>" for name in names) + "</tr>"


def page(title: str, introduction: str, body: str) -> bytes:
    """A whole HTML page. `body` is HTML; the other arguments are text."""
    return (
        f"<!doctype html><meta charset='utf-8'><title>{html.escape(title)}</title><style>{STYLE}</style>"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(introduction)}</p>{body}"
    ).encode(errors="replace")  # names of files may have bytes that are no text
