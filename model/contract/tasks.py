"""A task: one thing to predict, its label, its unit."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from model.contract.features.interface import Name
from model.contract.mistakes import Strict
from model.contract.scaling import Transform


class TaskKind(StrEnum):
    BINARY = "binary"
    REGRESSION = "regression"


class Task(Strict):
    """One entry of `tasks:` in a run config.

    `label` and `observed` are columns; the task counts only in rows where `observed` is true and the label is present.
    `range` bounds labels and predictions; `loss_weight` matters to training alone.
    """

    name: str = Name
    group: str = Field(min_length=1)
    kind: TaskKind
    label: str
    observed: str | None = None
    loss_weight: float = Field(default=1.0, ge=0)
    transform: Transform = Transform.NONE
    unit: str | None = None
    range: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _options_fit_the_kind(self) -> Self:
        if self.kind is TaskKind.BINARY and (self.transform is not Transform.NONE or self.range is not None):
            raise ValueError("no `transform` or `range` on a binary task: its label is 0 or 1")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("a `range` of two rising numbers")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest value that a label may have and a prediction takes."""
        if self.kind is TaskKind.BINARY:
            return (0.0, 1.0)
        if self.range is not None:
            return self.range
        return (0.0 if self.transform is Transform.LOG1P else float("-inf"), float("inf"))
