"""JoinedTable: impressions with the columns of their user, video and query video, a chunk at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import polars as pl

from model.contract.features.interface import Side
from model.contract.mistakes import InputError, Mistake, nearest
from model.contract.schema import FeatureSchema
from training.readers.interface import ImpressionTable

ROW = "__row"
# Read in one go: few enough to hold, and enough for a CSV file, which is read from its start each time.
READ_ROWS = 262_144


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

    def logged(self) -> Iterator[pl.DataFrame]:
        """All impressions in order, READ_ROWS at a time, with their number as ROW and the columns that they have
        themselves.
        """
        frame = self.table.impressions.select(self.kept)
        for offset in count(0, READ_ROWS):
            # `collect_batches` decodes Parquet far ahead of who reads (pola-rs/polars#28569), in the end all of it.
            batch = frame.slice(offset, READ_ROWS).with_row_index(ROW, offset=offset).collect()
            if batch.height:
                yield batch
            if batch.height < READ_ROWS:
                return

    def chunks(self, num_rows: int) -> Iterator[pl.DataFrame]:
        """All rows in order, with all columns."""
        for batch in self.logged():
            yield from map(self.with_entities, batch.iter_slices(num_rows))

    def with_entities(self, impressions: pl.DataFrame) -> pl.DataFrame:
        """These impressions, in their order, with the columns of their user, video and query video."""
        for entity in self.entities:
            impressions = impressions.join(entity.frame, on=entity.key, how="left", maintain_order="left")
        return impressions

    def columns(self, names: Sequence[str], impressions: pl.DataFrame) -> pl.DataFrame:
        """Of these impressions, in their order, columns that all belong to one entity, or all to themselves."""
        owner = self.owner(names[0])
        if owner is None:
            return impressions.select(names)
        found = owner.frame.select(owner.key, *names)
        return impressions.select(owner.key).join(found, on=owner.key, how="left", maintain_order="left")

    def owner(self, name: str) -> Entity | None:
        """The entity that has this column; None where impressions have it themselves."""
        return next((one for one in self.entities if name in one.frame.columns and name not in self.types), None)

    def entity_key(self, side: Side) -> str:
        return self.schema.keys.user if side is Side.USER else self.schema.keys.video

    @property
    def ids(self) -> set[str]:
        """The columns that name users and videos."""
        return {self.schema.keys.user, self.schema.keys.video}

    def logged_of(self, side: Side) -> list[str]:
        """The features of users or of videos that impressions have themselves, the id first."""
        key = self.entity_key(side)
        return [key, *(one.name for one in self.schema.of_sides(side) if one.name != key and one.name in self.types)]

    def entity_frame(self, side: Side, last: pl.DataFrame) -> pl.DataFrame:
        """One row a user or a video, with all features of that side: as its last impression has them (`last`, one row
        an id, of the columns `logged_of`), else as the table of them has. Ids are distinct and not null, their order
        is any.
        """
        key, given = self.entity_key(side), self.table.users if side is Side.USER else self.table.videos
        if given is None:
            return last
        names = [one.name for one in self.schema.of_sides(side) if one.name != key]
        known = given.select(key, *(name for name in names if name in given.columns)).filter(pl.col(key).is_not_null())
        unseen = known.join(last, on=key, how="anti", maintain_order="left")
        only_given = known.select(key, *(name for name in known.columns if name not in last.columns))
        return pl.concat(
            [last.join(only_given, on=key, how="left", maintain_order="left"), unseen], how="diagonal_relaxed"
        )
