"""Small trees of recorded tracks, and what can be done to them."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


def write(file: Path, seed: int = 0, level: float = 0.1, samples: int = 4000) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, level * np.random.default_rng(seed).uniform(-1, 1, samples), RATE, subtype="PCM_16")
    return file


def put(place: Path, *files: str, **options) -> Path:
    for number, file in enumerate(files or ("flute.wav", "voice.wav")):
        write(place / file, number, **options)
    return place


def anew(file: Path) -> None:
    """Write a stem as it is rendered anew: of the same length, and even of the same time."""
    times = os.stat(file)
    write(file, seed=99)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def unsplit(root: Path) -> Path:
    """Five good tracks, without splits."""
    for name in "abcde":
        put(root / name)
    return root


def split_up(root: Path) -> Path:
    """Two good tracks for training, one for validation, one for test."""
    for name in ("train/a", "train/b", "validation/c", "test/d"):
        put(root / name)
    return root


def link(path: str, to: str) -> Callable[[Path], None]:
    """What puts a link at that path below a root, instead of what lies there."""

    def harm(root: Path) -> None:
        place = root / path
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        place.symlink_to(to)

    return harm


@contextlib.contextmanager
def unreadable(folder: Path, mode: int):
    """A folder with these rights, and a reader without root's right to read anything."""
    of_root = os.geteuid() == 0
    for above in folder.parents:
        if above.stat().st_mode & 0o055 != 0o055:  # pytest's own folders
            above.chmod(above.stat().st_mode | 0o055)
    folder.chmod(mode)
    if of_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if of_root:
            os.seteuid(0)
        folder.chmod(0o755)
