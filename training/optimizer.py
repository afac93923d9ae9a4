"""Optimizer: AdamW on all that a run learns, at the cost of what a batch touches, and the weights' moving average."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from model.embeddings import Embeddings
from model.ranker import MultiTaskRanker
from training.averaging import average_decay, follow
from training.balancing.interface import LossBalancer
from training.config import TrainingConfig
from training.lazy_adamw import BETAS, EPSILON, LazyAdamW, Rates, Rows
from training.touched import Touched


class EmbeddingSteps:
    """The fused tables of one copy of the inputs, each with its own LazyAdamW."""

    def __init__(self, embeddings: Embeddings, average: Embeddings | None, rates: Rates) -> None:
        self.embeddings = embeddings
        self.steps = {
            name: LazyAdamW(table, average.fused[name] if average else None, rates)
            for name, table in embeddings.fused.items()
        }
        self.lent: dict[str, Rows] = {}

    def lend(self, touched: Touched) -> None:
        """The rows that a batch touches stand in for the tables."""
        self.lent = {name: step.lend(touched.rows[name]) for name, step in self.steps.items()}
        self.embeddings.lend({name: rows.weight for name, rows in self.lent.items()}, touched.places)

    def take(self) -> None:
        for name, rows in self.lent.items():
            self.steps[name].take(rows)

    def end(self) -> None:
        self.lent = {}
        self.embeddings.lend({}, {})

    @property
    def stand_ins(self) -> dict[int, nn.Parameter]:
        """By the id of the parameter that they stand in for."""
        return {id(self.embeddings.fused[name].weight): rows.weight for name, rows in self.lent.items()}


class Optimizer:
    """Embedding tables are stepped by LazyAdamW, all else by torch's own, fused. `average` is None where none is asked
    for.
    """

    def __init__(self, ranker: MultiTaskRanker, balancer: LossBalancer, settings: TrainingConfig) -> None:
        self.ranker, self.decay, self.num_steps = ranker, settings.weight_average, 0
        self.average = copy.deepcopy(ranker) if self.decay else None
        rate = settings.learning_rate
        rates = Rates(rate, rate * settings.embedding_decay, self.decay)
        copies = [one.embeddings for one in ranker.inputs.copies]
        averages = [one.embeddings for one in self.average.inputs.copies] if self.average else [None for _ in copies]
        self.tables = [EmbeddingSteps(*both, rates) for both in zip(copies, averages, strict=True)]
        self.followed = _others(ranker)
        self.followers = _others(self.average) if self.average else []
        self.dense = [*self.followed, *balancer.parameters()]
        self.adamw = torch.optim.AdamW(self.dense, rate, betas=BETAS, eps=EPSILON, weight_decay=0.0, fused=True)

    def lend(self, touched: Touched) -> None:
        """Until `step` the ranker reads the rows that a batch touches; no parameter has a gradient."""
        self.adamw.zero_grad(set_to_none=True)
        for one in self.tables:
            one.lend(touched)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Those of the step that has begun, with rows that stand in for tables."""
        return [*self.dense, *(rows.weight for one in self.tables for rows in one.lent.values())]

    @property
    def shared(self) -> list[nn.Parameter]:
        """Of them, those that more than one task is computed from."""
        stand_ins = {key: rows for one in self.tables for key, rows in one.stand_ins.items()}
        return [stand_ins.get(id(one), one) for one in self.ranker.shared_parameters()]

    def step(self) -> None:
        self.num_steps += 1
        self.adamw.step()
        for one in self.tables:
            one.take()
        self.take_back()
        if self.average:
            follow(self.followers, self.followed, average_decay(self.decay, self.num_steps))
            for buffer, newest in zip(self.average.buffers(), self.ranker.buffers(), strict=True):
                buffer.copy_(newest)

    def take_back(self) -> None:
        """What was lent, as it was or with a step taken: the ranker reads whole tables again."""
        for one in self.tables:
            one.end()

    def catch_up(self) -> None:
        """Bring every row of every table to the last step."""
        for one in self.tables:
            for step in one.steps.values():
                step.catch_up()

    def state_dict(self) -> dict[str, Any]:
        rows = [{name: step.state_dict() for name, step in one.steps.items()} for one in self.tables]
        return {"num_steps": self.num_steps, "adamw": self.adamw.state_dict(), "rows": rows}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.num_steps = state["num_steps"]
        self.adamw.load_state_dict(state["adamw"])
        for one, rows in zip(self.tables, state["rows"], strict=True):
            for name, step in one.steps.items():
                step.load_state_dict(rows[name], self.num_steps)


def _others(ranker: MultiTaskRanker) -> list[nn.Parameter]:
    """All parameters but embedding tables."""
    tables = {id(table.weight) for one in ranker.inputs.copies for table in one.embeddings.fused.values()}
    return [one for one in ranker.parameters() if id(one) not in tables]
