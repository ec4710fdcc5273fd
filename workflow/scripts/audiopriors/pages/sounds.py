"""What a page shows of a sound: a player, the outline of its wave, and its spectrogram, all without another file."""

from __future__ import annotations

import base64
import functools
import io
import math
from dataclasses import dataclass

import numpy as np
import soundfile
from PIL import Image
from scipy import signal

from .. import plotting

LINE = 0.1  # s; of a shorter wave, some periods are drawn in place of its outline
DRAWN = plotting.MILLISECONDS / 1000  # s, of such a wave, as figures do
LOOPED = 1.0  # s; longer sounds are compressed, and do not loop
WIDTH, HEIGHT = 240, 64  # of the box in which a wave is drawn
COLUMNS, ROWS = 240, 96  # at most, of a spectrogram
RANGE = 70  # dB, of a spectrogram
SHADES = 64  # of a spectrogram, so that its file is small
MPEG = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # Hz that MP3 knows


@dataclass(frozen=True)
class Clip:
    """A sound as templates show it."""

    name: str
    "What is heard, such as a source."
    of: str
    "Of what it is, such as a method."
    colour: str
    "In which its wave is drawn."
    outline: str
    picture: str
    sound: str
    loop: bool
    behind: str = ""
    "The outline of the true wave, if known."
    value: str = ""
    "A number about it, with its unit."


def playable(wave: np.ndarray) -> np.ndarray:
    """The wave in [-1, 1] and without NaN. Only a wave that would clip is turned down, so levels stay comparable."""
    wave = np.nan_to_num(wave)
    return wave / max(1.0, float(np.abs(wave).max(initial=0)))


def mono(wave: np.ndarray) -> np.ndarray:
    """The mean of the channels, if there are several. Shape: (samples,) or (samples, channels) -> (samples,)."""
    return wave if wave.ndim == 1 else wave.mean(1)


def sound(wave: np.ndarray, rate: int) -> str:
    """The wave (samples,) or (samples, channels) as a data: address, a wav file; MP3 if it is longer than a second."""
    wave = playable(wave)
    if len(wave) <= LOOPED * rate:
        return _address("audio/wav", _file(wave, rate, format="WAV", subtype="PCM_16"))
    wave = wave if wave.ndim == 1 or wave.shape[1] <= 2 else mono(wave)
    if rate not in MPEG:
        both = math.gcd(rate, MPEG[-1])
        wave, rate = playable(signal.resample_poly(wave, MPEG[-1] // both, rate // both)), MPEG[-1]
    return _address("audio/mpeg", _file(wave, rate, format="MP3"))


def outline(wave: np.ndarray, rate: int, loudest: float) -> str:
    """The path of a wave (samples,) in a box of WIDTH x HEIGHT, in which `loudest` reaches the upper edge.

    A short wave is a line through its first samples; of a long one, each step has its least and greatest sample.
    """
    wave = np.nan_to_num(wave)
    if len(wave) <= LINE * rate:
        values = wave[: max(2, round(DRAWN * rate))]
        places = np.linspace(0, WIDTH, len(values))
    else:
        pieces = np.array_split(wave, WIDTH)
        values = np.array([[piece.min(), piece.max()] for piece in pieces]).ravel()
        places = np.repeat(np.arange(WIDTH) + 0.5, 2)
    heights = HEIGHT / 2 * (1 - np.clip(values, -loudest, loudest) / max(loudest, 1e-9))
    return "M" + " ".join(f"{x:.4g},{y:.3g}" for x, y in zip(places, heights, strict=True))


def power(wave: np.ndarray) -> np.ndarray:
    """The power of a wave (samples,) by frequency and time, (rows, columns), the lowest frequency first."""
    wave = np.nan_to_num(wave)
    window = int(np.clip(2 ** math.floor(math.log2(max(len(wave), 1) / 8 + 1)), 64, 2048))
    wave = np.pad(wave, (0, max(0, window - len(wave))))
    step = max(1, min(window // 2, (len(wave) - window) // COLUMNS))
    frames = np.lib.stride_tricks.sliding_window_view(wave, window)[::step]
    powers = np.square(np.abs(np.fft.rfft(frames * np.hanning(window)))).T / window**2
    return _pooled(_pooled(powers[: window // 2], ROWS).T, COLUMNS).T


def _pooled(values: np.ndarray, most: int) -> np.ndarray:
    """Means of neighbouring rows, so that there are at most so many."""
    together = -(-len(values) // most)
    return np.add.reduceat(values, range(0, len(values), together)) / together


def spectrogram(wave: np.ndarray, loudest: float) -> str:
    """The spectrogram of a wave (samples,) as a data: address, a PNG; its colours end RANGE dB below `loudest`."""
    decibel = 10 * np.log10(np.maximum(power(wave), 1e-20) / max(loudest, 1e-12))
    shades = np.clip((decibel / RANGE + 1) * (SHADES - 1), 0, SHADES - 1).round().astype(np.uint8)
    image = Image.fromarray(shades[::-1])
    image.putpalette(_colours())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return _address("image/png", file.getvalue())


@functools.cache
def _colours() -> bytes:
    """Red, green and blue of each shade, as far apart for the eye."""
    shades = plotting.plt.get_cmap("magma", SHADES)(range(SHADES))
    return (255 * shades[:, :3]).round().astype(np.uint8).tobytes()


def ends(wave: np.ndarray) -> tuple[float, float]:
    """The ends of the scales on which clips are compared: the loudest sample and the loudest tone of this wave."""
    return float(np.abs(np.nan_to_num(mono(wave))).max(initial=0)), float(power(mono(wave)).max())


def clip(
    name: str, of: str, wave: np.ndarray, rate: int, *, colour: str, scales: tuple[float, float],
    truth: np.ndarray | None = None, value: str = "",
) -> Clip:  # fmt: skip
    """All that a page shows of a wave (samples,) or (samples, channels). scales: see `ends`. truth: drawn behind it."""
    peak, tone = scales
    return Clip(
        name, of, colour, outline(mono(wave), rate, peak), spectrogram(mono(wave), tone), sound(wave, rate),
        len(wave) <= LOOPED * rate, "" if truth is None else outline(mono(truth), rate, peak), value,
    )  # fmt: skip


def _file(wave: np.ndarray, rate: int, **kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, wave, rate, **kind)
    return file.getvalue()


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
