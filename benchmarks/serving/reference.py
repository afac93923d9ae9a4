"""The reference rankers: untrained networks over a drawn table, published as a user's would be."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from benchmarks.serving.published import Published
from model.contract.bundle import HALVES, MANIFEST, Manifest, seal
from model.contract.halves import KEPT_IN, Halves
from model.contract.serving import Precision, Serving
from model.contract.versions import add_version, set_live, version_folder
from model.ranker import MultiTaskRanker
from training.config import RunConfig
from training.dataset import Dataset, prepare
from training.health import ExpertHealth
from training.loop import build_ranker
from training.publish import Release, publish
from training.run import Run

NUM_USERS, NUM_HELD_OUT = 5_000, 5_000
VOCABULARY = 100_000
USER_FEATURES, CONTEXT_FEATURES, CANDIDATE_FEATURES = (
    [f"{side}_{at}" for at in range(count)] for side, count in (("user", 8), ("context", 4), ("video", 16))
)
FIRST_TASKS = ("click", "like", "share", "follow")
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")


@dataclass(frozen=True, slots=True)
class Reference:
    """12 request and 16 candidate features of 16 dimensions, and what tells one ranker from another."""

    name: str
    num_videos: int
    hidden_units: int | None
    expert_units: Sequence[int]
    num_experts: int = 8
    num_tasks: int = 4

    @property
    def tasks(self) -> list[str]:
        further = (f"task_{at}" for at in range(len(FIRST_TASKS), self.num_tasks))
        return [*FIRST_TASKS[: self.num_tasks], *further]

    def config(self, folder: Path) -> RunConfig:
        sides = {"user": USER_FEATURES, "context": CONTEXT_FEATURES, "candidate": CANDIDATE_FEATURES}
        return RunConfig.model_validate(
            {
                "name": self.name,
                "data": {
                    "reader": {"kind": "impressions", "path": str(folder / "impressions.parquet")},
                    "split": {"by": "time", "column": "day", "valid_from": DAYS[1], "test_from": DAYS[2]},
                },
                "features": [
                    {"name": name, "kind": "category", "side": side} for side, names in sides.items() for name in names
                ],
                "tasks": [{"name": name, "group": "all", "kind": "binary", "label": name} for name in self.tasks],
                "network": {"embedding_dim": 16, "hidden_units": self.hidden_units, "tower_units": [64]},
                "sharing": {
                    "kind": "mmoe",
                    "num_experts": self.num_experts,
                    "expert_units": list(self.expert_units),
                },
                "policies": {"balanced": {"combination": "weighted_sum", "weights": dict.fromkeys(self.tasks, 1.0)}},
            }
        )


REFERENCES = {
    one.name: one
    for one in (
        Reference("first", 20_000, None, (256, 128)),
        Reference("second", 20_000, 256, (128, 64)),
        Reference("million", 1_000_000, 256, (128, 64)),
    )
}


def published(reference: Reference, folder: Path) -> Published:
    """Made where it is not there already."""
    made = Published(folder / reference.name)
    if not made.weights.is_file():
        made.folder.mkdir(parents=True, exist_ok=True)
        _write_table(made.folder / "impressions.parquet", reference)
        config = reference.config(made.folder)
        run = Run.of(config, made.folder / "runs")
        dataset = prepare(run.preparation, run.encoded, lambda *_: None)
        ranker = _drawn_ranker(config, dataset)
        release = Release(config, run.preparation, dataset, {}, ExpertHealth())
        _reduce(made, publish(ranker, release, made.registry))
        torch.save(ranker, made.weights)
    return made


def _reduce(made: Published, manifest: Manifest) -> None:
    """The same version, to be run in bfloat16: unchecked, for an untrained network has no quality that could suffer."""
    whole, serving = version_folder(made.registry, manifest.version), Serving(precision=Precision.BFLOAT16)

    def build(folder: Path) -> Manifest:
        shutil.copytree(whole, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST, HALVES))
        halves = Halves.load(whole / HALVES)
        Halves(KEPT_IN[serving.precision](halves.values), halves.places).save(folder / HALVES)
        return seal(folder, manifest.model_copy(update={"serving": serving}))

    set_live(made.reduced, add_version(made.reduced, build).version)


def _drawn_ranker(config: RunConfig, dataset: Dataset) -> MultiTaskRanker:
    """Untrained, with weights far enough from zero that every input moves the predictions."""
    ranker = build_ranker(config, dataset).eval()
    for parameter in ranker.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5)
    return ranker


def _write_table(path: Path, reference: Reference) -> None:
    """Impressions of which those of training have every video and every value of every vocabulary."""
    rng = np.random.default_rng(0)
    num_train = max(VOCABULARY, reference.num_videos)
    num_rows = num_train + 2 * NUM_HELD_OUT
    names = [*USER_FEATURES, *CONTEXT_FEATURES, *CANDIDATE_FEATURES]
    every, again = np.arange(num_rows) % num_train, np.arange(num_train) % VOCABULARY
    columns = {name: _texts(f"{name}:", rng.permutation(again)[every]) for name in names}
    columns |= {
        "user_id": _texts("u", rng.integers(0, NUM_USERS, num_rows)),
        "video_id": _texts("v", np.arange(num_rows) % reference.num_videos),
        "day": pl.Series(np.repeat(DAYS, [num_train, NUM_HELD_OUT, NUM_HELD_OUT])),
    }
    pl.DataFrame(columns | {name: rng.random(num_rows) < 0.3 for name in reference.tasks}).write_parquet(path)


def _texts(prefix: str, numbers: NDArray[np.int64]) -> pl.Series:
    return pl.Series([prefix]).new_from_index(0, len(numbers)) + pl.Series(numbers).cast(pl.String)
