"""MIDI files, soundfonts and settings that cannot be used, and what the workflow notices before its first job."""

import importlib.util
from pathlib import Path

import pytest
from audiopriors.audio import rendering, roots
from audiopriors.audio.decoding import BrokenTrack
from audiopriors.audio.soundfont import Soundfont
from audiopriors.audio.tracks import Stray
from audiopriors.errors import UserError
from audiopriors.pipeline import recordings as of_workflow
from takes import unreadable

if roots.missing_packages():
    pytest.skip(roots.missing_packages(), allow_module_level=True)
from midis import BASS, FLUTE, dataset, folder_of_songs, make, note, played_by, score, song, write


@pytest.fixture
def songs(tmp_path) -> Path:
    return folder_of_songs(tmp_path / "songs")


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
