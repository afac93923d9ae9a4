"""Every kind of finding, provoked by a small table; and that nothing is found where all is well."""

import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from training.checking import Finding, check, render
from training.config import RunConfig, parse

NUM_ROWS = 1_200
START_MS = 1_772_409_600_000
DAY_MS = 86_400_000
NEW = pl.lit("new")
Raw = dict[str, Any]
Change = Callable[[pl.DataFrame], pl.DataFrame]


def log() -> pl.DataFrame:
    """Ten days; who, what, when, a few features, a binary label, and a rating that is there where `rated`."""
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "user_id": np.char.add("u", random.integers(20, size=NUM_ROWS).astype(str)),
            "video_id": np.char.add("v", random.integers(30, size=NUM_ROWS).astype(str)),
            "time_ms": START_MS + np.arange(NUM_ROWS) * (10 * DAY_MS // NUM_ROWS),
            "age": random.normal(40, 10, NUM_ROWS),
            "author": np.char.add("a", random.integers(6, size=NUM_ROWS).astype(str)),
            "click": random.random(NUM_ROWS) < 0.3,
            "rating": random.integers(1, 6, NUM_ROWS).astype(float),
            "rated": random.random(NUM_ROWS) < 0.5,
        }
    ).with_columns(pl.col("click").cast(pl.Int8))


def raw_config(path: Path) -> Raw:
    return {
        "name": "small",
        "data": {
            "reader": {"kind": "impressions", "path": str(path)},
            "split": {
                "by": "time",
                "column": "time_ms",
                "valid_from": dt.date(2026, 3, 9),
                "test_from": dt.date(2026, 3, 10),
            },
        },
        "features": [
            {"name": "user_id", "kind": "category", "side": "user"},
            {"name": "video_id", "kind": "category", "side": "candidate"},
            {"name": "author", "kind": "category", "side": "candidate"},
            {"name": "age", "kind": "number", "side": "user"},
        ],
        "tasks": [
            {"name": "click", "group": "engagement", "kind": "binary", "label": "click"},
            {
                "name": "rating",
                "group": "satisfaction",
                "kind": "regression",
                "label": "rating",
                "observed": "rated",
                "range": [1, 5],
            },
        ],
        "policies": {"balanced": {"combination": "weighted_sum", "weights": {"click": 1.0}}},
    }


def checked(folder: Path, frame: pl.DataFrame, change: Callable[[Raw], object] | None = None) -> list[Finding]:
    frame.write_parquet(folder / "log.parquet")
    raw = raw_config(folder / "log.parquet")
    if change is not None:
        change(raw)
    return check(parse(raw, {}, "config"))


def without_summary(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.level != "ok"]


def column(name: str, expression: Any) -> Change:
    return lambda frame: frame.with_columns(
        (expression if isinstance(expression, pl.Expr) else pl.Series(expression)).alias(name)
    )


def in_test(value: Any, otherwise: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("time_ms") >= START_MS + 8 * DAY_MS).then(value).otherwise(otherwise)


def feature(**fields: Any) -> Callable[[Raw], object]:
    return lambda raw: raw["features"].append({"kind": "number", "side": "candidate"} | fields)


def of_clicks(some: pl.Expr) -> pl.Expr:
    """Filled in for some clicks only: as if written down afterwards."""
    return pl.when((pl.col("click") == 1) & some).then(pl.col("age"))


def reader(**fields: Any) -> Callable[[Raw], object]:
    return lambda raw: raw["data"]["reader"].update(fields)


def split(**fields: Any) -> Callable[[Raw], object]:
    return lambda raw: raw["data"]["split"].update(fields)


def random_split(name: str) -> Callable[[Raw], object]:
    return lambda raw: raw["data"].update(split={"by": "random", "column": name, "valid": 0.2, "test": 0.2})


def test_where_all_is_well_only_facts_are_found(tmp_path: Path) -> None:
    findings = checked(tmp_path, log())
    assert without_summary(findings) == []
    by_what = {(one.what, one.where): one.detail for one in findings}
    assert by_what["rows", str(tmp_path / "log.parquet")] == "train 840 (70.0%), valid 120 (10.0%), test 240 (20.0%)"
    assert by_what["labels", "click"].endswith("% of 840, 120, 240 rows")
    assert by_what["labels", "rating"].startswith("mean ")
    assert by_what["users", "user_id"] == "20 in all; 0.0% of the 20 in test are not in train"
    assert by_what["time", "column `time_ms`"].startswith(f"train {START_MS} to ")
    assert by_what["features", "log and joined tables"].startswith("4 of 4 without a finding, in 1,200 rows")


Case = tuple[Any, str, str, str, str]  # what is changed; level, what, a part of where, a pattern of the detail
TABLES: dict[str, Case] = {
    "no feature": (lambda frame: frame.drop("author"), "error", "missing column", "log.parquet", "a column `author`"),
    "no label": (lambda frame: frame.drop("click"), "error", "missing column", "log.parquet", "a column `click`"),
    "no time": (lambda frame: frame.drop("time_ms"), "error", "missing column", "log.parquet", "`time_ms`"),
    "no rows": (lambda frame: frame.head(0), "error", "empty split", "train", "no rows, by column `time_ms`"),
    "no test": (lambda frame: frame.head(840), "error", "empty split", "test", "no rows"),
    "few rows": (lambda frame: frame.head(845), "warning", "small split", "valid", "5 rows, 0.59%"),
    "no moment": (column("time_ms", in_test(None, pl.col("time_ms"))), "error", "row in no split", "`time_ms`", "240"),
    "text number": (column("age", pl.lit("old")), "error", "wrong type", "`age`", "expected numbers, .* String"),
    "float category": (column("author", pl.col("age")), "error", "wrong type", "`author`", "of type Float64"),
    "text label": (column("click", pl.lit("yes")), "error", "wrong type", "`click`", "numbers of a binary task"),
    "nan": (column("age", [1.0] * 7 + [float("nan")] * 1193), "error", "not finite", "`age`", "1,193 rows hold NaN"),
    "two": (
        column("click", [0] * 1198 + [2, 3]),
        "error",
        "label out of range",
        "`click`, row 1198",
        "0 or 1.* 2 such",
    ),
    "nine": (column("rating", pl.lit(9.0)), "error", "label out of range", "`rating`, row ", "between 1 and 5"),
    "no click": (column("click", in_test(None, pl.col("click"))), "error", "no labels", "click, test", "in none"),
    "unrated": (column("rated", pl.lit(False)), "error", "no labels", "rating, train", "`rating` is observed in none"),
    "all clicks": (column("click", pl.lit(1)), "error", "one class", "click, train", "always 1 in 840 observed"),
    "test class": (column("click", in_test(0, pl.col("click"))), "warning", "one class", "click, test", "always 0"),
    "all 3": (column("rating", in_test(3, pl.col("rating"))), "warning", "constant label", "rating, test", "always 3"),
    "null": (column("author", pl.lit(None)), "warning", "empty feature", "`author`", "missing in all 1,200 rows"),
    "constant": (column("age", pl.lit(1.5)), "warning", "constant feature", "`age`", "the same value in all"),
    "gaps": (column("age", [1.0, 2.0] + [None] * 1198), "warning", "mostly missing", "`age`", "missing in 99.8%"),
    "copy": (column("age", pl.col("click") * -3.0), "warning", "leakage suspect", "`age`", "`click` .*AUC 1.0000"),
    "code": (column("author", pl.col("click") + 5), "warning", "leakage suspect", "`author`", "`click` .*AUC 1.0000"),
    "cube": (column("age", pl.col("rating") ** 3), "warning", "leakage suspect", "`age`", "`rating` .*Spearman. 1.0"),
    "stars": (column("author", pl.col("rating").cast(pl.Int8)), "warning", "leakage suspect", "`author`", "`rating`"),
    "filled": (column("age", of_clicks(pl.lit(True))), "warning", "leakage suspect", "`age`", "missing, .* in 0.0%"),
    "some": (
        column("age", of_clicks(pl.col("author") < "a4")),
        "warning",
        "leakage suspect",
        "`age`",
        "present, .* 100",
    ),
    "twice": (lambda frame: pl.concat([frame, frame.tail(120)]), "warning", "duplicate rows", "log.parquet", "9.09%"),
    "users": (column("user_id", in_test(NEW, pl.col("user_id"))), "warning", "new users", "user_id", "100.0% of the 1"),
    "videos": (column("video_id", in_test(NEW, pl.col("video_id"))), "warning", "new videos", "video_id", "100.0%"),
    "no id": (column("user_id", [None] + ["u1"] * 1199), "warning", "row without id", "`user_id`", "1 rows"),
}
CONFIGS: dict[str, Case] = {
    "misspelled": (feature(name="ages"), "error", "missing column", "log.parquet", "did you mean `age`"),
    "mask": (feature(name="rated", kind="category"), "error", "label in features", "`rated`", "nobody knows"),
    "time": (feature(name="time_ms"), "warning", "time as feature", "`time_ms`", "no later row"),
    "no file": (reader(path="nowhere.csv"), "error", "unreadable data", "nowhere", "no such file"),
    "text split": (split(column="author"), "error", "row in no split", "`author`", "1,200 rows"),
    "boolean split": (split(column="rated"), "error", "split", "data.split", "of type Boolean"),
    "random order": (random_split("user_id"), "warning", "split order", "`time_ms`", "figures will flatter"),
    "random users": (random_split("user_id"), "warning", "new users", "user_id", "100.0%"),
}


@pytest.mark.parametrize("case", TABLES)
def test_what_is_wrong_with_a_table(tmp_path: Path, case: str) -> None:
    change, *expected = TABLES[case]
    expect(checked(tmp_path, change(log())), *expected)


@pytest.mark.parametrize("case", CONFIGS)
def test_what_is_wrong_with_a_config(tmp_path: Path, case: str) -> None:
    change, *expected = CONFIGS[case]
    expect(checked(tmp_path, log(), change), *expected)


def expect(findings: list[Finding], level: str, what: str, where: str, detail: str) -> None:
    found = [one for one in findings if one.what == what and where in one.where]
    assert found, render_text(findings)
    assert {one.level for one in found} == {level}
    assert any(re.search(detail, one.detail) for one in found), found


def render_text(findings: list[Finding], width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(render(findings))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_label_among_the_features_is_an_error_even_in_a_config_that_was_never_loaded(tmp_path: Path) -> None:
    log().write_parquet(tmp_path / "log.parquet")
    raw = raw_config(tmp_path / "log.parquet")
    feature(name="click")(raw)
    config = RunConfig.model_validate(raw)
    expect(check(config), "error", "label in features", "tasks[0].label", "it would leak")


@pytest.mark.parametrize(("num_copies", "level"), [(1, "warning"), (200, "error")])
def test_one_impression_in_two_splits_is_an_overlap(tmp_path: Path, num_copies: int, level: str) -> None:
    frame = log().with_columns(row=pl.int_range(pl.len()))
    copies = frame.head(num_copies).with_columns(row=pl.col("row") + NUM_ROWS)
    findings = checked(tmp_path, pl.concat([frame, copies]), random_split("row"))
    overlaps = [one for one in findings if one.what == "overlap"]
    # A single copy may have fallen into the split of its original.
    assert overlaps or num_copies == 1
    assert {one.level for one in overlaps} <= {level}
    assert all("equal user_id, video_id, time_ms" in one.detail for one in overlaps)


@pytest.mark.parametrize(
    ("values", "level", "detail"),
    [
        (pl.lit(0.25), "ok", r"1,200 rows have one \(100.0%\)"),
        (pl.when(pl.int_range(pl.len()) < 300).then(0.25), "ok", r"300 rows have one \(25.0%\)"),
        (pl.lit(None, pl.Float64), "warning", r"0 rows have one"),
        (pl.int_range(pl.len()) / 1000, "warning", "200 rows are not above 0 and at most 1"),
        (pl.lit("often"), "warning", "of type String: `watchnext replay` needs probabilities"),
        (None, "warning", "no column of that name"),
    ],
)
def test_propensities_are_no_matter_of_training_and_still_looked_at(
    tmp_path: Path, values: pl.Expr | None, level: str, detail: str
) -> None:
    def change(raw: Raw) -> None:
        raw["data"] |= {"propensity": "p", "keys": {"request": "request"}}
        raw["features"].append({"name": "place", "kind": "category", "side": "impression"})
        raw["position_bias"] = {"features": ["place"]}

    number = pl.int_range(pl.len())
    frame = log().with_columns(request=number // 4, place=number % 4, **({} if values is None else {"p": values}))
    expect(checked(tmp_path, frame, change), level, "propensity", "`p`", detail)


def test_users_without_a_row_of_their_own_are_told(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": ["U1", "U2"], "country": ["br", "in"]}).write_parquet(tmp_path / "users.parquet")

    def change(raw: Raw) -> None:
        raw["data"]["reader"]["users"] = str(tmp_path / "users.parquet")
        raw["features"].append({"name": "country", "kind": "category", "side": "user"})

    findings = checked(tmp_path, log(), change)
    expect(findings, "warning", "no row to join", "users, user_id", "100.0% of them have no row")
    expect(findings, "warning", "empty feature", "column `country`", "missing in all")


def test_a_file_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    log().write_csv(tmp_path / "log.csv")
    lines = (tmp_path / "log.csv").read_text().splitlines()
    more = [line.replace(lines[1].split(",")[3], "forty") for line in [lines[1]]]
    (tmp_path / "log.csv").write_text("\n".join(lines + lines[1:] * 9 + more) + "\n")
    findings = checked(tmp_path, log(), reader(path=str(tmp_path / "log.csv")))
    expect(findings, "error", "unreadable data", "log.csv", "forty")


def test_the_row_of_a_wrong_value_is_that_of_the_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.checking.features.SAMPLED_ROWS", 400)
    frame = log().with_columns(pair=pl.Series([[1.0, 2.0]] * 1199 + [[1.0]]))
    findings = checked(tmp_path, frame, feature(name="pair", kind="vector", length=2))
    expect(findings, "error", "wrong value", "column `pair`, row 1199", "found 1 numbers")


def test_the_shipped_config_of_simulated_logs_passes(config: RunConfig) -> None:
    assert without_summary(check(config)) == []


def test_the_table_shows_errors_first_and_takes_nothing_for_markup() -> None:
    findings = [
        Finding("ok", "rows", "log", "10"),
        Finding("warning", "leakage suspect", "column `a`", "in [1, 5]"),
        Finding("error", "missing column", "log", "a column `b` [bold]not[/bold] there " + "and so on " * 12),
    ]
    shown = render_text(findings)
    assert shown.startswith("1 error, 1 warning")
    assert shown.index("missing column") < shown.index("leakage suspect") < shown.index("rows")
    assert "in [1, 5]" in shown
    assert "[bold]not[/bold]" in shown
    assert max(map(len, shown.splitlines())) <= 100
