"""Training and serving see the same: arrays equal bit for bit, predictions within 1e-5, over the running service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from rich.console import Console

from model.contract.features.interface import Side
from model.contract.request import RankRequest
from model.contract.versions import live_version, version_folder
from service.feature_store.embedded import BUNDLE_ALONE
from service.ranking.checks import check
from service.ranking.encode import encode
from service.ranking.fetch import fetch
from service.registry.loading import load_ranker
from tests.service.server import Server, serving
from training.dataset import Dataset
from training.encoded_log import encode_chunk
from training.golden import golden_cases, inline_request, spelled_out
from training.run import Run, load_trained
from training.watching import TerminalWatcher

NUM_ROWS = 40


@pytest.fixture(scope="module")
def server(small_registry: Path) -> Iterator[Server]:
    with serving(small_registry) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def dataset(trained: tuple[Run, Path]) -> Dataset:
    with TerminalWatcher(Console(quiet=True), trained[0].curves) as watcher:
        return trained[0].dataset(watcher)


def requests_of(run: Run, dataset: Dataset) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Logged rows as requests with everything inline, and the arrays that training reads for them."""
    chunk = next(run.preparation.joined().chunks(2000)).gather_every(50).head(NUM_ROWS)
    arrays = encode_chunk(dataset.encoder, chunk, "logs")
    rows = spelled_out(chunk, dataset.schema).iter_rows(named=True)
    return [inline_request(dataset.schema, row) for row in rows], arrays


def test_the_service_encodes_what_training_encoded_bit_for_bit(trained: tuple[Run, Path], dataset: Dataset) -> None:
    run, registry = trained
    ranker = load_ranker(version_folder(registry, live_version(registry)), 1)
    requests, offline = requests_of(run, dataset)
    for at, raw in enumerate(requests):
        request = RankRequest.model_validate(raw)
        check(request, ranker.bundle.schema)
        online = encode(request, fetch(request, ranker, BUNDLE_ALONE), ranker.bundle.encoder)
        compared = {Side.PAIR: online.pairs, Side.CANDIDATE: online.fresh.arrays}
        for name, spec in dataset.schema.specs.items():
            if spec.side is not Side.IMPRESSION:
                found = compared.get(spec.side, online.request)[name]
                assert found.dtype == offline[name].dtype
                assert found.tobytes() == offline[name][at : at + 1].tobytes(), name


def test_served_predictions_are_torchs(trained: tuple[Run, Path], dataset: Dataset, server: Server) -> None:
    run, _ = trained
    requests, arrays = requests_of(run, dataset)
    ranker = load_trained(run, dataset)
    with torch.no_grad():
        expected = ranker.predict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}).numpy()
    for row, request in zip(expected, requests, strict=True):
        answer = server.rank(request)
        assert answer.status == 200, answer.body
        [found] = answer.json["ranking"]
        for task, value in zip(run.config.tasks, row, strict=True):
            assert found["predictions"][task.name] == pytest.approx(float(value), rel=1e-5, abs=1e-5)


def test_ids_alone_give_what_the_tables_say(trained: tuple[Run, Path], dataset: Dataset, server: Server) -> None:
    run, _ = trained
    case = golden_cases(run.preparation, dataset.encoder, dataset.users)[-1]
    ranker = load_trained(run, dataset)
    with torch.no_grad():
        expected = ranker.predict({name: torch.from_numpy(np.array(one)) for name, one in case.arrays.items()}).numpy()
    answer = server.rank(case.request)
    found = {one["id"]: one["predictions"] for one in answer.json["ranking"]}
    assert found.keys() == set(case.ids) and len(case.ids) > 1
    for one, row in zip(case.ids, expected, strict=True):
        assert list(found[one].values()) == pytest.approx(row.tolist(), rel=1e-5, abs=1e-5)


def test_position_never_reaches_the_service(server: Server, logs: Path) -> None:
    row = pl.read_parquet(logs / "impressions" / "*.parquet").row(0, named=True)
    request = {"candidates": [{"id": row["video_id"], "features": {"position": 1}}]}
    answer = server.rank(request)
    assert answer.status == 422 and "position" in answer.body.decode()
