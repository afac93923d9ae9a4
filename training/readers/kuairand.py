"""Reader `kuairand`: KuaiRand-Pure (Gao et al., CIKM 2022) under its published file names, or the part with a history.

Adds to the published columns: `day`, `hour`, `play_time_s` (clipped at 300 s), `duration_s` (missing where 0), `tags`
as a list, and, all from before the first impression of the log, `recent` (what each user saw, with outcomes) and
smoothed rates of users and videos. Exact duplicates are dropped.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from model.contract.mistakes import mistake
from model.contract.schema import Keys
from training.readers.interface import ImpressionTable, Reader, fingerprint_of, read_table, scan

EARLY_LOG, LATE_LOG = "log_standard_4_08_to_4_21_pure.csv", "log_standard_4_22_to_5_08_pure.csv"
LOG, HISTORY = "log.parquet", "history.parquet"
USERS, VIDEOS = "user_features_pure.csv", "video_features_basic_pure.csv"
OUTCOMES = ("long_view", "is_like")
SMOOTHING = 10.0


class KuaiRandReader(Reader):
    """`path` is the folder. Without `history.parquet` the early published log takes its place."""

    kind: Literal["kuairand"] = "kuairand"
    path: str
    history_length: int = Field(default=50, ge=1)

    def read(self, keys: Keys, categories: Collection[str] = ()) -> ImpressionTable:  # noqa: ARG002 (columns are known)
        folder = Path(self.path)
        log = LOG if (folder / LOG).is_file() else LATE_LOG
        early = HISTORY if (folder / HISTORY).is_file() else EARLY_LOG
        names = [log, early, USERS, VIDEOS]
        for name in names:
            if not (folder / name).is_file():
                raise mistake(str(folder), "the files of KuaiRand-Pure", f"no {name}")
        history = _history(folder / early, self.history_length)
        return ImpressionTable(
            source=str(folder / log),
            fingerprint=f"{fingerprint_of(folder / name for name in names)}-{self.history_length}",
            impressions=_impressions(folder / log),
            users=_users(folder / USERS, history),
            videos=_videos(folder / VIDEOS, history),
        )


def _impressions(path: Path) -> pl.LazyFrame:
    _, log = scan(str(path))
    duration = pl.col("duration_ms") / 1000.0
    return log.unique(maintain_order=True).with_columns(
        pl.col("user_id", "video_id", "tab").cast(pl.String),
        day=pl.col("date").cast(pl.String).str.to_date("%Y%m%d"),
        hour=pl.col("hourmin") // 100,
        play_time_s=(pl.col("play_time_ms") / 1000.0).clip(0, 300),
        duration_s=pl.when(duration > 0).then(duration),
    )


def _history(path: Path, length: int) -> pl.DataFrame:
    """The last `length` earlier impressions of each user, in order."""
    _, early = read_table(str(path))
    order = "order_in_user" if "order_in_user" in early.columns else "time_ms"
    early = early.unique(maintain_order=True).sort("user_id", order, maintain_order=True)
    kept = early.group_by("user_id", maintain_order=True).tail(length)
    return kept.select(pl.col("user_id", "video_id").cast(pl.String), pl.col(*OUTCOMES).cast(pl.Float32))


def _rates(history: pl.DataFrame, key: str) -> pl.DataFrame:
    """How often, and how well, before the log: a count and a rate for each outcome, smoothed towards the mean."""
    smoothed = [
        ((pl.col(one).sum() + SMOOTHING * pl.lit(history[one].mean())) / (pl.len() + SMOOTHING)).alias(
            f"past_{one}_rate"
        )
        for one in OUTCOMES
    ]
    return history.group_by(key, maintain_order=True).agg(pl.len().alias("past_views"), *smoothed)


def _users(path: Path, history: pl.DataFrame) -> pl.DataFrame:
    _, users = read_table(str(path))
    recent = history.group_by("user_id", maintain_order=True).agg(pl.struct("video_id", *OUTCOMES).alias("recent"))
    rates = _rates(history, "user_id").rename(lambda name: name.replace("past_", "user_past_"))
    # The anonymous features are numbers of categories, some read as floats because others are missing.
    categories = [name for name in users.columns if name.startswith("onehot_feat")]
    return (
        users.with_columns(pl.col("user_id").cast(pl.String), pl.col(*categories).cast(pl.Int64).cast(pl.String))
        .join(recent, on="user_id", how="left", maintain_order="left")
        .join(rates, on="user_id", how="left", maintain_order="left")
    )


def _videos(path: Path, history: pl.DataFrame) -> pl.DataFrame:
    _, videos = read_table(str(path))
    return videos.with_columns(
        pl.col("video_id", "author_id", "music_id").cast(pl.String),
        pl.col("music_type", "visible_status").cast(pl.Int64).cast(pl.String),
        tags=pl.col("tag").cast(pl.String).str.split(","),
    ).join(_rates(history, "video_id"), on="video_id", how="left", maintain_order="left")
