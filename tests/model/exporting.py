"""Exports rankers in a process of its own, which checks no shapes: `python -m tests.model.exporting FOLDER`.

Under pytest signatures are checked by wrappers, and what is exported must be the code that ships.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.contract.encoding import Encoder
from model.contract.schema import FeatureSchema
from model.export import export_graphs, run_graphs
from model.ranker import MultiTaskRanker
from tests.model.builders import full_schema, make_encoder, make_ranker, make_schema, one_request, tensors

MATCHES = ("same_author", "same_tag")
NUM_EXAMPLES = 5  # the graphs are exported from so many candidates, and must take any number


@dataclass(frozen=True)
class Case:
    """A ranker, the same one in every process."""

    schema: FeatureSchema = field(default_factory=full_schema)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def encoder(self) -> Encoder:
        return make_encoder(self.schema)

    @property
    def ranker(self) -> MultiTaskRanker:
        return make_ranker(self.encoder, **self.options)


def after_operators() -> FeatureSchema:
    """Features that are called as the exporter calls inner values, or torch its attributes."""
    return make_schema(
        {"name": "video_id", "kind": "category", "side": "candidate"},
        {"name": "relu", "kind": "number", "side": "candidate", "bins": 3},
        {"name": "embedding", "kind": "vector", "side": "candidate", "length": 2},
        {"name": "cat", "kind": "number", "side": "context"},
        {"name": "linear", "kind": "category", "side": "context", "shares": "video_id"},
        {"name": "zeros", "kind": "history", "side": "user", "of": "video_id", "outcomes": ["click", "like"]},
        {"name": "type", "kind": "match", "of": "zeros", "on": "video_id"},
    )


def variants() -> dict[str, Case]:
    return {
        "everything": Case(),
        "position alone": Case(full_schema(MATCHES, ["position"]), {"position_bias": {"features": ["position"]}}),
        "without attention": Case(full_schema(MATCHES, recent={"attention": 0})),
        "inputs for each task": Case(options={"sharing": {"kind": "independent"}}),
        "without hidden layer": Case(
            options={"network": {"embedding_dim": 4, "hidden_units": None, "tower_units": [6]}}
        ),
        "after operators": Case(after_operators(), {"position_bias": None}),
    }


def export_apart(folder: Path) -> None:
    """Write the graphs of every variant, each below its name."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.model.exporting", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def check(case: Case, folder: Path, num_candidates: int) -> None:
    """The graphs repeat torch's predictions, to 1e-5 of what is at least 1."""
    arrays = one_request(case.encoder, num_candidates, seed=num_candidates)
    with torch.no_grad():
        expected = case.ranker.predict(tensors(arrays)).numpy()
    found = run_graphs(folder, arrays)
    assert found.shape == expected.shape
    gap = (np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max()
    assert gap <= 1e-5, gap


if __name__ == "__main__":
    for name, case in variants().items():
        batch = tensors(one_request(case.encoder, NUM_EXAMPLES))
        first = {array: values[:1] for array, values in batch.items()}
        export_graphs(case.ranker, first, batch, Path(sys.argv[1]) / name)
