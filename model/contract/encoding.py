"""encode(): raw columns to the arrays that the network reads. The one such function, for training and for serving."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract import vocabulary
from model.contract.catalog import EntityTable
from model.contract.columns import Column, Histories
from model.contract.features.interface import NO_CODES, Arrays, Feature, Fitted
from model.contract.scaling import Scaler
from model.contract.schema import FeatureSchema
from model.contract.vocabulary import codes_of_each

VOCABULARIES = "vocabularies"


@dataclass(frozen=True, slots=True)
class Encoder:
    """A schema with all that was fitted to it. `videos` knows what videos of a history have in common with others."""

    schema: FeatureSchema
    fitted: Fitted
    videos: EntityTable


def encode(encoder: Encoder, columns: Mapping[str, Column]) -> Arrays:
    """The arrays of every feature in `columns` (all of one number of rows), hidden history keys among them."""
    schema, arrays = encoder.schema, Arrays()
    for own in encode_each([(schema.columns[name], column) for name, column in columns.items()], encoder.fitted):
        arrays |= own
    for match in schema.matches.values():
        history = columns.get(match.of)
        if isinstance(history, Histories):
            length = schema.histories[match.of].length
            arrays[match.keys_name] = match.keys(history, length, encoder.videos.lookup)
    return arrays


def encode_each(columns: Sequence[tuple[Feature, Column]], fitted: Fitted) -> Iterator[Arrays]:
    """What each feature makes of its column; they may have different numbers of rows."""
    texts = [feature.texts(column) for feature, column in columns]
    codes = iter(codes_of_each([(fitted.vocabularies[table], values) for table, values in filter(None, texts)]))
    for (feature, column), has_texts in zip(columns, texts, strict=True):
        yield feature.encode(column, next(codes) if has_texts else NO_CODES, fitted)


def encode_pairs(encoder: Encoder, request: Arrays, candidate: Arrays, request_of: NDArray[np.int64]) -> Arrays:
    """The arrays of both sides: `[candidate, ...]`, where candidate `i` belongs to request `request_of[i]`."""
    schema, arrays = encoder.schema, Arrays()
    for match in schema.matches.values():
        arrays |= match.pair(
            request[match.keys_name],
            request[schema.histories[match.of].outcomes_name],
            candidate[match.on],
            request_of,
        )
    return arrays


def missing(encoder: Encoder, names: Sequence[str], num_rows: int = 1) -> Arrays:
    """The arrays of rows in which none of these features is known."""
    features = [encoder.schema.columns[name] for name in names]
    return encode(encoder, {one.name: one.column.from_values([None] * num_rows, one.shape) for one in features})


def save_fitted(fitted: Fitted, folder: Path) -> None:
    folder.mkdir(parents=True)
    vocabulary.save([*fitted.vocabularies.values()], folder, VOCABULARIES)
    figures = {
        "vocabularies": [*fitted.vocabularies],
        "scalers": {name: scaler.model_dump(mode="json") for name, scaler in fitted.scalers.items()},
        "outcome_means": fitted.outcome_means,
    }
    (folder / "fitted.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")


def load_fitted(folder: Path) -> Fitted:
    figures = json.loads((folder / "fitted.json").read_text(encoding="utf-8"))
    return Fitted(
        dict(zip(figures["vocabularies"], vocabulary.load(folder, VOCABULARIES), strict=True)),
        {name: Scaler.model_validate(one) for name, one in figures["scalers"].items()},
        {name: tuple(means) for name, means in figures["outcome_means"].items()},
    )
