"""Known values: those of categories that impressions have themselves, encoded once and looked up from then on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow.compute
from numpy.typing import NDArray

from model.contract.encoding import Encoder, encode
from model.contract.features.category import Category
from model.contract.features.interface import Feature
from model.contract.vocabulary import UNKNOWN
from training.columns import strings
from training.joined import JoinedTable
from training.scan import Scan

# Every chunk has a table made of them: of more, it would cost more than to spell out what the chunk has.
MOST_VALUES = 2**18
NUMBERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


@dataclass(frozen=True, slots=True)
class KnownValues:
    """`values` is an array of Arrow; `codes[at]` is the code of `values[at]`, the last one that of all others."""

    values: Any
    codes: NDArray[np.int32]

    def encode(self, column: pl.Series) -> NDArray[np.int32]:
        places = pyarrow.compute.index_in(column.to_arrow(), value_set=self.values)
        return self.codes[pl.Series(places).fill_null(len(self.values)).to_numpy()]


def known_values(
    encoder: Encoder, features: Iterable[Feature], joined: JoinedTable, scan: Scan
) -> Iterator[tuple[str, KnownValues]]:
    """Of those of the features that have them, by name: what training never saw is in no vocabulary."""
    for name, feature in ((one.name, one) for one in features if isinstance(one, Category)):
        counts = scan.counts.get(feature.table)
        if counts is None or counts.height > MOST_VALUES or counts.schema[feature.table] != joined.types.get(name):
            continue
        values = counts[feature.table]
        if values.dtype == pl.String or values.dtype in NUMBERS:
            missing = ["", None] if values.dtype == pl.String else [None]
            values = pl.concat([values, pl.Series(values.name, missing, dtype=values.dtype)])
            codes = encode(encoder, {name: strings(values)})[name]
            yield name, KnownValues(values.to_arrow(), np.append(codes, np.int32(UNKNOWN)))
