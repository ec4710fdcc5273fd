"""Audio files as people have them: whole, joined, written to a pipe, cut and damaged. Made here by ffmpeg."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audiopriors.audio import decoding, recordings

RATE, SAMPLES = 44100, 4 * 44100
MP3_FRAME, MP3_DELAY = 1152, 1105  # samples; the delay is that of LAME and the decoder, which its header tells


def run(*arguments, to: Path | None = None) -> bytes:
    decoding.ffmpeg()
    command = ["ffmpeg", "-v", "error", "-y", "-nostdin", *map(str, arguments), *([str(to)] if to else [])]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A second of noise, then a tone: an mp3 of it begins with a bit rate that is not that of the rest."""
    path = tmp_path_factory.mktemp("sound") / "sound.wav"
    time = np.arange(SAMPLES) / RATE
    wave = 0.3 * np.sin(2 * np.pi * 440 * time)
    wave[:RATE] = 0.3 * np.random.default_rng(0).normal(size=RATE)
    soundfile.write(path, np.stack([wave, wave / 2], axis=1), RATE)
    return path


def decoded(path: Path) -> np.ndarray:
    audio = decoding.open_audio(path)
    assert audio.rate == RATE and audio.channels == 2
    return np.concatenate(list(audio.blocks()))


def packets(path: Path) -> int:
    """How many an mp3 has, by counting them."""
    command = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    return int(subprocess.run([*command, path], check=True, capture_output=True).stdout)


# What loses nothing: the very samples of the wav.
LOSSLESS = {
    "flac": ["song.flac"],
    "flac of 24 bits": ["-sample_fmt", "s32", "song.flac"],
    "flac in ogg": ["-c:a", "flac", "song.ogg"],
    "alac": ["-c:a", "alac", "song.m4a"],
    "aiff": ["song.aiff"],
    "au": ["song.au"],
    "caf": ["song.caf"],
    "w64": ["song.w64"],
    "rf64": ["-rf64", "always", "song.wav"],
    "wav of 24 bits": ["-c:a", "pcm_s24le", "song.wav"],
    "wav of float": ["-c:a", "pcm_f32le", "song.wav"],
    "a name like an option": ["-f", "wav", "file:-song.wav"],
    "a name like an address": ["file:song: http://live.flac".replace("/", "_")],
}


@pytest.mark.parametrize("case", LOSSLESS)
def test_lossless_formats_have_the_very_samples(case, sound, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    *options, name = LOSSLESS[case]
    run("-i", sound, *options, name)
    assert np.array_equal(decoded(Path(name.removeprefix("file:"))), decoded(sound))


@pytest.mark.parametrize("kind", ["flac", "wav", "au"])
def test_a_file_that_was_written_to_a_pipe_is_read_to_its_end(kind, sound, tmp_path):
    (tmp_path / f"song.{kind}").write_bytes(run("-i", sound, "-f", kind, "pipe:1"))
    assert np.array_equal(decoded(tmp_path / f"song.{kind}"), decoded(sound))


# As ffmpeg and others write, or sox (0x7FFFF000).
@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_wav_that_does_not_say_how_long_it_is(size, sound, tmp_path):
    content = bytearray(sound.read_bytes())
    content[40:44] = struct.pack("<I", size)
    (tmp_path / "song.wav").write_bytes(content)
    assert np.array_equal(decoded(tmp_path / "song.wav"), decoded(sound))


BEHIND = {
    "zeros, as a dictaphone pads": bytes(32768),
    "a tag": b"ID3" + bytes(range(256)) * 40,
    "zeros and a tag": bytes(500) + b"TAG" + bytes(125),
    "some text": b"recorded with care",
    "a part": b"LIST" + struct.pack("<I", 5000) + bytes(5000),
    "a part without the byte before it": None,
}


@pytest.mark.parametrize("case", BEHIND)
def test_a_wav_with_something_harmless_behind_its_sound(case, sound, tmp_path):
    path = tmp_path / "song.wav"
    if BEHIND[case] is None:  # sound of an odd number of bytes
        soundfile.write(path, np.linspace(-0.5, 0.5, 1001), RATE, subtype="PCM_U8")
        content = path.read_bytes()
        part = b"id3 " + struct.pack("<I", 5000) + bytes(range(250)) * 20
        path.write_bytes(content[: 44 + 1001] + part)
        (block,) = decoding.open_audio(path).blocks()
        np.testing.assert_allclose(block[:, 0], np.linspace(-0.5, 0.5, 1001), atol=1 / 100)
        return
    path.write_bytes(sound.read_bytes() + BEHIND[case])
    assert np.array_equal(decoded(path), decoded(sound))


LAYOUTS = {  # channels, as files of so many are read: the loudspeakers that they are for are of no interest
    "flac": [1, 2, 3, 4, 5, 6, 7, 8], "wav": [3, 4, 8], "rf64": [4, 8], "aiff": [3, 4], "m4a": [4], "ogg": [3, 4],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "channels"), [(kind, one) for kind, each in LAYOUTS.items() for one in each])
def test_channels_are_neither_mixed_nor_dropped(kind, channels, tmp_path):
    wave = np.random.default_rng(channels).normal(size=(RATE, channels)) * 0.02 * np.arange(1, channels + 1)
    suffix = {"rf64": "wav"}.get(kind, kind)
    path, lossless = tmp_path / f"song.{suffix}", kind not in ("m4a", "ogg")
    if lossless:
        formats = {"rf64": "RF64", "flac": "FLAC", "wav": "WAV", "aiff": "AIFF"}
        soundfile.write(path, wave, RATE, format=formats[kind], subtype="PCM_16")
    else:
        soundfile.write(tmp_path / "sound.wav", wave, RATE)
        run("-i", tmp_path / "sound.wav", "-b:a", "400k", path)
    read = np.concatenate(list(decoding.open_audio(path).blocks()))
    assert read.shape[1] == channels
    if lossless:
        np.testing.assert_allclose(read, wave, atol=1 / 32768)
    else:
        levels = [np.sqrt(np.mean(part[2000:40000] ** 2, axis=0)) for part in (read, wave)]
        np.testing.assert_allclose(*levels, rtol=0.15)


def test_a_name_that_is_no_text(sound, tmp_path):
    for kind in ("wav", "flac"):
        path = tmp_path / f"caf\udce9.{kind}"  # a byte of Latin-1
        run("-i", sound, path)
        assert len(decoded(path)) == SAMPLES


@pytest.mark.parametrize("end", ["kill -9 $$", "exit 3"])
def test_a_decoder_that_ends_early_is_noticed(end, sound, tmp_path, monkeypatch):
    run("-i", sound, tmp_path / "song.mka")
    real = shutil.which("ffmpeg")
    monkeypatch.setattr(decoding, "ffmpeg", lambda: None)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ffmpeg").write_text(f'#!/bin/sh\n{real} "$@" 2>/dev/null | head -c 300000\n{end}\n')
    (tmp_path / "bin" / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(recordings.BrokenTrack, match=r"song\.mka: is damaged, incomplete, .* \(ffmpeg ended with "):
        decoded(tmp_path / "song.mka")


def test_ffmpeg_is_no_script_that_hides_how_it_ended():
    decoding.ffmpeg()
    for name in ("ffmpeg", "ffprobe"):
        assert Path(shutil.which(name)).read_bytes()[:2] != b"#!"


@pytest.mark.parametrize("behind", [b"LYRICSBEGIN" + b"la" * 400 + b"LYRICS200TAG" + bytes(125), b"\xff" * 3000])
def test_what_lies_behind_an_mp3_is_no_sound(behind, sound, tmp_path):
    run("-i", sound, tmp_path / "song.mp3")
    before = decoded(tmp_path / "song.mp3")
    (tmp_path / "song.mp3").write_bytes((tmp_path / "song.mp3").read_bytes() + behind)
    after = decoded(tmp_path / "song.mp3")
    assert np.array_equal(after[:SAMPLES], before) and len(after) < SAMPLES + 4 * MP3_FRAME


def test_an_mp3_without_a_header_has_all_its_frames(sound, tmp_path):
    run("-i", sound, "-q:a", 4, "-write_xing", 0, tmp_path / "vbr.mp3")
    (tmp_path / "pipe.mp3").write_bytes(run("-i", sound, "-f", "mp3", "pipe:1"))
    for name in ("vbr.mp3", "pipe.mp3"):
        wave = decoded(tmp_path / name)
        assert len(wave) == packets(tmp_path / name) * MP3_FRAME >= SAMPLES
        # The tone lasts to the end.
        assert np.sqrt(np.mean(wave[-RATE : -RATE // 2, 0] ** 2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("tags", [[], ["-id3v2_version", "3", "-write_id3v1", "1", "-metadata", "title=x"]])
def test_joined_mp3s_are_read_to_the_last(tags, sound, tmp_path):
    run("-i", sound, *tags, tmp_path / "one.mp3")
    assert len(decoded(tmp_path / "one.mp3")) == SAMPLES
    (tmp_path / "three.mp3").write_bytes(3 * (tmp_path / "one.mp3").read_bytes())
    frames = packets(tmp_path / "one.mp3") * MP3_FRAME
    wave = decoded(tmp_path / "three.mp3")
    assert 3 * SAMPLES < len(wave) < 3 * (frames + MP3_FRAME)
    third = wave[-frames:]
    assert np.sqrt(np.mean(third[RATE // 4 : RATE] ** 2)) > 0.2  # which begins with noise again
    if not tags:
        assert len(wave) == 3 * frames - MP3_DELAY


def test_joined_oggs_are_read_to_the_last(sound, tmp_path):
    run("-i", sound, tmp_path / "one.ogg")
    assert len(decoded(tmp_path / "one.ogg")) == SAMPLES
    (tmp_path / "two.ogg").write_bytes(2 * (tmp_path / "one.ogg").read_bytes())
    wave = decoded(tmp_path / "two.ogg")
    assert 2 * SAMPLES <= len(wave) < 2 * SAMPLES + 1024
    assert np.sqrt(np.mean(wave[SAMPLES + RATE // 4 : SAMPLES + RATE // 2] ** 2)) > 0.2  # noise again


LOSSY = {"mp3": 0, "ogg": 0, "m4a": 1024, "aac": 2048, "wma": 4096, "mp4": 1024, "mka": 4096}  # samples of padding


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_have_the_sound_and_its_length(kind, sound, tmp_path):
    run("-i", sound, tmp_path / f"song.{kind}")
    wave = decoded(tmp_path / f"song.{kind}")
    assert abs(len(wave) - SAMPLES) <= LOSSY[kind]
    tone = wave[2 * RATE : 3 * RATE, 0]
    assert np.abs(np.mean(tone * np.exp(-2j * np.pi * 440 * np.arange(RATE) / RATE))) == pytest.approx(0.15, rel=0.05)


def test_the_sound_of_a_film_and_a_song_with_its_cover(sound, tmp_path):
    picture = ["-f", "lavfi", "-i", "color=size=64x64:duration=4"]
    run(*picture, "-i", sound, "-c:a", "pcm_s16le", tmp_path / "film.mkv")
    run(*picture, "-frames:v", 1, tmp_path / "cover.png")
    run("-i", sound, "-i", tmp_path / "cover.png", "-map", 0, "-map", 1, "-c:v", "copy", "-disposition:v",
        "attached_pic", tmp_path / "song.flac")  # fmt: skip
    for name in ("film.mkv", "song.flac"):
        assert np.array_equal(decoded(tmp_path / name), decoded(sound))


# What is cut or damaged: how, and what the sentence says.


def cut(path: Path, share: float = 0.6) -> None:
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def zeros(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)


def double(path: Path) -> None:
    path.write_bytes(2 * path.read_bytes())


def of_another_length(size: int):
    def harm(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[40:44] = struct.pack("<I", size)
        path.write_bytes(content)

    return harm


DAMAGED = "is damaged, incomplete, or joined of several"


def list_of_files(path: Path) -> None:
    path.rename(path.with_name("other.wav"))
    path.write_text("ffconcat version 1.0\nfile other.wav\n")


def of_hours(path: Path) -> None:
    content = path.read_bytes()
    place = content.index(b"data") + 4
    path.write_bytes(content[:place] + struct.pack("<I", 2_540_160_000) + content[place + 4 :])


BAD = {
    "cut flac": (["song.flac"], cut, DAMAGED),
    "damaged flac": (["song.flac"], zeros, DAMAGED),
    "flac with one other bit": (["song.flac"], flip, DAMAGED),
    "joined flac": (["song.flac"], double, DAMAGED),
    "cut mp3": (["song.mp3"], cut, "is incomplete, or has pauses that are not stored: it says that it lasts 4."),
    "damaged mp3": (["song.mp3"], zeros, DAMAGED),
    "damaged mp3 without a header": (["-write_xing", "0", "song.mp3"], zeros, DAMAGED),
    "damaged ogg": (["song.ogg"], zeros, f"{DAMAGED} (CRC mismatch!)"),
    "damaged opus": (["song.opus"], flip, f"{DAMAGED} (CRC mismatch!)"),
    "damaged m4a": (["song.m4a"], zeros, DAMAGED),
    "cut m4a": (["song.m4a"], cut, "is not an audio file that can be read"),
    "cut m4a for the web": (["-movflags", "+faststart", "song.m4a"], cut, DAMAGED),
    "cut wav": (["song.wav"], cut, "its header says that it has 705600 bytes of sound"),
    "wav that goes on": (["-bitexact", "song.wav"], of_another_length(RATE * 4), "529200 bytes behind the 176400 of"),
    "cut rf64": (["-rf64", "always", "song.wav"], cut, "incomplete"),
    "cut aiff": (["song.aiff"], cut, "incomplete"),
    "cut au": (["song.au"], lambda path: cut(path, 0.5), "it says that it lasts 4 s"),
    "joined opus": (["song.opus"], double, DAMAGED),
    "no sound": (["-f", "lavfi", "-i", "color=size=64x64", "-t", "1", "-map", "1", "a.mp4"], None, "it has no audio"),
    "text": (["song.wav"], lambda path: path.write_text("no"), "is not an audio file that can be read"),
    "a list of files": (["song.wav"], list_of_files, "is a list of other files"),
    "cut wav of hours": (["song.wav"], of_hours, "its header says that it has 2540160000"),
    "cut wav from the other end": (["song.wav"], lambda path: path.write_bytes(b"RIFX" + path.read_bytes()[4:]), "is "),
    "cut flac by a packet": (["song.flac"], lambda path: cut(path, 0.99), "is "),
    "a playlist": (["song.wav"], lambda path: path.write_text("#EXTM3U\nother.wav\n"), "is not an audio file that can"),
    "empty": (["song.wav"], lambda path: path.write_bytes(b""), "is not an audio file that can be read"),
    "a folder": (["song.wav"], lambda path: (path.unlink(), path.mkdir()), "is not a file; give an audio file"),
    "a link to nothing": (["song.wav"], lambda path: (path.unlink(), path.symlink_to("gone")), "is a link to nothing"),
    "missing": (["song.wav"], Path.unlink, "song.wav: is missing"),
    "not to be read": (["song.wav"], lambda path: path.chmod(0), "cannot be read (Permission denied); make it"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_cut_or_damaged_is_named(case, sound, tmp_path):
    (*options, name), harm, sentence = BAD[case]
    path = tmp_path / name
    run("-i", sound, *options, path)
    if harm:
        harm(path)
    user = os.geteuid()
    os.seteuid(65534 if user == 0 and case == "not to be read" else user)  # root may read anything
    try:
        with pytest.raises(recordings.BrokenTrack) as problem:
            list(decoding.open_audio(path).blocks())
    finally:
        os.seteuid(user)
    assert sentence in str(problem.value) and str(path) in str(problem.value) and "\n" not in str(problem.value)


def write_stems(path: Path, sound: Path, channels: int = 2, number: int = 5) -> None:
    options = [one for stem in range(number) for one in (f"-filter:a:{stem}", f"volume={(1 + stem) / 10}")]
    run("-i", sound, *(["-map", "0:a"] * number), *options, "-ac", channels, "-c:a", "aac", path)


def test_stems_of_one_channel(sound, tmp_path):
    write_stems(tmp_path / "A.STEM.MP4", sound, channels=1)
    track = recordings.recording(tmp_path / "A.STEM.MP4")
    assert track.name == "A" and track.sources == recordings.MUSDB_SOURCES
    levels = {}
    for source in (recordings.MIXTURE, *track.sources):
        audio, rate = recordings.read(track, source)
        assert audio.shape[1] == 1 and rate == RATE and abs(len(audio) - SAMPLES) <= 1024
        levels[source] = np.sqrt(np.mean(audio[2 * RATE : 3 * RATE] ** 2))
    steps = np.array(list(levels.values())) / levels[recordings.MIXTURE]
    np.testing.assert_allclose(steps, [1, 2, 3, 4, 5], rtol=0.02)


@pytest.mark.parametrize(("harm", "sentence"), [(cut, "incomplete"), (None, "it has 3 audio streams, and needs 5")])
def test_stems_that_are_incomplete(harm, sentence, sound, tmp_path):
    path = tmp_path / "A.stem.mp4"
    write_stems(path, sound, number=5 if harm else 3)
    if harm:
        run("-i", path, "-map", 0, "-c", "copy", "-movflags", "+faststart", tmp_path / "fast.stem.mp4")
        path = tmp_path / "fast.stem.mp4"
        harm(path)
    with pytest.raises(recordings.BrokenTrack, match=sentence):
        recordings.read(recordings.recording(path), "vocals")
