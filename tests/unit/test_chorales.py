"""Chorales: which are drawn, how they are played, and the tracks that they become."""

import itertools
import zipfile
from pathlib import Path

import numpy as np
import pytest
from audiopriors.audio import chorales, roots
from audiopriors.audio.decoding import BrokenTrack
from audiopriors.audio.soundfont import RATE, Soundfont
from audiopriors.errors import UserError

if roots.missing_packages():
    pytest.skip(roots.missing_packages(), allow_module_level=True)
from midis import contents, level, make, pitch, stem


@pytest.fixture(scope="module")
def font() -> Soundfont:
    return Soundfont(roots.soundfont_of(""))


@pytest.fixture(scope="module")
def chosen() -> list[Path]:
    return list(itertools.islice(chorales.of_different_tunes((2020, 0)), 12))


def test_chorales_are_of_different_tunes_in_a_seeded_order(chosen):
    assert chosen[:4] == list(itertools.islice(chorales.of_different_tunes((2020, 0)), 4))
    assert chosen[:4] != list(itertools.islice(chorales.of_different_tunes((2020, 1)), 4))
    listed = chorales.titles()
    assert len(listed) > 300
    assert not any(listed[one] & listed[other] for one, other in itertools.combinations(chosen, 2))


def test_a_chorale_is_played_as_people_play(chosen, font):
    path = next(path for path in chosen if not broken(path))
    voices = list(chorales.VOICES)
    one, same, other = (chorales.score(path, voices, seed, 30.0) for seed in ((0,), (0,), (1,)))
    assert one == same != other
    written = chorales.notes(path)
    for channel, part in enumerate(written):
        events = [event for event in one.events if event.channel == channel and event.kind == "on"]
        assert [event.number for event in events] == [key for _, _, key in part]
        begins, times = np.array([begin for begin, _, _ in part]), np.array([event.seconds for event in events])
        quarter = np.polyfit(begins, times, 1)[0]
        assert 96.1 * quarter > 60 and 65.9 * quarter < 60
        assert np.abs(times - chorales._LEAD - begins * quarter).max() < 0.03
        velocities = [event.value for event in events]
        assert 74 <= min(velocities) < max(velocities) <= 94
    first = chorales.score(path, voices, (0,), 3.0)
    waves = [stem(font, first, voice) for voice in voices]
    assert {len(wave) for wave in waves} == {3 * RATE}
    for wave, ((_, length, key), *_) in zip(waves, written, strict=True):
        assert level(wave, 0.2, 3) > 0.02
        assert pitch(wave, 0.2, 0.1 + 0.9 * length * 60 / 96) == pytest.approx(key, abs=0.4)


def broken(path: Path) -> bool:
    try:
        chorales.notes(path)
    except BrokenTrack:
        return True
    return False


def test_chorales_become_tracks(tmp_path):
    settings = {"layout": "chorales", "songs": 3, "seconds": 4.0, "skip_broken": True}
    table, frames = make("", tmp_path / "out", ["violin", "bassoon"], (2020, 0), **settings)
    assert table["track"].nunique() == 3 and table["split"].nunique() == 3 and frames.count("test") == 4
    stems = contents(tmp_path / "out/songs")
    assert len(stems) == 6
    make("", tmp_path / "again", ["violin", "bassoon"], (2020, 0), **settings)
    assert contents(tmp_path / "again/songs") == stems
    with pytest.raises(UserError, match="chorales have the sources violin, clarinet, saxophone, bassoon, not tuba"):
        make("", tmp_path / "out", ["violin", "tuba"], **settings)


def test_a_chorale_of_five_parts_or_a_damaged_one(tmp_path):
    five = next(path for path in chorales.titles() if path.stem == "bwv248.59-6")
    with pytest.raises(BrokenTrack, match=r"bwv248.59-6.mxl: has 5 parts with notes, but is to be played by 4"):
        chorales.notes(five)
    with zipfile.ZipFile(tmp_path / "x.mxl", "w") as file:
        file.writestr("x.xml", "<score-partwise><part")
    with pytest.raises(BrokenTrack, match=r"x.mxl: music21 cannot read it"):
        chorales.notes(tmp_path / "x.mxl")


def test_too_few_chorales(tmp_path, monkeypatch):
    monkeypatch.setattr(chorales, "of_different_tunes", lambda seed: iter([]))
    with pytest.raises(
        UserError, match="`songs` is 3 in the data set's settings, but the corpus has chorales of 0 tun"
    ):
        make("", tmp_path / "out", ["violin", "bassoon"], layout="chorales", songs=3)
    with pytest.raises(UserError, match="`songs` is 0 in the data set's settings; give a number of chorales"):
        make("", tmp_path / "out", ["violin", "bassoon"], layout="chorales")
