"""Claims: rules and verdicts on tables whose numbers are known, and the shipped rules against the columns there are."""

import math

import numpy as np
import pandas as pd
import pytest
import yaml
from audiopriors import claims
from audiopriors.columns import COLUMNS, MEASURES
from conftest import ROOT
from scipy.stats import norm

CLAIM = {
    "claim": "{prior_source} is above", "where": "here", "published": "yes", "datasets": ["d"], "table": "t",
    "value": "mean", "select": {"prior": "f", "test_source": "own"}, "each": True, "holds": {"above": 0.5},
    "small_models": "holds",
}  # fmt: skip
TABLE = pd.DataFrame(
    [("f", "a", "a", "0.1", 2.0, 1.0, 3.0), ("f", "b", "b", "0.1", 0.2, 0.0, 0.4),
     ("f", "a", "b", "0.1", 9.0, 9.0, 9.0), ("f", "a", "a", "1", 0.02, 0.01, 0.03),
     ("g", "a", "a", "0.1", 0.1, 0.1, 0.1)],
    columns=["prior", "prior_source", "test_source", "data_sigma", "mean", "low", "high"],
)  # fmt: skip


def verdicts(paper_size=True, **changes):
    claim = CLAIM | {"select": {"prior": "f", "test_source": "own", "data_sigma": "0.1"}} | changes
    table = claims.table([claim], {"t": TABLE}, "d", ["a", "b"], "quick", paper_size)
    return dict(zip(table["claim"], table["verdict"], strict=True)), table


def test_claims_follow_their_rules():
    decided, table = verdicts()
    assert decided == {"a is above": "holds", "b is above": "does not hold"} and list(table.columns) == list(
        COLUMNS["claims"]
    )
    assert table[["measured", "low", "high"]].to_numpy().tolist() == [[2, 1, 3], [0.2, 0, 0.4]]
    assert verdicts(holds={"above": 2.5})[0]["a is above"] == claims.UNDECIDED  # the interval has both
    assert verdicts(holds={"above": 0.5, "below": 2.5})[0]["a is above"] == claims.UNDECIDED
    assert verdicts(holds={"above": 0.5, "below": 3.5})[0]["a is above"] == "holds"
    assert verdicts(each=False, reduce="min")[1]["measured"].tolist() == [0.2]
    with pytest.raises(ValueError, match="2 rows are selected; say `reduce"):
        verdicts(each=False)


def test_claims_of_small_models_stay_undecided_where_they_say_nothing():
    assert verdicts(paper_size=False)[0] == {"a is above": "holds", "b is above": claims.UNDECIDED}
    decided = verdicts(paper_size=False, small_models="does not hold")[0]
    assert decided == {"a is above": claims.UNDECIDED, "b is above": "does not hold"}
    assert set(verdicts(paper_size=False, small_models="neither")[0].values()) == {claims.UNDECIDED}


def test_another_measure_decides_by_its_whole_interval():
    """The same rule for both: it says otherwise where its interval is on the other side, not where its value is."""
    crosses = TABLE.assign(low=TABLE["low"].where(TABLE["prior"] != "g", 0.05), high=1.0)
    claim = CLAIM | {"select": {"prior": "f", "test_source": "own", "data_sigma": "0.1"}, "each": False,
                     "reduce": "max", "holds": {"above": 0.5}, "as_published": {"prior": "g"}}  # fmt: skip
    for table, expected in ((TABLE, "depends on the metric"), (crosses, "holds")):
        (row,) = claims.table([claim], {"t": table}, "d", ["a", "b"], "full", True).to_dict("records")
        assert row["verdict"] == expected and row["published_score_here"] == 0.1
    second = claim | {"as_published": {}, "second": {"prior": "f", "data_sigma": "1"}}
    (row,) = claims.table([second], {"t": TABLE}, "d", ["a", "b"], "quick", False).to_dict("records")
    assert row["second"] == 0.02 and row["second_high"] == 0.03


def test_rows_that_are_no_evidence_do_not_count():
    """As Langevin chains that have not moved: of the rows selected those count whose numbers are as `provided`."""
    claim = CLAIM | {
        "select": {"prior": "f", "test_source": "own", "data_sigma": "0.1"},
        "each": False,
        "reduce": "max",
    }
    table = TABLE.assign(moved=[1.0, 9, 1, 1, 1])
    some = claim | {"provided": {"moved": {"above": 5}}}
    none = claim | {"provided": {"moved": {"above": 5, "below": 6}}}
    decided = claims.table([claim, some, none], {"t": table}, "d", ["a", "b"], "quick", True)
    assert decided["measured"].tolist()[:2] == [2, 0.2] and np.isnan(decided["measured"].iloc[2])
    assert decided["verdict"].tolist() == ["holds", "does not hold", claims.NO_EVIDENCE]


def test_too_few_units_decide_nothing():
    claim = CLAIM | {"select": {"prior": "f", "test_source": "own", "data_sigma": "0.1"}}
    table = claims.table([claim], {"t": TABLE.assign(low=np.nan, high=np.nan)}, "d", ["a"], "quick", True)
    assert table["verdict"].tolist() == [claims.TOO_FEW] and table["measured"].tolist() == [2]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((0.5, 0.5), "holds"), ((0.5, 2.5), claims.UNDECIDED), ((0.5, 9.0), "does not hold")],
)
def test_a_claim_of_claims_holds_if_all_do(bounds, expected):
    parts = [
        CLAIM | {"label": f"part {number}", "holds": {"above": bound}, "each": False, "reduce": "max",
                 "select": {"prior": "f", "test_source": "own", "data_sigma": "0.1"}}
        for number, bound in enumerate(bounds)
    ]  # fmt: skip
    whole = {"claim": "all", "where": "here", "published": "no", "datasets": ["d"], "all_of": ["part 0", "part 1"]}
    table = claims.table([*parts, whole], {"t": TABLE}, "d", ["a", "b"], "quick", True)
    assert table["verdict"].iloc[-1] == expected
    assert table["measured"].iloc[-1] == (table["verdict"].iloc[:2] == "holds").sum()


def test_every_source_counts_for_a_claim_of_claims():
    """Of a claim for each source the last one holds, the first does not; and a claim of claims may be a part, too."""
    each = CLAIM | {"label": "each", "select": {"prior": "f", "test_source": "own", "data_sigma": "0.1"}}
    other = each | {"label": "other", "holds": {"above": 0.1}}
    whole = {"where": "here", "published": "no", "datasets": ["d"]}
    both = whole | {"claim": "both", "all_of": ["each", "other"], "label": "both"}
    again = whole | {"claim": "again {{}}", "all_of": ["both", "other"]}
    table = claims.table([each, other, both, again], {"t": TABLE}, "d", ["b", "a"], "quick", True)
    assert table["verdict"].tolist()[:2] == ["does not hold", "holds"]
    assert table["verdict"].tolist()[-2:] == ["does not hold"] * 2 and table["measured"].tolist()[-2:] == [0, 0]
    assert table["claim"].iloc[-1] == "again {}"
    missing = claims.table([each, both | {"all_of": ["each", "each"]}], {}, "d", ["a"], "quick", True)
    assert set(missing["verdict"]) == {claims.NOT_MEASURED}


def test_claims_that_depend_on_the_metric_and_on_nothing():
    decided, table = verdicts(as_published={"prior": "g"}, exact={"test_source": "b"})
    assert decided["a is above"] == "depends on the metric" and table["published_score_here"].tolist()[0] == 0.1
    assert table["exact"].tolist()[0] == 9
    small = {"paper_size": False, "as_published": {"prior": "g"}}
    assert verdicts(**small)[0]["a is above"] == "holds"  # that another small model fails says nothing
    assert verdicts(paper_size=False, as_published={"data_sigma": "1"})[0]["a is above"] == "depends on the metric"
    assert verdicts(select={"prior": "nobody"})[0] == dict.fromkeys(decided, claims.NOT_MEASURED)
    assert verdicts(minus={"data_sigma": "5"})[0] == dict.fromkeys(decided, claims.NOT_MEASURED)
    assert verdicts(value="sdr_median")[0] == dict.fromkeys(decided, claims.NOT_MEASURED)  # a column of recordings
    assert verdicts(table="u")[0] == dict.fromkeys(decided, claims.NOT_MEASURED)  # of what this data set has not
    assert verdicts(as_published={"prior": "nobody"}, exact={"prior": "nobody"})[0] == verdicts()[0]
    assert verdicts(datasets=["other"])[1].empty


def test_claims_of_differences_and_slopes():
    _, table = verdicts(minus={"data_sigma": "1"})
    assert table.loc[0, ["measured", "low", "high"]].tolist() == pytest.approx([1.98, 0.97, 2.99])
    _, table = verdicts(minus={"data_sigma": "1"}, in_units_of="slope")
    assert table.loc[0, ["measured", "low", "high"]].tolist() == pytest.approx(
        [-2, -math.log10(300), -math.log10(100 / 3)]
    )
    # An interval that reaches 0 has no slope at that end, and decides nothing.
    reaching = TABLE.assign(low=TABLE["low"].where(TABLE["data_sigma"] != "1", 0.0))
    claim = CLAIM | {"select": {"prior": "f", "test_source": "own", "data_sigma": "0.1"}, "minus": {"data_sigma": "1"}}
    table = claims.table([claim | {"in_units_of": "slope"}], {"t": reaching}, "d", ["a"], "quick", True)
    assert table.loc[0, "low"] == -math.inf and table.loc[0, "verdict"] == "does not hold"


def test_claims_of_margins_and_ranges():
    # Each test source under prior a, less under every other prior: 2 - 9 is of no pair, as the tests differ.
    grid = [("f", prior, test, "0", value, value - 0.1, value + 0.1)
            for prior, test, value in (("a", "a", 5.0), ("a", "b", 4.0), ("b", "a", 1.0), ("b", "b", 3.5))]  # fmt: skip
    table = pd.DataFrame(grid, columns=TABLE.columns)
    select = {"prior": "f", "prior_source": "a", "test_source": ["a", "b"]}

    def measured(**changes):
        return claims.measure(CLAIM | changes, table, {})

    # The row that decides was picked among 2 or 4: its end is that of an interval that covers all of them.
    two, four = (norm.ppf(0.025 / rows) / norm.ppf(0.025) for rows in (2, 4))
    assert measured(select=select, minus={"prior_source": "b"}, reduce="min") == pytest.approx(
        (0.5, 0.3, 0.5 + 0.2 * two)
    )
    assert measured(select=select, minus={"prior_source": "b"}, reduce="max") == pytest.approx((4, 4 - 0.2 * two, 4.2))
    less_than_others = {"select": select | {"test_source": "a"}, "minus": {"test_source": "b"}}
    assert measured(**less_than_others) == pytest.approx((1, 0.8, 1.2))
    assert measured(select={"prior": "f"}, reduce="range") == pytest.approx((4, 4 - 0.2 * four, 4.2))
    assert np.isnan(measured(select=select, minus={"prior_source": "c"}, reduce="min")).all()


def test_ends_of_a_difference_are_those_of_its_value():
    """A value with an interval of its own columns, such as si_sdr_improvement_median_low, is subtracted with these."""
    table = TABLE.assign(better=TABLE["mean"], better_low=TABLE["mean"] - 0.5, better_high=TABLE["mean"] + 0.5)
    claim = CLAIM | {"value": "better", "select": CLAIM["select"] | {"data_sigma": "0.1", "prior_source": "a"}}
    assert claims.measure(claim, table, {}) == (2, 1.5, 2.5)
    assert claims.measure(claim | {"minus": {"data_sigma": "1"}}, table, {}) == pytest.approx((1.98, 0.98, 2.98))


SHIPPED = yaml.safe_load((ROOT / "claims.yaml").read_text())["claims"]


def shipped(begin, where, dataset, table, sources):
    """Value and verdict, at the paper's size, of the shipped claims that begin so and that this table measures."""
    chosen = [one for one in SHIPPED if one["claim"].startswith(begin) and where in one["where"]]
    chosen = [one for one in chosen if one["value"] in table]
    decided = claims.table(chosen, {chosen[0]["table"]: table}, dataset, sources, "full", True)
    decided = decided[decided["verdict"] != claims.NOT_MEASURED]
    return decided[["measured", "verdict"]].to_numpy().tolist()


def grid(value, rows):
    """A table of likelihoods or AUROCs with intervals of .02: prior, its source and sigma, test, noise, measure."""
    names = ["prior", "prior_source", "prior_sigma", "test_source", "data_sigma", "measure", value]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(low=table[value] - 0.01, high=table[value] + 0.01)


def test_thesis_other_sources_are_highly_unlikely():
    means = {("sine", "sine"): 2.0, ("sine", "square"): -5, ("sine", "saw"): 1.5,
             ("saw", "saw"): 2.0, ("saw", "sine"): 0.5, ("saw", "square"): 0}  # fmt: skip
    table = grid(
        "mean", [("flowavenet", prior, "0", test, "0", "log_prob", mean) for (prior, test), mean in means.items()]
    )
    decided = shipped("Other sources are highly unlikely", "Fig. 14", "toy", table, [])
    assert decided == [[0.5, "does not hold"], [1.5, "holds"]]  # the nearest other source decides


@pytest.mark.parametrize(("what", "other"), [("architectures", "wavenet"), ("input domains", "glow_mdct")])
def test_thesis_architectures_and_domains_are_similar(what, other):
    values = {
        ("flowavenet", "sine"): 0.9,
        ("flowavenet", "saw"): 0.9,
        (other, "sine"): 0.95,
        (other, "saw"): 0.7,
    }
    measures = ("log_prob", "mixture_ratio")
    rows = [(*pair, "0", "rest", "0", measure, value) for pair, value in values.items() for measure in measures]
    table = grid("auroc", rows)
    decided = shipped(f"All {what} give similar", "thesis", "toy", table, ["sine", "saw"])
    assert decided == [[pytest.approx(0.05), "holds"], [pytest.approx(-0.2), "does not hold"]]
    by_ratio = (table["measure"] == "mixture_ratio") & (table["prior"] == other) & (table["prior_source"] == "saw")
    table.loc[by_ratio, ["auroc", "low", "high"]] = 0.9
    decided = shipped(f"All {what} give similar", "thesis", "toy", table, ["saw"])
    assert decided == [[pytest.approx(-0.2), claims.DEPENDS]]
    gaps = {("flowavenet", "sine"): 0.5, (other, "sine"): 0.45, ("flowavenet", "saw"): 0.5, (other, "saw"): 0.1}
    table = grid("gap_mean", [(*pair, "0.129", "own", "0.129", "log_prob", gap) for pair, gap in gaps.items()])
    decided = shipped(f"All {what} give similar", "thesis", "toy", table, ["sine", "saw"])
    assert decided == [[pytest.approx(-0.05), "holds"], [pytest.approx(-0.4), "does not hold"]]


def test_thesis_noise_smooths_music_and_makes_noisy_items_likelier():
    values = {("0", "0"): 3.0, ("0", "0.003"): 0.5, ("0", "0.129"): -9, ("0.129", "0"): 1.0, ("0.129", "0.129"): 0.5}
    table = grid("mean", [("flowavenet_music", "drums", prior, "drums", noise, "log_prob", value)
                          for (prior, noise), value in values.items()])  # fmt: skip
    for begin, measured in (("Noise-free music flows are peaked", -2.5), ("Noise in training smooths music", -0.5),
                            ("Noise of .129 in training makes items", 9.5)):  # fmt: skip
        assert shipped(begin, "thesis, Adding noise", "demo_band", table, ["drums"]) == [[measured, "holds"]]


def test_thesis_music_sources_are_about_equally_likely():
    means = {"drums": 1.0, "other": 1.2, "vocals": 1.1}
    rows = [(prior, "drums", "0", test, "0", "log_prob", mean)
            for prior, far in (("flowavenet_music", 1.5), ("wavenet_music", 3.0))
            for test, mean in (means | {"bass": far}).items()]  # fmt: skip
    table = grid("mean", rows)
    decided = shipped("All sources are about equally likely", "Fig. 15", "musdb18", table, ["drums"])
    assert decided == [[0.5, "holds"], [2.0, "does not hold"]]


def test_shipped_claims_name_columns_and_measures_that_exist():
    for claim in SHIPPED:
        if "all_of" not in claim:
            selections = [claim.get(key, {}) for key in ("select", "minus", "exact", "as_published", "second")]
            used = {claim["value"], "low", "high", *claim.get("provided", {})}.union(*selections)
            assert used <= set(COLUMNS[claim["table"]]), claim["claim"]
            assert {one["measure"] for one in selections if "measure" in one} <= set(MEASURES), claim["claim"]
