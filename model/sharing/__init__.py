"""The table of sharing architectures."""

from typing import Annotated

from pydantic import Field

from model.sharing.conditioned import ConditionedConfig
from model.sharing.cross_stitch import CrossStitchConfig
from model.sharing.deep_relation import DeepRelationConfig
from model.sharing.independent import IndependentConfig
from model.sharing.mmoe import MMoEConfig
from model.sharing.mtan import MTANConfig
from model.sharing.one_gate import OneGateConfig
from model.sharing.ple import PLEConfig
from model.sharing.shared_bottom import SharedBottomConfig
from model.sharing.sluice import SluiceConfig
from model.sharing.soft_sharing import SoftSharingConfig

AnySharing = Annotated[
    IndependentConfig
    | SharedBottomConfig
    | OneGateConfig
    | MMoEConfig
    | PLEConfig
    | CrossStitchConfig
    | SluiceConfig
    | MTANConfig
    | SoftSharingConfig
    | DeepRelationConfig
    | ConditionedConfig,
    Field(discriminator="kind"),
]
