"""A run: from a config to a calibrated, evaluated and published ranker, with everything kept in one folder."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from model.contract.bundle import Manifest
from model.contract.durable import told_as_input_errors, write_text
from model.contract.mistakes import mistake
from model.contract.registry.operations import KEPT_VERSIONS
from model.costs import costs
from model.ranker import MultiTaskRanker
from training import checkpoints
from training.config import RunConfig, to_yaml
from training.dataset import Dataset, Preparation, prepare
from training.evaluation import SplitMetrics, compute_logits, evaluate_split, fit_calibration
from training.hardware import compute_deterministically
from training.health import expert_health
from training.loop import Checkpointing, Trainer, build_ranker
from training.publish import Release, publish
from training.splits import TEST, VALID
from training.watching import TerminalWatcher

ENCODING_VERSION = "5"  # a new one makes encoded data of older versions be encoded again


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is, and where it keeps what it makes."""

    config: RunConfig
    folder: Path
    preparation: Preparation

    @classmethod
    def of(cls, config: RunConfig, runs: Path) -> "Run":
        preparation = Preparation(config.read(), config.feature_schema, config.tasks, config.data.split)
        return cls(config, runs / config.name, preparation)

    @property
    def dataset_key(self) -> str:
        """Changes with the data and with all that decides how they are encoded."""
        data = self.preparation
        parts = [ENCODING_VERSION, data.table.fingerprint, data.schema.model_dump_json(), data.split.model_dump_json()]
        labels = [
            task.model_dump_json(include={"name", "kind", "label", "observed", "transform", "range"})
            for task in data.tasks
        ]
        return hashlib.sha256("\n".join([*parts, *labels]).encode()).hexdigest()[:16]

    @property
    def weights(self) -> Path:
        return self.folder / "ranker.pt"

    @property
    def history(self) -> Path:
        return self.folder / "history.json"

    @property
    def health(self) -> Path:
        return self.folder / "health.json"

    @property
    def serving(self) -> Path:
        return self.folder / "serving.json"

    @property
    def curves(self) -> Path:
        return self.folder / "curves"

    @property
    def identity(self) -> str:
        return checkpoints.identity(self.config, self.dataset_key)

    @property
    def encoded(self) -> Path:
        """The folder of the dataset; its name is the dataset's key."""
        return self.folder / "data" / self.dataset_key

    def dataset(self, watcher: TerminalWatcher) -> Dataset:
        return prepare(self.preparation, self.encoded, watcher.preparing)


def train(
    run: Run, registry: Path | str | None, resume: bool, console: Console, keep_versions: int = KEPT_VERSIONS
) -> tuple[dict[str, SplitMetrics], Manifest | None]:
    """Train, calibrate on validation, evaluate on both, publish where a registry is given."""
    compute_deterministically()
    if not resume:
        shutil.rmtree(run.curves, ignore_errors=True)  # those of an earlier run would be drawn into the new ones
    with told_as_input_errors(str(run.folder)), TerminalWatcher(console, run.curves) as watcher:
        dataset = run.dataset(watcher)
        write_text(run.folder / "config.yaml", to_yaml(run.config))
        saving = Checkpointing(run.folder / "checkpoint.pt", run.identity, resume)
        trainer = Trainer(run.config, dataset, saving, watcher)
        console.print(str(costs(trainer.ranker)), highlight=False, soft_wrap=True)
        ranker = trainer.run()
        write_text(run.history, json.dumps(trainer.progress.history, indent=1))
        valid = dataset.splits[VALID]
        logits = compute_logits(ranker, valid)
        fit_calibration(ranker.calibration, run.config.tasks, logits, valid.values, valid.observed)
        checkpoints.save(run.weights, run.identity, checkpoints.Progress(), {"ranker": ranker.state_dict()})
        health = expert_health(ranker, run.config.tasks, valid)
        write_text(run.health, health.model_dump_json(indent=1))
    metrics = evaluate(run, ranker, dataset)
    if registry is None:
        return metrics, None
    with told_as_input_errors(str(registry)), console.status("publishing"):
        release = Release(trainer.trained_config, run.preparation, dataset, as_json(metrics), health)
        manifest = publish(ranker, release, registry, keep_versions)
        write_text(run.serving, manifest.serving.model_dump_json(indent=1))
        return metrics, manifest


def load_trained(run: Run, dataset: Dataset) -> MultiTaskRanker:
    found = checkpoints.load(run.weights, run.identity)
    if found is None:
        raise mistake(str(run.folder), "a trained run (`watchnext train` makes one)", f"no {run.weights.name}")
    ranker = build_ranker(run.config, dataset)
    ranker.load_state_dict(found[1]["ranker"])
    return ranker.eval()


def evaluate(run: Run, ranker: MultiTaskRanker, dataset: Dataset) -> dict[str, SplitMetrics]:
    """Metrics of validation and test, also written to `metrics.json`."""
    config = run.config
    metrics = {
        name: evaluate_split(
            ranker.calibration,
            config.tasks,
            config.policies,
            compute_logits(ranker, dataset.splits[name]),
            dataset.splits[name],
        )
        for name in (VALID, TEST)
    }
    write_text(run.folder / "metrics.json", json.dumps(as_json(metrics), indent=1))
    return metrics


def as_json(metrics: Mapping[str, SplitMetrics]) -> dict[str, Any]:
    """JSON has no NaN: a metric that cannot be had, an AUC of one class, is null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(one) for key, one in value.items()}
        return None if value != value else value

    return {name: clean(asdict(one)) for name, one in metrics.items()}
