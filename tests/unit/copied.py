"""The examples as a user takes them: each copied into the library's folder."""

import importlib
import shutil
from pathlib import Path

from audiopriors import registry

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = {"prior": "priors", "data": "data", "sampler": "separation/methods"}


def copy_examples(folder: Path, monkeypatch) -> None:
    """Make `folder` what the registry and imports look into: the library's own files and the examples."""
    for name, kind in FOLDERS.items():
        shutil.copytree(Path(registry.__file__).parent / kind, folder / kind)
        for file in (EXAMPLES / name).glob("*.py"):
            assert not (folder / kind / file.name).exists()
            shutil.copy(file, folder / kind)
        package = importlib.import_module(f"audiopriors.{kind.replace('/', '.')}")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder / kind)])
    monkeypatch.setattr(registry, "_FOLDER", folder)
