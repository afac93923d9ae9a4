"""Dataset: impressions encoded once, split, and kept on disk as memory-mapped columns: memory never limits them."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from model.contract.catalog import EntityTable
from model.contract.columns import Column
from model.contract.durable import flush_tree, workspace
from model.contract.encoding import Encoder, encode, encode_pairs, load_fitted, missing, save_fitted
from model.contract.features.interface import Arrays, ArraySpec, Side
from model.contract.mistakes import InputError, mistake
from model.contract.schema import FeatureSchema
from model.contract.tasks import Task, TaskKind
from model.ranker import LabelScale
from training.columns import to_column
from training.fitting import fit
from training.joined import ROW, JoinedTable
from training.labels import read_labels, scale_of
from training.readers.interface import ImpressionTable, told_as_unreadable
from training.splits import NAMES, TRAIN, Split

CHUNK_ROWS = 32_768
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
    which = preparation.split.assign(joined.types[preparation.split.column])
    sizes = _sizes(joined, which, table.source)
    total = sum(sizes)
    progress("fitting encoders", 0, total)
    with _telling_rows(joined):
        fitted = fit(schema, joined.lazy().filter(which == 0), sizes[0])
        videos, users = _entities(joined, Encoder(schema, fitted, EntityTable.build([], {}, {})))
    encoder = Encoder(schema, fitted, videos)
    writers = [
        _Writer(folder / name, _written(schema), len(tasks), size) for name, size in zip(NAMES, sizes, strict=True)
    ]
    done = 0
    for chunk in joined.chunks(CHUNK_ROWS):
        first = int(chunk[ROW][0])
        arrays = encode_chunk(encoder, chunk, table.source)
        labels = read_labels(chunk, tasks, table.source, first)
        arrays |= {VALUES: labels.values, OBSERVED: labels.observed, **_identities(chunk, schema)}
        split_of = chunk.select(which)[preparation.split.column].to_numpy()
        for at, writer in enumerate(writers):
            writer.append(arrays, split_of == at)
        done += chunk.height
        progress("encoding impressions", done, total)
    for writer in writers:
        writer.close()
    save_fitted(fitted, folder / "encoder")
    videos.save(folder / "videos")
    users.save(folder / "users")
    _check_and_scale(folder, tasks, table.source)


def _sizes(joined: JoinedTable, which: pl.Expr, source: str) -> list[int]:
    column = which.meta.root_names()[0]
    counted = joined.table.impressions.select(which.alias("split")).group_by("split").len().collect()
    counts = dict(counted.iter_rows())
    if counts.get(None):
        raise mistake(
            f"{source}: column `{column}`", "a value in every row, to split by", f"{counts[None]} rows without"
        )
    sizes = [counts.get(at, 0) for at in range(len(NAMES))]
    for name, size in zip(NAMES, sizes, strict=True):
        if not size:
            raise mistake(f"{source}: column `{column}`", f"rows in the {name} split", "none")
    return sizes


def encode_chunk(encoder: Encoder, chunk: pl.DataFrame, source: str) -> Arrays:
    """Every encoded array of these joined impressions, those of pairs included."""
    arrays = encode(encoder, _columns(encoder.schema, chunk, source))
    return arrays | encode_pairs(encoder, arrays, arrays, np.arange(chunk.height))


def _columns(schema: FeatureSchema, chunk: pl.DataFrame, source: str) -> dict[str, Column]:
    first = int(chunk[ROW][0])
    return {name: to_column(chunk[name], feature, source, first) for name, feature in schema.columns.items()}


@contextmanager
def _telling_rows(joined: JoinedTable) -> Iterator[None]:
    """A sample has lost its row numbers, as have users and videos; the whole table tells which row is wrong."""
    try:
        yield
    except InputError:
        for chunk in joined.chunks(CHUNK_ROWS):
            _columns(joined.schema, chunk, joined.table.source)
        raise


def _entities(joined: JoinedTable, bare: Encoder) -> tuple[EntityTable, EntityTable]:
    """Videos first: a user's history asks for what its videos are."""
    schema, source = joined.schema, joined.table.source
    videos = _entity_table(bare, joined.entity_frame(Side.CANDIDATE), Side.CANDIDATE, source)
    encoder = Encoder(schema, bare.fitted, videos)
    return videos, _entity_table(encoder, joined.entity_frame(Side.USER), Side.USER, source)


def _entity_table(encoder: Encoder, frame: pl.DataFrame, side: Side, source: str) -> EntityTable:
    """`frame` has the ids in its first column."""
    features = encoder.schema.of_sides(side)
    columns = {one.name: to_column(frame[one.name], one, source, 0) for one in features}
    ids = [one for one in frame[frame.columns[0]].cast(pl.String).to_list() if one is not None]
    return EntityTable.build(ids, encode(encoder, columns), missing(encoder, [one.name for one in features]))


def _identities(chunk: pl.DataFrame, schema: FeatureSchema) -> Arrays:
    # Where there is no id every row is its own user, and where there is no request the user stands for it.
    unnamed = pl.format("no id, row {}", ROW)
    user = pl.coalesce(pl.col(schema.keys.user).cast(pl.String), unnamed)
    group = pl.coalesce(pl.col(schema.keys.request).cast(pl.String), user) if schema.keys.request else user
    hashes = chunk.select(users=user.hash(), groups=group.hash())
    users, groups = (hashes[name].to_numpy().view(np.int64) for name in ("users", "groups"))
    return {USERS: users, GROUPS: groups, ROWS: chunk[ROW].cast(pl.Int64).to_numpy()}


def _written(schema: FeatureSchema) -> list[ArraySpec]:
    return [spec for spec in schema.specs.values() if not spec.hidden]


class _Writer:
    """Appends rows to preallocated memory-mapped arrays, one file an array."""

    def __init__(self, folder: Path, specs: Sequence[ArraySpec], num_tasks: int, num_rows: int) -> None:
        folder.mkdir()
        shapes: dict[str, tuple[tuple[int, ...], type]] = {
            spec.name: (spec.shape, np.int32 if spec.table else np.float32) for spec in specs
        }
        shapes |= {VALUES: ((num_tasks,), np.float32), OBSERVED: ((num_tasks,), np.bool_)}
        shapes |= dict.fromkeys((USERS, GROUPS, ROWS), ((), np.int64))
        self.files: dict[str, Any] = {
            name: _allocated(folder / f"{name}.npy", kind, (num_rows, *shape)) for name, (shape, kind) in shapes.items()
        }
        self.at = 0

    def append(self, arrays: Arrays, chosen: NDArray[np.bool_]) -> None:
        count = int(chosen.sum())
        for name, file in self.files.items():
            file[self.at : self.at + count] = arrays[name][chosen]
        self.at += count

    def close(self) -> None:
        for file in self.files.values():
            file.flush()


def _allocated(path: Path, kind: type, shape: tuple[int, ...]) -> Any:
    """A mapped array whose room on the disk is taken at once: where there is none this raises OSError, while to write
    into a mapped file on a full disk would kill the process.
    """
    array = open_memmap(path, mode="w+", dtype=kind, shape=shape)
    if hasattr(os, "posix_fallocate"):  # not on every system
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


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
