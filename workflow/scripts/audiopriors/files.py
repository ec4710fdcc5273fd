"""Files that are whole or not there, their checksums, and rows as parquet."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # it takes a second to import, and few programs need it
    import pandas as pd


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


def write_csv(columns: Iterable[str], rows: Iterable[dict], path: str) -> None:
    """Rows as CSV; what a row lacks is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


def write_rows(rows: pd.DataFrame, path: str) -> None:
    """Rows as parquet."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())


def write_array(array: np.ndarray, path: str) -> None:
    """An array as npy."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_bytes(path, buffer.getvalue())


def read_rows(paths: Iterable[str], columns: list[str] | None = None) -> pd.DataFrame:
    """Rows of many parquet files, in the order of the paths."""
    import pandas as pd

    return pd.concat([pd.read_parquet(Path(path), columns=columns) for path in paths], ignore_index=True)
