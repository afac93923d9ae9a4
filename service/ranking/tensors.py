"""Tensors: encoded rows as the Open Inference Protocol sends them, held against what the live bundle reads."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue

from model.contract.bundle import Bundle
from model.contract.features.interface import REQUEST_SIDES, Arrays, ArraySpec, Side
from model.contract.mistakes import MOST_MISTAKES, InputError, Mistake, Strict, mistake, quote, unknown_name

OPEN = -1  # the protocol's size of an axis that may have any: here the rows
LARGEST = float(np.finfo(np.float32).max)
Parameters = dict[str, JsonValue]


class Datatype(StrEnum):
    """The protocol's names of the two that encoded arrays have."""

    CODES = "INT32"
    FLOATS = "FP32"


class InputTensor(Strict):
    """`data` in row-major order, flat or nested as `shape` says. No parameter means anything here."""

    name: str
    shape: tuple[int, ...] = Field(min_length=1, max_length=8)
    datatype: str
    parameters: Parameters = Field(default_factory=dict)
    data: list[Any]


class WantedOutput(Strict):
    name: str
    parameters: Parameters = Field(default_factory=dict)


class InferRequest(Strict):
    """The body of POST /v2/models/{name}/infer: every input of the model once; without `outputs` all come back."""

    id: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
    parameters: Parameters = Field(default_factory=dict)
    inputs: tuple[InputTensor, ...]
    outputs: tuple[WantedOutput, ...] | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One encoded array: codes below `num_codes`, or floats where that is None; `row_shape` is that of one row."""

    of_request: bool
    row_shape: tuple[int, ...]
    num_codes: int | None

    @property
    def datatype(self) -> Datatype:
        return Datatype.FLOATS if self.num_codes is None else Datatype.CODES


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """`request` has arrays of one row, which all share, or of every row's own; `candidates`, pairs among them, has one
    row a candidate.
    """

    request: Arrays
    candidates: Arrays


def inputs_of(bundle: Bundle) -> dict[str, Input]:
    """All that the graphs read, by name, in the order of the schema."""
    tables = bundle.schema.tables(bundle.encoder.fitted)

    def described(spec: ArraySpec) -> Input:
        num_codes = tables[spec.table].num_codes if spec.table else None
        return Input(spec.side in REQUEST_SIDES, spec.shape, num_codes)

    specs = bundle.schema.specs.values()
    return {one.name: described(one) for one in specs if one.side is not Side.IMPRESSION and not one.hidden}


def read_tensors(request: InferRequest, bundle: Bundle, max_rows: int) -> EncodedRows:
    """Checked so that nothing leads a graph astray. Raises InputError with the first mistakes."""
    expected = inputs_of(bundle)
    if wrong := list(islice(_wrong_names(request, expected), MOST_MISTAKES)):
        raise InputError(*wrong)
    num_rows = _num_rows(request, expected, max_rows)
    arrays, mistakes = Arrays(), list[Mistake]()
    for at, one in enumerate(request.inputs):
        try:
            arrays[one.name] = _array(one, expected[one.name], num_rows, f"inputs[{at}]")
        except InputError as error:
            mistakes += error.mistakes
    if mistakes:
        raise InputError(*mistakes)
    of_request = {name: array for name, array in arrays.items() if expected[name].of_request}
    return EncodedRows(of_request, {name: array for name, array in arrays.items() if name not in of_request})


def check_outputs(request: InferRequest, bundle: Bundle) -> None:
    """Raises InputError where a wanted output is no task."""
    tasks = [one.name for one in bundle.tasks]
    for at, one in enumerate(request.outputs or ()):
        if one.name not in tasks:
            raise InputError(unknown_name(f"outputs[{at}].name", "a task", one.name, tasks))


def _wrong_names(request: InferRequest, expected: Mapping[str, Input]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for at, one in enumerate(request.inputs):
        if one.name not in expected:
            yield unknown_name(f"inputs[{at}].name", "an input of the model", one.name, expected)
        elif one.name in seen:
            yield Mistake(f"inputs[{at}].name", "each input once", f"{quote(one.name)} again")
        seen.add(one.name)
    for name in expected:
        if name not in seen:
            yield Mistake("inputs", f"`{name}` among them", "none of that name")


def _num_rows(request: InferRequest, expected: Mapping[str, Input], max_rows: int) -> int:
    """Rows are candidates: every schema has a feature of theirs. Others are held against the first."""
    at, first = next((at, one) for at, one in enumerate(request.inputs) if not expected[one.name].of_request)
    if not 1 <= first.shape[0] <= max_rows:
        raise mistake(f"inputs[{at}].shape", f"1 to {max_rows} rows", quote(first.shape[0]))
    return first.shape[0]


def _array(tensor: InputTensor, expected: Input, num_rows: int, where: str) -> NDArray[Any]:
    if tensor.datatype != expected.datatype:
        raise mistake(f"{where}.datatype", f"`{expected.datatype}` for `{tensor.name}`", quote(tensor.datatype))
    allowed = {(rows, *expected.row_shape) for rows in ({1, num_rows} if expected.of_request else {num_rows})}
    if tensor.shape not in allowed:
        shapes = " or ".join(str(list(one)) for one in sorted(allowed))
        raise mistake(f"{where}.shape", f"{shapes} for `{tensor.name}`", quote(list(tensor.shape)))
    flat = _flat(tensor, f"{where}.data")
    codes = expected.num_codes
    read = _floats(flat, f"{where}.data") if codes is None else _codes(flat, codes, f"{where}.data")
    return read.reshape(tensor.shape)


def _flat(tensor: InputTensor, where: str) -> list[Any]:
    """The elements in row-major order."""
    is_nested = any(isinstance(one, list) for one in tensor.data[:1])
    elements = [tensor.data]
    for size in tensor.shape if is_nested else (math.prod(tensor.shape),):
        for one in elements:
            if not isinstance(one, list) or len(one) != size:
                found = f"one of {len(one)}" if isinstance(one, list) else quote(one)
                raise mistake(where, f"a list of {size}, as the shape says", found)
        elements = list(chain.from_iterable(elements))
    return elements


def _codes(flat: list[Any], num_codes: int, where: str) -> NDArray[np.int32]:
    # Of types, for to Python a bool is an int too.
    if set(map(type, flat)) == {int} and min(flat) >= 0 and max(flat) < num_codes:
        return np.array(flat, dtype=np.int32)
    wrong = next(one for one in flat if type(one) is not int or not 0 <= one < num_codes)
    raise mistake(where, f"codes from 0 to {num_codes - 1}", quote(wrong))


def _floats(flat: list[Any], where: str) -> NDArray[np.float32]:
    if set(map(type, flat)) <= {int, float} and all(-LARGEST <= one <= LARGEST for one in flat):
        return np.array(flat, dtype=np.float32)
    wrong = next(one for one in flat if type(one) not in (int, float) or not -LARGEST <= one <= LARGEST)
    raise mistake(where, "finite numbers of 32 bits", quote(wrong))
