"""How often the 95 % intervals of tables contain the truth, by simulation at the numbers of units that scales have.

Laws are those that the intervals claim to cover, with truths near the bounds; every row is a kind of interval of a
table. `python benchmarks/coverage.py > docs/records/coverage.md` writes the page (a minute or two on one core).
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from audiopriors import intervals

Draw = Callable[[np.random.Generator], tuple[intervals.Ends, float]]  # an interval, and the truth


@dataclass(frozen=True)
class Case:
    """A kind of interval at a number of units, for one law."""

    kind: str
    units: str
    law: str
    draw: Draw


def _deviates(random: np.random.Generator, law: str, shape) -> np.ndarray:
    """Of mean 0."""
    return {
        "normal": lambda: random.standard_normal(shape),
        "uniform": lambda: random.random(shape) - 0.5,
        "arcsine": lambda: np.cos(np.pi * random.random(shape)),
        "gamma of shape 4": lambda: random.gamma(4, size=shape) - 4,
        "exponential": lambda: random.exponential(size=shape) - 1,
        "minus exponential": lambda: 1 - random.exponential(size=shape),
        "Student's t of 3": lambda: random.standard_t(3, size=shape),
        "log-normal": lambda: np.exp(random.standard_normal(shape)) - np.exp(0.5),
    }[law]()


def _tracks(songs: int, frames: int) -> intervals.Tracks:
    return tuple(np.repeat(np.arange(songs), frames).tolist()) if frames > 1 else ()


def _clustered(
    random: np.random.Generator, songs: int, frames: int, of_songs: float, law: str = "normal"
) -> np.ndarray:
    """Values (songs * frames,) of mean 0; this part of the variance is the songs'."""
    effect = np.repeat(_deviates(random, law, songs), frames) * of_songs**0.5
    return effect + (1 - of_songs) ** 0.5 * random.standard_normal(songs * frames)


def _mean(units: int, law: str, frames: int) -> Draw:
    def draw(random):
        values = _clustered(random, units, frames, 0.5, law) if frames > 1 else _deviates(random, law, units)
        return intervals.mean(values, _tracks(units, frames)), 0.0

    return draw


def _ratio(units: int, law: str) -> Draw:
    def draw(random):
        limit = random.exponential(size=units) if law == "both exponential" else random.chisquare(3, units) / 3
        error = {
            "both exponential": lambda: random.exponential(size=units),
            "chi-squared of 3, and gamma of shape 5": lambda: random.gamma(5, size=units) / 5,
            "chi-squared of 3, and the same times gamma of shape 5": lambda: limit * random.gamma(5, size=units) / 5,
        }[law]()
        return intervals.ratio(20 * error, limit), 20.0

    return draw


def _median(units: int, sources: int, alike: float) -> Draw:
    def draw(random):
        common = alike**0.5 * random.standard_normal((units, 1))
        return intervals.median(common + (1 - alike) ** 0.5 * random.standard_normal((units, sources))), 0.0

    return draw


def _median_of_songs(songs: int, frames: int, sources: int, of_songs: float) -> Draw:
    def draw(random):
        common = _clustered(random, songs, frames, of_songs)[:, None]
        values = common if sources == 1 else (common + random.standard_normal((songs * frames, sources))) / 2**0.5
        return intervals.median(values, _tracks(songs, frames)), 0.0

    return draw


def _share(units: int, sources: int, truth: float, alike: bool) -> Draw:
    def draw(random):
        right = random.random((units, 1 if alike else sources)) < truth
        return intervals.share(right.mean(1)), truth

    return draw


def _placements(random, truth, inside, outside, widths):
    gap = special.ndtri(truth) * np.hypot(*widths)
    return np.greater.outer(gap + widths[0] * inside, widths[1] * outside).astype(float)


def _auroc(inside: int, outside: int, truth: float, widths: tuple[float, float]) -> Draw:
    def draw(random):
        pair = random.standard_normal(inside), random.standard_normal(outside)
        return intervals.auroc(_placements(random, truth, *pair, widths)), truth

    return draw


def _auroc_of_songs(songs: int, frames: int, truth: float, of_songs: float) -> Draw:
    def draw(random):
        pair = (_clustered(random, songs, frames, of_songs) for _ in range(2))
        return intervals.auroc(_placements(random, truth, *pair, (1.0, 1.0)), _tracks(songs, frames)), truth

    return draw


def _mean_auroc(items: int, truth: float, songs: int = 0) -> Draw:
    """Twelve pairs of four sources, of which each item is in six; the widths of the sources differ."""
    widths = np.array([1.0, 1.0, 2.0, 5.0])

    def draw(random):
        of_sources = [
            _clustered(random, songs, items // songs, 0.5) if songs else random.standard_normal(items) for _ in widths
        ]
        placements = {
            (str(one), str(other)): _placements(
                random, truth, of_sources[one], of_sources[other], (widths[one], widths[other])
            )
            for one in range(4)
            for other in range(4)
            if one != other
        }
        return intervals.mean_auroc(placements, _tracks(songs, items // songs) if songs else ()), truth

    return draw


def _worst(rows: int, items: int, truths: np.ndarray) -> Draw:
    def draw(random):
        values, ends = np.empty(rows), np.empty((rows, 2))
        for row, truth in enumerate(truths):
            pair = random.standard_normal(items), random.standard_normal(items)
            placements = _placements(random, truth, *pair, (1.0, 1.0))
            values[row], ends[row] = placements.mean(), intervals.auroc(placements)
        return intervals.extreme("min", values, ends, bounded=True), truths.min()

    return draw


def _extreme_mean(kind: str, rows: int, items: int, spread: float) -> Draw:
    truths = spread * np.linspace(0, 1, rows)

    def draw(random):
        values = truths[:, None] + random.standard_normal((rows, items))
        ends = np.array([intervals.mean(row) for row in values])
        means = values.mean(1)
        if kind == "range":
            return intervals.spread(means, ends), np.ptp(truths)
        return intervals.extreme(kind, means, ends, bounded=False), truths.min() if kind == "min" else truths.max()

    return draw


def cases() -> list[Case]:
    """Every kind of interval at the numbers of units of quick and full."""
    skewed = ["normal", "uniform", "arcsine", "gamma of shape 4", "exponential", "minus exponential"]
    found = []
    for units in (8, 16, 40, 1500):
        heavy = ["Student's t of 3", "log-normal"] if units >= 40 else []
        found += [Case("mean", f"{units} items", law, _mean(units, law, 1)) for law in skewed + heavy]
    for songs in (8, 50):
        laws = ("normal", "gamma of shape 4", "exponential")
        found += [Case("mean", f"{songs} songs of 8 frames", f"{law} songs", _mean(songs, law, 8)) for law in laws]
    laws = ("both exponential", "chi-squared of 3, and gamma of shape 5",
            "chi-squared of 3, and the same times gamma of shape 5")  # fmt: skip
    found += [Case("ratio of means", f"{units} items", law, _ratio(units, law)) for units in (8, 50) for law in laws]
    for units in (6, 8, 16, 64, 1500):
        for sources, alike in ((1, 1.0), (4, 0.0), (4, 0.5), (4, 1.0)):
            law = f"{sources} a mix, correlation {alike:g}" if sources > 1 else "1 a mix"
            found.append(Case("median", f"{units} mixes", law, _median(units, sources, alike)))
    for songs in (6, 8, 50):
        found += [
            Case("median", f"{songs} songs of 4 mixes", f"{sources} a mix, {100 * part:.0f} % of variance the songs'",
                 _median_of_songs(songs, 4, sources, part))
            for sources in (1, 4) for part in (0.0, 0.5, 0.9)
        ]  # fmt: skip
    truths = (0.6, 0.9, 0.97, 0.99, 0.998)
    for units in (8, 16, 64, 160, 1500):
        for sources, alike in ((1, True), (4, False)):
            law = "4 a mix, independent" if sources > 1 else "1 a mix"
            found += [
                Case("share", f"{units} mixes", f"{law}, truth {truth:g}", _share(units, sources, truth, alike))
                for truth in truths
            ]
    for pair in ((8, 24), (40, 40), (40, 120), (200, 200)):
        for widths in ((1.0, 1.0), (1.0, 5.0), (5.0, 1.0)):
            law = f"normals of widths {widths[0]:g} and {widths[1]:g}"
            found += [
                Case("AUROC", f"{pair[0]} + {pair[1]} items", f"{law}, truth {truth:g}", _auroc(*pair, truth, widths))
                for truth in (0.6, 0.862, 0.97, 0.99, 0.998)
            ]
    for songs in (5, 8, 50):
        found += [
            Case("AUROC", f"{songs} songs of 4 frames", f"{100 * part:.0f} % of variance the songs', truth {truth:g}",
                 _auroc_of_songs(songs, 4, truth, part))
            for part in (0.0, 0.5, 0.9) for truth in (0.6, 0.862, 0.97, 0.99)
        ]  # fmt: skip
    found += [
        Case("mean AUROC", f"12 pairs, {items} + {items} items", f"normals, truth {truth:g}", _mean_auroc(items, truth))
        for items in (36, 200) for truth in (0.6, 0.862, 0.97, 0.99, 0.998)
    ]  # fmt: skip
    found += [
        Case("mean AUROC", f"12 pairs, {songs} songs of 4 frames", f"half of the variance the songs', truth {truth:g}",
             _mean_auroc(4 * songs, truth, songs))
        for songs in (8, 50) for truth in (0.6, 0.862, 0.97, 0.99)
    ]  # fmt: skip
    for rows in (12, 60):
        for truth in (0.8, 0.95, 0.99):
            together = np.full(rows, truth), truth + (1 - truth) * np.linspace(0, 0.9, rows)
            found += [
                Case("least AUROC", f"{rows} rows, 40 + 40 items", f"{law}, truth {truth:g}", _worst(rows, 40, truths))
                for law, truths in zip(("all alike", "spread"), together, strict=True)
            ]
    for kind in ("min", "max", "range"):
        for spread in (0.0, 0.3, 2.0):
            name = {"min": "least mean", "max": "greatest mean", "range": "range of means"}[kind]
            law = f"truths {spread:g} deviations apart"
            found.append(Case(name, "12 rows, 40 items", law, _extreme_mean(kind, 12, 40, spread)))
    return found


def coverage(case: Case, repeats: int) -> tuple[float, float, float]:
    """The share of intervals that contain the truth, that are above it, and that are below it."""
    random = np.random.default_rng(2020)
    above = below = 0
    for _ in range(repeats):
        (low, high), truth = case.draw(random)
        above += low > truth + 1e-12
        below += not high >= truth - 1e-12  # nan too
    return 1 - (above + below) / repeats, above / repeats, below / repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    arguments = parser.parse_args()
    print(PAGE.format(repeats=arguments.repeats))
    for case in cases():
        inside, above, below = coverage(case, arguments.repeats)
        print(f"| {case.kind} | {case.units} | {case.law} | {inside:.3f} | {above:.3f} | {below:.3f} |", flush=True)


PAGE = """# What the intervals cover

Every interval of the tables is nominally a 95 % one (`workflow/scripts/audiopriors/intervals.py`). Here each kind is
simulated {repeats} times at the numbers of units that the scales have, for laws whose truth is known. `python
benchmarks/coverage.py` writes this page. A test stops when a kind covers less than .93. With fewer units than this page
has for a kind, a table prints no interval.

A mean of laws with heavy tails needs more units. Student's t of 3 and the log-normal are covered from 40 on.

| interval | units | law | contains the truth | is above it | is below it |
|---|---|---|---|---|---|"""


if __name__ == "__main__":
    main()
