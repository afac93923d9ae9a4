"""Costs: how many parameters a ranker has, and how many multiplications a prediction takes."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from model.contract.mistakes import Strict
from model.inputs import Batch
from model.ranker import MultiTaskRanker


class Costs(Strict):
    """`parameters` are those of embedding tables (`embeddings`), of the rest those that several tasks read (`shared`),
    and `per_task` for each task.

    Multiplications are those of matrix products; lookups, masks and activations are not counted. A request's half of
    the network takes `request_multiplications` once, all else `candidate_multiplications` for every candidate (of
    which a published video's own half is already done).
    """

    parameters: int
    embeddings: int
    shared: int
    per_task: int
    request_multiplications: int
    candidate_multiplications: int

    def __str__(self) -> str:
        return (
            f"{self.parameters:,} parameters: {self.embeddings:,} in embeddings, {self.shared:,} shared, "
            f"{self.per_task:,} a task; {self.candidate_multiplications:,} multiplications a candidate, "
            f"{self.request_multiplications:,} a request"
        )


def costs(ranker: MultiTaskRanker) -> Costs:
    """Counted, the multiplications on one row."""
    tables = [one.weight for one in ranker.modules() if isinstance(one, nn.Embedding)]
    of_tables = {id(one) for one in tables}
    whole, embeddings = _size(ranker.parameters()), _size(tables)
    shared = _size(one for one in ranker.shared_parameters() if id(one) not in of_tables)
    request, candidate = _multiplications(ranker)
    return Costs(
        parameters=whole,
        embeddings=embeddings,
        shared=shared,
        # Tasks own equal shares: all that belongs to tasks has an axis of tasks.
        per_task=(whole - embeddings - shared) // len(ranker.calibration.links),
        request_multiplications=request,
        candidate_multiplications=candidate,
    )


def _size(parameters: Iterable[Tensor]) -> int:
    return sum(one.numel() for one in parameters)


@torch.no_grad()
def _multiplications(ranker: MultiTaskRanker) -> tuple[int, int]:
    """Of a request's half, and of one candidate."""
    row, was_training = _row(ranker), ranker.training
    ranker.eval()
    with FlopCounterMode(display=False) as of_request:
        (request_half, memories), bias_logits = ranker.of_request(row), ranker.bias_logits(row, as_logged=False)
    with FlopCounterMode(display=False) as of_candidate:
        total = ranker.apart(request_half + ranker.candidate_half(row))
        ranker.logits(total, memories, bias_logits, row)
    ranker.train(was_training)
    # It counts a multiplication and the addition that follows it as two.
    return of_request.get_total_flops() // 2, of_candidate.get_total_flops() // 2


def _row(ranker: MultiTaskRanker) -> Batch:
    """One row of missing values."""
    specs = ranker.inputs.copies[0].schema.specs.values()
    return {one.name: torch.zeros(1, *one.shape, dtype=torch.int32 if one.table else torch.float32) for one in specs}
