"""Stored features in bulk: a table of users or videos into the store that a running service reads."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from rich.console import Console
from rich.progress import Progress

from model.contract import stored_in_redis, stored_in_sqlite
from model.contract.durable import told_as_input_errors
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Feature
from model.contract.mistakes import InputError, Mistake, mistake, nearest, quote
from model.contract.names import stranger
from model.contract.registry import open_registry
from model.contract.request import LONGEST_ID
from model.contract.schema import FeatureSchema, Keys
from model.contract.stored_features import SIDES, Entity
from training.columns import as_requested, to_column
from training.joined import READ_ROWS
from training.readers.interface import check_unique, scan, text_ids, told_as_unreadable
from training.spelling import listed

HISTORY, VIDEO_ID = "history", "video_id"
BATCH_ROWS = 5_000  # written whole or not at all
BUSY_S, TIMEOUT_S = 30.0, 10.0
Rows = Sequence[tuple[str, bytes]]
Write = Callable[[Entity, Rows], object]


@dataclass(frozen=True, slots=True)
class Table:
    """`key` is the column of ids, None for the usual one; no `names` of features are all other columns."""

    source: str
    entity: Entity
    key: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns that are read: of ids, of features, and of a history or None. `kinds` are what the live version says
    of features and history, by column; empty where no version was named.
    """

    key: str
    names: tuple[str, ...]
    history: str | None
    kinds: Mapping[str, Feature]

    @property
    def columns(self) -> list[str]:
        return [self.key, *self.names, *filter(None, [self.history])]


def load_table(table: Table, store: str, registry: str | None, console: Console) -> int:
    """The number of rows. Raises InputError; whole batches before a wrong value stay written."""
    schema = None if registry is None else _live_schema(registry)
    keys = Keys() if schema is None else schema.keys
    key = table.key or {Entity.USERS: keys.user, Entity.VIDEOS: keys.video}[table.entity]
    known = {} if schema is None else schema.columns
    _, frame = scan(table.source, [key, *(name for name, one in known.items() if isinstance(one, Discrete))])
    with told_as_input_errors(table.source), told_as_unreadable(table.source):
        types = frame.collect_schema()
        plan = _plan(table, key, types, schema)
        frame = text_ids(table.source, frame, types, [key]).select(plan.columns)
        num_rows = _check_ids(table.source, key, frame)
        with _writing_to(store) as write, Progress(console=console, transient=True) as bar:
            running = bar.add_task("storing", total=num_rows)
            for batch in _batches(frame, table.source, plan):
                write(table.entity, batch)
                bar.update(running, advance=len(batch))
    return num_rows


def _live_schema(registry: str) -> FeatureSchema:
    with told_as_input_errors(registry):
        return open_registry(registry).live_manifest().feature_schema


def _plan(table: Table, key: str, types: Mapping[str, pl.DataType], schema: FeatureSchema | None) -> Plan:
    there = [name for name in types if name != key]
    absent = [
        Mistake(f"{table.source}: column `{one}`", f"one of {listed(types)}", "none", nearest(one, types))
        for one in (key, *table.names)
        if one not in types
    ]
    if absent:
        raise InputError(*absent)
    names = table.names or tuple(there)
    histories = {} if schema is None else schema.histories
    has_history = table.entity is Entity.USERS and (schema is None or histories)
    history = next((one for one in names if has_history and (one in histories or one == HISTORY)), None)
    if history is not None and not _is_history(types[history]):
        expected = f"lists of structs with the field {VIDEO_ID}"
        raise mistake(f"{table.source}: column `{history}`", expected, f"a column of type {types[history]}")
    names = tuple(one for one in names if one != history)
    if schema is None:
        return Plan(key, names, history, {})
    side = SIDES[table.entity]
    kinds = schema.given_by_name[side]
    wrong = [stranger(f"{table.source}: column `{one}`", one, side, schema) for one in names if one not in kinds]
    if wrong:
        raise InputError(*wrong)
    told = {} if history is None else dict.fromkeys([history], next(iter(histories.values())))
    return Plan(key, names, history, {name: kinds[name] for name in names} | told)


def _is_history(kind: pl.DataType) -> bool:
    inner = kind.inner if isinstance(kind, pl.List) else None
    return isinstance(inner, pl.Struct) and VIDEO_ID in [field.name for field in inner.fields]


def _check_ids(source: str, key: str, frame: pl.LazyFrame) -> int:
    """How many there are, all of them different and such as a request can name."""
    ids = frame.select(key).collect()
    check_unique(source, ids, key)
    wrong = ids.with_row_index("row").filter(~pl.col(key).str.len_chars().is_between(1, LONGEST_ID).fill_null(False))
    if wrong.height:
        row, found = wrong.row(0)
        raise mistake(f"{source}: column `{key}`, row {row}", f"an id of 1 to {LONGEST_ID} characters", quote(found))
    return ids.height


def _batches(frame: pl.LazyFrame, source: str, plan: Plan) -> Iterator[Rows]:
    for offset in count(0, READ_ROWS):
        read = frame.slice(offset, READ_ROWS).collect()
        for first, batch in zip(count(offset, BATCH_ROWS), read.iter_slices(BATCH_ROWS), strict=False):
            for name, feature in plan.kinds.items():
                to_column(batch[name], feature, source, first)  # which refuses what is wrong
            yield _documents(batch, source, plan)
        if read.height < READ_ROWS:
            return


def _documents(batch: pl.DataFrame, source: str, plan: Plan) -> Rows:
    spelled = batch.with_columns(
        as_requested(name, batch[name].dtype, feature).alias(name) for name, feature in plan.kinds.items()
    )
    ids, histories = spelled[plan.key].to_list(), [None] * batch.height
    if plan.history is not None:
        histories = spelled[plan.history].to_list()
    features = spelled.select(plan.names).iter_rows(named=True) if plan.names else ({} for _ in ids)
    try:
        return [
            (one, orjson.dumps({"features": row} | _history(history)))
            for one, row, history in zip(ids, features, histories, strict=True)
        ]
    except TypeError as error:
        raise mistake(source, "columns that JSON has a spelling for", quote(str(error))) from error


def _history(past: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
    if past is None:
        return {}
    met = [one for one in past if one[VIDEO_ID] not in (None, "")]
    told = [
        {"video_id": str(one[VIDEO_ID]), "outcomes": {k: v for k, v in one.items() if k != VIDEO_ID}} for one in met
    ]
    return {"history": told}


@contextmanager
def _writing_to(store: str) -> Iterator[Write]:
    """The store is the URL of a Redis, or the path of a SQLite file."""
    if "://" in store:
        with closing(stored_in_redis.connect(store, TIMEOUT_S)) as client:
            yield partial(stored_in_redis.write, client)
        return
    with closing(stored_in_sqlite.connect(Path(store), BUSY_S)) as connection:
        try:
            yield partial(stored_in_sqlite.write, connection)
        except sqlite3.Error as error:
            raise mistake(store, "a SQLite file that takes what is written", quote(str(error))) from error
