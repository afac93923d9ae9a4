"""Whatever the table: what a draft says of it loads, and training could read all that it names."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.contract.mistakes import InputError
from training.checking import Finding, check
from training.config import RunConfig, load_config
from training.drafting import draft_config

START_MS = 1_772_409_600_000
DAY_MS = 86_400_000
LENGTHS = [1, 2, 30]
ODD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.none() | st.text(max_size=8),
    "few": st.none() | st.sampled_from(["", "a", "b,c", "a,b", "[1,2)"]),
    "integers": st.none() | st.integers(-(2**62), 2**62),
    "flags": st.none() | st.integers(0, 1),
    "booleans": st.booleans(),
    "floats": st.none() | st.floats(),
    "decimals": st.floats(0, 5, width=32),
    "dates": st.dates(dt.date(2020, 1, 1), dt.date(2021, 1, 1)),
    "moments": st.none() | st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2021, 1, 1)),
    "unix": st.integers(START_MS, START_MS + 10 * DAY_MS),
    "lists": st.none() | st.lists(st.none() | st.sampled_from("abc"), max_size=3),
    "vectors": st.lists(st.floats(0, 1), min_size=2, max_size=2),
    "histories": st.lists(
        st.fixed_dictionaries({"video_id": st.sampled_from("xyz"), "like": st.booleans()}), max_size=3
    ),
    "nulls": st.none(),
    "constant": st.just("same"),
}
ODD_NAMES = [
    *("two words", "日本", "a.b", "x\ny", "# hash", "{a: b}", "yes", "on", "null", "1e5", "_values", "'", "a" * 120),
    *("position", "rank", "device", "date", "time_ms", "ts", "tags", "recent", "session_id", "impression_id", "score"),
    *("like", "is_like", "rating", "rated", "has_rating", "watch_time", "play_time_ms", "watching", "price", "n_views"),
]
CANNOT = {
    "config",
    "missing column",
    "wrong type",
    "wrong value",
    "not finite",
    "unreadable data",
    "label out of range",
}


def drafted(folder: Path, frame: pl.DataFrame) -> RunConfig:
    frame.write_parquet(folder / "log.parquet")
    (folder / "config.yaml").write_text(draft_config(str(folder / "log.parquet"), None, None, "odd"), encoding="utf-8")
    return load_config(folder / "config.yaml")


def unreadable(config: RunConfig) -> list[Finding]:
    """What training would refuse; that a split of a few rows is empty is another matter."""
    return [one for one in check(config) if one.level == "error" and one.what in CANNOT]


@st.composite
def odd_tables(draw: st.DrawFn) -> pl.DataFrame:
    size = draw(st.sampled_from(LENGTHS))

    def column(name: str, strategy: st.SearchStrategy[Any]) -> pl.Series:
        return pl.Series(name, draw(st.lists(strategy, min_size=size, max_size=size)), strict=False)

    names = draw(st.lists(st.sampled_from(ODD_NAMES), max_size=6, unique=True))
    kinds = draw(st.lists(st.sampled_from(list(ODD_VALUES)), min_size=len(names), max_size=len(names)))
    columns = [column(name, ODD_VALUES[kind]) for name, kind in zip(names, kinds, strict=True)]
    ids = [column(name, st.sampled_from("xyz")) for name in ("uid", "itemId")]
    return pl.DataFrame([*ids, pl.Series("click", [at % 2 for at in range(size)]), *columns])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(odd_tables())
def test_whatever_the_table_the_draft_loads_and_fits_it(tmp_path: Path, frame: pl.DataFrame) -> None:
    try:
        config = drafted(tmp_path, frame)
    except InputError as error:
        assert "always 0" in str(error), "a single row, without a label that varies"
    else:
        assert unreadable(config) == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_mask_of_any_name_survives_the_file(tmp_path: Path, name: str) -> None:
    mask = f"{name} rating observed"
    ids = {"uid": ["x", "y", "z"] * 40, "itemId": ["x", "y"] * 60}
    config = drafted(tmp_path, pl.DataFrame({**ids, "stars": [1, 5, 3, 4] * 30, mask: [True, True, False] * 40}))
    assert config.tasks[0].observed == mask
    assert unreadable(config) == []
