"""A user whom the bundle has never heard of is ranked for by the past that the request tells, over a real server."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from tests.conftest import ROOT, small_config
from tests.service.server import Server, serving
from training.config import parse
from training.metrics import ndcg
from training.run import Run, train
from training.simulation.logs import write_simulation
from training.simulation.world import SimulationConfig

NUM_IMPRESSIONS = 36_000
NUM_REQUESTS = 300
LONG = 10  # interactions, of those who are held out
BY_CLICK = {"combination": "weighted_sum", "weights": {"click": 1.0}}
History = list[dict[str, Any]]


@dataclass(frozen=True)
class Asked:
    """One logged request of a user who was held out, what they did before, and the truth of each candidate."""

    request: dict[str, Any]
    history: History
    clicks: dict[str, float]

    def told(self, history: History) -> dict[str, Any]:
        return self.request | {"user": self.request["user"] | {"history": history}}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new_users") / "logs"
    write_simulation(SimulationConfig(num_impressions=NUM_IMPRESSIONS, seed=3), folder, lambda _: None)
    return folder


@pytest.fixture(scope="module")
def asked(logs: Path) -> list[Asked]:
    """Of some users; the logs lose all that they say of them."""
    users = pl.read_parquet(logs / "users.parquet")
    shown, truth = (pl.read_parquet(logs / name / "*.parquet") for name in ("impressions", "truth"))
    held_out = users.filter(pl.col("recent").list.len() >= LONG).gather_every(5)
    users.join(held_out, on="user_id", how="anti").write_parquet(logs / "users.parquet")
    for path in (logs / "impressions").iterdir():
        path.unlink()
    kept = shown.join(held_out, on="user_id", how="anti", maintain_order="left")
    kept.write_parquet(logs / "impressions" / "kept.parquet")
    theirs = shown.join(held_out.select("user_id", "recent"), on="user_id", maintain_order="left")
    with_truth = theirs.join(truth.select("impression_id", "true_click"), on="impression_id", maintain_order="left")
    return [of_request(one) for one in with_truth.partition_by("request_id", maintain_order=True)[:NUM_REQUESTS]]


def of_request(shown: pl.DataFrame) -> Asked:
    row = shown.row(0, named=True)
    request = {
        "user": {"id": row["user_id"]},
        "query": {"video_id": row["watching"]},
        "context": {name: row[name] for name in ("device", "hour", "surface")},
        "candidates": shown["video_id"].to_list(),
        "policy": BY_CLICK,
    }
    history = [
        {"video_id": one["video_id"], "outcomes": {name: one[name] for name in ("click", "like")}}
        for one in row["recent"]
    ]
    return Asked(request, history, dict(zip(shown["video_id"], shown["true_click"], strict=True)))


@pytest.fixture(scope="module")
def server(logs: Path, asked: list[Asked], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    raw = small_config(logs)
    raw["network"] = {"embedding_dim": 8, "hidden_units": 64, "tower_units": [16], "dropout": 0.2}
    raw["training"] |= {"max_epochs": 4, "learning_rate": 0.003, "weight_average": 0.99}
    folder = tmp_path_factory.mktemp("new_users")
    run = Run.of(parse(raw, {}, "config"), folder / "runs")
    train(run, folder / "registry", resume=False, console=Console(quiet=True))
    with serving(folder / "registry") as running:
        running.wait_until_ready()
        yield running


def true_ndcg(server: Server, one: Asked, request: dict[str, Any]) -> float:
    """How near the served order comes to that of the simulator's own chances of a click."""
    answer = server.rank(request)
    assert answer.status == 200, answer.body
    assert "unknown_user" in [warning["kind"] for warning in answer.json["warnings"]]
    clicks = np.array([one.clicks[candidate["id"]] for candidate in answer.json["ranking"]])
    assert len(clicks) == len(one.clicks)
    return ndcg(-np.arange(len(clicks), dtype=np.float64), clicks, np.zeros(len(clicks), dtype=np.int64), 10)


def test_their_history_brings_the_ranking_nearer_to_their_taste(server: Server, asked: list[Asked]) -> None:
    others = [one.history for one in (*asked[NUM_REQUESTS // 2 :], *asked[: NUM_REQUESTS // 2])]
    unknown = np.mean([true_ndcg(server, one, one.request) for one in asked])
    known = np.mean([true_ndcg(server, one, one.told(one.history)) for one in asked])
    mistaken = np.mean([true_ndcg(server, one, one.told(other)) for one, other in zip(asked, others, strict=True)])
    assert len(asked) == NUM_REQUESTS
    assert known > unknown + 0.01, (known, unknown)
    assert known > mistaken + 0.01, (known, mistaken)  # it is their own past that helps, not any


def test_the_request_of_the_documentation_is_answered(server: Server) -> None:
    section = (ROOT / "docs" / "service.md").read_text().split("## A user nobody knows")[1]
    [body] = re.findall(r"curl [^']*'[^']*' -d '(\{.*?\})'\n```", section, re.DOTALL)
    request = json.loads(body)
    answer = server.rank(request)
    assert answer.status == 200, answer.body
    assert "unknown_user" in [one["kind"] for one in answer.json["warnings"]]
    unknown = server.rank(request | {"user": {}}).json["ranking"]
    assert [one["predictions"] for one in answer.json["ranking"]] != [one["predictions"] for one in unknown]


def test_an_empty_history_is_no_history(server: Server, asked: list[Asked]) -> None:
    one = asked[0]
    assert server.rank(one.told([])).json["ranking"] == server.rank(one.request).json["ranking"]
    assert server.rank(one.told(one.history)).json["ranking"] != server.rank(one.request).json["ranking"]
