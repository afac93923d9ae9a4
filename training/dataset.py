"""Dataset: impressions encoded once, split, and kept on disk as memory-mapped columns: memory never limits them."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from model.contract.catalog import EntityTable
from model.contract.durable import flush_tree, workspace
from model.contract.encoding import Encoder, load_fitted, save_fitted
from model.contract.features.interface import Arrays, ArraySpec, Side
from model.contract.mistakes import InputError, mistake
from model.contract.schema import FeatureSchema
from model.contract.tasks import Task, TaskKind
from model.ranker import LabelScale
from training.assignment import assign, user_of
from training.columns import to_column
from training.encoded_log import EncodedLog, encode_entities
from training.fitting import fit
from training.in_order import in_order
from training.joined import ROW, JoinedTable
from training.labels import read_labels, scale_of
from training.readers.interface import ImpressionTable, told_as_unreadable
from training.scan import scan
from training.split_files import Shapes, SplitFiles
from training.splits import NAMES, TRAIN, Split

CHUNK_ROWS = 65_536
# A dot keeps them apart from features.
VALUES, OBSERVED = "label.values", "label.observed"
USERS, GROUPS, ROWS = "row.user", "row.group", "row.number"
Progress = Callable[[str, int, int], None]  # what, done, of how many


@dataclass(frozen=True, slots=True)
class SplitData:
    """The rows of one split. `arrays` by encoded array; `users` and `groups` are hashes of the user and of the request
    (or the user, where requests have no id); `rows` are numbers in the original table.
    """

    name: str
    arrays: Arrays
    values: NDArray[np.float32]
    observed: NDArray[np.bool_]
    users: NDArray[np.int64]
    groups: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def num_rows(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Dataset:
    encoder: Encoder
    users: EntityTable
    scales: tuple[LabelScale, ...]
    splits: dict[str, SplitData]

    @property
    def schema(self) -> FeatureSchema:
        return self.encoder.schema


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a dataset is made from, and where."""

    table: ImpressionTable
    schema: FeatureSchema
    tasks: tuple[Task, ...]
    split: Split

    def joined(self) -> JoinedTable:
        masks = [task.observed for task in self.tasks if task.observed]
        also = [*(task.label for task in self.tasks), *masks, self.split.column]
        return JoinedTable(self.table, self.schema, also)


def prepare(preparation: Preparation, folder: Path, progress: Progress) -> Dataset:
    """Encode into `folder`, or open what was encoded there before; an interrupted preparation leaves nothing behind."""
    if not folder.is_dir():
        with workspace(folder.parent, folder.name) as beside:
            with told_as_unreadable(preparation.table.source):
                _write(preparation, beside, progress)
            flush_tree(beside)
            if not folder.is_dir():  # another run of the same data may have been faster
                beside.rename(folder)
    return open_prepared(preparation.schema, folder)


def _write(preparation: Preparation, folder: Path, progress: Progress) -> None:
    table, schema, tasks = preparation.table, preparation.schema, preparation.tasks
    joined = preparation.joined()
    rows = assign(joined, preparation.split)
    progress("fitting encoders", 0, rows.num_rows)
    with _telling_rows(joined):
        seen = scan(joined, rows.index == 0, rows.sizes[0])
        fitted = fit(joined, seen)
        # Videos first: a user's history asks for what its videos are.
        videos = encode_entities(Encoder(schema, fitted, EntityTable.build([], {}, {})), joined, seen, Side.CANDIDATE)
        encoder = Encoder(schema, fitted, videos.table)
        users = encode_entities(encoder, joined, seen, Side.USER)
        log = EncodedLog(joined, encoder, seen, users, videos)
    with ExitStack() as opened:
        files = [
            opened.enter_context(SplitFiles(folder / name, _shapes(schema, len(tasks)), size))
            for name, size in zip(NAMES, rows.sizes, strict=True)
        ]
        _write_log(log, tasks, rows.index, files, lambda done: progress("encoding impressions", done, rows.num_rows))
    save_fitted(fitted, folder / "encoder")
    videos.table.save(folder / "videos")
    users.table.save(folder / "users")
    _check_and_scale(folder, tasks, table.source)


def _write_log(
    log: EncodedLog, tasks: Sequence[Task], index: pl.Expr, files: Sequence[SplitFiles], progress: Callable[[int], None]
) -> None:
    """Chunks are encoded and written by as many threads as polars has, each to its place."""

    def write(chunk: pl.DataFrame, split_of: NDArray[Any], first: Sequence[int]) -> int:
        source = log.joined.table.source
        arrays = log.encode(chunk)
        labels = read_labels(chunk, tasks, source, int(chunk[ROW][0]))
        arrays |= {VALUES: labels.values, OBSERVED: labels.observed, **_identities(chunk, log.joined.schema)}
        for at, file in enumerate(files):
            rows = np.flatnonzero(split_of == at)
            if len(rows) == chunk.height:
                file.write(first[at], arrays)
            elif len(rows):
                file.write(first[at], {name: np.take(arrays[name], rows, axis=0) for name in file.names})
        return chunk.height

    def work() -> Iterator[Callable[[], int]]:
        first = [0] * len(files)
        for chunk in log.chunks(CHUNK_ROWS):
            split_of = chunk.select(index).to_series().to_numpy()
            yield partial(write, chunk, split_of, list(first))
            first = [start + int(np.count_nonzero(split_of == at)) for at, start in enumerate(first)]

    done = 0
    for num_rows in in_order(work(), pl.thread_pool_size()):
        done += num_rows
        progress(done)


@contextmanager
def _telling_rows(joined: JoinedTable) -> Iterator[None]:
    """A sample has lost its row numbers, as have users and videos; the whole table tells which row is wrong."""
    try:
        yield
    except InputError:
        for chunk in joined.chunks(CHUNK_ROWS):
            for name, feature in joined.schema.columns.items():
                to_column(chunk[name], feature, joined.table.source, int(chunk[ROW][0]))
        raise


def _identities(chunk: pl.DataFrame, schema: FeatureSchema) -> Arrays:
    # Where there is no request the user stands for it.
    user = user_of(schema) if chunk[schema.keys.user].null_count() else pl.col(schema.keys.user).cast(pl.String)
    group = pl.coalesce(pl.col(schema.keys.request).cast(pl.String), user) if schema.keys.request else user
    hashes = chunk.select(users=user.hash(), groups=group.hash())
    users, groups = (hashes[name].to_numpy().view(np.int64) for name in ("users", "groups"))
    return {USERS: users, GROUPS: groups, ROWS: chunk[ROW].cast(pl.Int64).to_numpy()}


def _written(schema: FeatureSchema) -> list[ArraySpec]:
    return [spec for spec in schema.specs.values() if not spec.hidden]


def _shapes(schema: FeatureSchema, num_tasks: int) -> Shapes:
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        spec.name: (spec.shape, np.int32 if spec.table else np.float32) for spec in _written(schema)
    }
    shapes |= {VALUES: ((num_tasks,), np.float32), OBSERVED: ((num_tasks,), np.bool_)}
    return shapes | dict.fromkeys((USERS, GROUPS, ROWS), ((), np.int64))


def _check_and_scale(folder: Path, tasks: Sequence[Task], source: str) -> None:
    scales = []
    for name in NAMES:
        values = np.load(folder / name / f"{VALUES}.npy", mmap_mode="r")
        observed = np.load(folder / name / f"{OBSERVED}.npy", mmap_mode="r")
        for at, task in enumerate(tasks):
            where = f"{source}: column `{task.label}`"
            if not observed[:, at].any():
                raise mistake(where, f"labels of task `{task.name}` in the {name} split", "none observed")
            if name == TRAIN:
                scales.append(scale_of(task, values[:, at], observed[:, at]))
                if not scales[-1].deviation:
                    raise _of_one_label(task, where, float(values[observed[:, at].argmax(), at]), observed[:, at].sum())
    content = json.dumps([one.model_dump() for one in scales])
    (folder / "scales.json").write_text(content, encoding="utf-8")


def _of_one_label(task: Task, where: str, value: float, num_rows: int) -> InputError:
    """There is nothing to learn: every answer but one is wrong."""
    rate = f", a rate of {value:.0%}" if task.kind is TaskKind.BINARY else ""
    expected = f"labels of task `{task.name}` that differ in the {TRAIN} split"
    return mistake(where, expected, f"{value:g} in all {num_rows:,} observed rows{rate}")


def open_prepared(schema: FeatureSchema, folder: Path) -> Dataset:
    """The dataset that `prepare` left in `folder`."""
    encoder = Encoder(schema, load_fitted(folder / "encoder"), EntityTable.load(folder / "videos"))
    scales = json.loads((folder / "scales.json").read_text(encoding="utf-8"))
    return Dataset(
        encoder,
        EntityTable.load(folder / "users"),
        tuple(LabelScale.model_validate(one) for one in scales),
        {name: _open_split(schema, folder / name) for name in NAMES},
    )


def _open_split(schema: FeatureSchema, folder: Path) -> SplitData:
    def mapped(name: str) -> NDArray[Any]:
        return np.load(folder / f"{name}.npy", mmap_mode="r")

    arrays = {spec.name: mapped(spec.name) for spec in _written(schema)}
    return SplitData(folder.name, arrays, mapped(VALUES), mapped(OBSERVED), mapped(USERS), mapped(GROUPS), mapped(ROWS))
