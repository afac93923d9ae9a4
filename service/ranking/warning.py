"""RankWarning: what a request named that nobody knows, or a store that did not answer; ranked all the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from model.contract.answer import WarningKind


@dataclass(frozen=True, slots=True)
class RankWarning:
    """`ids` of users and videos, or `values` of the category feature `feature`; neither where the store is at fault."""

    kind: WarningKind
    ids: tuple[str, ...] = ()
    feature: str | None = None
    values: tuple[str, ...] = ()


def unknown_ids(kind: WarningKind, ids: Iterable[str]) -> Iterator[RankWarning]:
    """No warning where there is no id."""
    if named := tuple(ids):
        yield RankWarning(kind, ids=named)


def unknown_values(feature: str, values: Iterable[str]) -> Iterator[RankWarning]:
    if named := tuple(dict.fromkeys(values)):
        yield RankWarning(WarningKind.UNKNOWN_CATEGORY, feature=feature, values=named)
