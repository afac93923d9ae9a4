"""The demo: simulated logs, a trained ranker, a running service, one ranked request."""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import polars as pl
from rich.console import Console

from model.client import Client, Connection, ServiceError
from model.contract.answer import RankResponse
from model.contract.mistakes import mistake
from training import run as running
from training.config import RunConfig, load_config
from training.printing import metric_tables, ranking_table
from training.report.writing import write_report
from training.simulation.logs import write_simulation
from training.simulation.world import SimulationConfig

CONFIG = Path(__file__).parent.parent / "configs" / "simulated.yaml"
LOGS, RUNS, REGISTRY, SERVICE_LOG = MADE = ("logs", "runs", "registry", "service.log")
READY_WITHIN_S = 60.0
NUM_SHOWN = 10


def run_demo(out: Path, num_impressions: int, console: Console) -> None:
    """Everything below `out`, which is made anew."""
    strangers = sorted(one.name for one in out.iterdir() if one.name not in MADE) if out.is_dir() else []
    if strangers:  # nothing is removed that a demo has not made
        raise mistake(str(out), "an empty folder, or the one of an earlier demo", f"`{strangers[0]}` in it")
    shutil.rmtree(out, ignore_errors=True)
    console.rule("1. simulate logs")
    logs = out / LOGS
    write_simulation(SimulationConfig(num_impressions=num_impressions), logs, lambda _: None)
    console.print(f"{num_impressions:,} impressions of a simulated video app in {logs}", highlight=False)
    config = _config(logs)
    console.rule("2. train, evaluate, publish")
    registry = out / REGISTRY
    run = running.Run.of(config, out / RUNS)
    metrics, manifest = running.train(run, registry, resume=False, console=console)
    for table in metric_tables(metrics, config.tasks):
        console.print(table)
    version = manifest.version if manifest else None
    console.print(f"published version {version} in {registry}", highlight=False)
    write_report(run, version, console)
    console.rule("3. serve, and rank")
    response = _serve_and_rank(registry, _request(logs), out / SERVICE_LOG, console)
    console.print(ranking_table(response, {task.name: task.unit for task in config.tasks}))


def _config(logs: Path) -> RunConfig:
    """The shipped config, pointed at the demo's own logs."""
    shipped = load_config(CONFIG)
    reader = shipped.data.reader.model_copy(
        update={
            "path": str(logs / "impressions"),
            "users": str(logs / "users.parquet"),
            "videos": str(logs / "videos.parquet"),
        }
    )
    return shipped.model_copy(update={"data": shipped.data.model_copy(update={"reader": reader})})


def _request(logs: Path) -> dict[str, Any]:
    """One of the last logged requests, its candidates as they were shown (the very last one may be cut short)."""
    table = pl.read_parquet(logs / "impressions" / "*.parquet")
    last = table.filter(pl.col("request_id") == table["request_id"][-50])
    row = last.row(0, named=True)
    return {
        "user": {"id": row["user_id"]},
        "query": {"video_id": row["watching"]},
        "context": {name: row[name] for name in ("device", "hour", "surface")},
        "candidates": last["video_id"].to_list(),
        "top_k": NUM_SHOWN,
    }


def _serve_and_rank(registry: Path, request: dict[str, Any], log: Path, console: Console) -> RankResponse:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "service.cli", "--registry", str(registry), "--port", str(port)]
    console.print(f"watchnext-serve --registry {registry} --port {port}", highlight=False)
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            with Client(Connection(f"http://127.0.0.1:{port}", timeout_s=10, retries=0)) as client:
                _wait_until_ready(client, log)
                console.print(f"POST /v1/rank {json.dumps(request)}", highlight=False)
                return client.rank(request)
        except ServiceError as error:
            raise mistake("POST /v1/rank", "a ranking", str(error)) from error
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_until_ready(client: Client, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    reason = "no answer"
    while time.monotonic() < deadline:
        try:
            client.ready()
            return
        except ServiceError as error:
            reason = error.problem.detail
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise mistake("the service", f"readiness within {READY_WITHIN_S:g} s", f"{reason} (see {log})")
