"""Serving: how a bundle asks to be run, and what spoke for it."""

from collections.abc import Mapping
from enum import StrEnum

from model.contract.mistakes import Strict


class Precision(StrEnum):
    """In which numbers the products of the rank graph are taken."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


# Between torch and the exported graphs: absolute below 1, relative above.
TOLERANCES: Mapping[Precision, float] = {Precision.FLOAT32: 1e-5, Precision.BFLOAT16: 0.02}


class PrecisionCheck(Strict):
    """What reduced precision does to predictions, on `num_rows` rows of validation and `num_requests` requests of
    `num_candidates`: by task its main metric (`metric`) in float32 and in the precision asked for, the mean share of
    the top 10 that both have, and how long the rank graph takes for one request, in milliseconds.
    """

    num_rows: int
    num_requests: int
    num_candidates: int
    metric: dict[str, str]
    float32: dict[str, float | None]
    reduced: dict[str, float | None]
    agreement: float
    float32_ms: float
    reduced_ms: float


class Serving(Strict):
    precision: Precision = Precision.FLOAT32
    check: PrecisionCheck | None = None
