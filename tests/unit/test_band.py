"""The demo band: songs as MUSDB18 has them, with levels, pauses and a mix like recorded ones."""

import math
from itertools import combinations

import numpy as np
import pytest
from audiopriors.audio import band
from audiopriors.seeds import numpy_generator

SEEDS = [(0, "song", 0), (0, "song", 1), (0, "song", 2), (0, "other", 0), (1, "song", 0), (1, "song", 1)]
SECONDS = [5, 6, 6, 6.66666, 12, 20]


def decibel(power):
    return 10 * np.log10(power)


def sounding(stem: np.ndarray) -> np.ndarray:
    """Powers of the windows of 50 ms that are above -60 dB of full scale, and zeros for the others."""
    window = band.RATE // 20
    powers = np.square(stem[: len(stem) // window * window], dtype=float).reshape(-1, 2 * window).mean(1)
    return np.where(powers > 1e-6, powers, 0)


def longest_silence(stem: np.ndarray) -> float:
    """Seconds of exact zeros."""
    sounds = np.flatnonzero(np.r_[True, stem.any(1), True])
    return (np.diff(sounds).max() - 1) / band.RATE


def brightness(stem: np.ndarray) -> float:
    """The spectral centroid (Hz), by magnitude, of windows of 50 ms."""
    window = band.RATE // 20
    mono = stem[: len(stem) // window * window].mean(1, dtype=float).reshape(-1, window)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(window))).mean(0)
    return spectrum @ np.fft.rfftfreq(window, 1 / band.RATE) / spectrum.sum()


@pytest.fixture(scope="module")
def songs():
    return [band.song(seed, seconds) for seed, seconds in zip(SEEDS, SECONDS, strict=True)]


@pytest.fixture(params=range(len(SEEDS)), ids=lambda number: f"{SECONDS[number]:g}s-{number}")
def number(request):
    return request.param


def test_a_song_is_a_function_of_its_seed(songs):
    for one, other in zip(songs[1], band.song(SEEDS[1], SECONDS[1]), strict=True):
        assert one.tobytes() == other.tobytes()
    for (_, one), (_, other) in combinations(songs, 2):
        samples = min(one.shape[1], other.shape[1])
        assert not any(np.array_equal(*pair) for pair in zip(one[:, :samples], other[:, :samples], strict=True))


def test_format(songs, number):
    mixture, stems = songs[number]
    samples = round(SECONDS[number] * band.RATE)
    assert mixture.shape == (samples, 2) and stems.shape == (4, samples, 2)
    for audio in (mixture, stems):
        assert audio.dtype == np.float32 and np.isfinite(audio).all()
        assert np.abs(audio).max() <= 0.98
        assert not audio[..., -1, :].any()  # it has faded out


def test_levels_and_pauses(songs, number):
    powers = [sounding(stem) for stem in songs[number][1]]
    levels = decibel(np.array([power[power > 0].mean() for power in powers]))
    assert (levels > -25).all() and (levels < -16).all() and np.ptp(levels) < 4
    for power, stem in zip(powers, songs[number][1], strict=True):
        assert (power > 0).mean() > 0.4
        # The shortest pause is a beat, less the fade and the time for an early note.
        assert longest_silence(stem) > 60 / 136 - 0.16


def test_mixture_is_near_the_sum_but_not_the_sum(songs, number):
    mixture, total = songs[number][0].astype(float), songs[number][1].sum(0, dtype=float)
    assert -32 < decibel(np.square(mixture - total).mean() / np.square(mixture).mean()) < -17
    assert (mixture * total).sum() == pytest.approx(np.square(mixture).sum(), rel=1e-5)  # no gain is nearer


def test_compressor_halves_the_decibels_above_the_level_of_the_song():
    steps = np.repeat([0.1, 0.3, 0.6], 2 * band.RATE)
    mixed = band._compress(np.stack([steps, steps], 1))[:, 0]
    low, middle, high = mixed[[2 * band.RATE - 1, 4 * band.RATE - 1, -1]]
    assert middle / low == pytest.approx(3, rel=1e-3)  # both are below the level
    assert high / low == pytest.approx(6 * (np.square(steps).mean() / 0.6**2) ** 0.25, rel=1e-3)


@pytest.mark.parametrize("source", band.SOURCES)
def test_the_sound_of_one_stem_changes_no_other(songs, source, monkeypatch):
    purposes = []

    def generator(*purpose):
        purposes.append(purpose)
        return numpy_generator(*purpose, *["again"] * (purpose[-1] == source))

    monkeypatch.setattr(band, "numpy_generator", generator)
    before, after = songs[1][1].astype(float), band.song(SEEDS[1], SECONDS[1])[1].astype(float)
    assert purposes == [(*SEEDS[1], name) for name in ("score", *band.SOURCES)]
    own = band.SOURCES.index(source)
    rest = np.delete(before, own, 0), np.delete(after, own, 0)
    gain = (rest[0] * rest[1]).sum() / np.square(rest[0]).sum()  # the same for all three
    np.testing.assert_allclose(rest[1], gain * rest[0], atol=1e-6, rtol=0)
    assert np.corrcoef(before[own].ravel(), after[own].ravel())[0, 1] < 0.9
    # It plays the same notes: it sounds, but for its room, where it did.
    assert np.mean((sounding(before[own]) > 0) == (sounding(after[own]) > 0)) > 0.8


def test_stems_are_in_the_order_of_sources(songs):
    assert band.SOURCES == ("drums", "bass", "other", "vocals") and band.RATE == 44100
    drums, bass, other, vocals = np.median([[brightness(stem) for stem in stems] for _, stems in songs], 0)
    assert 50 < bass < other / 1.5 and other < vocals / 1.5 and vocals < drums / 1.5


@pytest.mark.parametrize("instrument", ["bass", "pad", "organ", "electric piano", "guitar", "vocals"])
def test_notes_are_in_tune_from_their_start(instrument):
    play = {"bass": band._bass, "vocals": band._vocals}.get(instrument, band._other)
    note = band._Note(instrument, 0.0, 1.0, 57, 1.0)
    window = band.RATE // 5
    hertz = np.fft.rfftfreq(10 * window, 1 / band.RATE)
    for number in range(4):
        sound = play([note], band.RATE, numpy_generator(number, "tune"))[:window].sum(1)
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(window), 10 * window))
        assert hertz[spectrum[hertz < 300].argmax()] == pytest.approx(220, rel=0.005)


@pytest.mark.parametrize("seconds", [0, -6, 4.99, math.inf, math.nan])
def test_too_short_a_song(seconds):
    with pytest.raises(ValueError, match=f"a song lasts 5 seconds or more, so it cannot last {seconds:g}"):
        band.song((0,), seconds)
