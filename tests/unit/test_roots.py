"""The record of a data set's recordings, by their content, and the checksums that are kept for it."""

import json
import os
import shutil
from pathlib import Path

import pytest
from audiopriors.audio import roots
from takes import anew, link, put, split_up, unreadable, write


@pytest.fixture
def split(tmp_path) -> Path:
    return split_up(tmp_path / "split")


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    """The file of checksums, of a run in a folder of its own."""
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    monkeypatch.setattr(roots, "SETTLED", -1)
    return tmp_path / "run" / roots.CHECKSUMS


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """The names of the files whose content is read."""
    names: list[str] = []
    original = roots.hashlib.file_digest
    monkeypatch.setattr(
        roots.hashlib, "file_digest", lambda file, kind: names.append(Path(file.name).name) or original(file, kind)
    )
    return names


def older(root: Path) -> None:
    """An older file of the same length, moved onto another's path."""
    file = write(root.parent / "older.wav", seed=98)
    os.utime(file, (1e9, 1e9))
    file.replace(root / "train/a/flute.wav")


@pytest.mark.parametrize("harm", [
    lambda root: anew(root / "train/a/flute.wav"), older, lambda root: (root / "test/d/flute.wav").unlink(),
    lambda root: put(root / "val/e"),
    lambda root: (root / "test/d/flute.wav").rename(root / "test/d/Flute.WAV"),
    lambda root: write(root / "test/d/MIXTURE.FLAC"), lambda root: (root / "test/x.STEM.mp4").write_bytes(b""),
    link("test/d/flute.wav", "nowhere"), lambda root: (root / "test").rename(root / "elsewhere"),
])  # fmt: skip
@pytest.mark.parametrize("linked", [None, "train", "train/a", "train/a/flute.wav", "."])
def test_a_change_of_content_is_noticed_through_links_too(split, results, harm, linked):
    root = split
    if linked:  # a link to a link
        place = split / linked
        moved = split.parent / "elsewhere"
        place.rename(moved)
        (split.parent / "between").symlink_to(moved)
        (split.parent / "split" / linked).symlink_to(split.parent / "between")
        root = split.parent / "split"
    before = roots.state(root)
    assert roots.state(root) == before
    harm(root)
    assert roots.state(root) != before


def test_a_copy_a_move_or_a_touch_is_no_change(split, results):
    before = roots.state(split)
    for file in split.rglob("*.wav"):
        os.utime(file, (1e9, 1e9))
    (split / "readme.txt").write_text("new")
    (split / "train" / "._a.wav").write_bytes(b"new")
    assert roots.state(split) == before
    shutil.copytree(split, split.parent / "copy")
    split.rename(split.parent / "moved")
    assert roots.state(split.parent / "copy") == roots.state(split.parent / "moved") == before


def test_what_should_be_a_track_is_part_of_the_record(split, results):
    before = roots.state(split)
    (split / "train" / "a" / "Peaks").mkdir()  # of a program, in a track
    (split / "train" / "notes.txt").write_text("")
    assert roots.state(split) == before
    states = {before}
    for name in ("train/empty", "more"):
        (split / name).mkdir()
        states.add(roots.state(split))
    (split / "train" / "song.opus").write_bytes(b"")
    assert len(states | {roots.state(split)}) == 4


def test_loops_of_links_end(split, results):
    (split / "train" / "loop").symlink_to("..")
    (split / "self").symlink_to(".")
    (split / "train" / "a" / "x.wav").symlink_to("x.wav")
    before = roots.state(split)
    anew(split / "train/a/flute.wav")
    assert roots.state(split) != before


@pytest.mark.parametrize("mode", [0o000, 0o444])  # with the latter, names can be read
@pytest.mark.parametrize("name", ["train/a", "train/a/flute.wav", "validation", "."])
def test_what_cannot_be_read_is_another_state(split, results, name, mode):
    before = roots.state(split)
    with unreadable(split / name, 0 if (split / name).is_file() else mode):
        assert roots.state(split) != before


def test_only_what_changed_is_read_again(split, results, hashed):
    before = roots.state(split)
    assert len(hashed) == 8 and len(json.loads(results.read_text())) == 8
    assert roots.state(split) == before and len(hashed) == 8
    assert roots.checksum(split / "train/a/voice.wav") == sha256(split / "train/a/voice.wav") and len(hashed) == 8
    anew(split / "train/a/flute.wav")
    roots.state(split)
    assert hashed[8:] == ["flute.wav"]
    assert roots.checksum(split / "train/a/flute.wav") == sha256(split / "train/a/flute.wav") and len(hashed) == 9
    other = write(split.parent / "song.wav", 5)
    assert [roots.checksum(other) for _ in range(2)] == 2 * [sha256(other)] and hashed[9:] == ["song.wav"]
    assert len(json.loads(results.read_text())) == 9
    with pytest.raises(FileNotFoundError):
        roots.checksum(split / "gone.wav")


def sha256(path: Path) -> str:
    return roots.hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_was_just_written_is_not_kept(split, results, monkeypatch, hashed):
    """Its time stamp may be the same when it is written again, where a disk's clock is coarse."""
    monkeypatch.setattr(roots, "SETTLED", 10**12)
    assert roots.state(split) == roots.state(split) and len(hashed) == 16


@pytest.mark.parametrize("content", [b"", b"no", b"[1, 2]", b'{"x": 3}', b"\xff\xfe"])
def test_a_damaged_file_of_checksums_is_written_anew(split, results, content, hashed):
    before = roots.state(split)
    results.write_bytes(content)
    assert roots.state(split) == before and len(hashed) == 16
    assert len(json.loads(results.read_text())) >= 8


def test_entries_that_are_none_are_computed_anew(split, results):
    before = roots.state(split)
    results.write_text(json.dumps(dict.fromkeys(json.loads(results.read_text()), 7)))
    assert roots.state(split) == before


def test_results_that_cannot_be_written(split, results, hashed):
    results.parent.write_text("a file")
    assert roots.state(split) == roots.state(split) and len(hashed) == 16


def test_a_line_of_progress(split, results, monkeypatch, capsys):
    roots.state(split)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(roots, "SHOWN", 40_000)  # five files of 8 kB
    results.unlink()
    roots.state(split)
    assert capsys.readouterr() == ("", f"reading the recordings below {split}, once: train/b/flute.wav is done\n")
