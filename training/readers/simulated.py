"""Reader `simulated`: impressions out of a world with known truth; the truth itself is not among them."""

import hashlib
from collections.abc import Collection
from typing import Literal

import polars as pl
from pydantic import Field

from model.contract.mistakes import mistake
from model.contract.schema import Keys
from training.readers.interface import ImpressionTable, Reader
from training.simulation.logs import simulate
from training.simulation.world import SimulationConfig

LARGEST = 20_000_000


class SimulatedReader(Reader):
    """For trying things out; `watchnext simulate` writes larger logs to disk."""

    kind: Literal["simulated"] = "simulated"
    num_impressions: int = Field(ge=1, le=LARGEST)
    seed: int = Field(default=0, ge=0)

    def read(self, keys: Keys, categories: Collection[str] = ()) -> ImpressionTable:  # noqa: ARG002 (it has types)
        if (keys.user, keys.video) != ("user_id", "video_id"):
            raise mistake("data.keys", "user: user_id and video: video_id, as simulated logs have", str(keys))
        simulation = simulate(SimulationConfig(num_impressions=self.num_impressions, seed=self.seed))
        impressions = pl.concat([part.impressions for part in simulation.parts])
        fingerprint = hashlib.sha256(self.model_dump_json().encode()).hexdigest()
        return ImpressionTable("simulated", fingerprint, impressions.lazy(), simulation.users, simulation.videos)
