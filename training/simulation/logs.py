"""Simulated logs with known truth, to measure what no real log can: whether a ranker learned taste or the old policy.

A request draws a user, a device, an hour and a video being watched; twice the candidates needed are retrieved, and the
logging policy shows the best of them at positions 1..K by  promotion(author) + popularity before the log + related +
noise: stale, and blind to the user's taste. One request in ten is shown in random order: there `propensity`, the chance
that a video stood where it did given what was shown, is 1 / K. Elsewhere it is null: there the scores that decide the
order decide what is shown as well. What users then do is in `training.simulation.behaviour`.

Every part has its own stream of random numbers, so a log is a pure function of its config and needs one part of memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from model.contract.durable import write_durably
from model.contract.mistakes import mistake
from training.simulation.behaviour import SURFACES, Requests, Truth, act, truth_of
from training.simulation.world import (
    DEVICES,
    LOG_STREAM,
    NUM_DAYS,
    WARM_UP_STREAM,
    Bools,
    Ints,
    SimulationConfig,
    World,
    build_world,
    names,
    observe_users,
    observe_videos,
    retrieve,
    usable,
)

START_MS = 1_772_409_600_000  # 2026-03-02, a Monday, 00:00 UTC
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PART_IMPRESSIONS = 240_000
HISTORY_LENGTH = 20
WARM_UP_USERS = 5_000
WARM_UP_REQUESTS = 4
EXPLORATION = 0.1
USUAL_DEVICE = 0.75
SKIPS_KEPT = 0.3
SURFACE_SHARES = (0.6, 0.25, 0.15)
TRAFFIC_BY_HOUR = np.array([4, 3, 2, 1, 1, 1, 2, 3, 4, 4, 5, 5, 6, 6, 5, 5, 6, 7, 8, 9, 10, 10, 8, 6], np.float64)


@dataclass(frozen=True, slots=True)
class Shown:
    """`slate` `[request candidate]`, best first; `at_random` `[request]`: whether their order was drawn at random."""

    slate: Ints
    at_random: Bools


@dataclass(frozen=True, slots=True)
class Part:
    """A run of whole requests; `truth` has the same rows as `impressions`."""

    impressions: pl.DataFrame
    truth: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Simulation:
    users: pl.DataFrame
    videos: pl.DataFrame
    parts: Iterator[Part]


def simulate(config: SimulationConfig) -> Simulation:
    """The tables of users and videos, and the parts of the log, which are drawn as they are asked for."""
    world = build_world(config)
    recent = pl.concat([_recent(world, first) for first in range(0, config.num_users, WARM_UP_USERS)])
    return Simulation(observe_users(world).with_columns(recent), observe_videos(world), _parts(world))


def write_simulation(config: SimulationConfig, out: Path, progress: Callable[[int], None]) -> None:
    """Write users, videos, impressions and truth below `out`; `progress` gets the impressions of each part written."""
    if any(out.rglob("*.parquet")):  # its further parts would be read as parts of this log
        raise mistake(str(out), "a folder without tables, for they would be read as parts of this log", "some")
    simulation = simulate(config)
    write_durably(out / "users.parquet", simulation.users.write_parquet)
    write_durably(out / "videos.parquet", simulation.videos.write_parquet)
    for number, part in enumerate(simulation.parts):
        write_durably(out / "impressions" / f"part-{number:05d}.parquet", part.impressions.write_parquet)
        write_durably(out / "truth" / f"part-{number:05d}.parquet", part.truth.write_parquet)
        progress(part.impressions.height)


def _parts(world: World) -> Iterator[Part]:
    config = world.config
    num_requests = -(-config.num_impressions // config.num_candidates)
    step = PART_IMPRESSIONS // config.num_candidates
    for part, first in enumerate(range(0, num_requests, step)):
        rng = config.stream(LOG_STREAM, part)
        time_ms = _times(rng, first, min(step, num_requests - first), num_requests)
        requests = _draw_requests(rng, world, time_ms, world.draw_users(rng, _days(time_ms)))
        shown = _show(rng, world, requests)
        truth = truth_of(world, requests, shown.slate)
        impressions = _impression_table(first, requests, shown, act(rng, truth))
        # The last request is cut short where the number asked for is not a whole number of requests.
        rows = config.num_impressions - first * config.num_candidates
        yield Part(impressions.head(rows), _truth_table(impressions, truth).head(rows))


def _times(rng: np.random.Generator, first: int, size: int, num_requests: int) -> Ints:
    """Never decreasing: request r falls into the r-th of equal slices of the traffic, which follows the hour."""
    traffic = np.concatenate(([0.0], np.cumsum(np.tile(TRAFFIC_BY_HOUR, NUM_DAYS))))
    share = (np.arange(first, first + size) + rng.random(size)) / num_requests
    hours = np.interp(share * traffic[-1], traffic, np.arange(len(traffic)))
    since_start: Ints = (hours * HOUR_MS).astype(np.int64).clip(max=NUM_DAYS * DAY_MS - 1)
    return START_MS + since_start


def _days(time_ms: Ints) -> Ints:
    """The day of the log; the warm-up sees what exists on day 0."""
    day: Ints = ((time_ms - START_MS) // DAY_MS).clip(min=0)
    return day


def _draw_requests(rng: np.random.Generator, world: World, time_ms: Ints, user: Ints) -> Requests:
    size, on_usual_device = len(user), rng.random(len(user)) < USUAL_DEVICE
    return Requests(
        time_ms=time_ms,
        hour=time_ms // HOUR_MS % 24,
        user=user,
        device=np.where(on_usual_device, world.users.device[user], rng.integers(len(DEVICES), size=size)),
        surface=rng.choice(len(SURFACES), size, p=SURFACE_SHARES),
        watching=world.draw_videos(rng, _days(time_ms), world.draw_topics(rng, user, 1))[:, 0],
    )


def _show(rng: np.random.Generator, world: World, requests: Requests) -> Shown:
    """The logging policy."""
    videos = world.videos
    pool = retrieve(rng, world, _days(requests.time_ms), requests.user, requests.watching)
    related = videos.topic[pool] == videos.topic[requests.watching][:, None]
    noise = rng.standard_normal(pool.shape, dtype=np.float32)
    score = videos.policy_score[pool] + 0.4 * related + 0.8 * noise
    at_random = rng.random((len(pool), 1)) < EXPLORATION
    score = np.where(at_random, noise, score)
    score[~usable(pool, requests.watching)] = -np.inf
    order = np.argsort(-score, axis=1, kind="stable")[:, : world.config.num_candidates]
    return Shown(np.take_along_axis(pool, order, axis=1), at_random[:, 0])


def _impression_table(first: int, requests: Requests, showing: Shown, outcomes: pl.DataFrame) -> pl.DataFrame:
    size, num_candidates = showing.slate.shape
    number = pl.select(pl.int_range(first, first + size).cast(pl.String).str.zfill(9)).to_series()
    shown = pl.DataFrame(
        {
            "request_id": "r" + number,
            "time_ms": requests.time_ms,
            "date": pl.from_epoch(pl.Series(requests.time_ms), "ms").dt.date(),
            "user_id": names("u", requests.user),
            "watching": names("v", requests.watching),
            "device": DEVICES[requests.device],
            "hour": requests.hour.astype(np.int32),
            "surface": SURFACES[requests.surface],
        }
    )[np.repeat(np.arange(size), num_candidates)]
    position = pl.Series("position", np.tile(np.arange(1, num_candidates + 1, dtype=np.int32), size))
    return shown.select(
        pl.format("{}-{}", "request_id", position.cast(pl.String).str.zfill(2)).alias("impression_id"),
        pl.all(),
        position,
        names("v", showing.slate.ravel()).alias("video_id"),
        pl.when(pl.Series(np.repeat(showing.at_random, num_candidates))).then(1 / num_candidates).alias("propensity"),
        *outcomes,
    )


def _truth_table(impressions: pl.DataFrame, truth: Truth) -> pl.DataFrame:
    like = truth.like_if_whole * truth.share
    columns = {
        "true_click": truth.click,
        "expected_watch_time_s": truth.click * truth.share * truth.duration_s,
        "true_like": truth.click * like,
        "true_rating": truth.rating,
        "examined_probability": truth.examined,
        "relevance": truth.click * (truth.share + 3 * like + (truth.rating - 1) / 4),
    }
    floats = [pl.Series(name, values.ravel().astype(np.float32)) for name, values in columns.items()]
    return impressions.select("impression_id", "request_id", *floats)


def _recent(world: World, first: int) -> pl.Series:
    """Histories of a block of users: the latest clicks, and some of the skips, of a warm-up before the log."""
    rng = world.config.stream(WARM_UP_STREAM, first)
    users = np.arange(first, min(first + WARM_UP_USERS, world.config.num_users))
    user = np.repeat(users, np.minimum(world.users.past_sessions[users], WARM_UP_REQUESTS))
    requests = _draw_requests(rng, world, START_MS - rng.integers(1, 7 * DAY_MS, len(user)), user)
    slate = _show(rng, world, requests).slate
    shown = act(rng, truth_of(world, requests, slate)).select(
        pl.Series("user", np.repeat(user, slate.shape[1])),
        names("v", slate.ravel()).alias("video_id"),
        pl.col("click", "like").cast(pl.Float32),
    )
    kept = shown.filter((pl.col("click") == 1) | pl.Series(rng.random(slate.size) < SKIPS_KEPT))
    entries = pl.struct("video_id", "click", "like").tail(HISTORY_LENGTH).alias("recent")
    recent = kept.group_by("user", maintain_order=True).agg(entries)
    users_recent = pl.DataFrame({"user": users}).join(recent, on="user", how="left", maintain_order="left")
    return users_recent["recent"].fill_null([])
