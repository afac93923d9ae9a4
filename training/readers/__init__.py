"""The table of readers."""

from typing import Annotated

from pydantic import Field

from training.readers.impressions import ImpressionsReader
from training.readers.kuairand import KuaiRandReader

AnyReader = Annotated[ImpressionsReader | KuaiRandReader, Field(discriminator="kind")]
