"""Intervals: closed forms, units, and by simulation that they cover what they say."""

import sys

import numpy as np
import pytest
from audiopriors import intervals
from conftest import ROOT
from scipy import stats

sys.path.insert(0, str(ROOT / "benchmarks"))
import coverage

CASES = coverage.cases()


def test_the_extreme_of_values_at_their_bound_has_both_ends():
    """Of 12 rows of 36 units each, one of them wholly wrong: its end is the exact one at a twelfth of the level."""
    wrong, right = (intervals.share(np.full(36, value)) for value in (0.0, 1.0))
    ends = np.array([wrong, *[right] * 11])
    low, high = intervals.extreme("min", np.array([0.0] + [1.0] * 11), ends, True)
    assert low == 0 and high == pytest.approx(1 - (intervals.TAIL / 12) ** (1 / 36))
    low, high = intervals.extreme("max", np.array([0.0] + [1.0] * 11), ends, True)
    assert low == pytest.approx((intervals.TAIL / 12) ** (1 / 36)) and high == 1


@pytest.mark.parametrize("kind", dict.fromkeys(case.kind for case in CASES))
def test_intervals_cover(kind):
    """At least .93 of nominal .95 for each law and number of units; docs/records/coverage.md has the shares."""
    repeats = 300 if kind in ("least AUROC", "mean AUROC") else 2000  # of many rows, each of which is simulated
    shares = {(case.units, case.law): coverage.coverage(case, repeats)[0] for case in CASES if case.kind == kind}
    assert {case: share for case, share in shares.items() if share < 0.93} == {}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_interval_of_a_mean_is_students_where_values_are_symmetric():
    values = np.concatenate([normal(20), -normal(20)]) + 3
    expected = stats.t.interval(0.95, 39, 3, values.std(ddof=1) / 40**0.5)
    assert intervals.mean(values) == pytest.approx(expected)
    skewed = np.exp(normal(40))  # its mean is more often too small than too large
    low, high = intervals.mean(skewed)
    student = stats.t.interval(0.95, 39, skewed.mean(), skewed.std(ddof=1) / 40**0.5)
    assert low == pytest.approx(student[0]) and high > student[1]
    assert intervals.mean(np.full(8, 2.0)) == (2, 2)


def test_the_interval_of_a_ratio():
    """Of items that all have the same ratio it is that one; few units have none."""
    values, others = np.exp(normal(12)), np.exp(normal(12, seed=1))
    assert intervals.ratio(3 * values, values) == pytest.approx((3, 3))
    low, high = intervals.ratio(values, others)
    assert 0 < low < values.mean() / others.mean() < high
    few = tuple(np.arange(12) % 2)
    assert np.isnan(intervals.ratio(values, others, few)).all()
    assert np.isnan(intervals.ratio(values[:2], others[:2])).all()


def test_the_interval_of_a_median_is_of_order_statistics():
    values = np.random.default_rng(0).permutation(np.arange(1.0, 18))
    assert intervals.median(values) == (5, 13)  # P(Bin(17, 1/2) <= 4) = .0245
    four = np.repeat(values[:, None], 4, 1)
    assert intervals.median(four) == (5, 13)  # of one unit all say the same
    assert intervals.median(values[:6]) == (values[:6].min(), values[:6].max())
    assert intervals.median(np.full(6, 2.0)) == (2, 2)
    # Eight songs of 40 frames, each with half of them on each side: as many trials as frames.
    divided, tracks = np.tile(np.arange(40.0), 8), tuple(np.repeat(np.arange(8), 40).tolist())
    assert intervals.median(divided, tracks) == intervals.median(divided) == (17, 22)


def test_a_share_of_single_trials_is_nearly_clopper_and_pearsons():
    right = np.arange(400) < 300
    exact = stats.binomtest(300, 400).proportion_ci(0.95, "exact")
    assert intervals.share(right.astype(float)) == pytest.approx((exact.low, exact.high), abs=1e-3)
    for value, expected in ((1.0, (0.025 ** (1 / 40), 1)), (0.0, (0, 1 - 0.025 ** (1 / 40)))):
        assert intervals.share(np.full(40, value)) == pytest.approx(expected)
        assert intervals.auroc(np.full((40, 120), value)) == pytest.approx(expected)


def test_no_result_is_worth_more_than_a_perfect_one():
    """The low end rises with the value, from pairs in the wrong order one by one to none, without a jump at the end."""
    lows = []
    for wrong in range(30, -1, -1):
        placements = np.ones((32, 32))
        placements[0, :wrong] = 0
        lows.append(intervals.auroc(placements)[0])
    assert np.all(np.diff(lows) >= 0) and lows[-1] - lows[-2] < 0.005


def test_units_are_tracks():
    of_song, tracks = normal(12), tuple(np.repeat(np.arange(12), 10).tolist())
    values = np.repeat(of_song, 10)  # the frames of a song say the same
    assert intervals.mean(values, tracks) == pytest.approx(intervals.mean(of_song))
    assert intervals.median(values, tracks) == pytest.approx(intervals.median(of_song))
    shares = (of_song > 0).astype(float)
    assert intervals.share(np.repeat(shares, 10), tracks) == pytest.approx(intervals.share(shares))
    assert intervals.share(np.tile(np.repeat(shares, 10), 3), tracks) == pytest.approx(intervals.share(shares))
    placements = np.ones((120, 240))
    assert intervals.auroc(placements, tracks)[0] == pytest.approx(0.025 ** (1 / 12))  # 12, not 120
    uneven = intervals.mean(np.array([1.0, 1, 1, 2, 3, 4, 5, 6, 7, 8]), (0, 0, 0, 1, 2, 3, 4, 5, 6, 7))
    assert uneven[0] < 3.8 < uneven[1]


def test_too_few_units_have_no_interval():
    for interval, needed in (
        (intervals.mean, intervals.MEAN_UNITS), (intervals.median, intervals.MEDIAN_UNITS),
        (intervals.share, intervals.SHARE_UNITS), (lambda x: intervals.auroc(x[:, None]), 2),
    ):  # fmt: skip
        assert np.isnan(interval(normal(needed - 1) > 0)).all()
    assert np.isfinite(intervals.mean(normal(8))).all() and np.isfinite(intervals.median(normal(6))).all()
    assert np.isnan(intervals.share(np.empty(0))).all()
    assert np.isnan(intervals.mean(np.array([1.0, np.inf] * 8))).all()
    assert np.isnan(intervals.mean(normal(80), tuple(np.arange(80) % 7))).all()  # seven songs


def test_a_minimum_has_the_interval_of_a_minimum():
    values, ends = np.array([0.95, 1.0, 0.9]), np.array([[0.85, 0.99], [0.9, 1], [0.8, 0.97]])
    low, high = intervals.extreme("min", values, ends, bounded=True)
    assert low == 0.8 and 0.97 < high < 1  # wider than its row's: it was picked for being low
    assert intervals.extreme("max", 1 - values, 1 - ends[:, ::-1], True) == pytest.approx((1 - high, 1 - low))
    one = intervals.extreme("min", values[:1], ends[:1], bounded=True)
    assert one == pytest.approx((0.85, 0.99))
    assert intervals.extreme("min", np.ones(3), np.array([[0.9, 1.0]] * 3), bounded=True) == (0.9, 1)
    assert np.isnan(intervals.extreme("min", values, np.full((3, 2), np.nan), True)).all()
    low, high = intervals.spread(np.array([1.0, 3]), np.array([[0.5, 1.5], [2.5, 3.5]]))
    assert 0 < low < 1 and high == 3
