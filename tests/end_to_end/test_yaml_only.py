"""A new task and a new feature are YAML: trained, published and served without a line of Python."""

from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tests.service.server import serving
from training.cli import main


def test_a_task_and_a_feature_are_added_by_yaml_alone(
    raw_config: dict[str, Any], logs: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    table = pl.read_parquet(logs / "impressions" / "*.parquet")
    loud = table["time_ms"].hash(1) % 100
    table.with_columns(
        finished=(pl.col("watch_time_s") > 60).cast(pl.Int8), loudness=loud.cast(pl.Float64)
    ).write_parquet(tmp_path / "logs.parquet")
    raw_config["data"]["reader"]["path"] = str(tmp_path / "logs.parquet")
    raw_config["features"].append({"name": "loudness", "kind": "number", "side": "context", "bins": 8})
    raw_config["tasks"].append({"name": "finished", "group": "satisfaction", "kind": "binary", "label": "finished"})
    raw_config["policies"]["patient"] = {"combination": "weighted_sum", "weights": {"finished": 1.0}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(raw_config))
    registry = tmp_path / "registry"
    options = ["train", str(tmp_path / "run.yaml"), "--registry", str(registry), "--runs", str(tmp_path / "runs")]
    monkeypatch.setattr("sys.argv", ["watchnext", *options, "--no-report"])
    try:
        main()
    except SystemExit as end:
        assert end.code in (0, None)

    with serving(registry) as server:
        server.wait_until_ready()
        model = server.ask("GET", "/v1/model").json
        assert "finished" in [task["name"] for task in model["tasks"]]
        request = {"context": {"loudness": 11.5}, "candidates": ["v1", "v2", "v3"], "policy": "patient"}
        answer = server.rank(request).json
        assert answer["policy"] == "patient"
        finished = [one["predictions"]["finished"] for one in answer["ranking"]]
        assert finished == sorted(finished, reverse=True) and all(0 < one < 1 for one in finished)
        louder = server.rank(request | {"context": {"loudness": 99.0}}).json
        assert [one["predictions"] for one in louder["ranking"]] != [one["predictions"] for one in answer["ranking"]]


def test_no_source_file_names_a_task() -> None:
    """Tasks are data. The demo, the simulator and the reader of one data set know their own columns, nobody else."""
    own = ("simulation/", "readers/kuairand.py", "demo.py", "drafting/", "http/examples/")
    sources = [path for folder in ("model", "training", "service") for path in Path(folder).rglob("*.py")]
    for path in sources:
        if any(one in str(path) for one in own):
            continue
        code = path.read_text()
        for name in ("watch_time", "long_view", "is_like", "rating"):
            assert f'"{name}"' not in code, (path, name)
