"""EncodedLog: impressions to encoded arrays, where users and videos are encoded once and looked up from then on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from model.contract.catalog import EntityTable
from model.contract.encoding import Encoder, encode, encode_pairs, missing
from model.contract.features.interface import Arrays, Feature, Side
from training.columns import to_column
from training.joined import ROW, JoinedTable
from training.known_values import known_values
from training.scan import Scan


def encode_chunk(encoder: Encoder, chunk: pl.DataFrame, source: str) -> Arrays:
    """Every encoded array of these joined impressions, those of pairs included."""
    arrays = _encode(encoder, encoder.schema.columns.values(), chunk, source)
    return arrays | encode_pairs(encoder, arrays, arrays, np.arange(chunk.height))


def _encode(encoder: Encoder, features: Iterable[Feature], frame: pl.DataFrame, source: str) -> Arrays:
    first_row = int(frame[ROW][0]) if ROW in frame.columns else 0
    return encode(encoder, {one.name: to_column(frame[one.name], one, source, first_row) for one in features})


@dataclass(frozen=True, slots=True)
class EncodedEntities:
    """Users, or videos: their encoded table, and `rows` with the id of each, as the log has it, and its row there."""

    side: Side
    table: EntityTable
    rows: pl.DataFrame

    @property
    def column(self) -> str:
        return self.rows.columns[1]


def encode_entities(encoder: Encoder, joined: JoinedTable, scan: Scan, side: Side) -> EncodedEntities:
    frame, features = joined.entity_frame(side, scan.last[side]), joined.schema.of_sides(side)
    ids = frame[joined.entity_key(side)]
    as_text = ids.cast(pl.String).to_list()
    arrays = _encode(encoder, features, frame, joined.table.source)
    table = EntityTable.build(as_text, arrays, missing(encoder, [one.name for one in features]))
    return EncodedEntities(side, table, pl.DataFrame({ids.name: ids, f"__{side}": table.rows(as_text)}))


@dataclass(frozen=True, slots=True)
class Places:
    """Where impressions find arrays that were encoded once: `rows` has ids and, in its second column, their row in
    `arrays`, whose last row is for ids that are not there.
    """

    rows: pl.DataFrame
    arrays: Arrays

    @property
    def column(self) -> str:
        return self.rows.columns[1]

    def locate(self, impressions: pl.DataFrame) -> pl.DataFrame:
        """With the row of each impression as a further column."""
        key, last = self.rows.columns[0], len(next(iter(self.arrays.values()))) - 1
        found = impressions.select(key).join(self.rows, on=key, how="left", maintain_order="left")
        return impressions.with_columns(found[self.column].fill_null(last))


class EncodedLog:
    """What `encode_chunk` makes of every chunk of the joined log, without joining it."""

    def __init__(
        self, joined: JoinedTable, encoder: Encoder, scan: Scan, users: EncodedEntities, videos: EncodedEntities
    ) -> None:
        self.joined, self.encoder, self.users = joined, encoder, users
        places = [_places_of(joined, users), _places_of(joined, videos), *_places_of_query_video(joined, encoder)]
        self.places = [one for one in places if one.arrays]
        placed = {name for place in self.places for name in place.arrays}
        logged = [one for one in encoder.schema.columns.values() if one.specs[0].name not in placed]
        self.known = dict(known_values(encoder, logged, joined, scan))
        self.logged = [one for one in logged if one.name not in self.known]

    def chunks(self, num_rows: int) -> Iterator[pl.DataFrame]:
        """All impressions in order, with where to find what is encoded already."""
        for batch in self.joined.logged():
            for place in self.places:
                batch = place.locate(batch)
            yield from batch.iter_slices(num_rows)

    def encode(self, chunk: pl.DataFrame) -> Arrays:
        """Every array of these impressions, `[row, ...]`."""
        arrays = _encode(self.encoder, self.logged, chunk, self.joined.table.source)
        arrays |= {name: known.encode(chunk[name]) for name, known in self.known.items()}
        for place in self.places:
            rows = chunk[place.column].to_numpy()
            arrays |= {name: np.take(array, rows, axis=0) for name, array in place.arrays.items()}
        if self.joined.schema.histories.keys() <= self.joined.types.keys():
            return arrays | encode_pairs(self.encoder, arrays, arrays, np.arange(chunk.height))
        rows = chunk[self.users.column].to_numpy()
        return arrays | encode_pairs(self.encoder, self.users.table.arrays, arrays, rows)


def _places_of(joined: JoinedTable, entities: EncodedEntities) -> Places:
    """Where impressions have a feature themselves, the table has it of the last one only; the id is always the same."""
    key, features = joined.entity_key(entities.side), joined.schema.of_sides(entities.side)
    found = [one for one in features if one.name == key or one.name not in joined.types]
    arrays = entities.table.arrays
    return Places(entities.rows, {spec.name: arrays[spec.name] for one in found for spec in one.specs})


def _places_of_query_video(joined: JoinedTable, encoder: Encoder) -> Iterator[Places]:
    for entity in joined.entities:
        if entity.key == joined.schema.keys.query_video:
            features = [joined.schema.columns[name] for name in entity.frame.columns if name != entity.key]
            arrays = _encode(encoder, features, entity.frame, joined.table.source)
            nobody = missing(encoder, [one.name for one in features])
            whole = {name: np.concatenate([array, nobody[name]]) for name, array in arrays.items()}
            yield Places(entity.frame.select(entity.key, pl.int_range(pl.len()).alias("__query")), whole)
