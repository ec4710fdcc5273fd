"""Which tracks are found below a root, what stops or is left out, how they are dealt to splits."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audiopriors.audio import recordings, roots, tracks
from audiopriors.columns import COLUMNS
from audiopriors.data import music
from audiopriors.errors import UserError
from takes import RATE, anew, link, put, split_up, unreadable, unsplit, write

SOURCES = ["flute", "voice"]
MUSDB = [*recordings.MUSDB_SOURCES]
FRAME = 512
CONFIG = {
    "layout": "folder", "rate": RATE, "frames": 4, "validation": 1, "test": 1, "silence_db": -60.0,
    "skip_broken": False,
}  # fmt: skip


@pytest.fixture
def takes(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)  # where checksums are kept
    return unsplit(tmp_path / "takes")


@pytest.fixture
def split(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return split_up(tmp_path / "split")


def make(root: Path, out: Path, sources=SOURCES, **changes):
    return music.make(music.Config(**CONFIG | {"root": str(root)} | changes), sources, (0,), out, FRAME)


def names_of(root: Path, layout: str = "folder", sources=SOURCES) -> list[tuple]:
    good, strays = tracks.find(layout, root, sources)
    assert strays == []
    return [(one.split, one.name) for one in good]


def used(out: Path) -> dict[str, tuple]:
    """What each track was used for, and the reason where it was left out."""
    rows = json.loads((out / roots.TRACKS).read_text())
    return {row["track"]: (row["used_for"], row["reason"]) for row in rows}


# Hidden names


@pytest.mark.parametrize(
    "name", ["._flute.wav", ".#flute.wav", ".flute.wav", ".DS_Store", "Thumbs.db", ".git/flute.wav", "@eaDir/flute.wav"]
)
def test_hidden_files_of_a_track_are_nothing(takes, tmp_path, name):
    for place in takes.iterdir():
        write(place / "mixture.wav", 9)
    before = make(takes, tmp_path / "before"), roots.state(takes)
    hidden = takes / "a" / name
    hidden.parent.mkdir(exist_ok=True)
    if name.startswith(".#"):
        hidden.symlink_to("someone@somewhere.123")  # as an editor leaves it
    else:
        hidden.write_bytes(b"\0\5\x16\7")
    assert all(track.has_mixture for track in tracks.find("folder", takes, SOURCES)[0])
    assert make(takes, tmp_path / "out").equals(before[0]) and roots.state(takes) == before[1]


@pytest.mark.parametrize("layout", ["folder", "musdb18"])
@pytest.mark.parametrize(
    "name", ["._A.stem.mp4", ".git/x.wav", "@eaDir/flute.wav", "__MACOSX/a/flute.wav", ".Trash/a.wav"]
)
def test_hidden_entries_among_tracks_are_nothing(tmp_path, monkeypatch, layout, name):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "music"
    sources = MUSDB if layout == "musdb18" else SOURCES
    for place in ("train/a", "train/b", "test/c"):
        put(root / place, *(f"{source}.wav" for source in ["mixture", *sources]))
    before = roots.state(root)
    for place in ("train", "."):
        (root / place / name).parent.mkdir(parents=True, exist_ok=True)
        (root / place / name).write_bytes(b"no audio")
    assert names_of(root, layout, sources) == [("train", "a"), ("train", "b"), ("test", "c")]
    assert roots.state(root) == before


# Splits


@pytest.mark.parametrize("name", ["valid", "val", "Validation", "VAL"])
def test_a_folder_for_validation_has_several_names(split, tmp_path, name):
    before = make(split, tmp_path / "before")
    (split / "validation").rename(split / name)
    assert names_of(split) == [("train", "a"), ("train", "b"), ("validation", "c"), ("test", "d")]
    assert make(split, tmp_path / "out").equals(before) and used(tmp_path / "out")["c"] == ("validation", None)


@pytest.mark.parametrize("pair", [("validation", "val"), ("validation", "valid"), ("Train", "train"), ("TEST", "test")])
def test_two_folders_for_one_split_stop(split, tmp_path, pair):
    for name in pair:
        put(split / name / "e")
    for skip in (False, True):
        with pytest.raises(UserError, match=r"are both for .*; put all of their tracks into one of them") as problem:
            make(split, tmp_path / "out", skip_broken=skip)
        assert all(str(split / name) in str(problem.value) for name in pair)


@pytest.mark.parametrize("case", ["empty", "broken", "a file", "a link to nothing"])
@pytest.mark.parametrize("name", ["validation", "test"])
def test_no_other_track_takes_the_place_of_a_split_that_was_left_out(split, tmp_path, case, name):
    track = next((split / name).iterdir())
    if case == "broken":
        (track / "flute.wav").write_bytes(b"no audio")
    else:
        shutil.rmtree(track if case == "empty" else split / name)
    if case == "a file":
        (split / name).write_text(f"../{name}")  # as a link is on a disk without links
    elif case == "a link to nothing":
        (split / name).symlink_to("nowhere")
    sentences = {
        "empty": f"{name}: has no tracks in it", "broken": "flute.wav: is not an audio file that can be read",
        "a file": f"{name}: is a file, but has the name of a split's folder", "a link to nothing": f"{name}: {LINK}",
    }  # fmt: skip
    with pytest.raises(recordings.BrokenTrack) as problem:
        make(split, tmp_path / "out")
    assert sentences[case] in str(problem.value)
    with pytest.raises(UserError, match=f"no track for {name} could be used; ") as problem:
        make(split, tmp_path / "out", skip_broken=True)
    assert sentences[case] in str(problem.value)


# What is not recognised: what is done to the tracks a to e, what is then left out, and the sentence about it.

LINK = "is a link to nothing; get what it stands for (of git-annex: `git annex get`), or remove it"
HOLDS_NONE = "holds no file of a source (flute, voice; .wav or .flac); add them, or move this folder"
FLAT = "is a file, but a track is a folder with a file per source (flute, voice; .wav or .flac)"


def only_notes(root: Path) -> None:
    for file in (root / "a").iterdir():
        file.unlink()
    (root / "a" / "notes.txt").write_text("take two was better")


STRAYS = {
    "emptied": (lambda root: [file.unlink() for file in (root / "a").iterdir()], "a", HOLDS_NONE),
    "notes": (only_notes, "a", HOLDS_NONE),
    "nested": (lambda root: put(root / "notes" / "deeper"), "notes", HOLDS_NONE),
    "two suffixes": (lambda root: write(root / "a/flute.flac"), "a", "flute.flac and flute.wav are both flute; remove"),
    "two cases": (lambda root: write(root / "a/Flute.wav"), "a", "Flute.wav and flute.wav are both flute; remove one"),
    "a link to nothing": (link("a/flute.wav", "../.git/annex/objects/flute.wav"), "a", f"flute.wav: {LINK}"),
    "a link to itself": (link("a/flute.wav", "flute.wav"), "a", f"flute.wav: {LINK}"),
    "a mixture that is a link to nothing": (link("a/mixture.wav", "nowhere"), "a", f"mixture.wav: {LINK}"),
    "a folder that is a link to nothing": (link("a", "/nowhere/takes/a"), "a", LINK),
    "a folder that is a loop": (link("loop", "."), "loop", HOLDS_NONE),
    "a flat file": (lambda root: write(root / "song.wav"), "song.wav", FLAT),
    "a flat FLAC": (lambda root: write(root / "song.FLAC"), "song.FLAC", FLAT),
    "a stem file": (lambda root: (root / "song.stem.mp4").write_bytes(b""), "song", FLAT),
    "mp3": (lambda root: (root / "song.mp3").write_bytes(b""), "song.mp3", FLAT),
    "opus": (lambda root: (root / "song.opus").write_bytes(b""), "song.opus", FLAT),
    "m4a": (lambda root: (root / "song.M4A").write_bytes(b""), "song.M4A", FLAT),
}  # fmt: skip


@pytest.mark.parametrize("case", STRAYS)
def test_what_is_no_track_stops_or_is_left_out(takes, tmp_path, case):
    harm, name, sentence = STRAYS[case]
    harm(takes)
    roots.state(takes)  # which Snakemake asks for before its first job
    with pytest.raises(recordings.BrokenTrack, match=r"\(or set `skip_broken: true` to go on") as problem:
        make(takes, tmp_path / "out")
    assert str(takes / name) in str(problem.value) and sentence in str(problem.value)
    assert not (tmp_path / "out").exists()  # nothing is cut
    table = make(takes, tmp_path / "out", skip_broken=True)
    assert set(table["track"]) == set("abcde") - {name}
    ((what, reason),) = [of_track for track, of_track in used(tmp_path / "out").items() if track == name]
    assert what == "left out" and sentence in reason and str(tmp_path) not in reason


def test_a_name_of_another_encoding_is_named(takes, tmp_path):
    (takes / "a").rename(takes / "caf\udce9")  # a byte of Latin-1
    with pytest.raises(recordings.BrokenTrack, match="has a name that is not in UTF-8; rename it"):
        make(takes, tmp_path / "out")
    roots.state(takes)
    make(takes, tmp_path / "out", skip_broken=True)
    assert used(tmp_path / "out")["caf?"] == ("left out", "has a name that is not in UTF-8; rename it")


def test_all_strays_are_named_in_one_go(takes, tmp_path):
    for case in ("notes", "a flat FLAC", "m4a", "nested"):
        STRAYS[case][0](takes)
    with pytest.raises(recordings.BrokenTrack) as problem:
        make(takes, tmp_path / "out")
    assert all(str(takes / name) in str(problem.value) for name in ("a", "song.FLAC", "song.M4A", "notes"))
    assert "\n" not in str(problem.value)


BESIDE = "is in no split, as it lies beside train and validation and test; move it into one of them or elsewhere"


@pytest.mark.parametrize(
    ("harm", "name", "sentence"),
    [
        (lambda root: put(root / "e"), "e", BESIDE),
        (lambda root: (root / "training").mkdir(), "training", BESIDE),
        (lambda root: write(root / "e.flac"), "e.flac", BESIDE),
        (link("more", "nowhere"), "more", LINK),
        (lambda root: (root / "train" / "notes").mkdir(), "notes", HOLDS_NONE),
        (lambda root: write(root / "test" / "e.wav"), "e.wav", FLAT),
    ],
)
def test_what_lies_beside_or_in_splits_stops_or_is_left_out(split, tmp_path, harm, name, sentence):
    before = make(split, tmp_path / "before")
    harm(split)
    with pytest.raises(recordings.BrokenTrack) as problem:
        make(split, tmp_path / "out")
    assert sentence in str(problem.value)
    assert make(split, tmp_path / "out", skip_broken=True).equals(before)
    assert used(tmp_path / "out")[name] == ("left out", sentence)


def test_other_files_are_ignored(split, tmp_path):
    before = make(split, tmp_path / "before")
    for place in (
        "train/caf\udce9.txt",
        "readme.txt",
        "train/list.csv",
        "train/cover.jpg",
        "train/a/Notes.PDF",
        "desktop.ini",
    ):
        (split / place).write_text("")
    assert make(split, tmp_path / "out").equals(before)


def test_names_of_files_have_any_case(takes, tmp_path):
    before = make(takes, tmp_path / "before")
    for old, new in (("a/flute.wav", "a/Flute.wav"), ("b/voice.wav", "b/VOICE.WAV"), ("c/flute.wav", "c/FLUTE.wav")):
        (takes / old).rename(takes / new)
    assert make(takes, tmp_path / "out").equals(before)
    write(takes / "a" / "Mixture.WAV", 9)
    assert [track.has_mixture for track in tracks.find("folder", takes, SOURCES)[0]] == [True] + 4 * [False]


def test_a_file_of_no_source_may_be_there_twice_or_be_a_link_to_nothing(takes, tmp_path):
    before = make(takes, tmp_path / "before")
    for name in ("click.wav", "click.flac"):
        (takes / "a" / name).write_bytes(b"")
    (takes / "b" / "hum.wav").symlink_to("nowhere")
    assert make(takes, tmp_path / "out").equals(before)


def test_stem_files_have_any_case_and_one_track_has_one_name(tmp_path):
    for name in ("train/A.stem.mp4", "train/B.STEM.MP4", "test/D.Stem.Mp4", "val/C.stem.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(roots.real_song())
    good, strays = tracks.find("musdb18", tmp_path, MUSDB)
    assert [track.key for track in good] == ["train/A", "train/B", "validation/C", "test/D"] and not strays
    assert all(track.has_mixture for track in good)
    audio, rate = recordings.read(good[1], "bass")
    assert (audio.shape, rate) == ((268288, 2), 44100)
    assert np.array_equal(audio, recordings.read(good[0], "bass")[0])
    capitals = recordings.recording(tmp_path / "train" / "B.STEM.MP4")
    assert capitals.name == "B" and capitals.sources == recordings.MUSDB_SOURCES
    assert roots.short_name(tmp_path / "train" / "B.STEM.MP4").startswith("B-")
    (tmp_path / "train" / "A.STEM.MP4").symlink_to(roots.real_song())
    put(tmp_path / "train" / "B", "drums.wav")
    (tmp_path / "test" / "E.mp4").write_bytes(b"")
    same = "has the same name as the track {}; rename or remove one of them"
    _, strays = tracks.find("musdb18", tmp_path, MUSDB)
    assert {stray.path.name: stray.reason.split(" (")[0] for stray in strays} == {
        "A.stem.mp4": same.format("A.STEM.MP4"), "B.STEM.MP4": same.format("B"),
        "E.mp4": "is a file, but a track is a .stem.mp4 or a folder with a file per source",
    }  # fmt: skip


def test_a_root_that_is_a_file(takes):
    problem = roots.problem("folder", str(takes / "a" / "flute.wav"))
    assert problem is not None and "flute.wav' is a file, not a folder; set `root`" in problem
    assert roots.problem("musdb18", str(takes)) is None
    missing = roots.problem("musdb18", str(takes / "gone"))
    assert missing is not None and missing.startswith("there is no folder")


@pytest.mark.parametrize("mode", [0o000, 0o444])  # with the latter, names can be read
@pytest.mark.parametrize("name", ["train/a", "validation", "."])
def test_an_unreadable_folder_is_named(split, name, mode):
    with unreadable(split / name, mode):
        if name == ".":
            with pytest.raises(UserError, match=r"split: cannot be read \(Permission denied\); change who may read it"):
                tracks.find("folder", split, SOURCES)
            return
        _, (stray,) = tracks.find("folder", split, SOURCES)
    assert stray.path == split / name and stray.reason.startswith("cannot be read (Permission denied); change who may")


# Splits are drawn from what can be cut.


@pytest.mark.parametrize(("validation", "test"), [(1, 1), (2, 1), (1, 3)])
def test_broken_tracks_do_not_change_what_the_others_are_for(takes, tmp_path, validation, test):
    numbers = {"validation": validation, "test": test}
    clean = make(takes, tmp_path / "clean", **numbers)
    put(takes / "0 first", "flute.wav")
    put(takes / "bb", samples=FRAME - 1)
    (takes / "z").mkdir()
    table = make(takes, tmp_path / "out", skip_broken=True, **numbers)
    assert table.equals(clean)
    assert {track: what for track, (what, _) in used(tmp_path / "out").items() if what != "left out"} == dict(
        clean[["track", "split"]].drop_duplicates().to_numpy()
    )
    reasons = {track: reason for track, (what, reason) in used(tmp_path / "out").items() if what == "left out"}
    assert reasons == {
        "0 first": "voice.wav: is missing", "z": HOLDS_NONE,
        "bb": f"has {FRAME - 1} samples at {RATE} Hz, but a frame needs {FRAME} ({FRAME / RATE:.2f} s)",
    }  # fmt: skip


def test_too_few_tracks_are_named_before_any_is_cut(takes, tmp_path):
    with pytest.raises(UserError, match="no track is left for train: there are 5 tracks"):
        make(takes, tmp_path / "out", validation=3, test=2)
    assert not (tmp_path / "out").exists()


def test_a_stem_of_the_same_size_and_time_is_cut_anew(split, tmp_path):
    before = make(split, tmp_path / "out")
    anew(split / "train/a/flute.wav")
    after = make(split, tmp_path / "out")
    changed = (before["crc_flute"] != after["crc_flute"]).to_numpy()
    assert set(after["track"][changed]) == {"a"} and changed.sum() == 4


@pytest.mark.parametrize("frames", [0, -1])
def test_no_frames_at_all(takes, tmp_path, frames):
    with pytest.raises(UserError, match=f"`frames` is {frames} in the data set's settings; give at least 1"):
        make(takes, tmp_path / "out", frames=frames)


# Frames in which all sources sound


def quiet(file: Path) -> None:
    write(file, level=1e-4)


def in_turns(place: Path) -> None:
    """The voice begins a frame after the flute ends."""
    wave = 0.1 * np.random.default_rng(0).uniform(-1, 1, 10 * FRAME)
    silence = np.zeros(11 * FRAME)
    soundfile.write(place / "flute.wav", np.concatenate([wave, silence]), RATE)
    soundfile.write(place / "voice.wav", np.concatenate([silence, wave]), RATE)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda root: [quiet(file) for file in root.glob("*/*/voice.wav")],
         "voice never sounds in the tracks for train; voice never sounds in the tracks for validation; voice never "
         "sounds in the tracks for test: no frame there has every source above -60 dB; add tracks that have, or"),
        (lambda root: quiet(root / "validation/c/flute.wav"), "flute never sounds in the tracks for validation: no fr"),
        (lambda root: quiet(root / "test/d/voice.wav"), "voice never sounds in the tracks for test: no frame there"),
        (lambda root: [quiet(file) for file in root.glob("train/*/flute.wav")], "flute never sounds in the tracks for"),
        (lambda root: [quiet(file) for file in root.glob("test/d/*")],
         "mixture and flute and voice never sound in the tracks for test: no frame there has every source above"),
        (lambda root: in_turns(root / "test/d"), "flute and voice never sound together in the tracks for test: no fr"),
    ],
)  # fmt: skip
def test_a_split_in_which_sources_do_not_sound_stops(split, tmp_path, harm, sentence):
    harm(split)
    with pytest.raises(UserError) as problem:
        make(split, tmp_path / "out", frames=40)
    assert str(problem.value).startswith(sentence)
    assert len(used(tmp_path / "out")) == 4  # which is to be looked at


def test_one_frame_in_which_all_sound_is_enough(split, tmp_path):
    in_turns(split / "train/a")
    table = make(split, tmp_path / "out", frames=40)
    rows = json.loads((tmp_path / "out" / roots.TRACKS).read_text())
    described = {row["track"]: row for row in rows}
    assert [described[name]["frames_all_sound"] for name in "abcd"] == [0, 40, 40, 40]
    assert {name: row["seconds"] for name, row in described.items()} == {"a": 21 * FRAME / RATE} | dict.fromkeys(
        "bcd", 4000 / RATE
    )
    assert len(table) == 160 and {row["frames"] for row in rows} == {40}
    assert set(described["a"]) | {"dataset"} == set(COLUMNS["tracks"])
