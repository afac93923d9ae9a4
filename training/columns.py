"""Columns of a table to raw columns of the contract: the fast way in, for many rows at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from model.contract.columns import Column, Histories, Numbers, StringLists, Strings, Vectors
from model.contract.features.interface import Feature
from model.contract.mistakes import InputError, Mistake, mistake, quote

SEPARATOR = ","  # between the items of a list that a CSV table holds as text


def to_column(series: pl.Series, feature: Feature, source: str, first_row: int) -> Column:
    """Raises InputError with source, column and row (counted from 0 in the whole table)."""
    try:
        return CONVERTERS[feature.column](series, feature)
    except InputError as error:
        raise InputError(*(_in_table(one, series.name, source, first_row) for one in error.mistakes)) from error


def _in_table(one: Mistake, column: str, source: str, first_row: int) -> Mistake:
    where = f"{source}: column `{column}`"
    if one.where.startswith("["):
        where += f", row {first_row + int(one.where[1 : one.where.index(']')])}"
    return Mistake(where, one.expected, one.found)


def _wrong_type(expected: str, dtype: pl.DataType) -> InputError:
    return mistake("", expected, f"a column of type {dtype}")


def strings(series: pl.Series, feature: Feature | None = None) -> Strings:  # noqa: ARG001
    """Whole numbers, booleans and dates are spelled out; floats are refused, for 1.0 is no id."""
    kind = series.dtype
    if not (
        kind.is_integer() or kind.is_temporal() or kind in (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)
    ):
        raise _wrong_type("strings, integers or booleans", series.dtype)
    # Of whole numbers only the distinct ones are spelled out, but for those that Arrow does not have.
    is_number = kind.is_integer() and kind not in (pl.Int128, pl.UInt128)
    encoded = (series if is_number else series.cast(pl.String)).to_arrow().dictionary_encode()
    distinct = [*pl.Series(encoded.dictionary).cast(pl.String).to_list(), None]
    return Strings(distinct, pl.Series(encoded.indices).fill_null(len(distinct) - 1).to_numpy())


def numbers(series: pl.Series, feature: Feature | None = None) -> Numbers:  # noqa: ARG001
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise _wrong_type("numbers", series.dtype)
    present = series.is_not_null().to_numpy()
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as that
        values = series.cast(pl.Float64).fill_null(0.0).to_numpy().astype(np.float32).astype(np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise mistake(f"[{row}]", "a finite number, or null where it is missing", quote(series[row]))
    return Numbers(np.where(present, values, np.nan))


def string_lists(series: pl.Series, feature: Feature | None = None) -> StringLists:  # noqa: ARG001
    series = series.to_frame().select(as_lists(series.name, series.dtype)).to_series()
    return StringLists(strings(_flat(series)), _lengths(series))


def as_lists(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as lists; raises InputError where it cannot be."""
    if dtype == pl.String:
        return pl.col(name).str.split(SEPARATOR)
    if isinstance(dtype, pl.Array):
        return pl.col(name).arr.to_list()
    if isinstance(dtype, pl.List):
        return pl.col(name)
    raise _wrong_type(f"lists, or strings split at `{SEPARATOR}`", dtype)


def vectors(series: pl.Series, feature: Feature) -> Vectors:
    length = feature.shape["length"]
    if series.dtype == pl.String:
        series = series.str.split(SEPARATOR).cast(pl.List(pl.Float64), strict=False)
    if isinstance(series.dtype, pl.Array):
        series = series.arr.to_list()
    if not (isinstance(series.dtype, pl.List) and series.dtype.inner is not None and _numeric(series.dtype.inner)):
        raise _wrong_type(f"lists of {length} numbers", series.dtype)
    lengths, present = _lengths(series), series.is_not_null().to_numpy()
    if (wrong := present & (lengths != length)).any():
        row = int(np.argmax(wrong))
        raise mistake(f"[{row}]", f"a list of {length} numbers", f"{lengths[row]} numbers")
    table = np.full((len(series), length), np.nan, dtype=np.float32)
    table[present] = _flat(series).cast(pl.Float32).fill_null(np.nan).to_numpy().reshape(-1, length)
    if (wrong := present & ~np.isfinite(table).all(axis=1)).any():
        row = int(np.argmax(wrong))
        raise mistake(f"[{row}]", f"{length} finite numbers", quote(series[row].to_list()))
    return Vectors(table)


def histories(series: pl.Series, feature: Feature) -> Histories:
    """A list of structs: `video_id` and one field per outcome."""
    wanted = ["video_id", *feature.shape["outcomes"]]
    inner = series.dtype.inner if isinstance(series.dtype, pl.List) else None
    found = [field.name for field in inner.fields] if isinstance(inner, pl.Struct) else []
    if not set(wanted) <= set(found):
        raise _wrong_type(f"lists of structs with the fields {', '.join(wanted)}", series.dtype)
    flat = _flat(series).struct.unnest()
    outcomes = [numbers(flat[name]).values for name in feature.shape["outcomes"]]
    table = np.stack(outcomes, axis=1).astype(np.float32)
    return Histories(strings(flat["video_id"]), table, _lengths(series))


def as_requested(name: str, dtype: pl.DataType, feature: Feature) -> pl.Expr:
    """The column as a request has its values: categories as strings, lists as lists."""
    column, is_text = pl.col(name), dtype == pl.String
    if feature.column is Strings:
        return column.cast(pl.String)
    if feature.column is Numbers:
        return column.cast(pl.Float64)
    if feature.column is StringLists:
        return column.str.split(SEPARATOR) if is_text else column.cast(pl.List(pl.String))
    if feature.column is Vectors and is_text:
        return column.str.split(SEPARATOR).cast(pl.List(pl.Float64))
    return column


def _numeric(kind: Any) -> bool:
    return bool(kind.is_numeric())


def _lengths(series: pl.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
    return series.list.len().fill_null(0).cast(pl.Int64).to_numpy()


def _flat(series: pl.Series) -> pl.Series:
    """All items of all lists; polars' explode would make a null out of an empty list."""
    filled = series.filter(series.list.len() > 0)
    return filled.explode() if len(filled) else pl.Series(series.name, [], dtype=series.dtype.inner)  # type: ignore[attr-defined]


CONVERTERS: dict[type[Column], Callable[[pl.Series, Any], Column]] = {
    Strings: strings,
    Numbers: numbers,
    StringLists: string_lists,
    Vectors: vectors,
    Histories: histories,
}
