"""Arrow: a request and its answer as Arrow IPC streams; needs pyarrow, the extra `arrow`."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from pydantic import PrivateAttr, ValidationError

from model.contract.bundle import Manifest
from model.contract.mistakes import MOST_MISTAKES, InputError, Mistake, mistake, of_validation, quote
from model.contract.request import LONGEST_ID, Asked, InlineColumn, RankRequest
from model.contract.texts import Texts
from service.http.answers import about
from service.http.body import parse
from service.http.media import MalformedArrow
from service.ranking.order import Ranking
from service.telemetry.trace import Trace

REQUEST_KEY, RESPONSE_KEY = b"watchnext.request", b"watchnext.response"
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"
ID, PREDICTION, CONTRIBUTION = "id", "prediction", "contribution"
HEADER, COMPRESSION = 2, 3  # the fields of a Message and of a RecordBatch in Arrow's format/Message.fbs


class ArrowRequest(Asked):
    """The document in the metadata. Its candidates are the rows of the table."""

    _ids: Sequence[str] = PrivateAttr(default_factory=list)
    _inline: dict[str, InlineColumn] = PrivateAttr(default_factory=dict)

    def take(self, batch: pa.RecordBatch) -> None:
        """Raises InputError."""
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        self._ids = _ids(columns.pop(ID))
        rows = np.arange(batch.num_rows)
        self._inline = {name: InlineColumn(rows, _values(column)) for name, column in columns.items()}

    @property
    def ids(self) -> Sequence[str]:
        return self._ids

    @property
    def inline(self) -> Mapping[str, InlineColumn]:
        return self._inline


def parse_arrow(body: bytes, trace: Trace) -> ArrowRequest:
    """Raises MalformedArrow, MalformedBody or InputError."""
    batch = _read(body)
    metadata = batch.schema.metadata or {}
    if REQUEST_KEY not in metadata:
        found = quote(", ".join(key.decode(errors="replace") for key in metadata)) if metadata else "none"
        raise mistake("metadata", f"`{REQUEST_KEY.decode()}`: the request without its candidates, in JSON", found)
    request = parse(ArrowRequest, metadata[REQUEST_KEY], trace)
    if wrong := list(islice(_nulls(batch), MOST_MISTAKES)):
        raise InputError(*wrong)
    request.take(batch)
    return request


def _read(body: bytes) -> pa.RecordBatch:
    """Exactly a schema, one record batch and the end: whatever follows a cut would be told by nothing else."""
    if not body.endswith(END_OF_STREAM):
        raise MalformedArrow("Expected an Arrow stream with its end marker, found one that is cut off, or none.")
    try:
        found = list(pa.ipc.MessageReader.open_stream(body))
        kinds = [one.type for one in found]
        if kinds != ["schema", "record batch"]:
            expected = "a schema and one record batch, with no dictionaries"
            raise mistake("the whole", expected, quote(", ".join(kinds)))
        if _is_compressed(found[1].metadata.to_pybytes()):
            raise mistake("the whole", "buffers that are not compressed: a body may be no larger than it is", "such")
        schema = pa.ipc.read_schema(found[0])
        _check_types(schema)
        batch = pa.ipc.read_record_batch(found[1], schema)
        batch.validate(full=True)  # whoever reads a damaged array without it may read anything
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, struct.error) as error:
        raise MalformedArrow(f"Expected an Arrow stream, found: {error}.") from None
    return batch


def _is_compressed(metadata: bytes) -> bool:
    """Whether the RecordBatch of a message (a flatbuffer) names a compression. pyarrow would tell only by unpacking."""

    def field(table: int, number: int) -> int:
        layout = table - struct.unpack_from("<i", metadata, table)[0]
        [size] = struct.unpack_from("<H", metadata, layout)
        at = 4 + 2 * number
        [offset] = struct.unpack_from("<H", metadata, layout + at) if at < size else (0,)
        return table + offset if offset else 0

    def follow(at: int) -> int:
        return at + int(struct.unpack_from("<I", metadata, at)[0])

    return bool(field(follow(field(follow(0), HEADER)), COMPRESSION))


def _check_types(schema: pa.Schema) -> None:
    """Plain columns, whose size the size of the body bounds."""
    if len(set(schema.names)) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise mistake("the schema", "columns with names of their own", f"{quote(twice)} more than once")
    if ID not in schema.names:
        raise mistake("the schema", f"a column `{ID}`", quote(", ".join(schema.names)) if schema.names else "none")
    if not _is_text(schema.field(ID).type):
        raise mistake(f"candidates[].{ID}", "a column of strings", f"one of {schema.field(ID).type}")
    wrong = [
        Mistake(
            f"candidates[].features.{quote(field.name)[1:-1]}",
            "a column of strings, numbers, booleans, or lists of them",
            f"one of {field.type}",
        )
        for field in schema
        if not _is_plain(field.type) and not (_is_list(field.type) and _is_plain(field.type.value_type))
    ]
    if wrong:
        raise InputError(*wrong[:MOST_MISTAKES])


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_plain(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _nulls(batch: pa.RecordBatch) -> Iterator[Mistake]:
    """A null could mean that nothing is known, or that what is stored stands: who means either says so in JSON."""
    if not batch.num_rows:  # the offsets of empty lists are not validated, and wrong ones would end the process
        return
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        null_inside = _is_list(column.type) and column.flatten().null_count
        if not column.null_count and not null_inside:
            continue
        has_null = column.is_null().to_numpy(zero_copy_only=False)
        if null_inside:
            has_null = np.array([one is None or None in one for one in column.to_pylist()])
        for row in np.flatnonzero(has_null).tolist():
            where = ID if name == ID else f"features.{quote(name)[1:-1]}"
            yield Mistake(f"candidates[{row}].{where}", "a value in every row", "null")


def _ids(column: Any) -> Sequence[str]:
    """Held to what holds for ids in JSON."""
    sizes = _texts(column).lengths  # in bytes, of which there are no fewer than characters
    if sizes.min(initial=1) >= 1 and sizes.max(initial=1) <= LONGEST_ID:
        ids: list[str] = column.to_pylist()
        return ids
    try:
        return RankRequest.model_validate({"candidates": column.to_pylist()}, strict=True).ids
    except ValidationError as error:
        wrong = of_validation(error, RankRequest, MOST_MISTAKES)
        raise InputError(*(Mistake(f"{one.where}.{ID}", one.expected, one.found) for one in wrong)) from None


def _values(column: Any) -> Sequence[Any]:
    return _texts(column) if _is_text(column.type) else column.to_pylist()


def _texts(column: Any) -> Texts:
    _, offsets, data = column.buffers()
    if not len(column):
        return Texts.of([])
    kind = np.int64 if pa.types.is_large_string(column.type) else np.int32
    at = np.frombuffer(offsets, kind, len(column) + 1, column.offset * kind().itemsize).astype(np.int64)
    utf8 = data[int(at[0]) : int(at[-1])].to_pybytes() if data is not None else b""
    return Texts(utf8, at[1:] - at[:-1])


def ranking_arrow(ranking: Ranking, request_id: str, manifest: Manifest) -> bytes:
    """A row a ranked candidate; what is said of the whole ranking is a JSON document in the metadata."""
    columns = {ID: pa.array(ranking.ids, pa.string()), "score": pa.array(ranking.scores)}
    names = [f"{PREDICTION}.{task.name}" for task in manifest.tasks]
    columns |= dict(zip(names, map(pa.array, ranking.predictions.T), strict=True))
    if ranking.contributions is not None:
        names = [f"{CONTRIBUTION}.{name}" for name in ranking.policy.rules.weights]
        columns |= dict(zip(names, map(pa.array, ranking.contributions.T), strict=True))
    document = orjson.dumps(about(ranking, request_id, manifest))
    batch = pa.RecordBatch.from_arrays([*columns.values()], names=[*columns], metadata={RESPONSE_KEY: document})
    return b"".join((batch.schema.serialize(), batch.serialize(), END_OF_STREAM))
