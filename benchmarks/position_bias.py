"""Position bias: how near to the true order does a ranker come without treatment, with position as one more input, and
with the bias tower? On simulated logs.

    python -m benchmarks.position_bias --impressions 200000 --seeds 5

Each seed is a new world and a new ranker. Test requests are ranked by the predicted click; the gain of NDCG@10 is the
simulator's probability of a click on a video that is seen, wherever it stands. A position that is an input is set to
the first for every candidate. The same world with every impression examined (no bias to take out) is the ceiling. The
last line is one JSON object.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from model.contract.features.category import Category
from model.contract.features.interface import Side
from training.config import RunConfig, load_config
from training.dataset import Dataset, Preparation, SplitData, prepare
from training.evaluation import compute_logits
from training.loop import Checkpointing, Trainer
from training.metrics import ndcg
from training.readers.interface import ImpressionTable
from training.simulation.logs import simulate
from training.simulation.world import SimulationConfig
from training.splits import TEST

CONFIG = Path(__file__).parent.parent / "configs" / "simulated.yaml"
POSITION = "position"
ARMS = ("naive", "input", "tower", "unbiased")
FIRST = "1"


class Silent:
    """A watcher with nobody behind it."""

    def step(self, progress: Any, num_steps: int, losses: dict[str, float], optimised: float) -> None: ...

    def epoch(self, record: dict[str, Any], is_best: bool) -> None: ...


@dataclass(frozen=True)
class Logs:
    table: ImpressionTable
    truth: pl.DataFrame


def simulated(num_impressions: int, seed: int, position_bias: float) -> Logs:
    simulation = simulate(SimulationConfig(num_impressions=num_impressions, seed=seed, position_bias=position_bias))
    parts = list(simulation.parts)
    impressions = pl.concat([part.impressions for part in parts]).lazy()
    name = f"simulated-{num_impressions}-{seed}-{position_bias}"
    table = ImpressionTable(name, name, impressions, simulation.users, simulation.videos)
    return Logs(table, pl.concat([part.truth for part in parts]))


def without_tower(config: RunConfig) -> RunConfig:
    features = tuple(one for one in config.features if one.name != POSITION)
    return config.model_copy(update={"features": features, "position_bias": None})


def with_position_as_input(config: RunConfig) -> RunConfig:
    position = Category(name=POSITION, kind="category", side=Side.CONTEXT)
    return config.model_copy(update={"features": (*without_tower(config).features, position), "position_bias": None})


TREATMENTS: Mapping[str, Callable[[RunConfig], RunConfig]] = {
    "naive": without_tower,
    "input": with_position_as_input,
    "tower": lambda config: config,
    "unbiased": without_tower,
}


def as_ranked(split: SplitData, dataset: Dataset) -> SplitData:
    """With the first position everywhere, where the ranker reads it as an input."""
    if POSITION not in split.arrays:
        return split
    first = dataset.encoder.fitted.vocabularies[POSITION].codes([FIRST])
    return replace(split, arrays=split.arrays | {POSITION: np.full_like(split.arrays[POSITION], first[0])})


def true_ndcg(config: RunConfig, logs: Logs, seed: int, folder: Path) -> float:
    """NDCG@10 against the truth of the order by predicted click, over the test requests."""
    settings = config.training.model_copy(update={"seed": seed})
    config = RunConfig.model_validate(config.model_dump() | {"training": settings.model_dump()})
    dataset = prepare(
        Preparation(logs.table, config.feature_schema, config.tasks, config.data.split), folder, lambda *_: None
    )
    ranker = Trainer(config, dataset, Checkpointing(folder / "checkpoint.pt", "", resume=False), Silent()).run()
    test = as_ranked(dataset.splits[TEST], dataset)
    click = [task.name for task in config.tasks].index("click")
    scores = compute_logits(ranker, test)[:, click]
    return ndcg(scores, logs.truth["true_click"].to_numpy().astype(np.float64)[test.rows], test.groups, 10)


def measure(num_impressions: int, seed: int, arms: Sequence[str] = ARMS) -> dict[str, float]:
    """NDCG@10 of each arm in one world."""
    config, found = load_config(CONFIG), {}
    with tempfile.TemporaryDirectory() as folder:
        for arm in arms:
            logs = simulated(num_impressions, seed, position_bias=0.0 if arm == "unbiased" else 1.0)
            found[arm] = true_ndcg(TREATMENTS[arm](config), logs, seed, Path(folder) / arm)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--impressions", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    results = [measure(options.impressions, seed) for seed in track(range(options.seeds), "worlds")]
    table = Table(title="NDCG@10 against the true order", title_justify="left")
    for head in ("seed", *ARMS, "share of the loss regained"):
        table.add_column(head, justify="right")
    for seed, one in enumerate(results):
        regained = (one["tower"] - one["naive"]) / (one["unbiased"] - one["naive"])
        table.add_row(str(seed), *(f"{one[arm]:.4f}" for arm in ARMS), f"{regained:.0%}")
    Console().print(table)
    means = {arm: float(np.mean([one[arm] for one in results])) for arm in ARMS}
    gains = [one["tower"] - one["naive"] for one in results]
    means["gain"], means["least_gain"] = float(np.mean(gains)), float(min(gains))
    means["regained"] = means["gain"] / (means["unbiased"] - means["naive"])
    print(json.dumps({name: round(value, 4) for name, value in means.items()}))


if __name__ == "__main__":
    main()
