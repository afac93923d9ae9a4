"""JoinedTable: impressions with the columns of their user, video and query video, a chunk at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import polars as pl

from model.contract.features.interface import Side
from model.contract.mistakes import InputError, Mistake, nearest
from model.contract.schema import FeatureSchema
from training.readers.interface import ImpressionTable

ROW = "__row"
# Read in one go: few enough to hold, and enough for a CSV file, which is read from its start each time.
CHUNKS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Entity:
    """A table with one row an id, of which impressions take the columns that they do not have themselves."""

    key: str
    frame: pl.DataFrame


class JoinedTable:
    """Raises InputError that names every column which the config asks for and nothing has."""

    def __init__(self, table: ImpressionTable, schema: FeatureSchema, also: list[str]) -> None:
        """`also` are further columns of the impressions that are needed: labels, masks, the column of the split."""
        self.table, self.schema = table, schema
        self.types = dict(table.impressions.collect_schema())
        keys = [
            one for one in (schema.keys.user, schema.keys.video, schema.keys.query_video, schema.keys.request) if one
        ]
        self.kept = list(dict.fromkeys([*keys, *also, *(name for name in schema.columns if name in self.types)]))
        self.entities: list[Entity] = []
        self._join(table.users, schema.keys.user, Side.USER)
        self._join(table.videos, schema.keys.video, Side.CANDIDATE)
        self._join_query_video()
        self._refuse_missing()

    def _join(self, frame: pl.DataFrame | None, key: str, side: Side) -> None:
        if frame is None:
            return
        names = [
            one.name for one in self.schema.of_sides(side) if one.name not in self.types and one.name in frame.columns
        ]
        if names:
            self.entities.append(Entity(key, frame.select(key, *names)))

    def _join_query_video(self) -> None:
        """A query feature that shares a candidate feature is that feature of the video being watched."""
        key, videos = self.schema.keys.query_video, self.table.videos
        if key is None or videos is None:
            return
        shared = {one.name: getattr(one, "shares", None) for one in self.schema.of_sides(Side.QUERY)}
        taken = {name: of for name, of in shared.items() if name not in self.types and of in videos.columns}
        if taken:
            columns = [pl.col(of).alias(name) for name, of in taken.items()]
            self.entities.append(Entity(key, videos.select(pl.col(self.schema.keys.video).alias(key), *columns)))

    def _refuse_missing(self) -> None:
        joined = {name for entity in self.entities for name in entity.frame.columns}
        there = self.types.keys() | joined
        wanted = dict.fromkeys([*self.kept, *self.schema.columns])
        wrong = [
            Mistake(self.table.source, f"a column `{name}`", "none of that name", nearest(name, there))
            for name in wanted
            if name not in there
        ]
        if wrong:
            raise InputError(*wrong)

    def lazy(self) -> pl.LazyFrame:
        """All rows and columns, in order: what is fitted to a sample of them is then the same every time."""
        frame = self.table.impressions.select(self.kept)
        for entity in self.entities:
            frame = frame.join(entity.frame.lazy(), on=entity.key, how="left", maintain_order="left")
        return frame

    def chunks(self, num_rows: int) -> Iterator[pl.DataFrame]:
        """All rows in order, with their number as ROW."""
        frame, read = self.table.impressions.select(self.kept), num_rows * CHUNKS_AT_ONCE
        for offset in count(0, read):
            # `collect_batches` decodes Parquet far ahead of who reads (pola-rs/polars#28569), in the end all of it.
            batch = frame.slice(offset, read).with_row_index(ROW, offset=offset).collect()
            for start in range(0, batch.height, num_rows):
                yield self.with_entities(batch.slice(start, num_rows))
            if batch.height < read:
                return

    def with_entities(self, impressions: pl.DataFrame) -> pl.DataFrame:
        """These impressions, in their order, with the columns of their user, video and query video."""
        for entity in self.entities:
            impressions = impressions.join(entity.frame, on=entity.key, how="left", maintain_order="left")
        return impressions

    def entity_frame(self, side: Side) -> pl.DataFrame:
        """One row a user or a video, with all features of that side: as its last impression has them, else as the table
        of them has. Ids are distinct and not null, their order is any.
        """
        key = self.schema.keys.user if side is Side.USER else self.schema.keys.video
        given = self.table.users if side is Side.USER else self.table.videos
        names = [one.name for one in self.schema.of_sides(side) if one.name != key]
        logged = [name for name in names if name in self.types]
        # First where they are, then what they hold: in memory there is never more than one row an id.
        impressions = self.table.impressions.select(key, *logged).with_row_index(ROW)
        last = impressions.filter(pl.col(key).is_not_null()).group_by(key).agg(pl.col(ROW).max())
        rows = last.select(ROW).collect().lazy()
        seen = impressions.join(rows, on=ROW, how="semi").select(key, *logged).collect()
        if given is None:
            return seen
        known = given.select(key, *(name for name in names if name in given.columns)).filter(pl.col(key).is_not_null())
        unseen = known.join(seen, on=key, how="anti", maintain_order="left")
        only_given = known.select(key, *(name for name in known.columns if name != key and name not in logged))
        return pl.concat(
            [seen.join(only_given, on=key, how="left", maintain_order="left"), unseen], how="diagonal_relaxed"
        )
