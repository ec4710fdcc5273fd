"""Scores that are played: MIDI files and chorales become stems of the right notes, at the right time."""

import importlib.util
import itertools
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from audiopriors.audio import chorales, instruments, midi, rendering, roots
from audiopriors.audio.decoding import BrokenTrack
from audiopriors.audio.soundfont import RATE, Score, Soundfont
from audiopriors.audio.tracks import Stray
from audiopriors.data import music
from audiopriors.errors import UserError
from audiopriors.pipeline import config as configurations
from audiopriors.pipeline import recordings as of_workflow
from audiopriors.pipeline.scale import Scale
from configurations import with_changes
from takes import unreadable

if roots.missing_packages():
    pytest.skip(roots.missing_packages(), allow_module_level=True)
import mido
from mido import Message, MetaMessage

FLUTE, PIANO, ORGAN, BASS = 73, 0, 19, 33
SOURCES = ["piano", "bass"]
CONFIG = {
    "layout": "midi", "root": "", "rate": 16000, "channel": "mean", "frames": 4, "validation": 1, "test": 1,
    "silence_db": -60.0, "skip_broken": False, "songs": 0, "seconds": 0.0, "soundfont": "", "classes": "slakh",
}  # fmt: skip
SOURCE_OF = instruments.source_of_program("general_midi", ["piano", "bass", "pipe", "drums"])


@pytest.fixture(scope="module")
def font() -> Soundfont:
    return Soundfont(roots.soundfont_of(""))


def note(key: int, begin: float, end: float, channel: int = 0, velocity: int = 84) -> list[tuple[float, Message]]:
    """Two messages, with their time in quarter notes."""
    return [
        (begin, Message("note_on", channel=channel, note=key, velocity=velocity)),
        (end, Message("note_off", channel=channel, note=key)),
    ]


def played_by(program: int, channel: int = 0, at: float = 0) -> tuple[float, Message]:
    return at, Message("program_change", channel=channel, program=program)


def control(number: int, value: int, at: float = 0, channel: int = 0) -> tuple[float, Message]:
    return at, Message("control_change", channel=channel, control=number, value=value)


def write(path: Path, *tracks: list, kind: int = 1, ticks: int = 480) -> Path:
    """A MIDI file of (quarter notes, message) in any order; a quarter note is half a second, unless a track says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for events in tracks:
        track, last = file.add_track(), 0
        for begin, message in sorted(events, key=lambda event: event[0]):
            track.append(message.copy(time=round(begin * ticks) - last))
            last = round(begin * ticks)
    file.save(path)
    return path


def song(path: Path, shift: int = 0, velocity: int = 84) -> Path:
    """A piano and a bass, two seconds together."""
    keys = [note(60 + shift + step, step / 2, step / 2 + 0.5, velocity=velocity) for step in range(8)]
    low = [note(36 + shift, step, step + 1, 1, velocity) for step in range(4)]
    return write(path, [played_by(PIANO), *itertools.chain(*keys)], [played_by(BASS, 1), *itertools.chain(*low)])


def score(path: Path, seconds: float = 0, **changes) -> Score:
    return midi.score(path, SOURCE_OF | changes, seconds)


def stem(font: Soundfont, score: Score, source: str) -> np.ndarray:
    return np.concatenate(list(font.play(score, source)))


def flute(font: Soundfont, tmp_path: Path, *events) -> np.ndarray:
    """What a flute plays, beside a bass, (samples, 2)."""
    path = write(tmp_path / "flute.mid", [played_by(FLUTE), *events], [played_by(BASS, 1), *note(36, 0, 1, 1)])
    return stem(font, score(path), "pipe")


def level(wave: np.ndarray, begin: float, end: float) -> float:
    """The root mean square between two times (s)."""
    return float(np.sqrt(np.square(wave[round(begin * RATE) : round(end * RATE)]).mean()))


def pitch(wave: np.ndarray, begin: float, end: float) -> float:
    """The key between two times (s), by the autocorrelation of a mono wave."""
    part = wave[round(begin * RATE) : round(end * RATE)].mean(1)
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part))) ** 2
    correlation = np.fft.irfft(spectrum)[: RATE // 30]
    first = np.flatnonzero(correlation < 0)[0]
    lags = np.arange(first, len(correlation))
    lag = lags[np.flatnonzero(correlation[first:] > 0.9 * correlation[first:].max())[0] :][:8]
    return 69 + 12 * np.log2(RATE / lag[correlation[lag].argmax()] / 440)


def onset(wave: np.ndarray) -> float:
    """When it begins to sound (s)."""
    return float(np.flatnonzero(np.abs(wave).max(1) > 1e-3)[0] / RATE)


def make(root: Path, folder: Path, sources=SOURCES, seed=(0,), **changes):
    settings = music.Config(**CONFIG | {"root": str(root)} | changes)
    table = music.make(settings, sources, seed, folder, 2048)
    table.to_parquet(folder / "items.parquet")
    return table, music.Frames(str(folder / "items.parquet"), settings)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.flac"))}


@pytest.fixture
def songs(tmp_path) -> Path:
    for number, name in enumerate(("a.mid", "deep/er/b.MIDI", "c.mid", "d.mid")):
        song(tmp_path / "songs" / name, number)
    return tmp_path / "songs"


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


# Bad input: one sentence that names the file; `skip_broken` leaves it out.


def write_frames(path: Path) -> None:
    content = bytearray(song(path).read_bytes())
    content[12:14] = b"\xe7\x28"  # 25 frames of 40 ticks
    path.write_bytes(content)


def cut(path: Path) -> None:
    content = song(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])


BAD = {
    "no MIDI": (lambda path: path.write_bytes(b"RIFF of something else"), "is broken or no MIDI file ("),
    "empty file": (lambda path: path.write_bytes(b""), "is broken or no MIDI file ("),
    "cut": (cut, "is broken or no MIDI file ("),
    "format 2": (lambda path: write(path, note(60, 0, 1), note(60, 0, 1, 1), kind=2), "is a MIDI file of format 2, wh"),
    "film": (write_frames, "counts time in frames of film; save it with ticks per quarter note"),
    "no notes": (lambda path: write(path, [played_by(BASS)]), "has no notes of the sources piano, bass; a mix has"),
    "one source": (lambda path: write(path, [played_by(BASS), *note(40, 0, 1)]), "has notes of bass alone of the so"),
    "others": (
        lambda path: write(path, [played_by(FLUTE), *note(40, 0, 1)], note(38, 0, 1, 9)),
        "has no notes of the sources piano, bass, beside programmes of no source (73, drums); a mix has two or more",
    ),
    "link": (lambda path: path.symlink_to("nowhere.mid"), "is a link to nothing; get what it stands for"),
    "same name": (lambda path: song(path.with_name("a.midi"), 20), "has the same name as "),
    "long path": (lambda path: song(path.parent / ("x" * 200) / ("y" * 50) / "z.mid", 20), "has too long a path below"),
    "copy": (lambda path: song(path), "is a copy of "),
    "name of a split": (lambda path: song(path.with_name("Test.mid"), 20), "has the name of a split's folder"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_or_left_out(songs, tmp_path, case):
    harm, sentence = BAD[case]
    before, _ = make(songs, tmp_path / "before")
    harm(songs / "z.mid")
    with pytest.raises(BrokenTrack) as problem:
        make(songs, tmp_path / "out")
    said = str(problem.value)
    assert said.startswith(str(songs)) and sentence in said and "`skip_broken: true`" in said and "\n" not in said
    table, _ = make(songs, tmp_path / "out", skip_broken=True)
    assert table.equals(before)
    left_out = [row for row in (tmp_path / "out" / roots.TRACKS).read_text().split("}") if '"left out"' in row]
    assert len(left_out) == 1 and sentence.split("(")[0].strip() in left_out[0]


def test_a_folder_of_midi_that_cannot_be_used(songs, tmp_path, monkeypatch):
    monkeypatch.setenv("MUSDB_PATH", str(tmp_path))
    with pytest.raises(UserError, match="no folder of MIDI files is set; set `root` in the data set's settings"):
        make("", tmp_path / "out")
    with pytest.raises(UserError, match="there is no folder"):
        make(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty' has no MIDI files \(.mid, .midi\) that can be used; set `root`"):
        make(tmp_path / "empty", tmp_path / "out")
    cut(tmp_path / "empty" / "x.mid")
    with pytest.raises(UserError, match=r"that has; .*x.mid: is broken or no MIDI file"):
        make(tmp_path / "empty", tmp_path / "out", skip_broken=True)
    (songs / "test").mkdir()
    with pytest.raises(BrokenTrack, match=r"a.mid: is in no split, as it lies beside test.*test: has no MIDI files in"):
        make(songs, tmp_path / "out")
    (songs / "test").rmdir()
    with unreadable(songs / "deep", 0o000):
        (stray,) = [one for one in rendering._midi_files(songs) if isinstance(one, Stray)]
    assert stray.path == songs / "deep" and stray.reason.startswith(
        "cannot be read (Permission denied); change who may"
    )


def test_soundfonts_that_cannot_be_used(songs, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"there is no soundfont '/nowhere.sf2'; set `soundfont` in the data set's set"):
        make(songs, tmp_path / "out", soundfont="/nowhere.sf2")
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(roots.soundfont_of("").read_bytes()[:100000])
    with pytest.raises(UserError, match=r"broken.sf2: is no soundfont that can be read; give a whole .sf2 or .sf3"):
        make(songs, tmp_path / "out", soundfont=str(broken))
    font = Soundfont(roots.soundfont_of(""))
    monkeypatch.setattr(font._synth, "sfpreset_name", lambda number, bank, preset: None if preset == BASS else "x")
    whole = score(songs / "a.mid")
    with pytest.raises(BrokenTrack, match=r"a.mid: needs programme 33, which .*TimGM6mb.sf2 lacks; set `soundfont` to"):
        font.check(whole, songs / "a.mid")


def test_packages_that_are_not_installed(songs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    original = importlib.util.find_spec
    monkeypatch.setattr(roots.importlib.util, "find_spec", lambda name: None if name == "mido" else original(name))
    sentence = "scores need mido, which this environment lacks; run `make .venv/.scores`, or install"
    with pytest.raises(UserError) as problem:
        make(songs, tmp_path / "out")
    assert str(problem.value).startswith(sentence)
    with pytest.raises(UserError) as problem:
        of_workflow.check(dataset("chorales"))
    assert str(problem.value).startswith(f"data set chorales: {sentence}")


# As the workflow sees them before its first job


def dataset(name: str, **settings):
    merged = configurations.scales(with_changes({"datasets": {name: {"settings": settings}}}))
    return Scale("smoke", merged["smoke"]).dataset(name)


def test_a_change_of_a_file_or_of_the_soundfont_is_noticed(songs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    font = tmp_path / "font.sf2"
    font.write_bytes(b"one")
    data = dataset("band_midi", root=str(songs), soundfont=str(font))
    before = of_workflow.state(data)
    (songs / "cover.jpg").write_bytes(b"no MIDI")
    (songs / "loop").symlink_to(songs)
    assert of_workflow.state(data) == before
    states = {before}
    for change in (
        lambda: song(songs / "c.mid", 9), lambda: (songs / "a.mid").rename(songs / "b.mid"),
        lambda: font.write_bytes(b"two"), lambda: song(songs / "deep/er/still/x.mid"),
    ):  # fmt: skip
        change()
        states.add(of_workflow.state(data))
    assert len(states) == 5
    assert of_workflow.state(data).endswith(of_workflow.state(dataset("chorales", soundfont=str(font))))
    assert of_workflow.state(dataset("chorales")) == ""
    kept = of_workflow.items(data).with_name(roots.STATE)
    kept.parent.mkdir(parents=True)
    kept.write_text("what was rendered")
    font.unlink()
    assert of_workflow.state(data) == "what was rendered"  # what is gone is not missed


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "data set band_midi: no folder of MIDI files is set; set `root`"),
        ({"root": "."}, "there is no soundfont '/nowhere.sf2'; set `soundfont`"),
        ({"root": ".", "classes": {"drums": [0]}}, "`classes` lacks the sources bass; it has drums"),
    ],
)
def test_wrong_settings_stop_before_any_job(tmp_path, monkeypatch, settings, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=sentence):
        of_workflow.check(dataset("band_midi", **{"soundfont": "/nowhere.sf2"} | settings))


# Chorales


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
