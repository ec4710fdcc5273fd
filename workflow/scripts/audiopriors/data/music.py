"""Recorded music: MUSDB18 (Rafii et al., 2017), a folder of your own tracks, or a synthetic demo band (section 3.1).

The items are frames of one second, cut at seeded places out of whole tracks at 16 kHz. All sources of an item and its
mixture are from one place. The mixture is the recorded one, which is close to the sum of the sources, but not equal.
"""

from __future__ import annotations

import itertools
import json
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import soundfile
import torch
from torch import Tensor

from ..audio import recordings, roots, tracks
from ..errors import UserError
from ..files import Damaged, digest, read_array, read_table, write_bytes
from ..seeds import numpy_generator, seed_of, torch_generator
from ..types import Classes
from . import base

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Config:
    """Settings of recorded music."""

    layout: Literal["musdb18", "folder", "midi", "demo_band", "chorales"]
    "What lies below `root`: MUSDB18 (.stem.mp4, or HQ wav), a folder a track, or MIDI files. The others need none."
    root: str = ""
    "The folder; if empty, that of the variable MUSDB_PATH."
    rate: int = 16000
    "Hz that everything is resampled to."
    channel: Literal["mean", "left"] = "mean"
    "How stereo becomes mono."
    frames: int = 150
    "Frames cut out of each track."
    validation: int = 14
    "Tracks for validation, where no folder `validation` says which; taken from those for training."
    test: int = 50
    "Tracks for testing, where no folder `test` says which."
    silence_db: float = -60.0
    "Level (dB of full scale, root mean square) below which a source is silent in a frame; such frames are not used."
    skip_broken: bool = False
    "Leave out and list broken tracks, and what should be a track and is none, instead of stopping."
    songs: int = 0
    "Number of songs of the demo band, or of chorales."
    seconds: float = 0.0
    "Length of the demo band's songs; of chorales and MIDI files the longest, and 0 for the whole of these."
    soundfont: str = ""
    "What chorales and MIDI files are played with (.sf2, .sf3); if empty, that which pretty_midi ships."
    classes: Classes = "general_midi"
    "The programmes of each source in MIDI files (docs/scores.md), general_midi, slakh, or a mapping."


def make(config: Config, sources: list[str], seed: tuple, folder: Path, frame: int) -> pd.DataFrame:
    """Cut all tracks into frames below `folder`. Returns one row a frame, see `recordings.cut`, with its split.

    Raises
    ------
    UserError: no frames are asked for, there is no root, it holds no tracks, or a split has no track, or no frame in
        which all sources sound.
    BrokenTrack: the first broken track, or all that should be tracks and are none.
    """
    import pandas as pd

    if config.frames < 1:
        raise UserError(f"`frames` is {config.frames} in the data set's settings; give at least 1")
    layout, root, left_out = _root(config, sources, seed, folder)
    if layout == "musdb18" and not set(sources) <= set(recordings.MUSDB_SOURCES):
        raise UserError(f"MUSDB18 has the sources {', '.join(recordings.MUSDB_SOURCES)}, not {', '.join(sources)}")
    listed, strays = tracks.find(layout, root, sources)
    if not config.skip_broken:
        tracks.stop_at(strays)
        tracks.assign_splits(listed, config.validation, config.test, seed)  # too few are named before any is cut
    left_out += strays
    for stray in strays:
        tracks.log.warning("left out: %s", roots.text(f"{stray.path}: {stray.reason}"))
    rows_of: dict[str, list[dict]] = {}  # by the track's key
    for number, track in enumerate(listed, 1):
        tracks.log.info("%d of %d: %s", number, len(listed), track.name)
        with tracks.skipping(config.skip_broken, track.path, track.split, left_out):
            rows_of[track.key] = recordings.cut(
                track, sources, folder / "frames", rate=config.rate, frame=frame, frames=config.frames,
                channel=config.channel, seed=seed,
            )  # fmt: skip
    cut = [track for track in listed if track.key in rows_of]
    tracks.check_folders_of_splits(cut, left_out)
    split = tracks.assign_splits(cut, config.validation, config.test, seed)
    used = [_used(track, split[track.key], rows_of[track.key], folder, config) for track in cut]
    write_bytes(folder / roots.TRACKS, json.dumps([*used, *map(_left_out, left_out)], indent=1).encode())
    table = pd.DataFrame([{"split": split[key], **row} for key, rows in rows_of.items() for row in rows])
    _check_that_all_sound(table, config.silence_db)
    return table


def _root(config: Config, sources: list[str], seed: tuple, folder: Path) -> tuple[str, Path, list[tracks.Stray]]:
    """The layout and the root of the tracks, below `folder` if they are made here, and what could not be rendered."""
    songs = folder / "songs"
    if config.layout == "demo_band":
        _play(config, songs, seed)
        return "musdb18", songs, []
    if config.layout == "chorales":
        return "folder", songs, _rendering().render_chorales(songs, sources, config, seed)
    if wrong := roots.problem(config.layout, config.root):
        raise UserError(wrong)
    root = roots.root_of(config.layout, config.root)
    assert root is not None  # else there is a problem
    if config.layout == "midi":
        return "folder", songs, _rendering().render_midi(root, songs, sources, config)
    return config.layout, root, []


def _rendering():
    from ..audio import rendering  # imported here, as few data are rendered, and every training imports this file

    return rendering


def _used(track: recordings.Track, split: str, rows: list[dict], folder: Path, config: Config) -> dict:
    """The row in roots.TRACKS of a track that was cut into these rows."""
    kept = json.loads((folder / "frames" / rows[0]["file"]).with_suffix(".json").read_text())
    sounds = _sounds({name: [row[name] for row in rows] for name in rows[0]}, config.silence_db)
    all_sound = int(np.all(list(sounds.values()), axis=0).sum())
    return {
        "track": track.name, "folder_split": track.split, "used_for": split, "seconds": kept["seconds"],
        "frames": len(rows), "frames_all_sound": all_sound, "reason": None,
    }  # fmt: skip


def _left_out(stray: tracks.Stray) -> dict:
    """The row in roots.TRACKS of what was left out."""
    name = roots.name_of_stems(stray.path.name) or stray.path.name
    return {
        "track": roots.text(name), "folder_split": stray.split, "used_for": "left out", "seconds": None, "frames": 0,
        "frames_all_sound": 0, "reason": roots.text(stray.reason),
    }  # fmt: skip


def _sounds(columns: pd.DataFrame | Mapping[str, Any], silence_db: float) -> dict[str, np.ndarray]:
    """Whether the mixture and each source sounds in each frame, by name. columns: those of the items, by name."""
    threshold = 10 ** (silence_db / 20)
    names = [name for name in map(str, columns) if name.startswith("rms_")]
    return {name.removeprefix("rms_"): np.asarray(columns[name]) > threshold for name in names}


def _check_that_all_sound(table: pd.DataFrame, silence_db: float) -> None:
    """Raise UserError unless every split has a frame in which all sources sound: others are no items."""
    sounds = _sounds(table, silence_db)
    problems = []
    for split in base.SPLITS:
        of_split = {name: of_all[table["split"] == split] for name, of_all in sounds.items()}
        silent = [name for name, of_frames in of_split.items() if not of_frames.any()]
        if silent:
            problems.append(f"{' and '.join(silent)} never sound{'s' * (len(silent) == 1)} in the tracks for {split}")
        elif not np.all(list(of_split.values()), axis=0).any():
            names = " and ".join(name for name in sounds if name != recordings.MIXTURE)
            problems.append(f"{names} never sound together in the tracks for {split}")
    if problems:
        raise UserError(
            f"{'; '.join(problems)}: no frame there has every source above {silence_db:g} dB; add tracks that have, or "
            "change `sources`, or lower `silence_db` in the data set's settings"
        )


def _play(config: Config, root: Path, seed: tuple) -> None:
    """Synthesise the demo band's songs that do not exist yet, in MUSDB18-HQ's layout. Every third is for testing."""
    from ..audio import band  # imported here, as it needs scipy, and every training imports this file

    places = [
        root / ("test" if number % 3 == 2 else "train") / f"Demo Band - Song {number + 1:02d}"
        for number in range(config.songs)
    ]
    for other in set(root.glob("*/*")) - set(places):  # songs of a configuration with more of them
        shutil.rmtree(other)
    for number, place in enumerate(places):
        wanted = f"{seed_of(*seed, number)} {config.seconds:g} {digest(band.__file__)}"
        if (place / "made").exists() and (place / "made").read_text() == wanted:
            continue
        tracks.log.info("song %d of %d", number + 1, config.songs)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        mixture, stems = band.song((*seed, "song", number), config.seconds)
        for name, audio in zip((recordings.MIXTURE, *band.SOURCES), (mixture, *stems), strict=True):
            soundfile.write(place / f"{name}.wav", audio, band.RATE, subtype="PCM_16")
        (place / "made").write_text(wanted)  # last: a killed synthesis is done again


def _by_turns(places: list[tuple]) -> list[tuple]:
    """Places (file, row, track) in an order whose beginning covers as many tracks and parts of tracks as possible."""
    of_file: dict[str, list[tuple]] = {}
    for place in places:
        of_file.setdefault(place[0], []).append(place)
    shuffled = [
        [in_file[place] for place in numpy_generator("items", file).permutation(len(in_file))]
        for file, in_file in of_file.items()
    ]
    return [place for turn in itertools.zip_longest(*shuffled) for place in turn if place]


class Frames(base.Frames):
    """Frames of recorded tracks, from the index at `path` and the memory maps beside it.

    `count` and `frames` are about items in which every source sounds, so that all sources of an item can be compared.
    Training draws from all frames in which its own source sounds.

    Raises
    ------
    UserError: frames that the index names are missing. Damaged: later, if a frame is not as it was written.
    """

    bss_eval = True  # separations of recordings are measured by BSSEval, too
    mix_settings = ("noise",)  # no gains or unison: recorded music is separated as it is

    def __init__(self, path: str, config: Config):
        self.config, self.rate = config, config.rate
        table = read_table(path)
        columns = dict(zip(table.column_names, (column.to_numpy() for column in table.columns), strict=True))
        sounds = _sounds(columns, config.silence_db)
        self._sources = list(sounds)  # the mixture and the sources
        folder = Path(path).parent / "frames"
        self._files = {name: folder / name for name in dict.fromkeys(columns["file"])}
        gone = [str(file) for file in self._files.values() if not file.exists()]
        if gone:
            raise UserError(f"{gone[0]} is gone; remove {path} and run again, and it is made anew")
        self._maps: dict[str, np.ndarray] = {}
        self._path, self._row = (
            path,
            {key: row for row, key in enumerate(zip(columns["file"], columns["row"], strict=True))},
        )
        self._checksums = [columns[f"crc_{name}"] for name in self._sources]
        every = np.all(list(sounds.values()), axis=0)
        self._where = {
            split: _by_turns([
                (columns["file"][row], int(columns["row"][row]), str(columns["track"][row]))
                for row in np.flatnonzero((columns["split"] == split) & every)
            ])
            for split in base.SPLITS
        }  # fmt: skip
        self._drawn = {
            name: [(columns["file"][row], int(columns["row"][row]))
                   for row in np.flatnonzero((columns["split"] == "train") & sounds[name])]
            for name in self._sources
        }  # fmt: skip

    def count(self, split: str) -> int:
        """Number of items in that split."""
        return len(self._where[split])

    def tracks(self, split: str) -> list[str]:
        """The track of each item: items of one track are not independent."""
        return [track for _, _, track in self._where[split]]

    def _stored(self, places: list[tuple], source: str, frame: int) -> Tensor:
        """The stored frames (n, 1, frame) float32, in steps of 1 / 32768."""
        which = self._sources.index(source)
        frames = np.empty((len(places), 1, frame), np.float32)
        for number, (file, row, *_) in enumerate(places):
            frames[number, 0] = self._frame(file, which, row)[:frame]
        return torch.from_numpy(frames) / recordings.FULL_SCALE

    def _frame(self, file: str, which: int, row: int) -> np.ndarray:
        """One frame, as it was stored."""
        try:
            if file not in self._maps:
                self._maps[file] = read_array(self._files[file], mmap_mode="r")
            frame = self._maps[file][which, row]
            if frame.dtype != recordings.STORED or zlib.crc32(frame) != self._checksums[which][self._row[file, row]]:
                raise Damaged(f"frame {row} of {self._sources[which]} is not as it was written")
        except (Damaged, IndexError) as error:
            raise Damaged(
                f"{self._files[file]}: is damaged ({error}); remove it and {self._path} and run again, and both are "
                "made anew"
            ) from None
        return frame

    def frames(self, split: str, source: str, items: Tensor, frame: int) -> Tensor:
        """Frames (n, 1, frame) float32 of the items numbered; source may be `mixture`.

        Uniform noise of one step of the 16 bits makes them draws of a density. It depends on the item, not on the call.
        """
        frames = self._stored([self._where[split][item] for item in items.tolist()], source, frame)
        for number, item in enumerate(items.tolist()):
            generator = torch_generator("dequantise", split, source, item)
            frames[number] = recordings.dequantised(frames[number], generator)
        return frames

    def mixture(self, split: str, sources: list[str], items: Tensor, frame: int) -> Tensor:
        """The mix (n, 1, frame) as it was recorded, if it is of all sources; else the sum of the given ones."""
        if sources == self._sources[1:]:
            return self.frames(split, recordings.MIXTURE, items, frame)
        return super().mixture(split, sources, items, frame)

    def mixed(self, mix: dict, items: Tensor, frame: int, split: str = "test") -> tuple[Tensor, Tensor]:
        """The true sources (N, n, 1, frame) of a split's items, and their recorded mix M (n, 1, frame).

        Raises
        ------
        UserError: the mix has gains or a unison, which recordings do not have.
        """
        if mix["unison"] or set(mix["gains"]) != {1}:
            raise UserError(f"mix {mix['name']}: recorded music is separated as it is, without gains and unison")
        truth, _ = super().mixed(mix, items, frame, split)
        return truth, self.mixture(split, mix["sources"], items, frame)

    def draw(self, source: str, batch: int, frame: int, generator: torch.Generator) -> Tensor:
        """A training batch (batch, 1, frame) of random frames in which the source sounds."""
        places = self._drawn[source]
        chosen = torch.randint(len(places), (batch,), generator=generator).tolist()
        return recordings.dequantised(self._stored([places[one] for one in chosen], source, frame), generator)
