"""The table of loss balancers."""

from typing import Annotated

from pydantic import Field

from training.balancing.dwa import DWAConfig
from training.balancing.fixed import FixedConfig
from training.balancing.grad_norm import GradNormConfig
from training.balancing.jacobian import JacobianConfig
from training.balancing.uncertainty import UncertaintyConfig
from training.balancing.worst_case import WorstCaseConfig

AnyBalancing = Annotated[
    FixedConfig | UncertaintyConfig | GradNormConfig | WorstCaseConfig | DWAConfig | JacobianConfig,
    Field(discriminator="kind"),
]
