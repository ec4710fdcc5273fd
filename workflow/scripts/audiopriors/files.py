"""Files that are whole or not there, and their checksums."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write the whole file or none of it: a reader, or a kill, never sees a half."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def digest(*paths: str | Path) -> str:
    """SHA-256 over the content of the files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return total.hexdigest()
