"""What every draft promises: it loads, it passes its own check, and each guess has its reason."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from model.contract.mistakes import InputError
from model.contract.tasks import TaskKind
from training.checking import check
from training.config import RunConfig, load_config
from training.drafting import draft_config

NUM_ROWS, NUM_USERS, NUM_VIDEOS, PER_REQUEST = 2_000, 25, 40, 5
START_MS = 1_772_409_600_000
DAY_MS = 86_400_000


def log(**columns: Any) -> pl.DataFrame:
    """Requests of five videos each, and whatever further columns are given; a None takes a column away."""
    random = np.random.default_rng(0)
    request = np.arange(NUM_ROWS) // PER_REQUEST
    usual: dict[str, Any] = {
        "user_id": np.char.add("u", (request * 7 % NUM_USERS).astype(str)),
        "video_id": np.char.add("v", random.integers(NUM_VIDEOS, size=NUM_ROWS).astype(str)),
        "click": random.integers(2, size=NUM_ROWS),
    }
    frame = pl.DataFrame(usual).with_columns(**{name: one for name, one in columns.items() if one is not None})
    return frame.drop([name for name, one in columns.items() if one is None])


def drafted(folder: Path, frame: pl.DataFrame, **tables: pl.DataFrame) -> tuple[RunConfig, str]:
    """The config and its text; `tables` are users and videos."""
    for name, table in {"log": frame, **tables}.items():
        table.write_parquet(folder / f"{name}.parquet")
    users, videos = (str(folder / f"{name}.parquet") if name in tables else None for name in ("users", "videos"))
    return loaded(folder, draft_config(str(folder / "log.parquet"), users, videos, "mine"))


def loaded(folder: Path, text: str) -> tuple[RunConfig, str]:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "config.yaml"), text


def feature(config: RunConfig, name: str) -> dict[str, Any]:
    [found] = [one for one in config.features if one.name == name]
    return found.model_dump(mode="json", exclude_defaults=True) | {"kind": found.kind}


def errors(config: RunConfig) -> list[Any]:
    return [one for one in check(config) if one.level == "error"]


USER = np.arange(NUM_ROWS) // PER_REQUEST * 7 % NUM_USERS
REQUEST = np.arange(NUM_ROWS) // PER_REQUEST
NUMBERS = np.random.default_rng(1).normal(size=NUM_ROWS)
TIMES = START_MS + np.arange(NUM_ROWS) // PER_REQUEST * PER_REQUEST * (10 * DAY_MS // NUM_ROWS)


def test_simulated_logs_draft_a_config_that_passes_its_check(logs: Path) -> None:
    text = draft_config(str(logs / "impressions"), str(logs / "users.parquet"), str(logs / "videos.parquet"), "mine")
    config, _ = loaded(logs, text)
    assert errors(config) == []
    keys = config.data.keys
    assert (keys.user, keys.video, keys.query_video, keys.request) == ("user_id", "video_id", "watching", "request_id")
    sides = {one.name: getattr(one, "side", "pair") for one in config.features}
    expected = {
        **dict.fromkeys(("video_id", "author_id", "topics", "duration_s", "title_vector"), "candidate"),
        **dict.fromkeys(("watching", "watching_author_id", "watching_topics"), "query"),
        **dict.fromkeys(("device", "hour", "surface"), "context"),
        **dict.fromkeys(("user_id", "country", "activity", "recent"), "user"),
        **dict.fromkeys(("same_video", "same_author"), "pair"),
        "position": "impression",
    }
    assert expected.items() <= sides.items()
    assert config.position_bias is not None
    assert config.position_bias.features == ("position", "device")
    assert config.data.propensity == "propensity" and "#   propensity" not in text
    tasks = {
        one.name: (one.group, one.kind.value, one.label, one.observed, one.range, one.unit) for one in config.tasks
    }
    assert tasks == {
        "click": ("engagement", "binary", "click", None, None, None),
        "like": ("satisfaction", "binary", "like", None, None, None),
        "watch_time": ("engagement", "regression", "watch_time_s", None, None, "s"),
        "rating": ("satisfaction", "regression", "rating", "rated", (1.0, 5.0), None),
    }
    assert list(config.policies) == ["balanced", "satisfied"]
    assert "impression_id: a name of the row" in text


def test_the_published_log_of_kuairand_drafts_a_config(kuairand: Path, tmp_path: Path) -> None:
    tables = [str(kuairand / name) for name in ("user_features_pure.csv", "video_features_basic_pure.csv")]
    config, text = loaded(tmp_path, draft_config(str(kuairand / "log.parquet"), *tables, "kuairand"))
    assert errors(config) == []
    names = {one.name for one in config.tasks}
    assert {"click", "long_view", "like", "profile_enter", "watch_time"} <= names
    assert feature(config, "duration_ms")["side"] == "candidate"
    assert "is_rand: the same value in every row" in text
    assert "comment_stay_time: another outcome" in text


def test_a_csv_file_drafts_a_config(tmp_path: Path) -> None:
    days = [str(dt.date(2026, 3, 2) + dt.timedelta(days=int(one) // DAY_MS)) for one in TIMES - START_MS]
    tags = [f"{one % 7},{one % 5}" for one in range(NUM_ROWS)]
    frame = log(
        uid=pl.col("user_id"),
        user_id=None,
        date=pl.Series(days),
        tags=pl.Series(tags),
        age=pl.Series(USER + 20),
        play_secs=NUMBERS**2,
    )
    frame.write_csv(tmp_path / "log.csv")
    config, _ = loaded(tmp_path, draft_config(str(tmp_path / "log.csv"), None, None, "csv"))
    assert errors(config) == []
    assert config.data.keys.user == "uid"
    split = config.data.split.model_dump()
    assert (split["column"], split["valid_from"]) == ("date", dt.date(2026, 3, 10))
    assert feature(config, "tags") == {"name": "tags", "kind": "categories", "side": "context", "length": 2}
    assert feature(config, "age")["side"] == "user"
    assert config.tasks[1].unit == "s"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (np.char.add("c", USER.astype(str)), {"kind": "category", "side": "user"}),
        (np.char.add("c", (REQUEST * 31 % 7).astype(str)), {"kind": "category", "side": "context"}),
        (USER > 3, {"kind": "category", "side": "user"}),
        (NUMBERS, {"kind": "number", "side": "candidate", "bins": 32}),
        (np.exp(4 * NUMBERS), {"kind": "number", "side": "candidate", "bins": 32, "transform": "log1p"}),
        (pl.Series(NUMBERS > 0).cast(pl.Int8), {"kind": "category", "side": "candidate"}),
        ([["a", "b"][: one % 3] for one in USER], {"kind": "categories", "side": "user", "length": 2}),
        (pl.Series([[float(one)] * 4 for one in USER], dtype=pl.Array(pl.Float32, 4)), {"kind": "vector", "length": 4}),
        ([f"{one}.5,{one}.25" for one in USER], {"kind": "vector", "side": "user", "length": 2}),
        (
            pl.Series(USER).map_elements(lambda one: "abc"[one % 3], pl.String).cast(pl.Categorical),
            {"kind": "category"},
        ),
        (
            [[{"video_id": "v1", "like": True, "at": START_MS}] * (one % 4) for one in USER],
            {"kind": "history", "side": "user", "of": "video_id", "outcomes": ["like"], "length": 3},
        ),
    ],
    ids=["text", "context", "boolean", "float", "skewed", "0/1", "list", "array", "text vector", "enum", "history"],
)
def test_kind_and_side_follow_type_and_values(tmp_path: Path, column: Any, expected: dict[str, Any]) -> None:
    config, _ = drafted(tmp_path, log(one=pl.Series(column, strict=False), request_id=pl.Series(REQUEST)))
    assert expected.items() <= feature(config, "one").items()
    assert errors(config) == []


@pytest.mark.parametrize(
    ("name", "column", "why"),
    [
        ("one", ["same"] * NUM_ROWS, "the same value"),
        ("one", [None] * NUM_ROWS, "empty"),
        ("row_id", np.arange(NUM_ROWS)[::-1], "a name of the row"),
        ("one", np.arange(NUM_ROWS), "a name of the row"),
        ("one", [f"a sentence of many words, number {one}" for one in range(NUM_ROWS)], "text with commas"),
        (
            "one",
            [f"a long sentence without any comma as it would be in a title {one}" for one in range(1_500)]
            + ["x"] * 500,
            "free text",
        ),
        ("one", np.where(NUMBERS > 1, np.nan, NUMBERS), "NaN"),
        ("one", [[0.5] * (1 + one % 2) for one in USER], "several lengths"),
        ("one", [[{"item": "v1"}]] * NUM_ROWS, "a field `video_id`"),
        ("one", [[{"video_id": "v1"}]] * NUM_ROWS, "without outcomes"),
        ("one", [{"a": 1}] * NUM_ROWS, "no kind of feature"),
        ("two words", NUMBERS, "rename it"),
        ("größe", NUMBERS, "rename it"),
        ("watch_ratio", NUMBERS, "looks like an outcome"),
        ("pred_ctr", NUMBERS, "an earlier ranker's opinion"),
        ("upload_date", pl.Series([dt.date(2026, 3, 2 + one) for one in USER]), "a moment"),
        ("time_ms", TIMES, "when it happened"),
        ("leak", log()["click"] * 3.5 + NUMBERS * 0.01, "a leakage suspect"),
        ("clicked", log()["click"], "another outcome like `click`"),
        ("rating", NUMBERS, "too many different values"),
        ("share", [0, 1, 2, 3] * (NUM_ROWS // 4), "not only 0 and 1"),
        ("comment", ["nice"] * NUM_ROWS, "a label is a number"),
        ("dislike", [0] * NUM_ROWS, "always 0"),
        ("dwell_time", -np.abs(NUMBERS), "negative"),
    ],
)
def test_what_is_left_out_says_why(tmp_path: Path, name: str, column: Any, why: str) -> None:
    config, text = drafted(tmp_path, log(**{name: pl.Series(column, strict=False)}))
    assert name not in {one.name for one in config.features}
    [line] = [one for one in text.splitlines() if one.startswith(f"  #   {name}: ")]
    assert why in line


def test_of_two_tables_with_one_column_the_users_win(tmp_path: Path) -> None:
    users = pl.DataFrame(
        {"user_id": [f"u{one}" for one in range(NUM_USERS)], "country": ["br", "in", "us", "fr", "de"] * 5}
    )
    videos = pl.DataFrame({"video_id": [f"v{one}" for one in range(NUM_VIDEOS)], "country": ["br", "in"] * 20})
    config, text = drafted(tmp_path, log(), users=users, videos=videos)
    assert feature(config, "country")["side"] == "user"
    assert "country: in the table of users too" in text


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (
            {"time_ms": TIMES},
            {"column": "time_ms", "valid_from": dt.date(2026, 3, 10), "test_from": dt.date(2026, 3, 11)},
        ),
        ({"ts": TIMES // 1000}, {"column": "ts", "valid_from": START_MS // 1000 + 8 * DAY_MS // 1000}),
        ({"time_s": START_MS // 1000 + REQUEST}, {"column": "time_s", "valid_from": START_MS // 1000 + 320}),
        (
            {"at": pl.from_epoch(pl.Series(TIMES), "ms").dt.replace_time_zone("Asia/Tokyo")},
            {"column": "at", "valid_from": dt.date(2026, 3, 10)},
        ),
        ({"date": [dt.date(2026, 3, 2 + one) for one in REQUEST // 100]}, {"valid_from": dt.date(2026, 3, 4)}),
        ({"date": [dt.date(2026, 3, 2 + one) for one in REQUEST // 200]}, {"by": "random", "column": "user_id"}),
        ({"request_id": REQUEST}, {"by": "random", "column": "request_id"}),
        ({}, {"by": "random", "column": "user_id"}),
    ],
    ids=["milliseconds", "number", "one hour", "zone", "days", "two days", "request", "none"],
)
def test_the_split_follows_the_time(tmp_path: Path, column: dict[str, Any], expected: dict[str, Any]) -> None:
    config, _ = drafted(tmp_path, log(**{name: pl.Series(one) for name, one in column.items()}))
    split = config.data.split.model_dump()
    assert expected.items() <= split.items()
    assert errors(config) == []


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"stars": [1, 2, 3, 4, 4] * 400}, {"name": "rating", "range": [1.0, 5.0], "group": "satisfaction"}),
        ({"rating": [0, 7, 10, 2, 2] * 400}, {"name": "rating", "range": [0.0, 10.0]}),
        ({"rating": [None, 3.5] * 1000, "hasRating": [False, True] * 1000}, {"observed": "hasRating"}),
        ({"isLiked": [True, False] * 1000}, {"name": "like", "kind": "binary", "label": "isLiked"}),
        ({"purchase": [0.0, 1.0] * 1000}, {"name": "purchase", "group": "satisfaction"}),
        ({"dwell_ms": NUMBERS**2}, {"name": "watch_time", "transform": "log1p", "unit": "ms"}),
        ({"watchTime": NUMBERS**2, "view_time": NUMBERS**2}, {"name": "watch_time", "label": "watchTime"}),
    ],
)
def test_labels_are_known_by_name_and_values(tmp_path: Path, columns: dict[str, Any], expected: dict[str, Any]) -> None:
    columns = {name: pl.Series(one, strict=False) for name, one in columns.items()}
    if expected.get("observed"):
        columns["rating"] = columns["rating"] + pl.Series([0.0, 0.0, 0.0, 1.0] * 500)
    config, _ = drafted(tmp_path, log(**columns))
    task = config.tasks[-1].model_dump(mode="json")
    assert expected.items() <= task.items()
    assert errors(config) == []


def test_rare_labels_are_written_but_turned_off(tmp_path: Path) -> None:
    config, text = drafted(tmp_path, log(share=pl.Series([1] * 5 + [0] * (NUM_ROWS - 5))))
    assert [one.name for one in config.tasks] == ["click"]
    assert "  # - {name: share, group: satisfaction, kind: binary, label: share}" in text
    assert list(config.policies) == ["balanced", "engaged"]


def test_a_task_that_may_be_negative_is_in_no_product(tmp_path: Path) -> None:
    config, _ = drafted(tmp_path, log(rating=pl.Series([-1, 0, 1, 1, 0] * 400), click=None))
    assert {name: one.combination.value for name, one in config.policies.items()} == {
        "balanced": "weighted_sum",
        "satisfied": "weighted_sum",
    }
    assert config.tasks[0].kind is TaskKind.REGRESSION


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"user_id": None}, "a column that names the user, such as `user_id`, `member_id`"),
        ({"video_id": None}, "a column that names the video, such as `video_id`, `item_id`"),
        ({"click": None, "colour": "red"}, "named like one of `click`, `long_view`.*found the columns `colour`"),
        ({"click": "yes"}, "`click` .named as an outcome, but of type String: a label is a number"),
        ({"user_id": 1.5}, "`user_id`: expected ids as strings or integers, found a column of type Float64"),
    ],
)
def test_without_keys_or_labels_it_says_what_was_looked_for(
    tmp_path: Path, columns: dict[str, Any], expected: str
) -> None:
    frame = log(**{name: None if one is None else pl.lit(one) for name, one in columns.items()})
    with pytest.raises(InputError, match=expected):
        drafted(tmp_path, frame)


def test_tables_without_the_key_or_without_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"users.parquet: expected a column `user_id`, to join it"):
        drafted(tmp_path, log(), users=pl.DataFrame({"id": ["u1"]}))
    with pytest.raises(InputError, match="expected a table with rows, found none"):
        drafted(tmp_path, log().head(0))


def test_a_bad_name_is_refused(tmp_path: Path) -> None:
    log().write_parquet(tmp_path / "log.parquet")
    with pytest.raises(InputError, match="name: expected"):
        draft_config(str(tmp_path / "log.parquet"), None, None, "no spaces, please")
