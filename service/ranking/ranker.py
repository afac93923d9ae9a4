"""Ranker: a bundle and the runtime that computes it, ready to rank."""

from dataclasses import dataclass
from typing import Self

from model.contract.bundle import Bundle
from model.contract.encoding import missing
from model.contract.features.interface import REQUEST_SIDES, Arrays
from service.runtime.sessions import Runtime


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Ranker:
    """`blank` is the encoded request of which nothing is known, with one row."""

    bundle: Bundle
    runtime: Runtime
    blank: Arrays

    @classmethod
    def of(cls, bundle: Bundle, runtime: Runtime) -> Self:
        names = [feature.name for feature in bundle.schema.of_sides(*REQUEST_SIDES)]
        return cls(bundle, runtime, missing(bundle.encoder, names))
