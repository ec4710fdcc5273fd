"""Recorded music: the real loaders on files that are made here, and on the one MUSDB18 song that stempeg ships."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from audiopriors.audio import decoding, recordings, tracks
from audiopriors.data import music
from audiopriors.errors import UserError

SOURCES = ["drums", "bass", "other", "vocals"]
RATE = 44100
CONFIG = {
    "layout": "musdb18", "root": "", "rate": 16000, "channel": "mean", "frames": 5, "validation": 1, "test": 1,
    "silence_db": -60.0, "skip_broken": False, "songs": 0, "seconds": 0.0,
}  # fmt: skip
FRAME = 2048


def stems(seed: int, samples: int = RATE // 2, channels: int = 2, sources: int = 4) -> np.ndarray:
    """(sources, samples, channels), band-limited noise of different levels."""
    random = np.random.default_rng(seed)
    wave = random.normal(size=(sources, samples, channels))
    smooth = np.cumsum(wave, 1)
    smooth[:, 20:] -= smooth[:, :-20].copy()
    level = np.linspace(0.02, 0.08, sources)[:, None, None]
    return (level * smooth / smooth.std((1, 2), keepdims=True)).astype(np.float32)


def write_hq(place: Path, audio: np.ndarray, rate: int = RATE, mixture: np.ndarray | None = None) -> None:
    place.mkdir(parents=True)
    for name, wave in zip(["mixture", *SOURCES], [audio.sum(0) if mixture is None else mixture, *audio], strict=True):
        soundfile.write(place / f"{name}.wav", wave, rate, subtype="PCM_16")


@pytest.fixture
def hq(tmp_path) -> Path:
    root = tmp_path / "musdb"
    for split, names in (("train", ["A - One", 'B - it\'s a "quote", é']), ("test", ["C - Three"])):
        for number, name in enumerate(names):
            write_hq(root / split / name, stems(number + 10 * (split == "test")))
    return root


def make(root, folder, sources=SOURCES, seed=(0,), **changes):
    config = music.Config(**CONFIG | {"root": str(root)} | changes)
    table = music.make(config, sources, seed, folder, FRAME)
    table.to_parquet(folder / "items.parquet")
    return table, music.Frames(str(folder / "items.parquet"), config)


def test_frames_are_aligned_to_the_sample_and_add_up(hq, tmp_path):
    table, frames = make(hq, tmp_path / "out")
    assert table["split"].value_counts().to_dict() == {"train": 5, "validation": 5, "test": 5}
    items = torch.arange(frames.count("test"))
    assert len(items) == 5 and frames.tracks("test") == ["C - Three"] * 5
    sources = [frames.frames("test", source, items, FRAME) for source in SOURCES]
    mixture = frames.frames("test", "mixture", items, FRAME)
    assert mixture.shape == (5, 1, FRAME) and mixture.dtype == torch.float32
    step = 1 / recordings.FULL_SCALE
    assert (mixture - sum(sources)).abs().max() < 8 * step  # rounding of five files, twice, and the noise
    assert (table["residual_db"] < -50).all()
    # the very samples: the whole stem, resampled, at the index's place
    audio = soundfile.read(hq / "test" / "C - Three" / "bass.wav")[0].mean(1).astype(np.float32)
    whole = recordings.resample(audio, RATE, 16000)
    offsets = table[table["split"] == "test"].set_index("row")["offset"]
    for item, (_, row, _) in enumerate(frames._where["test"]):
        offset = offsets[row]
        assert np.abs(sources[1][item, 0].numpy() - whole[offset : offset + FRAME]).max() < 1.1 * step


def test_same_seed_same_bytes_and_another_seed_other_places(hq, tmp_path):
    first, one = make(hq, tmp_path / "one")
    second, two = make(hq, tmp_path / "two")
    other, _ = make(hq, tmp_path / "three", seed=(1,))
    assert first.equals(second) and not first["offset"].equals(other["offset"])
    items = torch.tensor([3, 1])
    assert torch.equal(one.frames("test", "drums", items, FRAME), two.frames("test", "drums", items, FRAME))
    assert torch.equal(one.frames("test", "drums", items, FRAME)[1:], two.frames("test", "drums", items[1:], FRAME))
    draws = [frames.draw("bass", 4, FRAME, torch.Generator().manual_seed(0)) for frames in (one, two)]
    assert torch.equal(*draws) and draws[0].shape == (4, 1, FRAME)


def test_a_second_run_redoes_no_song_and_a_changed_song_only_itself(hq, tmp_path, monkeypatch):
    first, _ = make(hq, tmp_path / "out")
    read = []
    original = recordings.waves
    monkeypatch.setattr(recordings, "waves", lambda track, *a, **k: read.append(track.name) or original(track, *a, **k))
    second, _ = make(hq, tmp_path / "out")
    assert first.equals(second) and read == []
    write_hq(tmp_path / "new", stems(99))
    for file in (tmp_path / "new").iterdir():
        shutil.copy(file, hq / "train" / "A - One" / file.name)
    make(hq, tmp_path / "out")
    assert read == ["A - One"]


def test_one_gain_for_the_whole_song(hq, tmp_path):
    loud = 12 * stems(5)
    shutil.rmtree(hq / "test" / "C - Three")
    place = hq / "test" / "C - Three"
    place.mkdir()
    for name, wave in zip(["mixture", *SOURCES], [loud.sum(0), *loud], strict=True):
        soundfile.write(place / f"{name}.wav", wave, RATE, subtype="FLOAT")
    table, _ = make(hq, tmp_path / "out")
    gains = table[table["split"] == "test"]["gain"]
    track = tracks.find("musdb18", hq, SOURCES)[0][-1]
    assert track.split == "test" and gains.nunique() == 1 and gains.iloc[0] <= 1
    assert (table[table["split"] != "test"]["gain"] == 1).all()


def test_hq_samples_are_those_that_musdb_reads(hq):
    decoding.ffmpeg()
    import musdb

    (theirs,) = musdb.DB(root=str(hq), is_wav=True, subsets=["test"])
    (ours,) = (track for track in tracks.find("musdb18", hq, SOURCES)[0] if track.split == "test")
    for name, audio in [("mixture", theirs.audio), *((name, part.audio) for name, part in theirs.sources.items())]:
        assert np.array_equal(recordings.read(ours, name)[0], audio.astype(np.float32))


def test_resampling_does_not_alias():
    time = np.arange(RATE) / RATE
    for frequency in (8200, 9000, 12000, 20000):
        wave = recordings.resample(np.sin(2 * np.pi * frequency * time).astype(np.float32), RATE, 16000)
        level = 20 * np.log10(np.sqrt(np.mean(wave[2000:-2000] ** 2)) / np.sqrt(0.5))
        assert level < -80, frequency
    wave = recordings.resample(np.sin(2 * np.pi * 7000 * time).astype(np.float32), RATE, 16000)
    assert 20 * np.log10(np.sqrt(np.mean(wave[2000:-2000] ** 2)) / np.sqrt(0.5)) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("rate", "to"), [(44100, 16000), (16000, 44100), (22050, 16000), (8000, 16000), (96000, 16000)]
)
@pytest.mark.parametrize("length", [1, 2, 999, 1000, 1001, 2500, 20011])
def test_a_wave_resampled_in_pieces_is_that_resampled_whole(rate, to, length):
    wave = np.random.default_rng(length).normal(size=(length, 2)).astype(np.float32)
    (whole,) = recordings.resampled([wave], rate, to)  # shorter than a piece
    assert len(whole) == -(-length * to // rate)
    pieces = list(recordings.resampled(np.array_split(wave, 3), rate, to, at_once=1000))
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=2e-6)  # sums of floats, in another order
    others = list(recordings.resampled(np.array_split(wave, 11), rate, to, at_once=1000))
    assert [len(one) for one in others] == [len(one) for one in pieces]


def test_an_odd_rate_is_resampled_as_well_without_gigabytes():
    rate = 44101  # prime to 16000
    time, expected_time = np.arange(rate // 2) / rate, np.arange(8000) / 16000
    wave = recordings.resample(np.sin(2 * np.pi * 1000 * time).astype(np.float32), rate, 16000)
    assert len(wave) == 8000
    np.testing.assert_allclose(wave[500:-500], np.sin(2 * np.pi * 1000 * expected_time)[500:-500], atol=1e-5)
    above = recordings.resample(np.sin(2 * np.pi * 8200 * time).astype(np.float32), rate, 16000)
    assert 20 * np.log10(np.abs(above[500:-500]).max()) < -80


def test_items_take_turns_so_that_the_first_are_of_all_tracks(tmp_path):
    for number in range(4):
        write_hq(tmp_path / "mine" / f"take {number}", stems(number))
    _, frames = make(tmp_path / "mine", tmp_path / "out", layout="folder", test=2)
    tracks = frames.tracks("test")
    assert len(tracks) == 10 and set(tracks[:2]) == set(tracks[2:4]) == set(tracks) and len(set(tracks)) == 2
    rows = [row for _, row, track in frames._where["test"] if track == tracks[0]]
    assert sorted(rows) == [0, 1, 2, 3, 4] != rows  # of all parts of a track, not its beginning first


def test_the_real_song(tmp_path):
    decoding.ffmpeg()
    import stempeg

    root = tmp_path / "musdb"
    for split, name in (("train", "one"), ("train", "two"), ("test", "Falcon 69")):
        (root / split).mkdir(parents=True, exist_ok=True)
        shutil.copy(stempeg.example_stem_path(), root / split / f"{name}.stem.mp4")
    track = tracks.find("musdb18", root, SOURCES)[0][-1]
    audio, rate = recordings.read(track, "drums")
    assert rate == RATE and audio.shape == (268288, 2) and audio.dtype == np.float32
    assert np.sqrt(np.mean(audio**2)) == pytest.approx(0.087, abs=0.002)
    import musdb

    theirs = musdb.DB(root=str(root), subsets=["test"])[0]
    assert np.array_equal(audio, theirs.sources["drums"].audio.astype(np.float32))
    assert np.array_equal(recordings.read(track, "mixture")[0], theirs.audio.astype(np.float32))
    table, frames = make(root, tmp_path / "out")
    assert len(table) == 15 and frames.count("test") == 5
    assert table["residual_db"].iloc[0] == pytest.approx(-15.4, abs=1)  # the real mix is not the sum
    drawn = frames.draw("drums", 3, FRAME, torch.Generator().manual_seed(0))
    assert drawn.std() > 0.003


# Bad input: one sentence that names the file; `skip_broken` leaves the track out.

BAD = {
    "missing stem": (lambda place: (place / "bass.wav").unlink(), "bass.wav: is missing"),
    "not audio": (lambda place: (place / "bass.wav").write_bytes(b"no"), "bass.wav: is not an audio file"),
    "empty file": (lambda place: (place / "bass.wav").write_bytes(b""), "bass.wav: is not an audio file"),
    "shorter": (lambda place: rewrite(place / "bass.wav", np.zeros((100, 2))), "has 100 samples at 44100 Hz, but"),
    "other rate": (lambda place: rewrite(place / "bass.wav", stems(0)[0], 22050), "at 22050 Hz, but mixture has"),
    "no samples": (lambda place: every(place, np.zeros((0, 2))), "has no samples"),
    "one sample": (lambda place: every(place, np.zeros((1, 2))), "a frame needs 2048"),
    "NaN": (lambda place: rewrite(place / "bass.wav", np.full((22050, 2), np.nan), kind="FLOAT"), "not finite"),
    "six channels": (lambda place: rewrite(place / "bass.wav", np.zeros((22050, 6))), "has 6 channels"),
    "cut": (lambda place: cut(place / "bass.wav"), "bass.wav: is incomplete: its header says that it has 88200 bytes"),
    "cut FLAC": (lambda place: cut(flac(place / "bass.wav")), "bass.flac: is damaged, incomplete, or joined of"),
    "damaged FLAC": (lambda place: damage(flac(place / "bass.wav")), "bass.flac: is damaged, incomplete, or joined of"),
}  # fmt: skip


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flac(file):
    audio, rate = soundfile.read(file)
    soundfile.write(file.with_suffix(".flac"), audio, rate)
    file.unlink()
    return file.with_suffix(".flac")


def damage(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 1000] = bytes(1000)
    file.write_bytes(content)


def rewrite(file, audio, rate=RATE, kind="PCM_16"):
    soundfile.write(file, audio, rate, subtype=kind)


def every(place, audio):
    for name in ["mixture", *SOURCES]:
        rewrite(place / f"{name}.wav", audio)


@pytest.mark.parametrize("layout", ["musdb18", "folder"])
@pytest.mark.parametrize("case", BAD)
def test_a_broken_track_is_named_or_skipped(hq, tmp_path, case, layout):
    harm, sentence = BAD[case]
    write_hq(hq / "train" / "Z broken", stems(7))
    harm(hq / "train" / "Z broken")
    with pytest.raises(recordings.BrokenTrack) as problem:
        make(hq, tmp_path / "out", layout=layout)
    assert sentence in str(problem.value) and "Z broken" in str(problem.value) and "\n" not in str(problem.value)
    table, _ = make(hq, tmp_path / "out", layout=layout, skip_broken=True)
    assert "Z broken" not in set(table["track"]) and len(table) == 15


def test_a_broken_mp4_is_named(tmp_path):
    decoding.ffmpeg()
    for name in ("train/x", "train/y", "test/z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.stem.mp4").write_bytes(b"nothing" * 100)
    with pytest.raises(recordings.BrokenTrack, match=r"x\.stem\.mp4: is not an audio file that can be read"):
        make(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("layout", ["musdb18", "folder"])
def test_roots_that_are_wrong_or_empty(tmp_path, layout, monkeypatch):
    monkeypatch.delenv("MUSDB_PATH", raising=False)
    with pytest.raises(UserError, match="there is no folder"):
        make(tmp_path / "nowhere", tmp_path / "out", layout=layout)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="has no tracks in it; " + ("MUSDB18" if layout == "musdb18" else "each")):
        make(tmp_path / "empty", tmp_path / "out", layout=layout)


def test_the_environment_says_where(hq, tmp_path, monkeypatch):
    monkeypatch.setenv("MUSDB_PATH", str(hq))
    table, _ = make("", tmp_path / "out")
    assert set(table["track"]) == {"A - One", 'B - it\'s a "quote", é', "C - Three"}


@pytest.mark.parametrize(("rate", "channels", "suffix"), [(8000, 1, "wav"), (192000, 2, "flac"), (16000, 1, "flac")])
def test_own_tracks_of_any_rate(tmp_path, rate, channels, suffix):
    names = ["flute", "voice", "hum"]
    for number in range(4):
        place = tmp_path / "mine" / f"take {number}"
        place.mkdir(parents=True)
        for name, wave in zip(names, stems(number, rate, channels, 3), strict=True):
            soundfile.write(place / f"{name}.{suffix}", wave, rate)
    table, frames = make(tmp_path / "mine", tmp_path / "out", names, layout="folder")
    assert table["split"].value_counts().to_dict() == {"train": 10, "validation": 5, "test": 5}
    items = torch.arange(frames.count("test"))
    total = sum(frames.frames("test", name, items, FRAME) for name in names)
    assert (total - frames.frames("test", "mixture", items, FRAME)).abs().max() < 6 / recordings.FULL_SCALE


@pytest.mark.parametrize("layout", ["musdb18", "folder"])
def test_the_mix_of_some_of_the_stems_is_their_sum(hq, tmp_path, layout):
    _, frames = make(hq, tmp_path / "out", ["drums", "bass"], layout=layout)
    items = torch.arange(3)
    parts = [frames.frames("test", source, items, FRAME) for source in ("drums", "bass")]
    mixture = frames.mixture("test", ["drums", "bass"], items, FRAME)
    assert (mixture - sum(parts)).abs().max() < 4 / recordings.FULL_SCALE and parts[0].std() > 0.01


def test_too_few_tracks(hq, tmp_path):
    with pytest.raises(ValueError, match="no track is left for train: there are 3 tracks"):
        make(hq, tmp_path / "out", validation=2)


def test_demo_band_is_read_like_musdb(tmp_path):
    sizes = {"layout": "demo_band", "songs": 4, "seconds": 6.0}
    table, frames = make("", tmp_path / "one", **sizes)
    assert table["track"].nunique() == 4 and set(table["split"]) == {"train", "validation", "test"}
    make("", tmp_path / "two", **sizes | {"songs": 5})
    again, _ = make("", tmp_path / "two", **sizes)  # where there were more songs
    assert table.equals(again)
    assert frames.draw("vocals", 2, FRAME, torch.Generator().manual_seed(0)).std() > 0.01
