"""Signatures: what the graphs of a bundle must read and give, by its schema, its tasks and its catalog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.contract.bundle import Bundle
from model.contract.features.interface import REQUEST_SIDES, ArraySpec, Side
from model.contract.graphs import (
    BIAS_LOGITS,
    CANDIDATE,
    CANDIDATE_HALF,
    MEMORIES,
    PREDICTIONS,
    RANK,
    REQUEST,
    REQUEST_HALF,
)
from model.contract.mistakes import InputError, mistake, quote, unknown_name
from model.contract.sums import Layout

FLOAT, INTEGER = "tensor(float)", "tensor(int32)"


@dataclass(frozen=True, slots=True)
class Tensor:
    """The element type, and the shape without the first axis, which is a number of rows; None is any size."""

    kind: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """Inputs that a graph may have, and outputs that it must have."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


def expected_signatures(bundle: Bundle) -> dict[str, Signature]:
    if len(bundle.halves.places) != bundle.videos.num_entities + 1:
        expected = f"halves for a catalog of {bundle.videos.num_entities} videos"
        raise mistake(str(bundle.folder), expected, f"places of {len(bundle.halves.places) - 1}")
    half = Tensor(FLOAT, (bundle.halves.dim,))
    memories = {MEMORIES: Tensor(FLOAT, (None,))}  # as wide as they like: only graphs read them
    tasks = Tensor(FLOAT, (len(bundle.tasks),))
    specs = bundle.schema.specs.values()
    request = {spec.name: _tensor(spec) for spec in specs if spec.side in REQUEST_SIDES and not spec.hidden}
    candidate = {spec.name: _tensor(spec) for spec in specs if spec.side is Side.CANDIDATE}
    pair = {spec.name: _tensor(spec) for spec in specs if spec.side is Side.PAIR}
    return {
        REQUEST: Signature(request, {REQUEST_HALF: half, BIAS_LOGITS: tasks}),
        CANDIDATE: Signature(candidate, {CANDIDATE_HALF: half}),
        RANK: Signature(pair | memories | {BIAS_LOGITS: tasks}, {PREDICTIONS: tasks}),
    }


def _tensor(spec: ArraySpec) -> Tensor:
    return Tensor(INTEGER if spec.table else FLOAT, spec.shape)


def check_inputs(where: str, found: Sequence[Any], expected: Mapping[str, Tensor]) -> None:
    """`found` are ONNX Runtime's descriptions. Raises InputError."""
    for one in found:
        if one.name not in expected:
            raise InputError(unknown_name(f"{where}: inputs", "an encoded array of the schema", one.name, expected))
        _check_tensor(f"{where}: input `{one.name}`", one, expected[one.name])


def check_outputs(where: str, found: Sequence[Any], expected: Mapping[str, Tensor]) -> None:
    by_name = {one.name: one for one in found}
    for name, tensor in expected.items():
        if name not in by_name:
            raise mistake(f"{where}: outputs", f"`{name}`", quote(", ".join(by_name)))
        _check_tensor(f"{where}: output `{name}`", by_name[name], tensor)


def check_passed_on(where: str, given: Sequence[Any], read: Sequence[Any]) -> None:
    """What one graph gives is what the other reads under the same name."""
    by_name = {one.name: one for one in given}
    for one in read:
        if one.name in by_name:
            expected = Tensor(one.type, tuple(one.shape[1:]))
            _check_tensor(f"{where}: output `{one.name}`", by_name[one.name], expected)


def check_sums(where: str, layout: Layout, dim: int) -> None:
    """The parts of the sums of halves have as many columns as the halves. Raises InputError."""
    found = {one.name: [*one.networks, one.width] for one in layout.parts}
    has_sizes = all(isinstance(size, int) and size > 0 for sizes in found.values() for size in sizes)
    if not has_sizes or layout.dim != dim:
        told = ", ".join(f"`{name}` {sizes}" for name, sizes in found.items())
        raise mistake(f"{where}: inputs", f"sums of halves, of {dim} columns in all", told or "none")


def _check_tensor(where: str, found: Any, expected: Tensor) -> None:
    shape = tuple(found.shape[1:])
    # An axis whose size the exporter left open has a name instead.
    agrees = len(shape) == len(expected.shape) and all(
        size == wanted or wanted is None or not isinstance(size, int)
        for size, wanted in zip(shape, expected.shape, strict=True)
    )
    if found.type != expected.kind or not agrees:
        sizes = ["any size" if size is None else str(size) for size in expected.shape]
        wanted = f"{expected.kind} of shape [rows, {', '.join(sizes)}]"
        raise mistake(where, wanted, f"{found.type} of shape {found.shape}")
