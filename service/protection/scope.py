"""Scope: what a key may be good for."""

from enum import StrEnum


class Scope(StrEnum):
    RANK = "rank"
    FEATURES = "features"
    ADMIN = "admin"
    METRICS = "metrics"


WRITING = frozenset({Scope.FEATURES, Scope.ADMIN})  # these change what the service answers
