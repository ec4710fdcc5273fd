"""Files that are written whole or not at all, their checksums, and tables of rows as parquet."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from . import runtime
from .errors import UserError

if TYPE_CHECKING:  # they take a second to import, and few programs need them
    import pandas as pd
    import pyarrow

_DEVICE, _TABLE = b"audiopriors.device", b"audiopriors.table"


class Damaged(UserError):
    """A file is not as it was written; the message names it."""


def write_bytes(path: str | Path, *content: bytes) -> None:
    """Write the whole file, of one piece or several, or nothing: no reader sees, and no killed program leaves, half."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def digest(*paths: str | Path) -> str:
    """SHA-256 over the content of the files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(bytes.fromhex(sha256(path)))
    return total.hexdigest()


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's content, as sha256sum gives it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def csv_of(columns: Iterable[str], rows: Iterable[dict]) -> bytes:
    """Rows as CSV. Where a row lacks a column, the cell is empty."""
    text = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write_rows(rows: pd.DataFrame, path: str | Path) -> None:
    """Write rows as parquet, with checksums, and with the device on which they were computed."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pandas(rows, nthreads=1, preserve_index=False)
    table = table.replace_schema_metadata({_DEVICE: runtime.current.device.encode(), _TABLE: _described(table)})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, write_page_checksum=True)
    write_bytes(path, buffer.getvalue())


def write_array(array: np.ndarray, path: str | Path) -> None:
    """Write an array as npy."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_bytes(path, buffer.getvalue())


def read_array(path: str | Path, mmap_mode: Literal["r"] | None = None) -> np.ndarray:
    """Read an array that `write_array` wrote, or map it into memory.

    Raises
    ------
    Damaged: the file's header is broken.
    """
    try:
        return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:  # for a damaged header numpy raises any kind of error, even from tokenize or struct
        raise Damaged(f"{path}: is damaged ({type(error).__name__}); delete it and run again") from None


def read_table(path: str | Path) -> pyarrow.Table:
    """Read a table that `write_rows` wrote.

    Raises
    ------
    Damaged: the file is broken.
    """
    from pyarrow import ArrowException, BufferReader, parquet

    content = BufferReader(Path(path).read_bytes())
    try:
        # Without threads, as a program that ends soon after may abort (apache/arrow#50482).
        file = parquet.ParquetFile(content, pre_buffer=False, page_checksum_verification=True)
        table = file.read(use_threads=False)
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        raise Damaged(f"{path}: is damaged ({str(error).splitlines()[0]}); delete it and run again") from None
    if (table.schema.metadata or {}).get(_TABLE) not in (None, _described(table)):
        raise Damaged(f"{path}: is damaged (its columns are not those that were written); delete it and run again")
    return table


def _described(table: pyarrow.Table) -> bytes:
    """What the checksums of pages do not cover: the number of rows, and names and types of columns."""
    return repr((table.num_rows, [(column.name, str(column.type)) for column in table.schema])).encode()


def rows_made_on(path: str | Path) -> str:
    """The device on which rows were computed; `unknown` if `write_rows` did not write them."""
    from pyarrow import parquet

    return (parquet.read_schema(path).metadata or {}).get(_DEVICE, b"unknown").decode()


def read_rows(paths: Iterable[str]) -> pd.DataFrame:
    """The rows of several parquet files, in the order of the paths."""
    import pandas as pd

    return pd.concat([read_table(path).to_pandas(use_threads=False) for path in paths], ignore_index=True)
