"""What every reader promises: raw logs in, one ImpressionTable out."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from model.contract.durable import sha256
from model.contract.mistakes import Strict, mistake
from model.contract.schema import Keys


@dataclass(frozen=True, slots=True)
class ImpressionTable:
    """One row an impression, in a fixed order; optional tables with one row a user and one row a video.

    `source` is what messages call it; `fingerprint` changes when the content does.
    """

    source: str
    fingerprint: str
    impressions: pl.LazyFrame
    users: pl.DataFrame | None = None
    videos: pl.DataFrame | None = None


class Reader(ABC, Strict):
    """One entry under `data.reader:` in a run config: where the logs are, and how they are read."""

    @abstractmethod
    def read(self, keys: Keys) -> ImpressionTable:
        """Raises InputError when a file is missing or unreadable. Values are checked later, as they are encoded."""


def fingerprint_of(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name}:{sha256(path)}\n".encode())
    return digest.hexdigest()


def scan(pattern: str) -> tuple[list[Path], pl.LazyFrame]:
    """A Parquet or CSV file, a folder of them, or a glob."""
    path = Path(pattern)
    if path.is_dir():
        files = sorted(one for ending in ("*.parquet", "*.csv") for one in path.glob(ending))
    elif path.is_file():
        files = [path]
    else:
        root = Path(path.anchor) if path.is_absolute() else Path()
        files = sorted(one for one in root.glob(str(path.relative_to(root))) if one.is_file())
    endings = {one.suffix.lower() for one in files}
    if not files:
        raise mistake(pattern, "a Parquet or CSV file, a folder of them, or a glob", "no such file")
    if endings == {".parquet"}:
        return files, _opened(pattern, lambda: pl.scan_parquet(files))
    if endings == {".csv"}:
        return files, _opened(pattern, lambda: pl.scan_csv(files, infer_schema_length=10_000))
    raise mistake(pattern, "files that end in .parquet or .csv, of one kind", ", ".join(sorted(endings)))


def _opened(pattern: str, open_lazily: Callable[[], pl.LazyFrame]) -> pl.LazyFrame:
    try:
        frame = open_lazily()
        frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise mistake(pattern, "a readable table", str(error).splitlines()[0]) from error
    return frame


def read_table(pattern: str) -> tuple[list[Path], pl.DataFrame]:
    files, frame = scan(pattern)
    try:
        return files, frame.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise mistake(pattern, "a readable table", str(error).splitlines()[0]) from error


def check_unique(source: str, frame: pl.DataFrame, key: str) -> None:
    """Entity tables are joined by their key: it must be there, once in each row."""
    if key not in frame.columns:
        raise mistake(source, f"a column `{key}`", ", ".join(f"`{one}`" for one in frame.columns))
    twice = frame.lazy().filter(pl.col(key).is_duplicated()).select(key).head(1).collect()
    if twice.height:
        raise mistake(f"{source}: column `{key}`", "each id once", f"`{twice.item()}` in more than one row")


def text_ids(frame: pl.LazyFrame, columns: Mapping[str, pl.DataType], keys: Iterable[str]) -> pl.LazyFrame:
    """Ids become strings as soon as they are read; a float column of ids is refused, for 1e16 is no id."""
    for key in keys:
        if key in columns and columns[key].is_float():
            raise mistake(f"column `{key}`", "ids as strings or integers", f"a column of type {columns[key]}")
    return frame.with_columns(pl.col(key).cast(pl.String) for key in keys if key in columns)
