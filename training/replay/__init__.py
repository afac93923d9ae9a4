"""Replay: `watchnext replay`."""

from training.replay.document import write
from training.replay.policies import policies_of
from training.replay.replay import Asked, replay
from training.replay.tables import replay_tables

__all__ = ["Asked", "policies_of", "replay", "replay_tables", "write"]
