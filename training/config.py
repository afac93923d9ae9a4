"""RunConfig: one YAML file that describes a run, composed of the configs of its parts."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from model.contract.combination import Policy, check_policy
from model.contract.features import AnyFeature
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Side
from model.contract.mistakes import InputError, Mistake, Strict, of_validation, unknown_name
from model.contract.schema import FeatureSchema, Keys
from model.contract.serving import Precision
from model.contract.tasks import Task
from model.position_bias import PositionBiasConfig
from model.ranker import NetworkConfig, RankerConfig
from model.sharing import AnySharing
from model.sharing.mmoe import MMoEConfig
from model.sizing import matched
from training.balancing import AnyBalancing
from training.balancing.fixed import FixedConfig
from training.hardware import DeviceName
from training.metrics import METRICS
from training.readers import AnyReader
from training.readers.interface import ImpressionTable
from training.splits import AnySplit
from training.yaml_lines import load_file


class DataConfig(Strict):
    """`propensity` is a column: how probable it was, under the policy that made the log, that the impression stood at
    its position, given what was shown; null where that is not known. Only off-policy estimates read it.
    """

    reader: AnyReader
    split: AnySplit
    keys: Keys = Keys()
    propensity: str | None = None


class Term(Strict):
    """One part of the utility. `metric` defaults to the main one of the task's kind; an error counts negatively."""

    task: str
    metric: str | None = None
    weight: float = Field(default=1.0, gt=0)


class EarlyStop(Strict):
    """Stop after `patience` epochs without a better utility; it defaults to every task with weight 1."""

    patience: int = Field(default=2, ge=1)
    utility: tuple[Term, ...] = ()


class TrainingConfig(Strict):
    """`weight_average` is the decay a step of a moving average of the weights, which is what is evaluated and
    published; 0 turns it off. `embedding_decay` is decoupled from the gradient: a step shrinks every embedding by
    learning rate x decay (Loshchilov & Hutter, ICLR 2019), which keeps rare ids from being learned by heart.
    `precision` is that of matrix products in training: `auto` measures at the start of a run which is faster, and keeps
    it. `checkpoint_steps` is how many steps a kill can cost. `task_sampling` draws each row of a
    batch from all rows, or from those of a task that was drawn uniformly before, and to count for it alone.
    """

    batch_size: int = Field(default=4096, ge=1)
    max_epochs: int = Field(default=10, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0, le=1e9)  # 1e300 would overflow float32
    embedding_decay: float = Field(default=0.0, ge=0)
    weight_average: float = Field(default=0.0, ge=0, lt=1)
    early_stop: EarlyStop = EarlyStop()
    checkpoint_steps: int = Field(default=500, ge=1)
    task_sampling: Literal["rows", "uniform"] = "rows"
    block_rows: int = Field(default=65_536, ge=1)
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    device: DeviceName = "auto"
    seed: int = Field(default=0, ge=0, lt=2**63)


class ServingConfig(Strict):
    """`precision` of the service's predictions: less than float32 is published only if validation hardly feels it.
    `precomputed_mb` is what candidate halves may take: those of all videos where they fit, else of the most shown ones.
    """

    precision: Precision = Precision.FLOAT32
    precomputed_mb: float = Field(default=4096, ge=0)


class RunConfig(Strict):
    """`match_parameters` is an architecture whose number of parameters the widths of `sharing` are scaled to."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    data: DataConfig
    features: tuple[AnyFeature, ...] = Field(min_length=1)
    tasks: tuple[Task, ...] = Field(min_length=1)
    network: NetworkConfig = NetworkConfig()
    sharing: AnySharing = MMoEConfig()
    match_parameters: AnySharing | None = None
    balancing: AnyBalancing = FixedConfig()
    position_bias: PositionBiasConfig | None = None
    training: TrainingConfig = TrainingConfig()
    serving: ServingConfig = ServingConfig()
    policies: dict[str, Policy] = Field(min_length=1)

    @cached_property
    def feature_schema(self) -> FeatureSchema:
        return FeatureSchema(
            keys=self.data.keys,
            features=self.features,
            bias=self.position_bias.features if self.position_bias else (),
        )

    def read(self) -> ImpressionTable:
        """The data that this config names."""
        categories = [name for name, one in self.feature_schema.columns.items() if isinstance(one, Discrete)]
        return self.data.reader.read(self.data.keys, categories)

    @property
    def ranker(self) -> RankerConfig:
        return RankerConfig(network=self.network, sharing=self.sharing, position_bias=self.position_bias)

    def sized(self) -> "RunConfig":
        """With the widths that `match_parameters` asks for in place of the request."""
        if self.match_parameters is None:
            return self
        sharing = matched(self.sharing, self.match_parameters, self.network, len(self.tasks))
        return self.model_copy(update={"sharing": sharing, "match_parameters": None})

    def mistakes(self) -> list[Mistake]:
        """What no part can see by itself: names that refer to other parts."""
        return [
            *self.feature_schema.mistakes(),
            *self._task_mistakes(),
            *self._sharing_mistakes(),
            *self._policy_mistakes(),
            *self._utility_mistakes(),
            *self._propensity_mistakes(),
        ]

    def _task_mistakes(self) -> Iterator[Mistake]:
        seen: set[str] = set()
        features = {one.name for one in self.features}
        for at, task in enumerate(self.tasks):
            if task.name in seen:
                yield Mistake(f"tasks[{at}].name", "a name that no other task has", f"`{task.name}`")
            seen.add(task.name)
            if task.label in features:
                yield Mistake(f"tasks[{at}].label", "a column that is no feature: it would leak", f"`{task.label}`")

    def _sharing_mistakes(self) -> Iterator[Mistake]:
        sharing, other, num_tasks = self.sharing, self.match_parameters, len(self.tasks)
        for where, one in (("sharing", sharing), ("match_parameters", other)):
            if one is not None and num_tasks < one.min_tasks:
                expected = f"at least {one.min_tasks} tasks for `{one.kind}` to share between"
                yield Mistake(f"{where}.kind", expected, str(num_tasks))
        if self.network.hidden_units is None and not sharing.is_direct:
            yield Mistake("network.hidden_units", f"a width: `{sharing.kind}` cannot read the inputs directly", "none")
        if self.balancing.needs_shared and not sharing.shares_inputs:
            expected = f"a balancing that weighs no gradients: `{sharing.kind}` shares no parameter to weigh them on"
            yield Mistake("balancing.kind", expected, f"`{self.balancing.kind}`")

    def _policy_mistakes(self) -> Iterator[Mistake]:
        for name, policy in self.policies.items():
            try:
                check_policy(policy, self.tasks, f"policies.{name}")
            except InputError as error:
                yield from error.mistakes

    def _utility_mistakes(self) -> Iterator[Mistake]:
        kinds = {task.name: task.kind for task in self.tasks}
        for at, term in enumerate(self.training.early_stop.utility):
            where = f"training.early_stop.utility[{at}]"
            if term.task not in kinds:
                yield unknown_name(f"{where}.task", "a task", term.task, kinds)
            elif term.metric is not None and term.metric not in METRICS[kinds[term.task]]:
                known = METRICS[kinds[term.task]]
                yield unknown_name(f"{where}.metric", f"a metric of {kinds[term.task]} tasks", term.metric, known)

    def _propensity_mistakes(self) -> Iterator[Mistake]:
        if self.data.propensity is None:
            return
        if self.data.keys.request is None:
            yield Mistake("data.propensity", "`data.keys.request` too: which impressions were shown together", "none")
        if not self.feature_schema.of_sides(Side.IMPRESSION):
            yield Mistake("data.propensity", "a feature of side impression too: the position", "none")


def parse(raw: Any, lines: dict[str, int], source: str) -> RunConfig:
    """Raises InputError with one mistake a line, each with its line in the file."""

    def located(one: Mistake) -> Mistake:
        where = one.where
        while where and where not in lines:  # a missing key has no line; its parent has
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        line = f":{lines[where]}" if where in lines else ""
        return Mistake(f"{source}{line}: {one.where}", one.expected, one.found, one.nearest)

    try:
        config = RunConfig.model_validate(raw)
    except ValidationError as error:
        raise InputError(*map(located, of_validation(error, RunConfig))) from error
    if found := config.mistakes():
        raise InputError(*map(located, found))
    try:
        return config.sized()
    except InputError as error:
        raise InputError(*map(located, error.mistakes)) from error


def load_config(path: Path) -> RunConfig:
    raw, lines = load_file(path)
    return parse(raw, lines, str(path))


def to_yaml(config: RunConfig) -> str:
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
