"""Simulated logs with known truth, to measure what no real log can: whether a ranker learned taste or the old policy.

A request draws a user, a device, an hour and a video being watched; twice the candidates needed are retrieved, and the
logging policy shows the best of them at positions 1..K by  promotion(author) + popularity before the log + related +
noise: stale, and blind to the user's taste. One request in ten is shown in random order. Then, with the latents of
`simulation_world` (a, b: the user's engagement and satisfaction taste; z: the video):

    examined      position ** -(position_bias * exponent of the device)
    click         examined and Bernoulli(sigmoid(2.4 a.z + related to `watching` + appeal + language + length x device))
    watch share   min(1, s * sqrt(u / (1 - u))), u uniform: log-logistic, for which E = s arctan(1 / s)
    like          click and Bernoulli(watch share * sigmoid(2 b.z + quality - clickbait))
    rating        ordered logit of the same satisfaction; given more often by those who care and who stayed
    relevance     click * (E[watch share] + 3 P(like | click) + (E[rating] - 1) / 4)       the utility, >= 0

Every part has its own stream of random numbers, so a log is a pure function of its config and needs one part of memory.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from model.contract.mistakes import mistake
from training.simulation.world import (
    DEVICES,
    LOG_STREAM,
    NUM_DAYS,
    WARM_UP_STREAM,
    Floats,
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
SURFACES = np.array(["watch_next", "home", "explore"])
SURFACE_SHARES = (0.6, 0.25, 0.15)
RATING_NOISE = 0.5
RATING_STEPS = (1.5, 2.5, 3.5, 4.5)
OPINION = 3.4
EVENING_WATCH = np.float32(0.2)
# In the order of DEVICES: ios, android, tv, web.
EXAMINATION_EXPONENT = np.array([0.65, 0.7, 1.0, 0.4], np.float32)
LONG_VIDEO_CLICK = np.array([-0.25, -0.3, 0.4, 0.0], np.float32)
DEVICE_WATCH = np.array([0.0, -0.1, 0.4, -0.1], np.float32)
# In the order of SURFACES: what is being watched matters most beside the player.
RELATED_CLICK = np.array([1.0, 0.4, 0.2], np.float32)
TRAFFIC_BY_HOUR = np.array([4, 3, 2, 1, 1, 1, 2, 3, 4, 4, 5, 5, 6, 6, 5, 5, 6, 7, 8, 9, 10, 10, 8, 6], np.float64)


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


@dataclass(frozen=True, slots=True)
class Requests:
    time_ms: Ints
    hour: Ints
    user: Ints
    device: Ints
    surface: Ints
    watching: Ints


@dataclass(frozen=True, slots=True)
class Truth:
    """Per request and candidate; all but `examined` and `click` hold given a click."""

    examined: Floats
    click: Floats
    share_scale: Floats
    share: Floats
    duration_s: Floats
    like_if_whole: Floats
    opinion: Floats
    rating: Floats


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
    _write(simulation.users, out / "users.parquet")
    _write(simulation.videos, out / "videos.parquet")
    for number, part in enumerate(simulation.parts):
        _write(part.impressions, out / "impressions" / f"part-{number:05d}.parquet")
        _write(part.truth, out / "truth" / f"part-{number:05d}.parquet")
        progress(part.impressions.height)


def _write(table: pl.DataFrame, path: Path) -> None:
    """Write beside and rename, so that a file of this name is always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".tmp")
    with beside.open("wb") as file:
        table.write_parquet(file)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def _parts(world: World) -> Iterator[Part]:
    config = world.config
    num_requests = -(-config.num_impressions // config.num_candidates)
    step = PART_IMPRESSIONS // config.num_candidates
    for part, first in enumerate(range(0, num_requests, step)):
        rng = config.stream(LOG_STREAM, part)
        time_ms = _times(rng, first, min(step, num_requests - first), num_requests)
        requests = _draw_requests(rng, world, time_ms, world.draw_users(rng, _days(time_ms)))
        slate = _show(rng, world, requests)
        truth = _truth(world, requests, slate)
        impressions = _impression_table(first, requests, slate, _act(rng, truth))
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


def _show(rng: np.random.Generator, world: World, requests: Requests) -> Ints:
    """The logging policy: what is shown, best first (request candidate)."""
    videos = world.videos
    pool = retrieve(rng, world, _days(requests.time_ms), requests.user, requests.watching)
    related = videos.topic[pool] == videos.topic[requests.watching][:, None]
    noise = rng.standard_normal(pool.shape, dtype=np.float32)
    score = videos.policy_score[pool] + 0.4 * related + 0.8 * noise
    score = np.where(rng.random((len(pool), 1)) < EXPLORATION, noise, score)
    score[~usable(pool, requests.watching)] = -np.inf
    order = np.argsort(-score, axis=1, kind="stable")[:, : world.config.num_candidates]
    return np.take_along_axis(pool, order, axis=1)


def _truth(world: World, requests: Requests, slate: Ints) -> Truth:
    users, videos = world.users, world.videos
    user, device, surface = requests.user, requests.device[:, None], requests.surface[:, None]
    latent, length, clickbait = videos.latent[slate], videos.log_duration[slate], videos.clickbait[slate]
    taste = np.einsum("rd,rcd->rc", users.engagement_taste[user], latent)
    related = np.einsum("rd,rcd->rc", videos.latent[requests.watching], latent)
    same_language = users.language[user][:, None] == videos.language[slate]
    click_logit = 2.4 * taste + RELATED_CLICK[surface] * related + videos.click_appeal[slate]
    click_logit += LONG_VIDEO_CLICK[device] * length + 0.8 * same_language - 1.0
    log_scale = 1.2 * taste - 0.3 * clickbait - 0.3 * length + DEVICE_WATCH[device] - 1.0
    share_scale = np.exp(log_scale + EVENING_WATCH * (requests.hour >= 18)[:, None])
    liking = np.einsum("rd,rcd->rc", users.satisfaction_taste[user], latent)
    satisfaction = 2.0 * liking + 0.6 * videos.quality[slate] - 0.4 * clickbait
    opinion = OPINION + 0.8 * satisfaction
    exponent = world.config.position_bias * EXAMINATION_EXPONENT[:, None]
    return Truth(
        examined=(np.arange(1, slate.shape[1] + 1, dtype=np.float32) ** -exponent)[requests.device],
        click=_sigmoid(click_logit),
        share_scale=share_scale,
        share=share_scale * np.arctan(1 / share_scale),
        duration_s=videos.duration_s[slate],
        like_if_whole=_sigmoid(satisfaction - 2.8),
        opinion=opinion,
        rating=sum((_sigmoid((opinion - step) / RATING_NOISE) for step in RATING_STEPS), np.ones_like(opinion)),
    )


def _act(rng: np.random.Generator, truth: Truth) -> pl.DataFrame:
    """What the users did, as the log records it. All follows from a click; ratings come from who cares and stayed."""
    chance = rng.random((5, *truth.click.shape), dtype=np.float32)
    odds = np.maximum(chance[1:3], 1e-6) / (1 - chance[1:3])
    click = chance[0] < truth.examined * truth.click
    share = np.minimum(1, truth.share_scale * np.sqrt(odds[0]))
    opinion = np.round(truth.opinion + RATING_NOISE * np.log(odds[1]))
    rated = click & (chance[4] < _sigmoid(0.5 * np.abs(truth.opinion - OPINION) + share - 2.8))
    columns = {
        "click": click.astype(np.int8),
        "watch_time_s": (click * share * truth.duration_s).astype(np.float32),
        "like": (click & (chance[3] < truth.like_if_whole * share)).astype(np.int8),
        "rating": np.where(rated, np.clip(opinion, 1, 5), np.nan).astype(np.float32),
        "rated": rated,
    }
    table = pl.DataFrame({name: values.ravel() for name, values in columns.items()})
    return table.with_columns(pl.col("rating").fill_nan(None))


def _impression_table(first: int, requests: Requests, slate: Ints, outcomes: pl.DataFrame) -> pl.DataFrame:
    size, num_candidates = slate.shape
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
        names("v", slate.ravel()).alias("video_id"),
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
    slate = _show(rng, world, requests)
    shown = _act(rng, _truth(world, requests, slate)).select(
        pl.Series("user", np.repeat(user, slate.shape[1])),
        names("v", slate.ravel()).alias("video_id"),
        pl.col("click", "like").cast(pl.Float32),
    )
    kept = shown.filter((pl.col("click") == 1) | pl.Series(rng.random(slate.size) < SKIPS_KEPT))
    entries = pl.struct("video_id", "click", "like").tail(HISTORY_LENGTH).alias("recent")
    recent = kept.group_by("user", maintain_order=True).agg(entries)
    users_recent = pl.DataFrame({"user": users}).join(recent, on="user", how="left", maintain_order="left")
    return users_recent["recent"].fill_null([])


def _sigmoid(logit: Floats) -> Floats:
    probability: Floats = np.reciprocal(1 + np.exp(-logit))
    return probability
