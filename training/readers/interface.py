"""What every reader promises: raw logs in, one ImpressionTable out."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from model.contract.durable import sha256, told_as_input_errors
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
    def read(self, keys: Keys, categories: Collection[str] = ()) -> ImpressionTable:
        """Raises InputError when a file is missing or unreadable. Values are checked later, as they are encoded.

        `categories` are columns of strings, even where a file without types makes them look like numbers.
        """


def fingerprint_of(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name}:{sha256(path)}\n".encode())
    return digest.hexdigest()


def scan(pattern: str, as_text: Iterable[str] = ()) -> tuple[list[Path], pl.LazyFrame]:
    """A Parquet or CSV file, a folder of them, or a glob. Of CSV, columns `as_text` are never taken for numbers: in ids
    and categories a leading zero counts.
    """
    try:
        files = _files(Path(pattern))
    except ValueError as error:  # what is no glob
        raise mistake(pattern, "a Parquet or CSV file, a folder of them, or a glob", str(error)) from error
    endings = {one.suffix.lower() for one in files}
    if not files:
        raise mistake(pattern, "a Parquet or CSV file, a folder of them, or a glob", "no such file")
    if endings == {".parquet"}:
        return files, _opened(pattern, lambda: pl.scan_parquet(files))
    if endings == {".csv"}:
        types = dict.fromkeys(as_text, pl.String)
        return files, _opened(pattern, lambda: pl.scan_csv(files, infer_schema_length=10_000, schema_overrides=types))
    raise mistake(pattern, "files that end in .parquet or .csv, of one kind", ", ".join(sorted(endings)))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(one for ending in ("*.parquet", "*.csv") for one in path.glob(ending))
    if path.is_file():
        return [path]
    root = Path(path.anchor) if path.is_absolute() else Path()
    return sorted(one for one in root.glob(str(path.relative_to(root))) if one.is_file())


def _opened(pattern: str, open_lazily: Callable[[], pl.LazyFrame]) -> pl.LazyFrame:
    with told_as_input_errors(pattern), told_as_unreadable(pattern):
        frame = open_lazily()
        frame.collect_schema()
    return frame


@contextmanager
def told_as_unreadable(source: str) -> Iterator[None]:
    """Turn what polars says of a table into one line: a lazy one shows only when it is read what is wrong with it."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise mistake(source, "a readable table", str(error).splitlines()[0]) from error


def read_table(pattern: str, as_text: Iterable[str] = ()) -> tuple[list[Path], pl.DataFrame]:
    files, frame = scan(pattern, as_text)
    with told_as_input_errors(pattern), told_as_unreadable(pattern):
        return files, frame.collect()


def check_unique(source: str, frame: pl.DataFrame, key: str) -> None:
    """Entity tables are joined by their key: it must be there, once in each row."""
    if key not in frame.columns:
        raise mistake(source, f"a column `{key}`", ", ".join(f"`{one}`" for one in frame.columns))
    twice = frame.lazy().filter(pl.col(key).is_duplicated()).select(key).head(1).collect()
    if twice.height:
        raise mistake(f"{source}: column `{key}`", "each id once", f"`{twice.item()}` in more than one row")


def text_ids(source: str, frame: pl.LazyFrame, columns: Mapping[str, pl.DataType], keys: Iterable[str]) -> pl.LazyFrame:
    """Ids become strings as soon as they are read, empty ones null; a float column is refused, for 1e16 is no id."""
    there = [key for key in keys if key in columns]
    for key in there:
        if columns[key].is_float() or columns[key].is_nested():
            where = f"{source}: column `{key}`"
            raise mistake(where, "ids as strings or integers", f"a column of type {columns[key]}")
    text = {key: pl.col(key).cast(pl.String) for key in there}
    return frame.with_columns(**{key: pl.when(column != "").then(column) for key, column in text.items()})
