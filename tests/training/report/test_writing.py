"""The report of a run: one page that needs nothing beside itself, whole or not at all."""

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from training.config import parse
from training.report.sections import SECTIONS
from training.report.writing import write_report
from training.run import Run, train

COMPARISON = {
    "rows": [
        {"arm": arm, "task": task, "metric": "auc", "mean": 0.7, "gain": gain, "low": low, "high": high}
        for task in ("click", "like")
        for arm, gain, low, high in (
            ("single", 0.0, None, None),
            ("mmoe", -0.02, -0.03, -0.01),
            ("ple", 0.02, 0.01, 0.03),
        )
    ],
    "costs": {"mmoe": {"parameters": 1000, "multiplications": 2000, "seconds": None}},
    "verdict": ["Train `click` apart."],
}


def copied(trained: tuple[Run, Path], folder: Path) -> Run:
    run, _ = trained
    shutil.copytree(run.folder, folder / run.config.name)
    return replace(run, folder=folder / run.config.name)


@pytest.fixture(scope="module")
def written(trained: tuple[Run, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The page of a run for which everything is there, and what was said on the terminal."""
    run = copied(trained, tmp_path_factory.mktemp("runs"))
    (run.folder / "comparison.json").write_text(json.dumps(COMPARISON | {"run": run.identity}))
    (run.folder / "report").mkdir()
    (run.folder / "report" / "old.png").write_bytes(b"of an earlier report")
    said = io.StringIO()
    return write_report(run, "20261121-abcdef01", Console(file=said, width=300)), said.getvalue()


def test_the_page_stands_alone(written: tuple[Path, str]) -> None:
    page = written[0].read_text(encoding="utf-8")
    targets = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert targets and all(one.startswith(("#", "data:image/svg+xml;base64,")) for one in targets)
    assert not re.search(r"<script|<link|@import|url\(|http-equiv|<iframe", page)
    anchors = set(re.findall(r'id="([^"]*)"', page))
    assert {one.removeprefix("#") for one in targets if one.startswith("#")} <= anchors


def test_every_exhibit_is_shown_or_said_to_be_absent(written: tuple[Path, str]) -> None:
    page = written[0].read_text(encoding="utf-8")
    for section in SECTIONS:
        shown, absent = f'<section id="{section.key}">' in page, f"<li><b>{section.title}</b>: " in page
        assert shown != absent, section.title
        # Simulated logs hold too few new users for the one, and the other is for reduced precision.
        assert shown or section.key in ("support", "serving"), section.title


def test_pictures_lie_beside_it_and_nothing_else(written: tuple[Path, str]) -> None:
    page = written[0].read_text(encoding="utf-8")
    files = {one.name for one in written[0].parent.iterdir()}
    pictures = {one for one in files if one.endswith(".png")}
    assert files == pictures | {"index.html"} and "old.png" not in files
    assert len(pictures) == page.count("<img ") > 20
    assert all((written[0].parent / one).read_bytes().startswith(b"\x89PNG") for one in pictures)
    assert not [one.name for one in written[0].parent.parent.iterdir() if one.name.endswith(".part")]


def test_what_needs_attention_is_on_top_and_on_the_terminal(written: tuple[Path, str]) -> None:
    path, said = written
    page = path.read_text(encoding="utf-8")
    top = page[page.index("What needs attention") : page.index('<section id="quality">')]
    sentence = "Negative transfer: click loses 0.0200 AUC"
    assert sentence in top and f"attention: {sentence}" in said
    assert f"report in {path}" in said
    assert "Version 20261121-abcdef01." in page and "<code>click</code> apart." in page


def test_a_report_that_cannot_be_made_leaves_the_old_one(trained: tuple[Run, Path], tmp_path: Path) -> None:
    run = copied(trained, tmp_path)
    (run.folder / "report").mkdir()
    (run.folder / "report" / "index.html").write_text("the old one")
    run.weights.unlink()
    with pytest.raises(ValueError, match="expected a trained run"):
        write_report(run, None, Console(quiet=True))
    assert (run.folder / "report" / "index.html").read_text() == "the old one"


def test_odd_data_have_a_report_too(raw_config: dict[str, Any], tmp_path: Path) -> None:
    """One group, no tower, no gates, a task of one class on test, few rows."""
    reader = raw_config["data"]["reader"]
    frame = pl.read_parquet(Path(reader["path"]) / "*.parquet")
    tested = pl.col("date") >= raw_config["data"]["split"]["test_from"]
    odd = frame.with_columns(like=pl.when(tested).then(0).otherwise(pl.col("like")))
    odd.filter(~tested | (pl.int_range(pl.len()) % 20 == 0)).write_parquet(tmp_path / "odd.parquet")
    reader["path"] = str(tmp_path / "odd.parquet")
    raw_config["features"] = [one for one in raw_config["features"] if one["name"] != "position"]
    raw_config["tasks"] = [one | {"group": "all"} for one in raw_config["tasks"] if one["name"] in ("click", "like")]
    raw_config["policies"] = {"clicks": {"combination": "weighted_sum", "weights": {"click": 1.0}}}
    raw_config["sharing"] = {"kind": "shared_bottom", "units": [8]}
    raw_config["training"] |= {"max_epochs": 1, "early_stop": {}}
    del raw_config["position_bias"], raw_config["data"]["propensity"]
    run = Run.of(parse(raw_config, {}, "config"), tmp_path / "runs")
    train(run, None, resume=False, console=Console(quiet=True))
    page = write_report(run, None, Console(quiet=True)).read_text(encoding="utf-8")
    for reason in ("of one group", "no <code>position_bias</code>", "has no gates", "has not been run"):
        assert reason in page
    assert '<section id="quality">' in page and '<section id="reliability">' in page
