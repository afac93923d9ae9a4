"""A small bundle with every kind of feature and task, of an untrained network: enough to compare ways to ask it."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.contract.bundle import FORMAT_VERSION, GRAPHS, MANIFEST, Bundle, Manifest, read_bundle, seal, write_parts
from model.contract.catalog import EntityTable
from model.contract.columns import Numbers, Strings
from model.contract.combination import Policy, combine
from model.contract.drift import Codes, Intervals, Reference, is_watched, quantities
from model.contract.encoding import Encoder, encode, encode_pairs, missing
from model.contract.features.interface import Arrays, Fitted, Side
from model.contract.halves import Halves
from model.contract.scaling import Scaler, Transform
from model.contract.schema import FeatureSchema
from model.contract.tasks import Task
from model.contract.versions import add_version, set_live
from model.contract.vocabulary import Vocabulary
from model.export import export_graphs
from model.ranker import LabelScale, MultiTaskRanker, RankerConfig
from service.ranking.ranker import Ranker
from service.runtime.sessions import Runtime

VERSION = "v-one"
NUM_VIDEOS, NUM_USERS = 40, 6
AUTHORS, TAGS, DEVICES = ["ann", "bob", "cid"], ["music", "live", "news", "cats"], ["ios", "android"]
SCHEMA = FeatureSchema.model_validate(
    {
        "keys": {"user": "user_id", "video": "video_id", "query_video": "watching"},
        "bias": ["position", "device"],
        "features": [
            {"name": "user_id", "kind": "category", "side": "user"},
            {"name": "age", "kind": "number", "side": "user", "bins": 4},
            {
                "name": "recent",
                "kind": "history",
                "side": "user",
                "of": "video_id",
                "outcomes": ["like", "seen"],
                "length": 5,
            },
            {"name": "watching", "kind": "category", "side": "query", "shares": "video_id"},
            {"name": "watching_tags", "kind": "categories", "side": "query", "shares": "tags", "length": 2},
            {"name": "device", "kind": "category", "side": "context"},
            {"name": "hour", "kind": "number", "side": "context"},
            {"name": "video_id", "kind": "category", "side": "candidate"},
            {"name": "author", "kind": "category", "side": "candidate"},
            {"name": "tags", "kind": "categories", "side": "candidate", "length": 3},
            {"name": "duration_s", "kind": "number", "side": "candidate", "transform": "log1p", "bins": 4},
            {"name": "title", "kind": "vector", "side": "candidate", "length": 3},
            {"name": "same_author", "kind": "match", "of": "recent", "on": "author"},
            {"name": "same_tags", "kind": "match", "of": "recent", "on": "tags"},
            {"name": "position", "kind": "category", "side": "impression"},
        ],
    }
)
TASKS = tuple(
    Task.model_validate(one)
    for one in (
        {"name": "click", "group": "engagement", "kind": "binary", "label": "is_click"},
        {
            "name": "watch_time",
            "group": "engagement",
            "kind": "regression",
            "label": "t",
            "transform": "log1p",
            "unit": "s",
        },
        {"name": "like", "group": "satisfaction", "kind": "binary", "label": "is_like"},
        {"name": "mood", "group": "satisfaction", "kind": "regression", "label": "mood"},
    )
)
POLICIES = {
    "balanced": {"combination": "weighted_product", "weights": {"click": 1.0, "watch_time": 0.7, "like": -0.2}},
    "satisfied": {"combination": "weighted_sum", "weights": {"like": 5.0, "mood": 1.0}},
}


SCALES = [LabelScale(mean=mean, deviation=1.0) for mean in (0.4, 3.0, 0.2, 2.5)]


def schema_of(features: Iterable[Any]) -> FeatureSchema:
    """With these features instead; a copied model would keep what it had worked out from the others."""
    return FeatureSchema(keys=SCHEMA.keys, features=tuple(features), bias=SCHEMA.bias)


def video(at: int) -> dict[str, Any]:
    """The stored features of video `at`, as a request would give them."""
    return {
        "author": AUTHORS[at % 3],
        "tags": [TAGS[(at + step) % 4] for step in range(at % 4)],
        "duration_s": 5.0 + 3.5 * at,
        "title": [at / 40, (at % 5) / 5, 1.0] if at % 6 else None,
    }


def user(at: int) -> dict[str, Any]:
    """The stored features and history of user `at`."""
    history = [
        {"video_id": f"v{(at * 7 + 3 * step) % NUM_VIDEOS}", "outcomes": {"like": step % 2, "seen": 1.0}}
        for step in range(at * 2)
    ]
    return {"features": {"age": 20.0 + 5 * at}, "history": history}


def video_ids() -> list[str]:
    return [f"v{at}" for at in range(NUM_VIDEOS)]


def fitted() -> Fitted:
    durations = np.array([video(at)["duration_s"] for at in range(NUM_VIDEOS)])
    vocabularies = {
        "user_id": [f"u{at}" for at in range(NUM_USERS)],
        "video_id": video_ids(),
        "author": AUTHORS,
        "tags": TAGS,
        "device": DEVICES,
        "position": [str(at) for at in range(5)],
    }
    return Fitted(
        {name: Vocabulary.of(values) for name, values in vocabularies.items()},
        {
            "age": Scaler.fit(np.arange(20.0, 50), Transform.NONE, 4),
            "hour": Scaler.fit(np.arange(24.0), Transform.NONE, 0),
            "duration_s": Scaler.fit(durations, Transform.LOG1P, 4),
        },
        {"recent": (0.3, 0.8)},
    )


def entities(encoder: Encoder, side: Side, ids: list[str], rows: list[dict[str, Any]]) -> EntityTable:
    features = encoder.schema.of_sides(side)
    columns = {one.name: one.column.from_values([row.get(one.name) for row in rows], one.shape) for one in features}
    return EntityTable.build(ids, encode(encoder, columns), missing(encoder, [one.name for one in features]))


def tables() -> tuple[Encoder, EntityTable]:
    bare = Encoder(SCHEMA, fitted(), EntityTable.build([], {}, {}))
    videos = entities(
        bare, Side.CANDIDATE, video_ids(), [{"video_id": f"v{at}"} | video(at) for at in range(NUM_VIDEOS)]
    )
    encoder = Encoder(SCHEMA, bare.fitted, videos)
    names = [f"u{at}" for at in range(NUM_USERS)]
    rows = [{"user_id": name} | user(at)["features"] | {"recent": user(at)["history"]} for at, name in enumerate(names)]
    return encoder, entities(encoder, Side.USER, names, rows)


def network(seed: int = 0) -> MultiTaskRanker:
    torch.manual_seed(seed)
    config = RankerConfig.model_validate(
        {
            "network": {"embedding_dim": 4, "hidden_units": 16, "tower_units": [8]},
            "sharing": {"kind": "mmoe", "num_experts": 2, "expert_units": [8]},
            "position_bias": {"features": ["position", "device"]},
        }
    )
    ranker = MultiTaskRanker(config, SCHEMA, SCHEMA.tables(fitted()), TASKS, SCALES)
    for weights in ranker.parameters():
        torch.nn.init.normal_(weights, std=0.3)  # far from zero, so that every input matters
    return ranker.eval()


def republish(registry: Path, version: str, damage: Callable[[Path], object] = lambda _: None) -> None:
    """The same bundle as another version, live, and damaged before it was."""
    folder = registry / "versions" / version
    shutil.copytree(registry / "versions" / VERSION, folder)
    path = folder / MANIFEST
    path.write_text(path.read_text().replace(f'"{VERSION}"', f'"{version}"'))
    damage(folder)
    set_live(registry, version)


def tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def golden(ranker: MultiTaskRanker, encoder: Encoder, users: EntityTable) -> tuple[dict[str, Any], Arrays]:
    """A request by ids, with torch's own predictions, and its encoded arrays."""
    ids, rows = ["v3", "v8", "v11"], np.zeros(3, dtype=np.int64)
    asked = {"user": {"id": "u3"}, "context": {"device": "ios", "hour": 7}, "candidates": ids}
    sides = [one.name for one in SCHEMA.of_sides(Side.QUERY, Side.CONTEXT)]
    context = {name: SCHEMA.columns[name].column.from_values([asked["context"][name]]) for name in ("device", "hour")}
    request = missing(encoder, sides) | users.gather(users.rows(["u3"])) | encode(encoder, context)
    arrays = {name: array[rows] for name, array in request.items()} | encoder.videos.gather(encoder.videos.rows(ids))
    arrays |= encode_pairs(encoder, arrays, arrays, np.arange(3))
    with torch.no_grad():
        predictions = ranker.predict(tensors(arrays)).tolist()
    names = [task.name for task in TASKS]
    expected = {one: dict(zip(names, row, strict=True)) for one, row in zip(ids, predictions, strict=True)}
    return {"request": asked, "predictions": expected}, arrays


def reference(ranker: MultiTaskRanker, encoder: Encoder, users: EntityTable) -> Reference:
    """As if every user had been shown every video, on each device at every hour of the day."""
    pairs = np.arange(NUM_USERS * NUM_VIDEOS)
    user_rows, video_rows = pairs % NUM_USERS, pairs // NUM_USERS
    columns = {
        "device": Strings.from_values([DEVICES[at % 2] for at in pairs]),
        "hour": Numbers.from_values([float(at % 24) for at in pairs]),
    }
    query = missing(encoder, [one.name for one in SCHEMA.of_sides(Side.QUERY)], len(pairs))
    arrays = query | encode(encoder, columns) | users.gather(user_rows) | encoder.videos.gather(video_rows)
    with torch.no_grad():
        both = arrays | encode_pairs(encoder, arrays, arrays, pairs)
        predictions = ranker.predict(tensors(both)).numpy().astype(np.float64)
    by_task = {task.name: predictions[:, at] for at, task in enumerate(TASKS)}
    policies = {name: Policy.model_validate(one) for name, one in POLICIES.items()}
    return Reference(
        predictions={name: Intervals.fit(column) for name, column in by_task.items()},
        scores={name: Intervals.fit(combine(by_task, policy).score) for name, policy in policies.items()},
        features={
            name: Codes.fit(values) if spec.table else Intervals.fit(values)
            for spec in SCHEMA.specs.values()
            if is_watched(spec, SCHEMA)
            for name, values in quantities(spec, arrays[spec.name])
        },
    )


def build(folder: Path, version: str = VERSION, seed: int = 0) -> Manifest:
    ranker = network(seed)
    encoder, users = tables()
    case, arrays = golden(ranker, encoder, users)
    export_graphs(
        ranker, tensors({name: array[:1] for name, array in arrays.items()}), tensors(arrays), folder / GRAPHS
    )
    with torch.no_grad():
        halves = ranker.candidate_half(tensors(encoder.videos.arrays)).numpy()
    count = encoder.videos.num_entities
    halves = Halves.of(halves[:count], np.arange(count), count)
    write_parts(folder, encoder, users, halves, [case], reference(ranker, encoder, users))
    return seal(folder, manifest(version))


def manifest(version: str) -> Manifest:
    return Manifest.model_validate(
        {
            "format_version": FORMAT_VERSION,
            "version": version,
            "name": "small",
            "created": "2026-11-21T00:00:00+00:00",
            "feature_schema": SCHEMA.model_dump(),
            "tasks": [task.model_dump() for task in TASKS],
            "policies": POLICIES,
            "metrics": {"test": {"click": {"auc": 0.75}}},
            "costs": {},
            "health": {"gates": [{"name": "gate", "tasks": [], "entropy": [0.9] * len(TASKS)}], "alarms": []},
            "training": {},
            "data_fingerprint": "none",
            "libraries": {},
            "files": {},
        }
    )


def publish(registry: Path, version: str = VERSION, seed: int = 0) -> None:
    add_version(registry, lambda folder: build(folder, version, seed))
    set_live(registry, version)


def open_ranker(bundle: Bundle | Path) -> Ranker:
    opened = read_bundle(bundle) if isinstance(bundle, Path) else bundle
    return Ranker.of(opened, Runtime(opened, num_threads=1))
