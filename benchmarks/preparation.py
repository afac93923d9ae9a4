"""Preparation: how many impressions are encoded in a second, and does memory grow with their number?

    python -m benchmarks.preparation --rows 4000000 --memory-rows 1000000 2000000 4000000

30 mixed features: 18 categories with vocabularies of 6 to 100,000, a set, 11 numbers with quantile bins. In the layout
`tables` those of users and videos are in tables of their own, as in a warehouse; in `log` every impression has all of
them. Rows a second are by the clock, from the opened table to arrays that are flushed to the disk of --folder, on 2
threads, the median of so many repeats, which alternate between layouts; beside them what 2 cores would do that have
nothing else to do and wait for no disk (rows by half the processor's time). Each measurement is a process of its own.

Memory is what a process holds at its peak (anonymous pages; those of mapped files are the system's to take back), of a
log with 8 features: while it is prepared, and while a small network trains on it for an epoch and is evaluated. The
last line is one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.table import Table

from training.config import RunConfig, parse
from training.dataset import Preparation, prepare
from training.evaluation import compute_logits, evaluate_split
from training.loop import Checkpointing, Trainer
from training.splits import TEST

NUM_THREADS = 2
PART_ROWS = 250_000
NUM_ENTITIES = 100_000  # users, and videos
SAMPLED_EVERY_S = 0.01
MB = 1024  # in the kB of /proc
NUM_DAYS = 10
LAYOUTS = TABLES, LOG = "tables", "log"
USER_CATEGORIES = {"age_band": 6, "country": 200, "city": 10_000, "language": 40, "cluster": 1_000}
VIDEO_CATEGORIES = {"author_id": 20_000, "genre": 30, "music_id": 50_000, "upload_type": 10, "resolution": 20}
CONTEXT_CATEGORIES = {"device": 500, "surface": 6, "hour": 24, "network": 6}
USER_NUMBERS = ("activity", "followers", "follows", "past_views", "past_rate")
VIDEO_NUMBERS = ("duration_s", "age_days", "views", "likes", "like_rate")
Columns = dict[str, Any]
Figures = dict[str, float]
Measure = Callable[[Path, str], Figures]  # of a folder with `logs`, and their layout


def drawn(rng: np.random.Generator, size: int, num_values: int) -> np.ndarray:
    """Whole numbers below `num_values`, small ones more often."""
    return (num_values * rng.random(size) ** 2).astype(np.int64)


def named(prefix: str, numbers: np.ndarray) -> pl.Series:
    return pl.select(pl.format(prefix + "{}", pl.Series(numbers))).to_series()


def entities(key: str, categories: dict[str, int], numbers: tuple[str, ...], seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    columns: Columns = {key: named(key[0], np.arange(NUM_ENTITIES))}
    columns |= {name: named(name[:2], drawn(rng, NUM_ENTITIES, size)) for name, size in categories.items()}
    columns |= {name: rng.lognormal(2, 2, NUM_ENTITIES).astype(np.float32) for name in numbers}
    if key == "video_id":
        tags = named("t", drawn(rng, 3 * NUM_ENTITIES, 2_000)).reshape((NUM_ENTITIES, 3))
        columns["tags"] = tags.arr.to_list()
    return pl.DataFrame(columns)


def write_logs(folder: Path, num_rows: int, layout: str) -> None:
    """`users.parquet`, `videos.parquet` and `log/`, in parts of PART_ROWS."""
    users = entities("user_id", USER_CATEGORIES, USER_NUMBERS, 1)
    videos = entities("video_id", VIDEO_CATEGORIES, VIDEO_NUMBERS, 2)
    (folder / "log").mkdir(parents=True)
    users.write_parquet(folder / "users.parquet")
    videos.write_parquet(folder / "videos.parquet")
    for part, first in enumerate(range(0, num_rows, PART_ROWS)):
        rng, size = np.random.default_rng((3, part)), min(PART_ROWS, num_rows - first)
        columns: Columns = {"day": (first + np.arange(size)) * NUM_DAYS // num_rows}
        columns |= {key: named(key[0], drawn(rng, size, NUM_ENTITIES)) for key in ("user_id", "video_id")}
        columns["watching"] = named("v", drawn(rng, size, NUM_ENTITIES))
        columns |= {name: named(name[:2], drawn(rng, size, many)) for name, many in CONTEXT_CATEGORIES.items()}
        columns |= {"position": np.arange(size) % 12 + 1, "wait_s": rng.lognormal(1, 1, size).astype(np.float32)}
        columns |= {"click": rng.random(size) < 0.3, "watch_time_s": rng.lognormal(2, 1, size).astype(np.float32)}
        impressions = pl.DataFrame(columns)
        if layout == LOG:
            impressions = impressions.join(users, on="user_id", how="left", maintain_order="left")
            impressions = impressions.join(videos, on="video_id", how="left", maintain_order="left")
        impressions.write_parquet(folder / "log" / f"{part:05d}.parquet")


def config(logs: Path, layout: str, few: bool = False) -> RunConfig:
    """30 features, or a `few` of them, and two tasks."""

    def of(side: str, names: Any, **more: Any) -> list[dict[str, Any]]:
        return [{"name": name, "side": side, "kind": "category"} | more for name in names]

    numbers: dict[str, Any] = {"kind": "number", "transform": "log1p", "bins": 16}
    user, video = of("user", ["user_id"]), of("candidate", ["video_id"])
    features = [*user, *video, *of("context", CONTEXT_CATEGORIES), *of("candidate", ["duration_s"], **numbers)]
    if not few:
        features = [
            *of("user", ["user_id", *USER_CATEGORIES]),
            *of("user", USER_NUMBERS, **numbers),
            *of("candidate", ["video_id", *VIDEO_CATEGORIES]),
            *of("candidate", VIDEO_NUMBERS, **numbers),
            *of("candidate", ["tags"], kind="categories", length=3),
            *of("query", ["watching"], shares="video_id"),
            *of("context", CONTEXT_CATEGORIES),
            *of("context", ["wait_s"], **numbers),
            *of("impression", ["position"]),
        ]
    reader = {"kind": "impressions", "path": str(logs / "log")}
    if layout == TABLES:
        reader |= {"users": str(logs / "users.parquet"), "videos": str(logs / "videos.parquet")}
    raw = {
        "name": "preparation",
        "data": {
            "reader": reader,
            "split": {"by": "time", "column": "day", "valid_from": NUM_DAYS - 2, "test_from": NUM_DAYS - 1},
            "keys": {"query_video": "watching"},
        },
        "features": features,
        "position_bias": None if few else {"features": ["position"]},
        "tasks": [
            {"name": "click", "group": "engagement", "kind": "binary", "label": "click"},
            {"name": "watch", "group": "engagement", "kind": "regression", "label": "watch_time_s"},
        ],
        "network": {"embedding_dim": 4, "hidden_units": 32, "tower_units": [16]},
        "sharing": {"kind": "shared_bottom", "units": [32]},
        "training": {"batch_size": 8192, "max_epochs": 1},
        "policies": {"p": {"combination": "weighted_sum", "weights": {"click": 1.0}}},
    }
    return parse(raw, {}, "benchmark")


class Silent:
    """A watcher with nobody behind it."""

    def step(self, *_: Any) -> None: ...

    def epoch(self, *_: Any) -> None: ...


@contextmanager
def watched() -> Iterator[Figures]:
    """Seconds by the clock and of the processor, and the peak of anonymous memory in MB, filled in at the end."""
    figures, peak, over = Figures(), [0], threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLED_EVERY_S):
            status = Path("/proc/self/status").read_text(encoding="ascii")
            peak.append(int(status.partition("RssAnon:")[2].split()[0]))

    sampler = threading.Thread(target=sample)
    sampler.start()
    started, spent = time.perf_counter(), time.process_time()
    try:
        yield figures
    finally:
        seconds, processor = time.perf_counter() - started, time.process_time() - spent
        over.set()
        sampler.join()
        figures |= {"seconds": seconds, "processor_s": processor, "anonymous_mb": max(peak) / MB}


def prepared(folder: Path, layout: str, few: bool = False) -> Figures:
    run = config(folder / "logs", layout, few)
    preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
    shutil.rmtree(folder / "encoded", ignore_errors=True)
    with watched() as figures:
        prepare(preparation, folder / "encoded", lambda *_: None)
    return figures


def prepared_few(folder: Path, layout: str) -> Figures:
    return prepared(folder, layout, few=True)


def trained(folder: Path, layout: str) -> Figures:
    """On what `prepared_few` has left there."""
    torch.set_num_threads(NUM_THREADS)
    run = config(folder / "logs", layout, few=True)
    preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
    dataset = prepare(preparation, folder / "encoded", lambda *_: None)
    with watched() as figures:
        ranker = Trainer(run, dataset, Checkpointing(folder / "checkpoint.pt", "", resume=False), Silent()).run()
        logits = compute_logits(ranker, dataset.splits[TEST])
        evaluate_split(ranker.calibration, run.tasks, run.policies, logits, dataset.splits[TEST])
    return figures


def alone(measure: Measure, folder: Path, layout: str) -> Figures:
    """In a process of its own, which starts anew."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (folder, layout))


@contextmanager
def computing_with(num_threads: int) -> Iterator[None]:
    """Processes that are started within it."""
    with patch.dict(os.environ, dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS"), str(num_threads))):
        yield


def rates(num_rows: int, repeats: int, room: Path) -> dict[str, dict[str, float]]:
    """Of each layout the medians."""
    for layout in LAYOUTS:
        write_logs(room / layout / "logs", num_rows, layout)
    found: dict[str, list[Figures]] = {layout: [] for layout in LAYOUTS}
    for _ in range(repeats):
        for layout in LAYOUTS:
            found[layout].append(alone(prepared, room / layout, layout))
    return {
        layout: {name: statistics.median(one[name] for one in runs) for name in runs[0]}
        for layout, runs in found.items()
    }


def memory(num_rows: int, room: Path) -> dict[str, float]:
    """In MB, of preparation and of training."""
    folder = room / str(num_rows)
    write_logs(folder / "logs", num_rows, TABLES)
    found = {
        name: alone(one, folder, TABLES) for name, one in {"preparation": prepared_few, "training": trained}.items()
    }
    shutil.rmtree(folder)
    return {name: one["anonymous_mb"] for name, one in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000_000, help="of which the rate is taken")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory-rows", type=int, nargs="*", default=[1_000_000, 2_000_000, 4_000_000])
    parser.add_argument("--folder", type=Path, help="with room for logs and encoded data (a temporary one)")
    options, console = parser.parse_args(), Console()
    with tempfile.TemporaryDirectory(dir=options.folder) as name, computing_with(NUM_THREADS):
        speed = rates(options.rows, options.repeats, Path(name)) if options.rows else {}
        shutil.rmtree(name)
        held = {rows: memory(rows, Path(name)) for rows in options.memory_rows}
        Path(name).mkdir(exist_ok=True)
    result: dict[str, Any] = {"rows": options.rows}
    table = Table(
        "layout", "rows/s", "rows/s of two idle cores", "peak MB", title=f"{options.rows:,} impressions, 30 features"
    )
    for layout, one in speed.items():
        by_clock, by_processor = options.rows / one["seconds"], NUM_THREADS * options.rows / one["processor_s"]
        table.add_row(layout, f"{by_clock:,.0f}", f"{by_processor:,.0f}", f"{one['anonymous_mb']:,.0f}")
        suffix = "" if layout == TABLES else f"_{layout}"
        result |= {
            f"prepare_rows_per_s{suffix}": round(by_clock),
            f"prepare_rows_per_two_cores_s{suffix}": round(by_processor),
        }
    console.print(table)
    table = Table("impressions", "preparation, MB", "training, MB", title="Peak memory")
    for rows, one in held.items():
        table.add_row(f"{rows:,}", f"{one['preparation']:,.0f}", f"{one['training']:,.0f}")
    console.print(table)
    result["peak_memory_mb"] = {
        part: {str(rows): round(one[part]) for rows, one in held.items()} for part in ("preparation", "training")
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
