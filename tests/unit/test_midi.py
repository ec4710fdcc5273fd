"""MIDI files become stems of the right notes, at the right time, of the right class."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from audiopriors.audio import instruments, midi, rendering, roots
from audiopriors.audio.soundfont import RATE, Soundfont
from audiopriors.data import music
from audiopriors.errors import UserError

if roots.missing_packages():
    pytest.skip(roots.missing_packages(), allow_module_level=True)
from midis import (
    BASS,
    CONFIG,
    FLUTE,
    ORGAN,
    PIANO,
    SOURCES,
    contents,
    control,
    flute,
    folder_of_songs,
    level,
    make,
    note,
    onset,
    pitch,
    played_by,
    score,
    song,
    stem,
    write,
)
from mido import Message, MetaMessage


@pytest.fixture(scope="module")
def font() -> Soundfont:
    return Soundfont(roots.soundfont_of(""))


@pytest.fixture
def songs(tmp_path) -> Path:
    return folder_of_songs(tmp_path / "songs")


# What a note sounds like


def test_notes_sound_as_high_as_written(font, tmp_path):
    keys = [60, 62, 64, 65, 67, 69, 71, 72]
    wave = flute(font, tmp_path, *itertools.chain(*(note(key, step, step + 1) for step, key in enumerate(keys))))
    heard = [pitch(wave, step / 2 + 0.15, step / 2 + 0.45) for step in range(len(keys))]
    np.testing.assert_allclose(heard, keys, atol=0.3)
    assert not wave[-1].any() and len(wave) == RATE * 5  # a second to decay


def test_a_tempo_map_sets_the_times(font, tmp_path):
    tempos = [(0, MetaMessage("set_tempo", tempo=500000)), (2, MetaMessage("set_tempo", tempo=1000000))]
    path = write(
        tmp_path / "slower.mid", tempos,
        [played_by(PIANO), *note(60, 1, 2), *note(60, 4, 5)], [played_by(BASS, 1), *note(40, 3, 4, 1)],
    )  # fmt: skip
    whole = score(path)
    assert [round(event.seconds, 6) for event in whole.events if event.kind == "on"] == [0.5, 2, 3]
    assert onset(stem(font, whole, "piano")) == pytest.approx(0.5, abs=0.01)
    assert onset(stem(font, whole, "bass")) == pytest.approx(2, abs=0.01)
    assert whole.seconds == 5  # 4 and a second to decay


def test_formats_0_and_1_are_the_same_piece(font, tmp_path):
    one, other = [played_by(PIANO), *note(60, 0, 2)], [played_by(BASS, 1), *note(40, 1, 3, 1)]
    tempo = [(1, MetaMessage("set_tempo", tempo=700000))]
    tracks = score(write(tmp_path / "1.mid", tempo, one, other))
    track = score(write(tmp_path / "0.mid", [*tempo, *one, *other], kind=0))
    assert tracks.seconds == track.seconds and tracks.programs == track.programs == {PIANO, BASS}
    for source in ("piano", "bass"):
        assert np.array_equal(stem(font, tracks, source), stem(font, track, source))


def test_a_change_of_programme_changes_the_source(font, tmp_path):
    events = [played_by(PIANO), *note(60, 0, 1), played_by(BASS, at=2), *note(48, 2, 3)]
    whole = score(write(tmp_path / "x.mid", events))
    piano, bass = stem(font, whole, "piano"), stem(font, whole, "bass")
    assert level(piano, 0, 0.5) > 0.01 and level(bass, 1, 1.5) > 0.01
    assert not bass[:RATE].any() and level(piano, 1.2, 2) < 1e-4


def test_channel_10_is_drums_whatever_its_programme(font, tmp_path):
    path = write(tmp_path / "x.mid", [played_by(BASS, 9), *note(38, 0, 0, 9)], [played_by(PIANO), *note(60, 1, 2)])
    whole = score(path)
    assert whole.sources == {"drums", "piano"} and whole.programs == {instruments.DRUMS, PIANO}
    assert level(stem(font, whole, "drums"), 0, 0.2) > 0.01  # though it ends when it begins


def test_the_pedal_holds_notes(font, tmp_path):
    free = flute(font, tmp_path, *note(72, 0, 1), *note(60, 6, 7))
    held = flute(font, tmp_path, *note(72, 0, 1), control(64, 127), control(64, 0, at=4), *note(60, 6, 7))
    assert level(free, 1.2, 1.8) < 1e-4 < 0.01 < level(held, 1.2, 1.8)
    assert level(held, 2.7, 3) < 1e-4
    again = flute(font, tmp_path, control(64, 127), *note(72, 0, 1), *note(72, 2, 3), control(64, 0, at=4))
    assert level(again, 2.7, 3) < 1e-4  # the first of the two does not sound on
    kept = flute(font, tmp_path, control(64, 127), *note(72, 0, 1))  # never lifted
    assert not kept[-1].any()


def test_volume_expression_pan_and_wheel(font, tmp_path):
    plain = flute(font, tmp_path, *note(72, 0, 4))
    for number in (7, 11):
        assert level(flute(font, tmp_path, control(number, 64), *note(72, 0, 4)), 1, 2) < level(plain, 1, 2) / 3
    left = flute(font, tmp_path, control(10, 0), *note(72, 0, 4))
    assert level(left[:, 1], 1, 2) < 1e-3 * level(left[:, 0], 1, 2)
    bent = flute(font, tmp_path, (2, Message("pitchwheel", pitch=8191)), *note(72, 0, 4))
    assert pitch(bent, 0.3, 0.9) == pytest.approx(72, abs=0.3) and pitch(bent, 1.3, 1.9) == pytest.approx(74, abs=0.3)
    wide = [control(101, 0), control(100, 0), control(6, 12), (0, Message("pitchwheel", pitch=8191))]
    assert pitch(flute(font, tmp_path, *wide, *note(60, 0, 4)), 0.3, 0.9) == pytest.approx(72, abs=0.3)


def test_a_reset_of_controllers(font, tmp_path):
    volume = control(7, 80)
    plain = flute(font, tmp_path, volume, *note(72, 2, 4))
    changed = [control(11, 20), control(64, 127), (0, Message("pitchwheel", pitch=8000)), *note(60, 0, 1)]
    reset = flute(font, tmp_path, volume, *changed, control(121, 0, at=1.5), *note(72, 2, 4))
    assert level(reset, 1.1, 2) == pytest.approx(level(plain, 1.1, 2), rel=0.01)
    assert pitch(reset, 1.3, 1.9) == pytest.approx(72, abs=0.3) and level(reset, 2.5, 3) < 1e-4


def test_what_one_piece_sets_does_not_reach_the_next(font, tmp_path):
    before = flute(font, tmp_path, *note(72, 0, 4))
    flute(font, tmp_path, control(7, 10), control(64, 127), (0, Message("pitchwheel", pitch=-8000)), *note(60, 0, 4))
    assert np.array_equal(flute(font, tmp_path, *note(72, 0, 4)), before)


def test_a_longest_length(tmp_path):
    path = song(tmp_path / "x.mid")
    assert score(path).seconds == 3 and score(path, 1.5).seconds == 1.5 and score(path, 9).seconds == 3
    assert max(event.seconds for event in score(path, 1.5).events) < 1.5


# Pieces and stems


def test_midi_files_become_tracks_and_the_same_bytes_twice(songs, tmp_path):
    table, frames = make(songs, tmp_path / "one")
    assert set(table["track"]) == {"a", "c", "d", "deep - er - b"} and table["split"].nunique() == 3
    make(songs, tmp_path / "two")
    assert contents(tmp_path / "one" / "songs") == contents(tmp_path / "two" / "songs")
    assert len(contents(tmp_path / "one" / "songs")) == 8
    items = torch.arange(frames.count("test"))
    parts = [frames.frames("test", source, items, 2048) for source in SOURCES]
    mixture = frames.frames("test", "mixture", items, 2048)
    assert (mixture - sum(parts)).abs().max() < 4 / 32768 and mixture.std() > 0.01


def test_loud_pieces_are_softer_as_a_whole(tmp_path):
    chord = [note(key, 0, 4, velocity=127) for key in range(40, 90, 2)]
    low = note(36, 0, 4, 1)
    path = write(
        tmp_path / "loud" / "x.mid",
        [played_by(ORGAN), control(7, 127), *itertools.chain(*chord)],
        [played_by(BASS, 1), *low],
    )
    settings = music.Config(**CONFIG | {"classes": {"piano": [ORGAN], "bass": [BASS]}})
    assert rendering.render_midi(path.parent, tmp_path / "out", SOURCES, settings) == []
    piano, bass = (soundfile.read(tmp_path / "out" / "x" / f"{source}.flac")[0] for source in SOURCES)
    assert max(np.abs(piano + bass).max(), np.abs(piano).max()) == pytest.approx(0.98, abs=1e-3)
    whole = midi.score(path, {ORGAN: "piano", BASS: "bass"}, 0)
    plain = [stem(Soundfont(roots.soundfont_of("")), whole, source) for source in SOURCES]
    gain = (piano * plain[0]).sum() / np.square(plain[0]).sum()
    assert gain < 0.9
    np.testing.assert_allclose(piano, gain * plain[0], atol=2 / 32768)
    np.testing.assert_allclose(bass, gain * plain[1], atol=2 / 32768)


def test_only_what_changed_is_rendered_again(songs, tmp_path, monkeypatch):
    rendered = []
    original = rendering._play
    monkeypatch.setattr(
        rendering, "_play", lambda piece, *others: rendered.append(piece.name) or original(piece, *others)
    )
    make(songs, tmp_path / "out")
    assert len(rendered) == 4
    rendered.clear()
    make(songs, tmp_path / "out")
    assert rendered == []
    song(songs / "c.mid", 7)
    (tmp_path / "out/songs/d/rendered.json").unlink()  # as if it had been killed there
    shutil.move(songs / "deep/er/b.MIDI", songs / "e.mid")
    make(songs, tmp_path / "out")
    assert rendered == ["c", "d", "e"]
    assert sorted(path.name for path in (tmp_path / "out/songs").iterdir()) == ["a", "c", "d", "e"]
    rendered.clear()
    make(songs, tmp_path / "out", seconds=1.0)
    assert len(rendered) == 4


def test_folders_of_splits(songs, tmp_path):
    for name, split in (("a", "train"), ("c", "Valid"), ("d", "test")):
        (songs / split / "more").mkdir(parents=True)
        shutil.move(songs / f"{name}.mid", songs / split / "more")
    shutil.move(songs / "deep/er/b.MIDI", songs / "train/b.mid")
    (songs / "deep/er").rmdir()
    table, _ = make(songs, tmp_path / "out")
    assert dict(table[["track", "split"]].drop_duplicates().to_numpy()) == {
        "more - a": "train", "b": "train", "more - c": "validation", "more - d": "test",
    }  # fmt: skip


def test_a_source_without_notes_is_silent(songs, tmp_path):
    path = write(
        songs / "e.mid",
        [played_by(PIANO), *note(60, 0, 4)],
        [*note(38, 0, 4, 9)],
        [played_by(FLUTE, 1), *note(70, 0, 4, 1)],
    )
    rendering.render_midi(songs, tmp_path, ["piano", "bass", "drums"], music.Config(**CONFIG))
    stems = {name: soundfile.read(tmp_path / path.stem / f"{name}.flac")[0] for name in ("piano", "bass", "drums")}
    assert not stems["bass"].any() and stems["piano"].any() and stems["drums"].any()


# Classes


def test_presets_have_every_programme_once():
    for name, classes in instruments.PRESETS.items():
        assert instruments.problem(name, list(classes)) is None
        assert sorted(instruments.source_of_program(name, list(classes))) == list(range(129))
    slakh = instruments.source_of_program("slakh", list(instruments.PRESETS["slakh"]))
    assert slakh[100] == slakh[119] == slakh[127] == "sound_effects" and slakh[118] == "percussive"


def test_classes_of_the_users():
    classes = {"keys": [0, "4-5"], "kit": ["drums"], "other": ["rest"]}
    assert instruments.problem(classes, ["keys", "other"]) is None
    assert instruments.source_of_program(classes, ["keys", "kit"]) == {0: "keys", 4: "keys", 5: "keys", 128: "kit"}
    rest = instruments.source_of_program(classes, ["other"])
    assert len(rest) == 125 and {0, 4, 5, 128}.isdisjoint(rest)


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ("gm", "`classes` is 'gm'; give one of general_midi, slakh, or a mapping"),
        ({"a": [0], "b": [1]}, "`classes` lacks the sources piano, bass; it has a, b"),
        ({"piano": [0, 128], "bass": [1]}, "`classes` has 128 in piano; give programmes from 0 to 127"),
        ({"piano": ["0-200"], "bass": [1]}, "`classes` has '0-200' in piano; give programmes from 0 to 127"),
        ({"piano": ["7-0"], "bass": [1]}, "`classes` has '7-0' in piano"),
        ({"piano": [-1], "bass": [1]}, "`classes` has -1 in piano"),
        ({"piano": ["drum"], "bass": [1]}, "`classes` has 'drum' in piano"),
        ({"piano": ["0-7"], "bass": [5]}, "`classes` has programme 5 in piano and in bass; leave it in one of them"),
        ({"piano": ["drums"], "bass": ["drums"]}, "`classes` has `drums` in piano and in bass"),
        ({"piano": ["rest"], "bass": ["rest"]}, "`classes` has `rest` in piano and in bass"),
    ],
)
def test_classes_that_make_no_sense(songs, tmp_path, classes, sentence):
    with pytest.raises(UserError) as problem:
        make(songs, tmp_path / "out", classes=classes)
    assert str(problem.value).startswith(sentence)
