"""What every simulated log promises: one seed one log, the chain of causes, and a truth that the log does not hold."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from model.contract.mistakes import InputError
from training.simulation.logs import PART_IMPRESSIONS, Part, Simulation, simulate, write_simulation
from training.simulation.world import SimulationConfig

# Two parts, and a last request that is cut short.
NUM_IMPRESSIONS = PART_IMPRESSIONS + 30_005
KEYS = ["impression_id", "request_id"]
TRUTHS = {"true_click", "expected_watch_time_s", "true_like", "true_rating", "examined_probability", "relevance"}


@dataclass(frozen=True)
class Log:
    users: pl.DataFrame
    videos: pl.DataFrame
    parts: list[Part]
    impressions: pl.DataFrame
    with_truth: pl.DataFrame


def drawn(simulation: Simulation) -> Log:
    parts = list(simulation.parts)
    impressions = pl.concat(part.impressions for part in parts)
    truth = pl.concat(part.truth for part in parts)
    return Log(simulation.users, simulation.videos, parts, impressions, impressions.hstack(truth.drop(KEYS)))


@pytest.fixture(scope="module")
def log() -> Log:
    return drawn(simulate(SimulationConfig(num_impressions=NUM_IMPRESSIONS, seed=3)))


def small(seed: int = 0, position_bias: float = 1.0) -> Log:
    return drawn(simulate(SimulationConfig(num_impressions=6_000, seed=seed, position_bias=position_bias)))


def correlation(table: pl.DataFrame, one: str, other: str) -> float:
    return float(table.select(pl.corr(one, other)).item())


def test_one_seed_gives_one_log() -> None:
    first, again = small(seed=7), small(seed=7)
    for name in ("users", "videos", "with_truth"):
        assert_frame_equal(getattr(first, name), getattr(again, name), check_exact=True)


def test_another_seed_gives_another_log() -> None:
    first, other = small(seed=7), small(seed=8)
    assert not first.videos.equals(other.videos)
    assert not first.impressions.equals(other.impressions)


def test_parts_are_bounded_and_add_up(log: Log) -> None:
    sizes = [part.impressions.height for part in log.parts]
    assert sizes == [PART_IMPRESSIONS, NUM_IMPRESSIONS - PART_IMPRESSIONS]
    assert log.impressions["impression_id"].n_unique() == NUM_IMPRESSIONS


@pytest.mark.parametrize("num_impressions", [1, 11, 12, 13])
def test_the_number_asked_for_is_exact(num_impressions: int) -> None:
    log = drawn(simulate(SimulationConfig(num_impressions=num_impressions)))
    assert log.impressions.height == log.with_truth.height == num_impressions


def test_a_part_is_drawn_only_when_asked_for() -> None:
    part = next(simulate(SimulationConfig(num_impressions=50_000_000, num_users=500, num_videos=500)).parts)
    assert part.impressions.height == PART_IMPRESSIONS


def test_a_request_shows_distinct_videos_at_positions_from_one(log: Log) -> None:
    requests = log.impressions.head(NUM_IMPRESSIONS // 12 * 12).group_by("request_id", maintain_order=True)
    shown = requests.agg(pl.col("position"), pl.col("video_id", "user_id", "time_ms", "device", "watching").n_unique())
    assert shown["position"].to_list() == [list(range(1, 13))] * shown.height
    assert shown["video_id"].unique().to_list() == [12]
    assert shown.select((pl.col("user_id", "time_ms", "device", "watching") == 1).all()).row(0) == (True,) * 4
    assert not (log.impressions["video_id"] == log.impressions["watching"]).any()


def test_the_columns_and_their_types(log: Log) -> None:
    assert dict(log.impressions.schema) == {
        "impression_id": pl.String,
        "request_id": pl.String,
        "time_ms": pl.Int64,
        "date": pl.Date,
        "user_id": pl.String,
        "watching": pl.String,
        "device": pl.String,
        "hour": pl.Int32,
        "surface": pl.String,
        "position": pl.Int32,
        "video_id": pl.String,
        "propensity": pl.Float64,
        "click": pl.Int8,
        "watch_time_s": pl.Float32,
        "like": pl.Int8,
        "rating": pl.Float32,
        "rated": pl.Boolean,
    }
    entry = pl.Struct({"video_id": pl.String, "click": pl.Float32, "like": pl.Float32})
    assert log.users.schema["recent"] == pl.List(entry)
    assert log.videos.schema["topics"] == pl.List(pl.String)
    assert log.videos.schema["title_vector"] == pl.Array(pl.Float32, 16)


def test_truth_has_the_rows_of_the_log_and_is_in_no_other_table(log: Log) -> None:
    for part in log.parts:
        assert_frame_equal(part.truth.select(KEYS), part.impressions.select(KEYS))
        assert set(part.truth.columns) == {*KEYS, *TRUTHS}
    assert TRUTHS.isdisjoint([*log.impressions.columns, *log.users.columns, *log.videos.columns])


def test_users_and_videos_are_known(log: Log) -> None:
    assert log.impressions["user_id"].is_in(log.users["user_id"].implode()).all()
    for column in ("video_id", "watching"):
        assert log.impressions[column].is_in(log.videos["video_id"].implode()).all()
    assert log.videos["topics"].list.len().is_between(1, 3).all()
    assert log.users["recent"].list.len().max() == 20


@pytest.mark.parametrize(
    ("column", "low", "high"), [("click", 0.15, 0.35), ("like", 0.01, 0.03), ("rated", 0.02, 0.05)]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rates(seed: int, column: str, low: float, high: float) -> None:
    impressions = drawn(simulate(SimulationConfig(num_impressions=30_000, seed=seed))).impressions
    assert low < impressions[column].cast(pl.Float64).mean() < high


def test_everything_follows_from_a_click(log: Log) -> None:
    skipped, clicked = log.impressions.filter(pl.col("click") == 0), log.impressions.filter(pl.col("click") == 1)
    assert skipped.select(pl.col("watch_time_s", "like", "rated").cast(pl.Float64).sum()).row(0) == (0, 0, 0)
    assert (clicked["watch_time_s"] > 0).all()
    longest = clicked.join(log.videos, on="video_id")
    # The table of videos rounds durations to a tenth of a second.
    assert (longest["watch_time_s"] <= longest["duration_s"] + 0.1).all()


def test_a_rating_is_present_exactly_where_rated(log: Log) -> None:
    assert (log.impressions["rated"] == log.impressions["rating"].is_not_null()).all()
    assert sorted(log.impressions["rating"].drop_nulls().unique()) == [1, 2, 3, 4, 5]


def test_outcomes_happen_as_often_as_the_truth_says(log: Log) -> None:
    seen = pl.col("examined_probability")
    for outcome, truth in (("click", "true_click"), ("watch_time_s", "expected_watch_time_s"), ("like", "true_like")):
        recorded, expected = log.with_truth.select(
            pl.col(outcome).cast(pl.Float64).mean(), (seen * pl.col(truth)).cast(pl.Float64).mean()
        ).row(0)
        assert recorded == pytest.approx(expected, rel=0.03), outcome
    rated = log.with_truth.filter("rated")
    assert rated["rating"].mean() == pytest.approx(rated["true_rating"].mean(), rel=0.01)


def test_truths_are_in_range(log: Log) -> None:
    table = log.with_truth
    for column in ("true_click", "true_like", "examined_probability"):
        assert table[column].is_between(0, 1).all()
    assert table["true_rating"].is_between(1, 5).all()
    assert (table["relevance"] >= 0).all()
    assert (table["true_like"] <= table["true_click"]).all()


def test_clicks_fall_with_position_and_differently_by_device(log: Log) -> None:
    clicks = log.impressions.group_by("device", "position").agg(pl.col("click").mean())
    kept = {}
    for device in ("ios", "tv", "web"):
        rate = clicks.filter(pl.col("device") == device).sort("position")["click"]
        assert rate[0] > rate[1] > rate[3] > rate[8:].mean()
        kept[device] = rate[8:].mean() / rate[0]
    assert kept["tv"] < 0.7 * kept["ios"] < 0.7 * kept["web"]


def test_without_position_bias_the_same_lists_are_examined_whole() -> None:
    biased, unbiased = small(), small(position_bias=0.0)
    assert (unbiased.with_truth["examined_probability"] == 1).all()
    shown = ["request_id", "position", "video_id", "true_click"]
    assert_frame_equal(unbiased.with_truth.select(shown), biased.with_truth.select(shown))
    assert unbiased.impressions["click"].sum() > 1.5 * biased.impressions["click"].sum()


def test_engagement_and_satisfaction_agree_in_part(log: Log) -> None:
    table = log.with_truth.with_columns(like_if_clicked=pl.col("true_like") / pl.col("true_click"))
    assert 0.15 < correlation(table, "true_click", "true_rating") < 0.6
    assert 0.15 < correlation(table, "true_click", "like_if_clicked") < 0.6


def test_the_old_policy_is_neither_random_nor_the_truth(log: Log) -> None:
    table = log.with_truth.join(log.videos, on="video_id").with_columns(pl.col("popularity").log1p())
    assert correlation(table, "position", "popularity") < -0.3
    assert -0.2 < correlation(table, "position", "true_click") < -0.01


def test_one_request_in_ten_has_a_random_order_and_only_there_are_propensities(log: Log) -> None:
    requests = log.impressions.group_by("request_id").agg(pl.col("propensity").unique())
    assert requests["propensity"].list.len().unique().to_list() == [1]
    known = log.with_truth.join(log.videos, on="video_id").with_columns(pl.col("popularity").log1p())
    at_random, ordered = (known.filter(pl.col("propensity").is_null() == one) for one in (False, True))
    assert at_random.height / known.height == pytest.approx(0.1, abs=0.01)
    assert at_random["propensity"].unique().to_list() == [1 / 12]
    assert abs(correlation(at_random, "position", "popularity")) < 0.02
    assert correlation(ordered, "position", "popularity") < -0.3


def test_time_never_goes_back_and_covers_two_weeks(log: Log) -> None:
    time = log.impressions["time_ms"]
    assert time.is_sorted()
    assert log.impressions["date"].n_unique() == 14
    assert (log.impressions["hour"] == pl.from_epoch(time, "ms").dt.hour()).all()


def test_cold_users_and_videos_come_late_and_without_a_past(log: Log) -> None:
    last_days = log.impressions["date"].unique().sort()[-3:].implode()
    new_users = log.users.filter(pl.col("activity") == 0)
    new_videos = log.videos.filter(pl.col("age_days") == 0)
    assert (new_users["recent"].list.len() == 0).all()
    assert (new_videos["popularity"] == 0).all()
    for column, ids in (
        ("user_id", new_users),
        ("video_id", new_videos),
        ("watching", new_videos.select(watching="video_id")),
    ):
        rows = log.impressions.filter(pl.col(column).is_in(ids[column].implode()))
        assert rows.height > 0
        assert rows["date"].is_in(last_days).all()
    met = log.users["recent"].explode().struct.field("video_id").drop_nulls()
    assert not met.is_in(new_videos["video_id"].implode()).any()


def test_written_files_read_back_equal(tmp_path: Path) -> None:
    config = SimulationConfig(num_impressions=PART_IMPRESSIONS + 5, num_users=500, num_videos=500)
    written: list[int] = []
    write_simulation(config, tmp_path / "log", written.append)
    expected = simulate(config)
    assert written == [PART_IMPRESSIONS, 5]
    assert_frame_equal(pl.read_parquet(tmp_path / "log" / "users.parquet"), expected.users)
    assert_frame_equal(pl.read_parquet(tmp_path / "log" / "videos.parquet"), expected.videos)
    for number, part in enumerate(expected.parts):
        name = f"part-{number:05d}.parquet"
        assert_frame_equal(pl.read_parquet(tmp_path / "log" / "impressions" / name), part.impressions)
        assert_frame_equal(pl.read_parquet(tmp_path / "log" / "truth" / name), part.truth)
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_directory_that_holds_a_log_is_refused(tmp_path: Path) -> None:
    config = SimulationConfig(num_impressions=12)
    write_simulation(config, tmp_path, lambda _: None)
    with pytest.raises(InputError, match="expected a folder without tables"):
        write_simulation(config, tmp_path, lambda _: None)
