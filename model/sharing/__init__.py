"""The table of sharing architectures."""

from typing import Annotated

from pydantic import Field

from model.sharing.mmoe import MMoEConfig
from model.sharing.shared_bottom import SharedBottomConfig

AnySharing = Annotated[MMoEConfig | SharedBottomConfig, Field(discriminator="kind")]
