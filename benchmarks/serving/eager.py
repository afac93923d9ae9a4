"""The weights of a reference ranker as most people serve them: eager torch, dictionaries, one loop a request.

Everything about users and videos lies in memory, encoded; a request's candidates become one batch of the whole network.
"""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.serving.arms import FOLDER
from benchmarks.serving.published import Published
from model.contract.bundle import read_bundle
from model.contract.catalog import EntityTable
from model.contract.versions import live_version, version_folder
from model.contract.vocabulary import MISSING, NUM_RESERVED, UNKNOWN
from model.ranker import MultiTaskRanker

Rows = dict[str, int]


class EagerRanker:
    """Of features that are all categories, as those of the reference rankers are."""

    def __init__(self, published: Published) -> None:
        torch.set_num_threads(1)
        bundle = read_bundle(version_folder(published.registry, live_version(published.registry)))
        self.ranker: MultiTaskRanker = torch.load(published.weights, weights_only=False)
        self.tasks = [task.name for task in bundle.tasks]
        self.policy = next(iter(bundle.manifest.policies.values()))
        self.codes = {
            name: {token.decode(): at + NUM_RESERVED for at, token in enumerate(vocabulary.tokens.tolist())}
            for name, vocabulary in bundle.encoder.fitted.vocabularies.items()
        }
        inputs = self.ranker.inputs
        self.context = [one.name for one in bundle.schema.features if one.side == "context"]
        self.users, self.user_arrays = _in_memory(bundle.users, bundle.users.arrays)
        self.videos, self.video_arrays = _in_memory(bundle.videos, inputs.candidate_names)

    @classmethod
    def of_environment(cls) -> "EagerRanker":
        return cls(Published(Path(os.environ[FOLDER])))

    def rank(self, user: dict[str, Any], context: dict[str, str], candidates: list[Any]) -> dict[str, Any]:
        """The parts of a request to the ranking of all its candidates, best first."""
        ids = [one if isinstance(one, str) else one["id"] for one in candidates]
        arrays = {name: array[[self.videos.get(one, -1) for one in ids]] for name, array in self.video_arrays.items()}
        for row, one in enumerate(candidates):
            if not isinstance(one, str):
                for name, value in one["features"].items():
                    arrays[name][row] = self.codes[name].get(value, UNKNOWN)
        user_row = self.users.get(user["id"], -1)
        arrays |= {name: array[user_row].expand(len(ids)) for name, array in self.user_arrays.items()}
        for name in self.context:
            code = self.codes[name].get(context[name], UNKNOWN) if name in context else MISSING
            arrays[name] = torch.full((len(ids),), code, dtype=torch.int32)
        return {"ranking": self._ranking(ids, arrays)}

    def _ranking(self, ids: list[str], arrays: dict[str, Tensor]) -> list[dict[str, Any]]:
        with torch.inference_mode():
            predictions = self.ranker.predict(arrays)
            weights = torch.tensor([self.policy.weights.get(name, 0.0) for name in self.tasks])
            scores = predictions @ weights
            order = torch.argsort(scores, descending=True, stable=True).tolist()
        rows, totals = predictions.tolist(), scores.tolist()
        return [
            {"id": ids[at], "score": totals[at], "predictions": dict(zip(self.tasks, rows[at], strict=True))}
            for at in order
        ]


def _in_memory(table: EntityTable, names: Any) -> tuple[Rows, dict[str, Tensor]]:
    """The row of each id, and the arrays, whose last row is that of unknown ids."""
    rows = {token.decode(): at for at, token in enumerate(table.ids.tokens.tolist())}
    return rows, {name: torch.from_numpy(table.arrays[name].copy()) for name in names}
