"""What refusing, and what more particles are worth."""

import numpy as np
import pandas as pd
import pytest
from audiopriors import risk


def test_the_share_of_wrong_ones_among_those_accepted():
    misfit, worst = np.array([3.0, 1.0, 2.0, 2.0]), np.array([30.0, 20.0, 10.0, 40.0])  # 10 dB is not above 10 dB
    accepted, wrong = risk.curve(misfit, worst)
    assert accepted.tolist() == [0.25, 0.75, 0.75, 1] and wrong == pytest.approx([0, 1 / 3, 1 / 3, 1 / 4])


def test_the_best_of_the_first_is_the_one_of_least_misfit():
    """The ninth particle of a mix does not count, nor does the order of the rows."""
    one = pd.DataFrame({"item": 0, "round": range(9), "particle": 0, "misfit": [5.0] * 7 + [2.0, 1.0]})
    one["share_right"] = [0.0] * 7 + [0.25, 1.0]
    other = pd.DataFrame({"item": [1], "round": [0], "particle": [0], "misfit": [9.0], "share_right": [0.75]})
    rows = pd.concat([one, other]).sample(frac=1, random_state=0)
    assert risk.best_of_first(rows) == 0.5
