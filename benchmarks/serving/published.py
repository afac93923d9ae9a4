"""Where a reference ranker lies once it is published."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Published:
    """What services serve, and its weights for those that know no bundle."""

    folder: Path

    @property
    def registry(self) -> Path:
        return self.folder / "registry"

    @property
    def reduced(self) -> Path:
        """The registry of the same, to be run in bfloat16."""
        return self.folder / "reduced"

    @property
    def weights(self) -> Path:
        return self.folder / "ranker.pt"
