"""The claims of a configuration: what they name exists, and what they say means something."""

import pytest
from audiopriors.pipeline import config
from configurations import SHIPPED, sentences, with_changes


def claim(**changes) -> dict:
    """The first claim shipped, changed."""
    return {"claims": [SHIPPED["claims"][0] | changes]}


SELECTED = SHIPPED["claims"][0]["select"]
SEPARATION = {
    "table": "separation",
    "value": "si_sdr_median",
    "select": {"prior": "score"},
    "as_published": {},
    "exact": {},
}
PART = SHIPPED["claims"][0] | {"label": "part"}
WHOLE = {"claim": "all", "where": "here", "published": "no", "datasets": ["toy"], "all_of": ["part", "part"]}


def slope(**changes) -> dict:
    """The first claim shipped that is about a slope, changed, as the only one; null removes."""
    shipped = next(one for one in SHIPPED["claims"] if "in_units_of" in one)
    return {"claims": [{key: value for key, value in (shipped | changes).items() if value is not None}]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (claim(table="detections"), "claims.0.table: there is no table for claims 'detections'; allowed: cross_likeli"),
        (claim(value="aurok"), "claims.0.value: there is no column of numbers in detection 'aurok'; allowed: frame, n"),
        (claim(value="prior"), "claims.0.value: there is no column of numbers in detection 'prior'; allowed: frame, n"),
        (claim(value="fpr95"), "there is no column with an interval in detection 'fpr95'; allowed: auroc"),
        (claim(**SEPARATION | {"value": "stopped"}),
         "'stopped'; allowed: si_sdr_median, si_sdr_improvement_median"),
        (claim(select=SELECTED | {"priors": "score"}), "claims.0.select: there is no column of names in detection 'p"),
        (claim(select=SELECTED | {"n": "32"}), "claims.0.select: there is no column of names in detection 'n'; "),
        (claim(select=SELECTED | {"prior": "flow"}), "claims.0.select.prior: there is no prior 'flow'; allowed: flowa"),
        (claim(select=SELECTED | {"prior_sigma": "0.5"}), "select.prior_sigma: there is no prior sigma '0.5'; allowed"),
        (claim(select=SELECTED | {"test_source": ["sine", "gong"]}), "there is no test source 'gong'; allowed: own, s"),
        (claim(select=SELECTED | {"measure": "log_p"}), "claims.0.select.measure: there is no measure 'log_p'; allowe"),
        (claim(exact={"prior": "exat"}), "claims.0.exact.prior: there is no prior 'exat'; allowed: "),
        (claim(minus={"data_sigma": "0.0277"}), "claims.0.minus.data_sigma: there is no data sigma '0.0277'"),
        (claim(datasets=["toi"]), "claims.0.datasets: there is no data set 'toi'; allowed: toy, "),
        (claim(**SEPARATION | {"select": {"prior": "score", "mix": "five"}}),
         "claims.0.select.mix: there is no mix 'five'; allowed: four, "),
        (claim(**SEPARATION | {"select": {"prior": "score", "method": "gibs"}}),
         "claims.0.select.method: there is no method 'gibs'; allowed: "),
        (claim(each=True, **SEPARATION),
         "claims.0.each: separation has no column prior_source"),
        (claim(select={"measure": "log_prob"}), "claims.0.select.prior: is missing; "),
        ({"scales": {"quick": claim(table="detections")}}, "(scale quick) claims.0.table: there is no table for"),
        ({"scales": {"quick": claim(select=SELECTED | {"prior": "flow"})}}, "(scale quick) claims.0.select.prior: "),
        (claim(claim="a {x} b"), "claims.0.claim: 'a {x} b' has braces that nothing can be filled into; allowed: {"),
        (claim(claim="{"), "claims.0.claim: '{' has braces that nothing can be filled into"),
        (claim(claim="{prior_source}"), "claims.0.claim: '{prior_source}' has braces that nothing can be filled into"),
        (claim(each=True, published="{prior_source:d}"), "claims.0.published: '{prior_source:d}' has braces that"),
        (claim(in_units_of="slope"), "claims.0.in_units_of: detection has numbers that are not above 0; a slope is of"),
        (claim(provided={"lowest": {"above": 1}}), "claims.0.provided: there is no column of numbers in detection 'lo"),
        (claim(provided={"n": {"above": 3, "below": 2}}), "claims.0.n: nothing is above 3 and below 2"),
        (claim(holds={"above": 0.9, "below": 0.8}), "claims.0.holds: nothing is above 0.9 and below 0.8"),
        (claim(holds={"above": 1}), "claims.0.holds.above: no row can decide, as auroc is 0 to 1 at most"),
        (claim(second={"measure": "log_p"}), "claims.0.second.measure: there is no measure 'log_p'; allowed"),
        (slope(minus=None), "claims.0.in_units_of: a slope is between two noise levels: select and minus need"),
        (slope(minus={"prior": "exact"}), "claims.0.in_units_of: a slope is between two noise levels"),
        (slope(minus={"data_sigma": "0"}), "claims.0.in_units_of: a slope is between two noise levels"),
        (slope(minus={"data_sigma": ["0.129", "0.01"]}), "claims.0.in_units_of: a slope is between two noise levels"),
        (slope(exact={"data_sigma": "0.129"}), "claims.0.exact.data_sigma: leaves no difference, as it stands also"),
        ({"claims": [PART, WHOLE | {"datasets": ["toy", "toy_4096"]}]},
         "claims.1.all_of: there is no earlier claim about toy_4096 with label 'part'; allowed: none"),
        ({"claims": [PART, WHOLE | {"all_of": ["part", "prt"]}]},
         "claims.1.all_of: there is no earlier claim about toy with label 'prt'; allowed: part"),
    ],
)  # fmt: skip
def test_claims_name_what_exists(changes, expected):
    assert expected in sentences(changes)


WITHOUT_THE_SMALL = ["0.077", "0.129", "0.359"]


@pytest.mark.parametrize(
    "changes",
    [
        {"datasets": {"toy": {"published": []}}},
        {"evaluation": {"normals": [0.1, 1.0]}},
        {"evaluation": {"constants": [0.5]}},
        {"sigmas": WITHOUT_THE_SMALL, "separation": {"methods": {"langevin_annealed": {"sigmas": WITHOUT_THE_SMALL}}}},
    ],
)
def test_the_shipped_claims_may_name_what_a_users_file_has_removed(changes):
    """They stay undecided, see test_claims.py. What neither knows is refused all the same, with what both know."""
    config.scales(with_changes(changes))
    wrong = [SHIPPED["claims"][0] | {"select": SELECTED | {"prior": "flow"}}]
    allowed = sentences(changes | {"claims": wrong}).removeprefix("claims.0.select.prior: there is no prior 'flow'; ")
    assert allowed.startswith("allowed: ") and "flowavenet_published" in allowed
