"""Tasks: which columns are labels, of what kind, and which policies they allow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from model.contract.mistakes import mistake
from training.column_names import words
from training.drafting.outcomes import (
    BINARY,
    ENGAGEMENT,
    RATING,
    SATISFACTION,
    WATCH_TIME,
    Outcome,
    binary_outcome,
    is_opinion,
    is_rating,
    is_sign_of_outcome,
    masked_words,
    unit_of,
    watch_rank,
)
from training.drafting.parts import Entry, LeftOut
from training.spelling import listed, spelled

RARE = 200  # labels of the rarer class in the sample, below which a task teaches noise
RATING_VALUES = 21
SCALES = ((0, 1), (1, 5), (0, 5), (1, 7), (1, 10), (0, 10), (1, 100), (0, 100), (-1, 1))
MOSTLY = 0.5
A_LABEL = "a label"


@dataclass(frozen=True, slots=True)
class FoundTasks:
    """`rare` tasks are written, but turned off; `columns` are all that no feature may read, and why."""

    entries: list[Entry]
    rare: list[Entry]
    columns: dict[str, str]
    policies: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Label:
    outcome: Outcome
    entry: Entry
    rarer: int

    @property
    def lowest(self) -> float:
        return float(self.entry.fields.get("range", (0,))[0])


def find_tasks(frame: pl.DataFrame, keys: Sequence[str], source: str) -> FoundTasks:
    """Raises InputError when no column is a label."""
    columns = [series for series in frame if series.name not in keys]
    reasons = _reasons(columns)
    labels: list[Label] = []
    for series, outcome in _candidates(columns):
        try:
            label = _label(series, outcome, columns)
        except LeftOut as why:
            reasons[series.name] = str(why)
            continue
        if any(label.outcome is one.outcome for one in labels):
            reasons[series.name] = f"another outcome like `{outcome.task}`"
            continue
        labels.append(label)
        reasons |= {str(label.entry.fields[key]): A_LABEL for key in ("label", "observed") if key in label.entry.fields}
    if not labels:
        raise _no_label(frame, keys, reasons, source)
    often = [one for one in labels if one.rarer >= RARE] or labels
    rare = [one.entry for one in labels if one not in often]
    return FoundTasks([one.entry for one in often], rare, reasons, _policies(often))


def _reasons(columns: Sequence[pl.Series]) -> dict[str, str]:
    """What is known only after the impression, or was computed for it by another ranker, is never a feature."""
    reasons = {}
    for series in columns:
        if is_opinion(series.name) and series.dtype.is_numeric():
            reasons[series.name] = "looks like an earlier ranker's opinion, which is not known when ranking"
        elif _is_mask(series):
            reasons[series.name] = "looks like a mask of labels"
        elif is_sign_of_outcome(series.name) and (series.dtype.is_numeric() or series.dtype == pl.Boolean):
            reasons[series.name] = "looks like an outcome, which is not known when ranking"
    return reasons


def _candidates(columns: Sequence[pl.Series]) -> Iterator[tuple[pl.Series, Outcome]]:
    """Columns named as labels, in the order of the config: by outcome, and the best name first."""
    for outcome in BINARY:
        yield from ((series, outcome) for series in columns if binary_outcome(series.name) is outcome)
    measured = [series for series in columns if not _is_mask(series)]
    ranked = [(rank, series) for series in measured if (rank := watch_rank(series.name)) is not None]
    yield from ((series, WATCH_TIME) for _, series in sorted(ranked, key=lambda one: one[0]))
    yield from ((series, RATING) for series in measured if is_rating(series.name))


def _label(series: pl.Series, outcome: Outcome, columns: Sequence[pl.Series]) -> Label:
    """Raises LeftOut where the values are not what the name promises."""
    mask = next((one for one in columns if one is not series and _masks(one, series)), None)
    known = series.drop_nulls() if mask is None else series.filter(mask.cast(pl.Int64) == 1).drop_nulls()
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        raise LeftOut(f"named as an outcome, but of type {series.dtype}: a label is a number")
    values = known.cast(pl.Float64)
    if not len(values) or not values.is_finite().all():
        raise LeftOut("named as an outcome, but " + ("empty" if not len(values) else "holds NaN: make it null"))
    if values.n_unique() == 1:
        raise LeftOut(f"named as an outcome, but always {values[0]:g}")
    options, why = _options(series.name, values, outcome)
    entry = {"name": outcome.task, "group": outcome.group, **options, "label": series.name}
    if mask is not None:
        entry["observed"] = mask.name
        why += f"; observed in {len(values) / len(series):.1%} of rows"
    # The kind's own options read best after the label.
    entry |= {key: entry.pop(key) for key in ("transform", "range", "unit") if key in entry}
    rarer = min(int((values > 0).sum()), int((values == 0).sum())) if options["kind"] == "binary" else len(values)
    return Label(outcome, Entry(entry, why), rarer)


def _masks(series: pl.Series, label: pl.Series) -> bool:
    about = masked_words(series.name)
    if about is None or not _is_binary(series) or series.dtype.is_float():
        return False
    return about == words(label.name) or ("rating" in about and is_rating(label.name))


def _options(column: str, values: pl.Series, outcome: Outcome) -> tuple[dict[str, Any], str]:
    low, high = float(values.to_numpy().min()), float(values.to_numpy().max())
    if outcome is WATCH_TIME:
        return _watch_options(column, low, high)
    if values.is_in([0.0, 1.0]).all():
        return {"kind": "binary"}, f"1 in {values.to_numpy().mean():.2%} of rows"
    if outcome is not RATING:
        raise LeftOut("named as an outcome, but its values are not only 0 and 1")
    if values.n_unique() > RATING_VALUES:
        raise LeftOut("named as a rating, but of too many different values: an earlier ranker's score?")
    scale = next((one for one in SCALES if one[0] <= low and high <= one[1]), (low, high))
    zeros = float((values.to_numpy() == 0).mean())
    hint = "; is 0 no rating? then make it null" if zeros > MOSTLY and high > 1 else ""
    return {"kind": "regression", "range": list(scale)}, f"{low:g} to {high:g} in the rows read{hint}"


def _watch_options(column: str, low: float, high: float) -> tuple[dict[str, Any], str]:
    if low < 0:
        raise LeftOut("named as a watch time, but negative in some rows")
    if low > 1e8:
        raise LeftOut("named as a watch time, but looks like a moment")
    unit = unit_of(column)
    options = {"kind": "regression", "transform": "log1p", **({"unit": unit} if unit else {})}
    return options, f"{spelled(low)} to {spelled(high)}" + ("" if unit else "; in which unit? add `unit: s`")


def _is_mask(series: pl.Series) -> bool:
    return masked_words(series.name) is not None and _is_binary(series)


def _is_binary(series: pl.Series) -> bool:
    if series.dtype == pl.Boolean:
        return True
    return bool(series.dtype.is_numeric() and series.drop_nulls().cast(pl.Float64).is_in([0.0, 1.0]).all())


def _policies(labels: Sequence[Label]) -> dict[str, dict[str, Any]]:
    """Products need positive predictions; a sum of satisfaction alone is the other end."""
    positive = [one for one in labels if one.lowest >= 0]
    wanted = [one for one in labels if one.outcome.group == SATISFACTION]
    second = (
        ("satisfied", wanted) if wanted else ("engaged", [one for one in labels if one.outcome.group == ENGAGEMENT])
    )
    weights = {one.outcome.task: one.outcome.product for one in positive}
    balanced: dict[str, Any] = {"combination": "weighted_product", "weights": weights}
    if not positive:
        balanced = {"combination": "weighted_sum", "weights": {one.outcome.task: one.outcome.sum for one in labels}}
    sums = {one.outcome.task: one.outcome.sum for one in second[1]}
    return {"balanced": balanced, second[0]: {"combination": "weighted_sum", "weights": sums}}


def _no_label(frame: pl.DataFrame, keys: Sequence[str], reasons: dict[str, str], source: str) -> Exception:
    looked_for = listed([one.task for one in (*BINARY, WATCH_TIME, RATING)])
    found = ", ".join(
        f"`{name}` ({reasons[name]})" if name in reasons else f"`{name}`" for name in frame.columns if name not in keys
    )
    expected = f"a column that holds a label, named like one of {looked_for}"
    return mistake(source, expected, f"the columns {found}" if found else "no further column")
