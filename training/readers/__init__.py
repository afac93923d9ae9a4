"""The table of readers."""

from typing import Annotated

from pydantic import Field

from training.readers.impressions import ImpressionsReader
from training.readers.kuairand import KuaiRandReader
from training.readers.simulated import SimulatedReader

AnyReader = Annotated[ImpressionsReader | KuaiRandReader | SimulatedReader, Field(discriminator="kind")]
