"""The demo band: short synthesised songs in the stems of MUSDB18, for those who do not have that data.

A score is drawn first, then each stem plays its notes. The score and each stem have their own random numbers. So a
change in how one stem sounds changes no other stem, except by the gain that all have in common.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple, TypeVar

import numpy as np
from scipy import signal

from ..errors import UserError
from ..seeds import numpy_generator

SOURCES = ("drums", "bass", "other", "vocals")
RATE = 44100

_SHORTEST = 5.0  # seconds; a shorter song has no time for all stems to play and to pause
_LOUDEST = 0.979  # of all samples; below 0.98 in every precision
_BAR = 16  # steps, of a quarter of a beat each

# Semitones of the scale above the tonic, and progressions of four chords by the degrees of their roots.
_MODES = {
    "ionian": ((0, 2, 4, 5, 7, 9, 11), ((0, 4, 5, 3), (0, 5, 3, 4), (3, 0, 4, 5))),
    "dorian": ((0, 2, 3, 5, 7, 9, 10), ((0, 3, 0, 3), (0, 2, 6, 3), (0, 6, 3, 4))),
    "mixolydian": ((0, 2, 4, 5, 7, 9, 10), ((0, 6, 3, 0), (0, 3, 6, 3), (0, 4, 6, 3))),
    "aeolian": ((0, 2, 3, 5, 7, 8, 10), ((0, 5, 2, 6), (0, 3, 5, 4), (5, 6, 0, 2))),
}
# One bar of kick, snare, hat, bass: X loud, x soft, o an open hat.
_GROOVES = (
    ("X.......X.x.....", "....X.......X...", "X.x.X.x.X.x.X.x.", "X.....x.X.x....."),  # rock
    ("X...X...X...X...", "....X.......X..x", "x.o.x.o.x.o.x.o.", "..X...X...X...Xx"),  # four on the floor
    ("X.....x...X.....", "........X......x", "X...x...X...x.o.", "X.....x...X....."),  # half time
    ("X..x..X...x..x..", "....X..x.x..X..x", "XxxxXxxxXxoxXxxx", "X..x..X...x.X.x."),  # funk
    ("X.....X.X.....X.", "...x..x...x..X..", "X.xxX.xxX.xxX.xx", "X.....X.X.....X."),  # bossa
)
# Rhythms of the chords (a song has one for each instrument), and the range of its tone control (Hz).
_CHORDS = {
    "pad": (("X...............",), (900, 3000)),
    "organ": (("X.......X.......", "..x...x...x...x.", "X...........x.x."), (2500, 6000)),
    "electric piano": (("X.....x...x.....", "X..x..x...X..x..", "X...x...X...x..."), (2500, 7000)),
    "guitar": (("X.x.x.x.X.x.x.x.", "X..x..x.X..x..x.", "XxxxXxxxXxxxXxxx"), (3000, 8000)),
}
# The first five formants (Hz) of a, e, i, o, u in a low voice.
_VOWELS = np.array(
    [[730, 1090, 2440, 3400, 4500], [530, 1840, 2480, 3500, 4500], [280, 2290, 3010, 3600, 4600],
     [570, 840, 2410, 3300, 4400], [310, 870, 2240, 3300, 4400]]
)  # fmt: skip


Keys = TypeVar("Keys", float, np.ndarray)


class _Note(NamedTuple):
    """A note: start and length in seconds, the key's MIDI number (0 for drums), and the strength from 0 to 1."""

    instrument: str
    start: float
    length: float
    key: int
    strength: float


def song(seed: tuple, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Mixture (n, 2) and stems (4, n, 2) of a song, in the order of SOURCES: float32, from -0.98 to 0.98, at RATE Hz.

    The seed is what `seeds.numpy_generator` takes; n is seconds * RATE, rounded. The mixture is the sum of the stems
    after a compressor. Every stem plays, and pauses at least once in digital silence.

    Raises
    ------
    UserError: the song is shorter than 5 seconds, or endless.
    """
    if not _SHORTEST <= seconds < math.inf:
        raise UserError(f"a song lasts {_SHORTEST:g} seconds or more, so it cannot last {seconds:g}")
    samples = round(seconds * RATE)
    pauses, notes = _score(numpy_generator(*seed, "score"), seconds)
    stems = np.zeros((len(SOURCES), samples, 2))
    for stem, source, play in zip(stems, SOURCES, (_drums, _bass, _other, _vocals), strict=True):
        random = numpy_generator(*seed, source)
        loudness = random.uniform(-20, -16.5)  # dBFS, before the common gain
        stem[:] = play(notes[source], samples, random) * _gate(pauses[source], samples)[:, None]
        stem *= 10 ** (loudness / 20) / _level(stem)
    mixture = _compress(stems.sum(0))
    gain = min(1.0, _LOUDEST / max(np.abs(mixture).max(), np.abs(stems).max()))
    return (gain * mixture).astype(np.float32), (gain * stems).astype(np.float32)


def _score(
    random: np.random.Generator, seconds: float
) -> tuple[dict[str, list[tuple[float, float]]], dict[str, list[_Note]]]:
    """Pauses (from second, to second) and notes of each source, in the order of time."""
    step = 60 / random.uniform(84, 136) / 4  # seconds
    scale, progressions = _MODES[random.choice(list(_MODES))]
    tonic = int(random.integers(12))
    progression = random.choice(progressions).tolist()
    kick, snare, hat, bass = _GROOVES[random.integers(len(_GROOVES))]
    bass_degrees = [0, *random.choice([0, 0, 0, 4, 7], _BAR - 1).tolist()]
    chordal = random.permutation(list(_CHORDS))[:2].tolist()
    rhythms = {name: str(random.choice(_CHORDS[name][0])) for name in chordal}
    voice = int(random.choice([52, 64]))  # the key in the middle of the singer's range
    tunes = {"verse": _tune(random, 0), "chorus": _tune(random, 2)}

    def pitch(degree: int) -> int:
        return tonic + scale[degree % 7] + 12 * (degree // 7)

    def key(degree: int, lowest: int) -> int:
        return lowest + (pitch(degree) - lowest) % 12

    def bar(part: str, number: int):
        """What everybody would play in that bar: source, instrument, first step, steps, key, strength."""
        root = progression[number % 4]
        for drum, pattern in (("kick", kick), ("snare", snare), ("hat", hat)):
            for onset, length, strength in _onsets(pattern):
                yield "drums", "open hat" if pattern[onset] == "o" else drum, onset, length, 0, strength
        for onset, length, strength in _onsets(bass):
            lowered = key(root, 28) - pitch(root)
            yield "bass", "bass", onset, min(length, 6), lowered + pitch(root + bass_degrees[onset]), strength
        chord = sorted(key(root + third, 54) for third in (0, 2, 4, 6))
        for instrument in chordal if part == "chorus" else chordal[:1]:
            for order, (onset, length, strength) in enumerate(_onsets(rhythms[instrument])):
                for tone in [chord[order % 4]] if instrument == "guitar" else chord:
                    yield "other", instrument, onset, length, tone, strength
        for onset, length, degree in tunes[part]:
            if onset // _BAR == number % 2:
                # A long note goes to the nearest degree of the chord, which is at most one away.
                shifts = (0, 1, -1) if length >= 4 else (0,)
                degree += next((shift for shift in shifts if (degree + shift - root) % 7 in (0, 2, 4)), 0)
                sung = key(0, voice - 6) + pitch(degree) - pitch(0)
                yield "vocals", "vocals", onset % _BAR, length, sung, random.uniform(0.7, 1)

    # Who plays in the intro rests in the break and the other way round, so everybody pauses once.
    everybody = frozenset(SOURCES)
    opening = frozenset(random.permutation(SOURCES)[: random.integers(1, len(SOURCES))].tolist())
    form = (
        ("verse", 0.14, opening),
        ("verse", 0.24, everybody - ({"other"} if random.random() < 0.4 else set())),
        ("chorus", 0.24, everybody),
        ("verse", 0.14, everybody - opening),
        ("chorus", 0.24, everybody),
    )
    steps = math.ceil(seconds / step)
    grid = next((unit for unit in (_BAR, _BAR // 2) if steps >= 8 * unit), _BAR // 4)  # steps between borders of parts
    borders = [grid * round(share * steps / grid) for share in np.cumsum([share for _, share, _ in form[:-1]])]
    pauses: dict[str, list[tuple[float, float]]] = {source: [] for source in SOURCES}
    notes: dict[str, list[_Note]] = {source: [] for source in SOURCES}
    for (name, _, playing), first, last in zip(form, [0, *borders], [*borders, steps], strict=True):
        for source in everybody - playing:
            pauses[source].append((first * step, last * step))
        for number, start in enumerate(range(first, last, _BAR)):
            for source, instrument, onset, length, tone, strength in bar(name, number):
                if source in playing and (left := last - start - onset) > 0:
                    note = _Note(instrument, (start + onset) * step, min(length, left) * step, tone, strength)
                    notes[source].append(note)
    return pauses, {source: sorted(notes[source], key=lambda note: note.start) for source in SOURCES}


def _onsets(pattern: str) -> list[tuple[int, int, float]]:
    """First step, steps until the next onset, and strength of each onset in a bar."""
    onsets = [step for step, sign in enumerate(pattern) if sign != "."]
    return [
        (onset, following - onset, 1.0 if pattern[onset] == "X" else 0.6)
        for onset, following in zip(onsets, [*onsets[1:], _BAR], strict=True)
    ]


def _tune(random: np.random.Generator, degree: int) -> list[tuple[int, int, int]]:
    """A phrase of two bars with a rest at the end: first step, steps and degree of each note."""
    tune, step = [], int(random.choice([0, 0, 2]))
    while step < 2 * _BAR - 6:
        length = int(random.choice([2, 2, 3, 4, 4, 6, 8]))
        tune.append((step, length, degree))
        step += length
        degree = min(max(degree + int(random.choice([-2, -1, -1, 0, 1, 1, 2])), -3), 6)
    return tune


def _drums(notes: list[_Note], samples: int, random: np.random.Generator) -> np.ndarray:
    """Drums: a swept-sine kick, a snare of noise over two modes, hats of square waves and noise: (samples, 2)."""
    skins, metals = np.zeros((samples, 2)), np.zeros((samples, 2))
    limits = {"kick": (0.1, 0.2), "snare": (0.08, 0.16), "hat": (0.02, 0.05), "open hat": (0.1, 0.2)}
    decays = {drum: random.uniform(*ends) for drum, ends in limits.items()}  # seconds to 1/e
    kick, sweep, snare, pan = random.uniform((42, 3, 160, -0.5), (58, 8, 230, 0.5))  # Hz, cycles, Hz
    time = np.arange(2 * RATE) / RATE
    squares = np.sign(np.sin(2 * np.pi * random.uniform(300, 900, (6, 1)) * time)).sum(0)
    metal = squares / 3 + random.normal(size=time.size)
    for note in notes:
        decay = decays[note.instrument] * random.uniform(0.9, 1.1)
        when = time[: int(6 * decay * RATE)]
        noise = random.normal(size=when.size)
        fading = note.strength * random.uniform(0.85, 1) * np.exp(-when / decay)
        if note.instrument == "kick":
            body = np.sin(2 * np.pi * (kick * when + sweep * (1 - np.exp(-when / 0.03))))
            track, sound = skins, 1.6 * (body + 0.3 * noise * np.exp(-when / 0.002))
        elif note.instrument == "snare":
            modes = np.sin(2 * np.pi * snare * when) + 0.5 * np.sin(2 * np.pi * 1.7 * snare * when)
            track, sound = skins, 0.5 * modes * np.exp(-when / 0.06) + 0.35 * noise
        else:
            first = random.integers(time.size - when.size)
            track, sound = metals, 0.3 * metal[first : first + when.size]
        _add(track, note.start + _human(random), fading * sound, pan if track is metals else 0.0)
    both = np.tanh(skins) + _filter(metals, "highpass", random.uniform(5000, 8000), order=4)
    return _room(both, random.uniform(0.15, 0.35), 0.2, random)


def _bass(notes: list[_Note], samples: int, random: np.random.Generator) -> np.ndarray:
    """A bass: plucked strings, or a sine with a few harmonics, nearly in the middle: (samples, 2)."""
    track = np.zeros((samples, 2))
    plucked, colour = random.random() < 0.6, random.uniform(0.2, 1)
    for note in notes:
        frequency, length = _frequency(note.key), note.length * random.uniform(0.75, 1)
        if plucked:
            sound = 1.5 * _string(frequency, length, 0.6, colour, random)
        else:
            cycles = 2 * np.pi * frequency * np.arange(int(length * RATE)) / RATE
            sound = np.tanh((1 + colour) * (np.sin(cycles) + 0.4 * colour * np.sin(2 * cycles)))
        sound *= note.strength * _envelope(sound.size, 0.006, 0.04)
        _add(track, note.start + _human(random), sound)
    return _room(_filter(track, "lowpass", 500 + 2000 * colour), 0.1, 0.05, random)


def _other(notes: list[_Note], samples: int, random: np.random.Generator) -> np.ndarray:
    """Two chordal instruments; each has its own tone and its own place between the loudspeakers: (samples, 2)."""
    total = np.zeros((samples, 2))
    for instrument in sorted({note.instrument for note in notes}):
        track = np.zeros((samples, 2))
        colour, place = random.uniform(0, 1), random.uniform(-0.4, 0.4)
        for note in notes:
            if note.instrument == instrument:
                sound = note.strength * _chordal(instrument, _frequency(note.key), note.length, colour, random)
                pan = place + (note.key - 60) / 15  # the low keys on the left, as at a piano
                _add(track, note.start + _human(random), sound, min(max(pan, -0.9), 0.9))
        darkest, brightest = _CHORDS[instrument][1]
        track = _filter(track, "lowpass", darkest * (brightest / darkest) ** colour)
        total += random.uniform(0.7, 1) * track / _level(track)
    return _room(total, random.uniform(0.2, 0.4), 0.25, random)


def _chordal(
    instrument: str, frequency: float, length: float, colour: float, random: np.random.Generator
) -> np.ndarray:
    """One note (n,): a pad of two detuned saws, an organ of drawbars, an electric piano of FM, or a guitar."""
    if instrument == "guitar":
        sound = _string(frequency, length + 0.3, 0.5, colour, random)  # rings on
        return sound * _envelope(sound.size, 0.001, 0.2)
    time = np.arange(int(length * RATE)) / RATE
    cycles = frequency * time + random.random()
    if instrument == "pad":
        detuning = 1.002 + 0.005 * colour
        sound = _saw(cycles, frequency / RATE) + _saw(detuning * cycles, detuning * frequency / RATE)
        return sound * _envelope(sound.size, 0.15, 0.15)
    if instrument == "organ":
        drawbars = {0.5: 0.6, 1: 1, 1.5: 0.5 * colour, 2: 0.6, 3: 0.5 * colour, 4: 0.3, 6: 0.25 * colour}
        tones = [weight * np.sin(2 * np.pi * multiple * cycles) for multiple, weight in drawbars.items()]
        return functools.reduce(np.add, tones) * _envelope(time.size, 0.008, 0.03)
    radians = 2 * np.pi * cycles
    reed = (0.5 + colour) * np.exp(-time / 0.4) * np.sin(radians)
    tine = 0.6 * colour * np.exp(-time / 0.05) * np.sin(14 * radians)
    return np.sin(radians + reed + tine) * np.exp(-time / 0.9) * _envelope(time.size, 0.003, 0.06)


def _vocals(notes: list[_Note], samples: int, random: np.random.Generator) -> np.ndarray:
    """A voice: a glottal pulse train and breath, through five formants that move between vowels: (samples, 2)."""
    hop = 512
    time = np.arange(samples) / RATE
    key, volume, wobble, hiss = np.full(samples, float(notes[0].key)), *np.zeros((3, samples))
    vowel = np.zeros(math.ceil(samples / hop) + 1, int)  # of each frame of the transform below
    rate, depth = random.uniform((4.8, 0.2), (6.2, 0.5))  # of the vibrato: Hz, semitones
    tract = 1.15 if np.mean([note.key for note in notes]) > 58 else 1.0  # a higher voice has a shorter vocal tract
    for note in notes:
        first = round((note.start + abs(_human(random))) * RATE)
        last = first + int(note.length * random.uniform(0.85, 0.97) * RATE)
        passed = time[: max(0, min(last, samples) - first)]
        key[first:] = note.key
        volume[first:last] = note.strength * np.exp(-passed / 2)
        wobble[first:last] = depth * np.clip((passed - 0.15) / 0.3, 0, 1)
        vowel[first // hop :] = random.integers(len(_VOWELS))
        if random.random() < 0.5:  # a consonant
            middle = first + int(random.uniform(0.04, 0.09) * RATE)
            hiss[first:middle] = 0.3 * note.strength
            volume[first:middle] *= 0.2
    key = _glide(key, random.uniform(0.015, 0.04)) + wobble * np.sin(2 * np.pi * rate * time)
    increments = _frequency(key) / RATE
    noise = random.normal(size=samples)
    voice = (_saw(np.cumsum(increments), increments) + random.uniform(0.03, 0.1) * noise) * _glide(volume, 0.012)
    frequencies, _, spectrum = signal.stft(voice, RATE, nperseg=2 * hop)
    formants = _VOWELS * tract * random.uniform(0.95, 1.06, 5)
    places = _glide(formants[vowel].T, 0.03, RATE / hop)  # (formants, frames)
    response = np.zeros_like(spectrum)
    for number, place in enumerate(places):
        width = 1j * frequencies[:, None] * (60 + 40 * number)
        response += (-0.6) ** number * width / (place**2 - frequencies[:, None] ** 2 + width)
    voice = signal.istft(spectrum * response, RATE, nperseg=2 * hop)[1][:samples]
    voice += 0.3 * _filter(_glide(hiss, 0.008) * noise, "highpass", random.uniform(3000, 6000))
    return _room(np.stack([voice, voice], 1), random.uniform(0.2, 0.4), 0.25, random)


def _human(random: np.random.Generator) -> float:
    """How late a player is (early if negative), in seconds."""
    return random.uniform(-0.003, 0.003)


def _frequency(key: Keys) -> Keys:
    """The frequencies of MIDI keys, in Hz."""
    return 440 * 2 ** ((key - 69) / 12)


def _saw(cycles: np.ndarray, increment: np.ndarray | float) -> np.ndarray:
    """A saw wave at those phases, its edges rounded against aliasing. increment: cycles per sample."""
    place = cycles % 1
    after, before = np.minimum(place / increment, 1) - 1, np.maximum((place - 1) / increment, -1) + 1
    return 2 * place - 1 + after**2 - before**2


def _string(frequency: float, length: float, decay: float, colour: float, random: np.random.Generator) -> np.ndarray:
    """A plucked string (n,) after Karplus and Strong: a period of noise whose higher harmonics fade faster.

    length and decay (to 1/e, of the lowest harmonics) are in seconds. colour: from 0, dull, to 1.
    """
    period = int(RATE / frequency)
    harmonics = np.arange(1, min(period // 2, int(12000 / frequency)))
    comb = np.abs(np.sin(np.pi * harmonics * random.uniform(0.12, 0.3))) / harmonics ** (1.5 - 0.7 * colour)
    pluck = comb * np.exp(2j * np.pi * random.random(harmonics.size))
    damping = (1 / decay + (harmonics * frequency / 1000) ** 2 * (2.5 - 1.5 * colour)) / frequency
    rows = np.arange(math.ceil(length * frequency) + 2)[:, None]  # one a period
    spectrum = np.zeros((len(rows), period // 2 + 1), complex)
    spectrum[:, harmonics] = pluck * np.exp(-damping * rows)
    cycles = np.fft.irfft(spectrum, period) * period
    blend = np.arange(period) / period  # from one row to the next without a step
    wave = (cycles[:-1] * (1 - blend) + cycles[1:] * blend).ravel()
    return np.interp(np.arange(int(length * RATE)) * (frequency * period / RATE), np.arange(wave.size), wave)


def _envelope(samples: int, attack: float, release: float) -> np.ndarray:
    """A ramp from 0 to 1 in `attack` seconds, and back to 0 in the last `release` seconds: (samples,)."""
    place = np.arange(samples) / RATE
    return np.minimum(1, np.minimum(place / attack, place[::-1] / release))


def _glide(values: np.ndarray, seconds: float, rate: float = RATE) -> np.ndarray:
    """Values that follow `values` (..., samples) smoothly with that time constant, starting at the first."""
    pole = math.exp(-1 / (seconds * rate))
    first = values[..., :1]
    return first + signal.lfilter([(1 - pole) ** 2], [1, -2 * pole, pole**2], values - first)


def _filter(track: np.ndarray, kind: str, frequency: float, order: int = 2) -> np.ndarray:
    """The track, of shape (samples,) or (samples, 2), after a Butterworth filter."""
    return signal.sosfilt(signal.butter(order, frequency, kind, fs=RATE, output="sos"), track, axis=0)


def _add(track: np.ndarray, start: float, sound: np.ndarray, pan: float = 0.0) -> None:
    """Add a sound (n,) to a track (samples, 2) at that second. pan: from -1, left, to 1."""
    first = max(0, round(start * RATE))
    sound = sound[: max(0, len(track) - first)]
    angle = (pan + 1) * math.pi / 4
    track[first : first + len(sound)] += sound[:, None] * (math.cos(angle), math.sin(angle))


def _room(track: np.ndarray, seconds: float, amount: float, random: np.random.Generator) -> np.ndarray:
    """The track (samples, 2) in a room with that reverberation time (to -60 dB)."""
    time = np.arange(int(seconds * RATE)) / RATE
    response = random.normal(size=(time.size, 2)) * 10 ** (-3 * time / seconds)[:, None]
    response *= amount / np.linalg.norm(response, axis=0)
    return track + signal.oaconvolve(track, response, axes=0)[: len(track)]


def _gate(pauses: list[tuple[float, float]], samples: int) -> np.ndarray:
    """An envelope (samples,) that is 1, and fades to 0 in the pauses (from second, to second) and at the end."""
    gate, fading = np.ones(samples), int(0.15 * RATE)
    for start, end in pauses:
        rest = gate[round(start * RATE) : round((end - 0.005) * RATE)]  # the next note may be early
        rest[:] = np.maximum(0, 1 - np.arange(rest.size) / fading)
    gate[-fading:] *= np.linspace(1, 0, fading)
    return gate


def _level(track: np.ndarray) -> float:
    """RMS of a track (samples, 2) over the tenths of a second in which it sounds: less than 40 dB below the loudest."""
    block = RATE // 10
    powers = np.add.reduceat((track**2).mean(1), np.arange(0, len(track), block)) / block
    return math.sqrt(powers[powers > 1e-4 * powers.max()].mean())


def _compress(total: np.ndarray) -> np.ndarray:
    """The mix (samples, 2) after a bus compressor, 2:1 above the song's own level, and the gain nearest the input."""
    power = np.maximum(_glide((total**2).mean(1), 0.1), 1e-12)
    gain = np.minimum(1, (power / (total**2).mean()) ** -0.25)[:, None]
    return total * gain * (total**2 * gain).sum() / (total**2 * gain**2).sum()
