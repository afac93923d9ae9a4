"""Kinds: how a column becomes a feature, from its type and its values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from training.column_names import words
from training.columns import SEPARATOR
from training.drafting.parts import LeftOut
from training.spelling import spelled
from training.splits import ISO_DATE

FEW_VALUES = 50  # whole numbers of more values are quantities, unless the name says that they are codes
CODE_WORDS = frozenset(
    {"id", "uid", "code", "type", "category", "class", "kind", "bucket", "idx", "hash", "zip", "tab", "hour", "weekday"}
)
COUNT_WORDS = frozenset(
    {
        *("num", "count", "counts", "cnt", "n", "total", "days", "age", "price", "length", "duration", "size", "width"),
        *("height", "year", "seconds", "minutes", "rate", "views", "likes", "followers", "s", "ms"),
    }
)
MIN_COUNTS = ((5_000, 10), (100, 5))  # of a vocabulary this large, values met more rarely than that are only noise
FREE_TEXT_CHARACTERS, FREE_TEXT_SHARE = 30, 0.5
LISTED_SHARE = 0.02
RANGE = r"^[\[(].*[\])]$"
LONGEST_VECTOR, LONGEST_HISTORY, LONGEST_SET = 4096, 50, 256
SKEWED = 2.0
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Kind:
    """`kind:` and its options in a run config, and the comment beside it. `distinct` counts a category's values."""

    options: dict[str, Any]
    why: str
    distinct: int = 0


def kind_of(series: pl.Series) -> Kind:
    """Raises LeftOut for a column that no feature can be made of."""
    known = series.drop_nulls()
    if not len(known):
        raise LeftOut("empty")
    for applies, guess in KINDS:
        if applies(known.dtype):
            if not known.dtype.is_nested() and series.n_unique() == 1:
                raise LeftOut("the same value in every row")
            return guess(known)
    raise LeftOut(f"no kind of feature reads a column of type {known.dtype}")


def _moment(known: pl.Series) -> Kind:  # noqa: ARG001 (as all in KINDS)
    raise LeftOut("a moment: later ones are in no vocabulary; how long ago it was, as a number, could be a feature")


def _text(known: pl.Series) -> Kind:
    values = known.cast(pl.String)
    if values.str.contains(ISO_DATE).all():
        return _moment(values)
    if _is_listed(values):
        return _listed(values)
    if _is_free_text(values):
        raise LeftOut("free text: its embedding, made elsewhere, could be a vector")
    return _category(values)


def _is_listed(values: pl.Series) -> bool:
    """`a,b,c`; a range such as `(250,500]` is one value."""
    commas = float(values.str.contains(SEPARATOR, literal=True).to_numpy().mean())
    return commas >= LISTED_SHARE and not values.str.contains(RANGE).any()


def _is_free_text(values: pl.Series) -> bool:
    usual = float(values.str.len_chars().to_numpy().mean())
    return bool(usual > FREE_TEXT_CHARACTERS and values.n_unique() > FREE_TEXT_SHARE * len(values))


def _listed(values: pl.Series) -> Kind:
    """Lists as text, as CSV has them; a sentence with commas is none."""
    lists = values.str.split(SEPARATOR)
    lengths = lists.list.len()
    items = lists.explode()
    numbers = items.cast(pl.Float64, strict=False)
    if lengths.n_unique() == 1 and numbers.is_not_null().all() and items.str.contains(".", literal=True).any():
        return _vector(numbers.is_finite().all(), int(lengths[0]))
    if items.str.starts_with(" ").any() or _is_free_text(items):
        raise LeftOut("text with commas; a list of strings, or text without commas, could be a feature")
    return _set(items, lengths)


def _category(values: pl.Series) -> Kind:
    distinct = values.n_unique()
    return Kind({"kind": "category", **_min_count(distinct)}, f"{distinct:,} different values", distinct)


def _min_count(distinct: int) -> dict[str, int]:
    return next(({"min_count": count} for size, count in MIN_COUNTS if distinct >= size), {})


def _whole(known: pl.Series) -> Kind:
    parts, distinct = words(known.name), known.n_unique()
    counts = COUNT_WORDS.intersection(parts) and known.min() != known.max() and distinct > 2
    if CODE_WORDS.intersection(parts[-1:]) or (distinct <= FEW_VALUES and not counts):
        return _category(known)
    return _number(known.cast(pl.Float64))


def _number(known: pl.Series) -> Kind:
    values = known.cast(pl.Float64)
    if not values.is_finite().all():
        raise LeftOut("holds NaN or infinite numbers, which training refuses: make them null")
    low, high = float(values.to_numpy().min()), float(values.to_numpy().max())
    if max(-low, high) > LARGEST:
        raise LeftOut("holds numbers beyond the range of float32, which training refuses")
    distinct, options = values.n_unique(), {"kind": "number"}
    skewed = low >= 0 and high > 10 and (values.skew() or 0.0) > SKEWED
    extra: dict[str, Any] = {"transform": "log1p"} if skewed else {}
    extra |= {"bins": 32} if distinct >= 1_000 else {"bins": 16} if distinct >= 20 else {}
    whole = known.dtype.is_float() and distinct <= FEW_VALUES and bool((values == values.floor()).all())
    notes = (", skewed" if skewed else "") + ("; if these are codes, store them as integers" if whole else "")
    return Kind(options | extra, f"{spelled(low)} to {spelled(high)}{notes}")


def _list(known: pl.Series) -> Kind:
    lists = known.arr.to_list() if isinstance(known.dtype, pl.Array) else known
    items, lengths = lists.filter(lists.list.len() > 0).explode(), lists.list.len()
    if not len(items):
        raise LeftOut("empty")
    for applies, guess in ITEMS:
        if applies(items.dtype):
            return guess(items, lengths)
    raise LeftOut(f"no kind of feature reads lists of type {items.dtype}")


def _floats(items: pl.Series, lengths: pl.Series) -> Kind:
    if lengths.n_unique() > 1:
        raise LeftOut("numbers in lists of several lengths: a vector has one")
    return _vector(items.is_not_null().all() and items.is_finite().all(), int(lengths[0]))


def _vector(finite: bool, length: int) -> Kind:
    if not finite:
        raise LeftOut("vectors with missing, NaN or infinite numbers, which training refuses")
    if length > LONGEST_VECTOR:
        raise LeftOut(f"vectors of {length:,} numbers; at most {LONGEST_VECTOR:,} can be read")
    return Kind({"kind": "vector", "length": length}, "used as it comes")


def _set(items: pl.Series, lengths: pl.Series) -> Kind:
    kept = min(LONGEST_SET, max(1, round(lengths.quantile(0.95) or 1)))
    distinct = items.n_unique()
    options = {"kind": "categories", "length": kept, **_min_count(distinct)}
    return Kind(options, f"{distinct:,} different values, up to {lengths.to_numpy().max()} in a row", distinct)


def _interactions(items: pl.Series, lengths: pl.Series) -> Kind:
    """A list of structs; which video feature it is a history of is added later."""
    fields = {field.name: field.dtype for field in items.dtype.fields}  # type: ignore[attr-defined]
    if "video_id" not in fields or fields["video_id"].is_float():
        raise LeftOut("a history is a list of structs that name the video in a field `video_id`")
    outcomes = [name for name in fields if name != "video_id" and _is_outcome(items.struct.field(name))]
    if not outcomes:
        raise LeftOut("a history without outcomes: a number or a boolean beside `video_id`, such as `click`, is needed")
    kept = min(LONGEST_HISTORY, max(1, round(lengths.quantile(0.95) or 1)))
    options = {"kind": "history", "of": "", "outcomes": outcomes, "length": kept}
    return Kind(options, f"oldest first; up to {lengths.to_numpy().max()} in a row")


def _is_outcome(values: pl.Series) -> bool:
    """Numbers of moderate size: a moment is no outcome."""
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        return False
    known = values.drop_nulls().cast(pl.Float64)
    return bool(len(known) and known.is_finite().all() and known.abs().max() < 1e8)  # type: ignore[operator]


Applies = Callable[[pl.DataType], bool]
ITEMS: tuple[tuple[Applies, Callable[[pl.Series, pl.Series], Kind]], ...] = (
    (lambda kind: isinstance(kind, pl.Struct), _interactions),
    (lambda kind: kind.is_float() or kind.is_decimal(), _floats),
    (lambda kind: kind.is_integer() or kind in (pl.String, pl.Boolean, pl.Categorical, pl.Enum), _set),
)
KINDS: tuple[tuple[Applies, Callable[[pl.Series], Kind]], ...] = (
    (lambda kind: kind.is_temporal(), _moment),
    (lambda kind: kind in (pl.String, pl.Categorical, pl.Enum), _text),
    (lambda kind: kind == pl.Boolean, _category),
    (lambda kind: kind.is_integer(), _whole),
    (lambda kind: kind.is_numeric(), _number),
    (lambda kind: isinstance(kind, pl.List | pl.Array), _list),
)
