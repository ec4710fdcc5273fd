"""Scores as a user plays them: chorales, and MIDI files with classes of their own."""

import json
from pathlib import Path

import pandas as pd
import pytest
from audiopriors.audio import roots

if roots.missing_packages():
    pytest.skip(roots.missing_packages(), allow_module_level=True)
import mido

CHORALES, MIDI = (f"results/smoke/data/{name}/items.parquet" for name in ("chorales", "band_midi"))
MINE = """
datasets:
  band_midi:
    settings: {{root: "{root}", classes: {{drums: [drums], bass: ["32-39"], other: [rest]}}}}
"""


def write(path: Path, key: int) -> None:
    """Two seconds of drums and a bass."""
    file = mido.MidiFile()
    for channel, program in ((9, 0), (1, 33)):
        track = file.add_track()
        track.append(mido.Message("program_change", channel=channel, program=program))
        for _ in range(8):
            track.append(mido.Message("note_on", channel=channel, note=key, velocity=90))
            track.append(mido.Message("note_off", channel=channel, note=key, time=240))
    file.save(path)


def test_chorales_and_midi_files_become_data(repository, tmp_path):
    place, root = repository.copy(tmp_path / "work"), tmp_path / "my songs"
    root.mkdir()
    for number, name in enumerate(("one", "two", "three")):
        write(root / f"{name}.mid", 38 + number)
    (place.folder / "mine.yaml").write_text(MINE.format(root=root))
    own = ["--configfile", "mine.yaml", "--", CHORALES, MIDI]
    done = place.snakemake(*own)
    assert done.returncode == 0, done.stdout[-3000:]
    tables = [pd.read_parquet(place.folder / path) for path in (CHORALES, MIDI)]
    assert [table["split"].value_counts().to_dict() for table in tables] == [
        {"train": 16, "validation": 16, "test": 16}
    ] * 2
    assert set(tables[1]["track"]) == {"one", "two", "three"} and {"rms_violin", "rms_bassoon"} <= set(tables[0])
    listed = json.loads((place.folder / CHORALES).with_name(roots.TRACKS).read_text())
    assert sum(row["used_for"] != "left out" for row in listed) == 3
    assert place.planned(*own) == {}
    write(root / "two.mid", 45)
    assert place.planned(*own) == {"make_data": 1}


def test_midi_files_that_are_missing_stop_before_any_job(repository):
    done = repository.snakemake("--dry-run", "smoke_band_midi")
    sentence = "data set band_midi: no folder of MIDI files is set; set `root` in the data set's settings to the folder"
    assert done.returncode != 0 and sentence in done.stdout
