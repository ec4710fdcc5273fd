"""The priors that come with the package: whole, of this version, and as good as their cards say."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from audiopriors import metrics, shipped_priors
from audiopriors.audio import band
from audiopriors.audio.recordings import resample
from audiopriors.errors import UserError
from audiopriors.files import read_rows
from audiopriors.pipeline import config, shipped
from audiopriors.pipeline.scale import Scale
from audiopriors.seeds import torch_generator
from audiopriors.separation import running, schedules
from configurations import with_changes

NAMES = ["chorales", "demo_band", "toy"]


@pytest.fixture(scope="module")
def quick() -> Scale:
    return Scale("quick", config.scales(with_changes({}))["quick"])


def test_they_are_small_and_there_are_no_others():
    files = [path for path in shipped_priors.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6e6
    assert sorted(shipped_priors.shipped()) == NAMES == sorted(shipped.SHIPPED)


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_the_config_says(name, quick):
    """Else `make ship` is due: what a recording gets from the package is what the quick scale would give it."""
    card, expected = shipped_priors.bundle(name).card, json.loads(json.dumps(shipped.card(quick.dataset(name))))
    for key, value in expected.items():
        assert card[key] == value, key
    assert card["code"]["commit"] and card["parameters"] > 10000 and card["separation"]["n"] >= 32


@pytest.mark.parametrize("name", NAMES)
def test_every_source_has_its_prior(name):
    one = shipped_priors.bundle(name)
    for source in one.sources:
        prior = one.load(source)
        assert prior.description["prior_source"] == source
        assert prior.description["training"]["steps"] == one.card["training"]["steps"]
    with pytest.raises(UserError, match=f"{name} has no source 'flute'; it has {', '.join(one.sources)}"):
        one.load("flute")


def test_the_band_separates_a_song_that_nobody_trained_on():
    one = shipped_priors.bundle("demo_band")
    _, stems = band.song(("a test of shipped priors", 0), 6.0)
    waves = np.stack([resample(np.asarray(stem, np.float32).reshape(-1, 2).mean(1), 44100, 16000) for stem in stems])
    truth = torch.from_numpy(waves[:, None, None, 30000 : 30000 + 4 * one.card["frame"]]).float()
    mix, of = truth.sum(0), one.card["programs"]["separate_recording"]
    priors = running.priors_of([str(one.prior(source)) for source in one.sources], torch.device("cpu"))
    curves = schedules.curves(read_rows([str(one.errors(source)) for source in one.sources]))
    separate = running.sampler_of(of["settings"], of["mix"], priors, curves, torch.device("cpu"))
    estimates = separate(mix, torch_generator("a test")).estimates
    improvement = metrics.si_sdr(estimates, truth) - metrics.si_sdr(mix.expand_as(truth), truth)
    assert improvement.mean() > 3  # its card says some 9 dB in the mean; single songs differ


def altered(folder):
    path = folder / "saw.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def changed(**values):
    def change(folder):
        card = json.loads((folder / "card.json").read_text()) | values
        del card["sha256"]
        (folder / "card.json").write_text(json.dumps(card | {"sha256": shipped_priors.checksum(card)}))

    return change


HARM = {
    "altered": (altered, r"toy/saw\.safetensors: is not as it was shipped; install audiopriors again, or, in a clone"),
    "missing": (lambda folder: (folder / "saw.parquet").unlink(), r"toy/saw\.parquet: this file of .* is missing"),
    "no card": (lambda folder: (folder / "card.json").unlink(), r"toy/card\.json: the card of .* is missing or"),
    "half a card": (
        lambda folder: (folder / "card.json").write_text((folder / "card.json").read_text()[:500]),
        r"toy/card\.json: the card of shipped priors is missing or not as it was shipped",
    ),
    "another limit": (
        lambda folder: (folder / "card.json").write_text((folder / "card.json").read_text().replace("1024", "512")),
        r"toy/card\.json: the card of shipped priors is missing or not as it was shipped; install",
    ),
    "another format": (changed(format=0), "toy: these priors are of another version of audiopriors; install"),
    "another model": (changed(model={"width": 3}), "toy: these priors are of another version of audiopriors"),
    "another family": (changed(family="former"), "toy: these priors are of another version of audiopriors"),
}  # fmt: skip


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Where the shipped toy priors lie, alone, until the end of a test."""
    shutil.copytree(shipped_priors.FOLDER / "toy", tmp_path / "toy")
    monkeypatch.setattr(shipped_priors, "FOLDER", tmp_path)
    shipped_priors.shipped.cache_clear()
    yield tmp_path
    shipped_priors.shipped.cache_clear()


@pytest.mark.parametrize("case", HARM)
def test_what_is_not_as_it_was_shipped_is_named_in_one_sentence(case, copied):
    harm, sentence = HARM[case]
    assert list(shipped_priors.shipped()) == ["toy"]
    shipped_priors.shipped.cache_clear()
    harm(copied / "toy")
    with pytest.raises(UserError, match=sentence):
        shipped_priors.shipped()


def test_names_that_are_not_shipped(copied):
    with pytest.raises(UserError, match="there are no shipped priors 'jazz' of that name; there are toy"):
        shipped_priors.bundle("jazz")
    with pytest.raises(UserError, match="no shipped priors 'toy' that take recordings; there are none"):
        shipped_priors.bundle("toy", for_recordings=True)


def test_a_users_config_does_not_change_what_shipped_priors_do(quick):
    changed = Scale("quick", quick.settings | {"seed": 1, "threads": 7})
    data = shipped.scale(changed).dataset("demo_band")
    place = SimpleNamespace(prior="score_music", method="alternating_song", recording="song-1a2b3c4d")
    given_to_program = shipped.settings("separate_recording", data, place)
    assert given_to_program["seed"][0] == 2020 and given_to_program["threads"] == 1
    assert given_to_program["recording"] == "song-1a2b3c4d"
    assert "recording" not in shipped.settings("figure_separated_file", data, place)
