"""The simulated world: what its users and videos truly are, and the noisy views of them that a log may show.

Everything is drawn once from the seed. The space of tastes has 8 dimensions and 24 unit topic centres c_t:

    video       z = 0.7 c_topic + 0.5 author style + 0.5 noise;  clickbait, quality ~ N(0, 1)
    user        a = unit(mix of three c_t + noise)               the taste that makes users click and stay
                b = 0.7 a + 0.71 noise                           the taste that makes them like and rate well
    promotion   of an author, ~ N(0, 1): raises what the logging policy shows and nothing that users care about

The latents stay in `Users` and `Videos`; `observe_users` and `observe_videos` give the only views of them.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NUM_DAYS = 14
FIRST_COLD_DAY = 11
COLD_SHARE = 0.06
POOL_FACTOR = 2
NUM_TOPICS = 24
NUM_DIMENSIONS = 8
TITLE_LENGTH = 16
TASTE_AGREEMENT = 0.7
LANGUAGES = np.array(["en", "es", "pt", "hi", "ja", "de"])
LANGUAGE_SHARES = (0.4, 0.16, 0.14, 0.14, 0.08, 0.08)
COUNTRIES = np.array(["US", "MX", "BR", "IN", "JP", "DE"])
AGE_BANDS = np.array(["13-17", "18-24", "25-34", "35-49", "50+"])
DEVICES = np.array(["ios", "android", "tv", "web"])
WORLD_STREAM, USERS_STREAM, VIDEOS_STREAM, WARM_UP_STREAM, LOG_STREAM = range(5)


class SimulationConfig(BaseModel, frozen=True, extra="forbid"):
    """What to simulate. The sizes of the world follow from `num_impressions` unless given."""

    num_impressions: int = Field(ge=1)
    seed: int = Field(0, ge=0)
    num_users: int = Field(default_factory=lambda so_far: int(np.clip(so_far["num_impressions"] // 100, 500, 200_000)))
    num_videos: int = Field(default_factory=lambda so_far: max(500, so_far["num_users"] // 2), ge=200)
    num_candidates: int = Field(12, ge=2, le=20)  # impressions per request
    position_bias: float = Field(1.0, ge=0)  # scales the exponents of examination; at 0 every impression is examined

    def stream(self, *key: int) -> np.random.Generator:
        """An independent stream of random numbers, so that no part depends on how many were drawn for another."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


@dataclass(frozen=True, slots=True)
class Users:
    """One row per user, ordered by `first_day`: those who exist on a day are a prefix."""

    engagement_taste: Floats  # user dim
    satisfaction_taste: Floats  # user dim
    topic_cdf: Floats  # user topic
    language: Ints
    device: Ints
    visits_cdf: NDArray[np.float64]
    past_sessions: Ints
    first_day: Ints


@dataclass(frozen=True, slots=True)
class Videos:
    """One row per video, ordered by `first_day`: those that exist on a day are a prefix."""

    latent: Floats  # video dim
    topic: Ints
    author: Ints
    language: Ints
    clickbait: Floats
    quality: Floats
    log_duration: Floats  # standardised
    duration_s: Floats
    past_clicks: Ints
    age_days: Floats
    click_appeal: Floats
    policy_score: Floats
    first_day: Ints


@dataclass(frozen=True, slots=True)
class World:
    """All that the log is drawn from; `topic_order` lists the videos of each topic, oldest first."""

    config: SimulationConfig
    topic_centres: Floats  # topic dim
    users: Users
    videos: Videos
    topic_order: Ints
    topic_start: Ints
    topic_count: Ints  # day topic: how many videos of the topic exist on that day

    def draw_users(self, rng: np.random.Generator, day: Ints) -> Ints:
        """One user for each request, among those who exist on its day, the frequent ones more often."""
        visits = self.users.visits_cdf
        existing = np.searchsorted(self.users.first_day, day, side="right")
        user: Ints = np.searchsorted(visits, rng.random(len(day)) * visits[existing - 1], side="right")
        return user

    def draw_topics(self, rng: np.random.Generator, user: Ints, size: int) -> Ints:
        """`size` topics that the user wishes for (request candidate)."""
        cdf = self.users.topic_cdf[user]  # request topic
        picks = [(cdf < rng.random((len(user), 1), dtype=np.float32)).sum(1) for _ in range(size)]
        # Rounding may leave the last step of the cdf just below 1.
        topic: Ints = np.stack(picks, axis=1).clip(max=NUM_TOPICS - 1)
        return topic

    def draw_videos(self, rng: np.random.Generator, day: Ints, topic: Ints) -> Ints:
        """One video of each topic (request candidate), among those that exist on the request's day."""
        pick = (rng.random(topic.shape) * self.topic_count[day[:, None], topic]).astype(np.int64)
        video: Ints = self.topic_order[self.topic_start[topic] + pick]
        return video

    def draw_any_videos(self, rng: np.random.Generator, day: Ints, size: int) -> Ints:
        existing = np.searchsorted(self.videos.first_day, day, side="right")
        return (rng.random((len(day), size)) * existing[:, None]).astype(np.int64)


def build_world(config: SimulationConfig) -> World:
    rng = config.stream(WORLD_STREAM)
    centres = _unit(_normal(rng, NUM_TOPICS, NUM_DIMENSIONS))
    users = _draw_users(rng, config.num_users, centres)
    videos = _draw_videos(rng, config, centres)
    existing = [videos.topic[videos.first_day <= day] for day in range(NUM_DAYS)]
    count = np.stack([np.bincount(topic, minlength=NUM_TOPICS) for topic in existing])
    return World(
        config=config,
        topic_centres=centres,
        users=users,
        videos=videos,
        topic_order=np.argsort(videos.topic, kind="stable"),
        topic_start=np.concatenate(([0], np.cumsum(count[-1])[:-1])),
        topic_count=count,
    )


def _draw_users(rng: np.random.Generator, num_users: int, centres: Floats) -> Users:
    picks = centres[rng.integers(NUM_TOPICS, size=(num_users, 3))]
    mix = rng.dirichlet((1.0, 1.0, 1.0), num_users).astype(np.float32)
    taste = _unit(np.einsum("up,upd->ud", mix, picks) + 0.2 * _normal(rng, num_users, NUM_DIMENSIONS))
    other = _unit(_normal(rng, num_users, NUM_DIMENSIONS))
    wish = np.exp(4.0 * np.einsum("ud,td->ut", taste, centres))
    first_day = _first_days(rng, num_users)
    visits = rng.lognormal(0.0, 0.8, num_users)
    return Users(
        engagement_taste=taste,
        satisfaction_taste=_unit(TASTE_AGREEMENT * taste + (1 - TASTE_AGREEMENT**2) ** 0.5 * other),
        topic_cdf=np.cumsum(wish / wish.sum(1, keepdims=True), axis=1),
        language=rng.choice(len(LANGUAGES), num_users, p=LANGUAGE_SHARES),
        device=rng.choice(len(DEVICES), num_users, p=(0.3, 0.35, 0.15, 0.2)),
        visits_cdf=np.cumsum(visits),
        past_sessions=np.where(first_day == 0, 1 + rng.poisson(4 * visits), 0),
        first_day=first_day,
    )


def _draw_videos(rng: np.random.Generator, config: SimulationConfig, centres: Floats) -> Videos:
    size, num_authors = config.num_videos, config.num_videos // 10
    topic = _draw_topics(rng, size)
    author = (num_authors * rng.random(size) ** 1.7).astype(np.int64)
    style, noise = _normal(rng, num_authors, NUM_DIMENSIONS), _normal(rng, size, NUM_DIMENSIONS)
    promotion, fame = _normal(rng, 2, num_authors)
    clickbait, quality, log_duration, luck = _normal(rng, 4, size)
    first_day = _first_days(rng, size)
    age_days = np.where(first_day == 0, 1 + rng.exponential(60, size), 0).astype(np.float32)
    click_appeal = 0.5 * clickbait + 0.2 * quality + 0.4 * fame[author]
    log_clicks = 2.5 + 0.5 * click_appeal + 0.8 * promotion[author] + 0.3 * np.log1p(age_days) + 0.6 * luck
    past_clicks = np.where(first_day == 0, rng.poisson(np.exp(log_clicks)), 0)
    return Videos(
        latent=0.7 * centres[topic] + (0.5 * style[author] + 0.5 * noise) / NUM_DIMENSIONS**0.5,
        topic=topic,
        author=author,
        language=rng.choice(len(LANGUAGES), size, p=LANGUAGE_SHARES),
        clickbait=clickbait,
        quality=quality,
        log_duration=log_duration,
        duration_s=np.exp(5.2 + 0.8 * log_duration),
        past_clicks=past_clicks,
        age_days=age_days,
        click_appeal=click_appeal,
        policy_score=promotion[author] + _popularity_score(past_clicks, first_day),
        first_day=first_day,
    )


def _draw_topics(rng: np.random.Generator, num_videos: int) -> Ints:
    """Topics of unequal size, of which none is empty on the first day: the oldest videos take one each."""
    weight = 1.0 / np.sqrt(np.arange(1, NUM_TOPICS + 1))
    rest = rng.choice(NUM_TOPICS, num_videos - NUM_TOPICS, p=weight / weight.sum())
    return np.concatenate((np.arange(NUM_TOPICS), rest))


def _first_days(rng: np.random.Generator, size: int) -> Ints:
    """0 for those known before the log; the last ones are cold and appear in its last days."""
    num_cold = max(1, round(COLD_SHARE * size))
    cold = np.sort(rng.integers(FIRST_COLD_DAY, NUM_DAYS, num_cold))
    return np.concatenate((np.zeros(size - num_cold, np.int64), cold))


def _popularity_score(past_clicks: Ints, first_day: Ints) -> Floats:
    """Standardised log of past clicks; new videos get the mean, or the policy would never show them."""
    logs, known = np.log1p(past_clicks), first_day == 0
    return np.where(known, (logs - logs[known].mean()) / logs[known].std(), 0).astype(np.float32)


def retrieve(rng: np.random.Generator, world: World, day: Ints, user: Ints, watching: Ints) -> Ints:
    """A sorted pool: half of the topic being watched, a quarter of topics of the user's taste, the rest any videos."""
    size = POOL_FACTOR * world.config.num_candidates
    watched = np.repeat(world.videos.topic[watching][:, None], size // 2, axis=1)
    topic = np.concatenate((watched, world.draw_topics(rng, user, size // 4)), axis=1)
    far = world.draw_any_videos(rng, day, size - topic.shape[1])
    pool = np.sort(np.concatenate((world.draw_videos(rng, day, topic), far), axis=1), axis=1)
    while (short := usable(pool, watching).sum(1) < world.config.num_candidates).any():
        pool[short] = np.sort(world.draw_any_videos(rng, day[short], size), axis=1)
    return pool


def usable(pool: Ints, watching: Ints) -> Bools:
    """False for the second of two equal videos of a sorted pool, and for the one being watched."""
    may_be_shown: Bools = (np.diff(pool, axis=1, prepend=-1) != 0) & (pool != watching[:, None])
    return may_be_shown


def observe_videos(world: World) -> pl.DataFrame:
    """The table of videos: every feature is a noisy view of the latents."""
    videos, rng = world.videos, world.config.stream(VIDEOS_STREAM)
    columns = {
        "video_id": names("v", np.arange(len(videos.topic))),
        "author_id": names("a", videos.author),
        "topics": _observe_topics(rng, world),
        "language": pl.Series(LANGUAGES[videos.language]),
        "duration_s": pl.Series(videos.duration_s.round(1)),
        "age_days": pl.Series(videos.age_days.round(2)),
        "popularity": pl.Series(videos.past_clicks.astype(np.float32)),
        "title_vector": pl.Series(_title_vectors(rng, videos), dtype=pl.Array(pl.Float32, TITLE_LENGTH)),
    }
    return pl.DataFrame(columns)


def _title_vectors(rng: np.random.Generator, videos: Videos) -> Floats:
    hidden = np.column_stack((videos.latent, 0.4 * videos.clickbait, 0.4 * videos.quality))
    # einsum, not BLAS: the order of its sums does not depend on the number of threads.
    mixed: Floats = np.einsum("vh,ht->vt", hidden, _normal(rng, hidden.shape[1], TITLE_LENGTH))
    return mixed + 0.5 * _normal(rng, *mixed.shape)


def _observe_topics(rng: np.random.Generator, world: World) -> pl.Series:
    """One to three tags, of which the true topic is usually one."""
    videos = world.videos
    closeness = np.einsum("vd,td->vt", videos.latent, world.topic_centres)
    closeness += 0.25 * _normal(rng, *closeness.shape)
    closeness[np.arange(len(videos.topic)), videos.topic] += 0.8
    best = np.argsort(-closeness, axis=1, kind="stable")[:, :3]
    tags = names("topic", best.ravel()).reshape((len(best), 3)).arr.to_list()
    num_tags = pl.Series(rng.integers(1, 4, len(best)))
    return pl.select(pl.lit(tags).list.head(pl.lit(num_tags))).to_series()


def observe_users(world: World) -> pl.DataFrame:
    """The table of users without their history."""
    users, rng = world.users, world.config.stream(USERS_STREAM)
    size = len(users.language)
    # Age goes with taste, loosely, so that it says something about users without a history.
    age = np.digitize(users.engagement_taste[:, 0] + 0.35 * _normal(rng, size), (-0.5, -0.2, 0.15, 0.5))
    country = np.where(rng.random(size) < 0.1, rng.integers(len(COUNTRIES), size=size), users.language)
    return pl.DataFrame(
        {
            "user_id": names("u", np.arange(size)),
            "age_band": _with_nulls(rng, pl.Series(AGE_BANDS[age]), 0.1),
            "country": COUNTRIES[country],
            "activity": _with_nulls(rng, pl.Series(users.past_sessions.astype(np.float32)), 0.05),
        }
    )


def _with_nulls(rng: np.random.Generator, column: pl.Series, share: float) -> pl.Series:
    return column.zip_with(pl.Series(rng.random(len(column)) >= share), pl.Series([None], dtype=column.dtype))


def names(prefix: str, numbers: Ints) -> pl.Series:
    return pl.select(pl.format(prefix + "{}", pl.lit(pl.Series(numbers)))).to_series()


def _normal(rng: np.random.Generator, *shape: int) -> Floats:
    return rng.standard_normal(shape, dtype=np.float32)


def _unit(vectors: Floats) -> Floats:
    norm: Floats = np.sqrt((vectors**2).sum(-1, keepdims=True))
    return vectors / norm
