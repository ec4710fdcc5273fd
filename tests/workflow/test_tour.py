"""The tour runs from its first cell to its last, shows what is stored in it, and what it says is so."""

import copy
import importlib.util
import json
import re

import pytest
from conftest import ROOT

nbformat = pytest.importorskip("nbformat", reason="needs `make .venv/.tests`")
SPECIFICATION = importlib.util.spec_from_file_location("tour", ROOT / "docs" / "tour.py")
tour = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(tour)

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# A last cell, which says what the others have measured.
MEASURED = """
import json

prior, zeros = yours["sine"], torch.zeros(frame).double()
covariance = torch.fft.irfft((prior.power + 0.01) * torch.fft.rfft(torch.eye(frame).double()), frame)
print(json.dumps({
    "log_prob": log_prob.to_dict(), "auroc": auroc,
    "gaps": gaps.groupby("prior_source").apply(lambda of: dict(zip(of["prior"], of["gap_mean"]))).to_dict(),
    "at_zero": prior.log_prob(zeros[None, None], 0.1).item(),
    "gaussian_at_zero": torch.distributions.MultivariateNormal(zeros, covariance).log_prob(zeros).item(),
    "si_sdr": {name: value.median().item() for name, value in si_sdr.items()},
    "accepted": accepted.sum().item(), "wrong": (accepted & ~right).sum().item(),
}))
"""


def texts(notebook) -> dict[str, str]:
    """What each cell of code shows that is text, by the cell's name."""
    return {
        cell["id"]: "".join(output.get("text") or output["data"]["text/plain"] for output in cell["outputs"])
        for cell in notebook.cells
        if cell["cell_type"] == "code"
    }


@pytest.fixture(scope="module")
def stored():
    return nbformat.read(tour.TOUR, as_version=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tour")


@pytest.fixture(scope="module")
def fresh(stored, folder):
    """The tour, run anew in an empty folder, with one more cell."""
    notebook = copy.deepcopy(stored)
    notebook.cells.append(nbformat.v4.new_code_cell(MEASURED, id="measured"))
    return tour.execute(notebook, folder)


@pytest.fixture(scope="module")
def measured(fresh) -> dict:
    return json.loads(texts(fresh)["measured"])


def slack(number: str) -> dict[str, float]:
    """How far a number may be from one that is printed: two units of its last digit, or 5 % where it has decimals."""
    decimals = len(number.partition(".")[2])
    return {"abs": 2 * 10.0**-decimals, "rel": 0.05 if decimals else 0}


def test_it_shows_what_is_stored(stored, fresh):
    """The same words, and numbers that differ no more than those of two machines do."""
    shown = texts(fresh)
    for name, text in texts(stored).items():
        assert NUMBER.sub("#", text).split() == NUMBER.sub("#", shown[name]).split(), "run `python docs/tour.py`"
        for number, other in zip(NUMBER.findall(text), NUMBER.findall(shown[name]), strict=True):
            assert float(other) == pytest.approx(float(number), **slack(number)), f"{name}: run `python docs/tour.py`"


def test_it_leaves_nothing_behind(fresh, folder):
    assert not list(folder.iterdir())


def test_what_is_stored_is_fit_to_be_read(stored):
    """Every figure has a text, nothing is a warning or names a place on a machine, and the file is small."""
    outputs = [output for cell in stored.cells for output in cell.get("outputs", [])]
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(figures) == 4 and all(figure["metadata"]["image/png"]["alt"] for figure in figures)
    assert sum("<audio" in output.get("data", {}).get("text/html", "") for output in outputs) == 3
    assert all(output["output_type"] != "error" and output.get("name") != "stderr" for output in outputs)
    content = tour.TOUR.read_text("utf-8")
    assert len(content) < 1_000_000 and not re.search(r"(?<!\.)/(?:home|root|tmp|usr|work)/", content)
    assert stored.metadata["kernelspec"]["name"] == "python3"


def test_your_sound_is_most_likely_under_its_own_prior(measured):
    assert max(measured["log_prob"], key=measured["log_prob"].get) == "triangle"


def test_the_ratio_tells_what_log_p_does_not(measured):
    by_log_prob, by_ratio = measured["auroc"].values()
    assert 0.25 < by_log_prob < 0.75 and by_ratio > 0.95


def test_your_prior_is_a_density_and_far_from_the_truth(measured):
    assert measured["at_zero"] == pytest.approx(measured["gaussian_at_zero"])
    for source, gaps in measured["gaps"].items():
        assert 0 < gaps["score"] < 0.1 and 0.8 < gaps["yours"] < 2, source


def test_the_score_prior_separates_and_yours_does_not(measured):
    medians = measured["si_sdr"]
    assert medians["the mix itself"] < medians["your Gaussian"] < 5 and medians["score prior"] > 20
    assert measured["accepted"] >= 5 and measured["wrong"] == 0
