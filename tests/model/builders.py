"""Small rankers with every kind of feature: their schema, what was fitted to it, raw rows, encoded arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import torch
from pydantic import TypeAdapter

from model.contract.bundle import FORMAT_VERSION, Manifest
from model.contract.catalog import EntityTable
from model.contract.columns import Column, Histories, Numbers, StringLists, Strings, Vectors
from model.contract.combination import Combination, Policy
from model.contract.encoding import Encoder, encode, encode_each, encode_pairs, missing
from model.contract.features import AnyFeature
from model.contract.features.interface import REQUEST_SIDES, Arrays, Feature, Fitted, Side
from model.contract.features.number import Number
from model.contract.scaling import Scaler
from model.contract.schema import FeatureSchema
from model.contract.tasks import Task
from model.contract.vocabulary import Vocabulary
from model.ranker import LabelScale, MultiTaskRanker, RankerConfig

Row = Mapping[str, Any]
FEATURES: tuple[dict[str, Any], ...] = (
    {"name": "video_id", "kind": "category", "side": "candidate"},
    {"name": "author", "kind": "category", "side": "candidate"},
    {"name": "tags", "kind": "categories", "side": "candidate", "length": 3, "dim": 3},
    {"name": "duration_s", "kind": "number", "side": "candidate", "transform": "log1p", "bins": 4},
    {"name": "title", "kind": "vector", "side": "candidate", "length": 3},
    {"name": "watching", "kind": "category", "side": "query", "shares": "video_id"},
    {"name": "watching_tags", "kind": "categories", "side": "query", "shares": "tags", "length": 2},
    {"name": "device", "kind": "category", "side": "context"},
    {"name": "age", "kind": "number", "side": "user"},
    {"name": "taste", "kind": "vector", "side": "user", "length": 2},
    {"name": "recent", "kind": "history", "side": "user", "of": "video_id", "outcomes": ["click", "like"], "length": 4},
    {"name": "same_author", "kind": "match", "of": "recent", "on": "author"},
    {"name": "same_tag", "kind": "match", "of": "recent", "on": "tags"},
    {"name": "position", "kind": "category", "side": "impression"},
)
TASKS: tuple[Task, ...] = (
    Task(name="click", group="engagement", kind="binary", label="is_click"),
    Task(name="watch_time", group="engagement", kind="regression", label="play_s", transform="log1p", unit="s"),
    Task(name="like", group="satisfaction", kind="binary", label="is_like"),
    Task(name="rating", group="satisfaction", kind="regression", label="rating", range=(1, 5)),
)
SCALES = (
    LabelScale(mean=0.3, deviation=0.4),
    LabelScale(mean=2.0, deviation=1.5),
    LabelScale(mean=0.05, deviation=0.2),
    LabelScale(mean=3.5, deviation=1.1),
)
KNOTS = np.array([-1.5, -0.5, 0.0, 0.2, 1.0, 3.0])
OUTCOME_MEANS = (0.3, 0.1)
VIDEOS = tuple(f"v{at}" for at in range(8))
VALUES: Mapping[str, Sequence[str]] = {
    "video_id": VIDEOS[:6],  # the last two have a row in the catalog, and no code of their own
    "author": ("a0", "a1", "a2"),
    "tags": ("t0", "t1", "t2", "t3"),
    "device": ("ios", "android"),
    "position": ("1", "2", "3"),
}


def feature(**options: Any) -> Any:
    return TypeAdapter(AnyFeature).validate_python(options)


def make_schema(*features: dict[str, Any], bias: Sequence[str] = ()) -> FeatureSchema:
    return FeatureSchema(features=tuple(feature(**one) for one in features), bias=tuple(bias))


def full_schema(
    without: Sequence[str] = (), bias: Sequence[str] = ("position", "device"), **changes: dict[str, Any]
) -> FeatureSchema:
    """Every kind of feature, but for those in `without`; `changes` are other options, by feature."""
    kept = (one for one in FEATURES if one["name"] not in without)
    return make_schema(*(one | changes.get(one["name"], {}) for one in kept), bias=bias)


def values_of(one: Feature, num_rows: int, random: np.random.Generator) -> list[Any]:
    """Raw values as a request has them: known, unknown and missing ones."""

    def some(name: str) -> str | None:
        return str(random.choice([*VALUES[name], "unheard of"])) if random.random() < 0.9 else None

    table = getattr(one, "table", None) or getattr(one, "of", "")
    draw: dict[type[Column], Any] = {
        Strings: lambda: some(table),
        StringLists: lambda: [some(table) for _ in range(random.integers(0, 5))],
        Numbers: lambda: float(random.lognormal(1, 1)) if random.random() < 0.9 else None,
        Vectors: lambda: [float(value) for value in random.normal(size=one.shape["length"])],
        Histories: lambda: [
            {"video_id": str(random.choice(VIDEOS)), "outcomes": {"click": bool(random.integers(2)), "like": None}}
            for _ in range(random.integers(0, 7))
        ],
    }
    return [draw[one.column]() for _ in range(num_rows)]


def to_columns(features: Sequence[Feature], raw: Mapping[str, Sequence[Any]]) -> dict[str, Column]:
    return {one.name: one.column.from_values(raw[one.name], one.shape) for one in features}


def encoded(one: Feature, column: Column, fitted: Fitted) -> Arrays:
    [arrays] = encode_each([(one, column)], fitted)
    return arrays


def make_encoder(schema: FeatureSchema, catalog: Mapping[str, Sequence[Any]] | None = None) -> Encoder:
    """Fitted by hand to `VALUES`, with a catalog of `VIDEOS`, whose raw values are drawn where none are given."""
    random = np.random.default_rng(0)
    numbers = [one for one in schema.columns.values() if isinstance(one, Number)]
    fitted = Fitted(
        {name: Vocabulary.of(values) for name, values in VALUES.items()},
        {one.name: Scaler.fit(random.lognormal(1, 1, 200), one.transform, one.bins) for one in numbers},
        dict.fromkeys(schema.histories, OUTCOME_MEANS),
    )
    features = schema.of_sides(Side.CANDIDATE)
    drawn = {one.name: values_of(one, len(VIDEOS), random) for one in features}
    raw = drawn | {"video_id": list(VIDEOS)} | dict(catalog or {})
    bare = Encoder(schema, fitted, EntityTable.build([], {}, {}))
    arrays = encode(bare, to_columns(features, raw))
    return Encoder(schema, fitted, EntityTable.build(VIDEOS, arrays, missing(bare, [one.name for one in features])))


def make_arrays(encoder: Encoder, num_rows: int, seed: int = 0) -> Arrays:
    """Random rows, each of its own request."""
    random, features = np.random.default_rng(seed), list(encoder.schema.columns.values())
    arrays = encode(encoder, to_columns(features, {one.name: values_of(one, num_rows, random) for one in features}))
    return arrays | encode_pairs(encoder, arrays, arrays, np.arange(num_rows))


def one_request(encoder: Encoder, num_candidates: int, seed: int = 0) -> Arrays:
    """Random candidates of one request, whose arrays are repeated in every row."""
    arrays = make_arrays(encoder, num_candidates, seed)
    ours = [spec.name for spec in encoder.schema.specs.values() if spec.side in REQUEST_SIDES]
    first = np.zeros(num_candidates, dtype=np.int64)
    arrays |= {name: arrays[name][first] for name in ours}
    return arrays | encode_pairs(encoder, arrays, arrays, np.arange(num_candidates))


def tensors(arrays: Arrays, rows: slice = slice(None)) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(array[rows])) for name, array in arrays.items()}


def ranker_config(**options: Any) -> RankerConfig:
    network = {"embedding_dim": 4, "hidden_units": 12, "tower_units": [6]}
    sharing = {"kind": "mmoe", "num_experts": 3, "expert_units": [8, 5]}
    bias = {"features": ["position", "device"]}
    return RankerConfig.model_validate({"network": network, "sharing": sharing, "position_bias": bias} | options)


def make_ranker(encoder: Encoder, seed: int = 0, **options: Any) -> MultiTaskRanker:
    """In eval mode. Parameters that start at zero are drawn too: no part of the network is silent."""
    torch.manual_seed(seed)
    schema = encoder.schema
    knots = {spec.name: [KNOTS] * spec.shape[0] for spec in schema.specs.values() if spec.quantities}
    ranker = MultiTaskRanker(ranker_config(**options), schema, schema.tables(encoder.fitted), TASKS, SCALES, knots)
    with torch.no_grad():
        for parameter in ranker.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return ranker.eval()


def kinds(union: Any) -> tuple[Any, ...]:
    """The members of a plug point's table."""
    return get_args(get_args(union)[0])


def make_manifest(schema: FeatureSchema, version: str = "v1") -> Manifest:
    """Of `TASKS` and one policy; `seal` fills in the files."""
    return Manifest(
        format_version=FORMAT_VERSION,
        version=version,
        name="small",
        created="2026-01-01T00:00:00+00:00",
        feature_schema=schema,
        tasks=TASKS,
        policies={"liked": Policy(combination=Combination.WEIGHTED_SUM, weights={"like": 1.0})},
        metrics={"test": {"like": {"auc": 0.75}}},
        costs={},
        health={},
        training={},
        data_fingerprint="none",
        libraries={},
        files={},
    )
