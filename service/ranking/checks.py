"""Checks: what a request may not ask, whatever is known of its user and videos."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

from model.contract.features.interface import Side
from model.contract.mistakes import MOST_MISTAKES, InputError, Mistake, mistake, quote
from model.contract.names import stranger, wrong_outcomes
from model.contract.request import Asked, InlineColumn
from model.contract.schema import FeatureSchema


def check_limits(request: Asked, max_candidates: int) -> None:
    if len(request.ids) > max_candidates:
        raise mistake("candidates", f"at most {max_candidates} candidates", str(len(request.ids)))
    if request.top_k is not None and request.top_k > max_candidates:
        raise mistake("top_k", f"at most {max_candidates}, the limit of candidates", quote(request.top_k))


def check(request: Asked, schema: FeatureSchema) -> None:
    """Raises InputError with the first mistakes."""
    if not request.ids:
        raise mistake("candidates", "at least one candidate", "none")
    outcomes = wrong_outcomes(request.user.history, "user.history", schema)
    wrong = chain(_duplicates(request), _wrong_names(request, schema), outcomes)
    if found := list(islice(wrong, MOST_MISTAKES)):
        raise InputError(*found)


def _duplicates(request: Asked) -> Iterator[Mistake]:
    ids = request.ids
    if len(set(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    for at, one in enumerate(ids):
        if first.setdefault(one, at) != at:
            found = f"{quote(one)}, which is candidates[{first[one]}] too"
            yield Mistake(f"candidates[{at}]", "an id that no other candidate has", found)


def _wrong_names(request: Asked, schema: FeatureSchema) -> Iterator[Mistake]:
    places: list[tuple[Side, Mapping[str, Iterable[str]]]] = [
        (Side.USER, dict.fromkeys(request.user.features, ("user.features",))),
        (Side.QUERY, dict.fromkeys(request.query.features, ("query.features",))),
        (Side.CONTEXT, dict.fromkeys(request.context, ("context",))),
        (Side.CANDIDATE, {name: _places(column) for name, column in request.inline.items()}),
    ]
    for side, given in places:
        for name in given:
            if name not in schema.given_by_name[side]:
                for where in given[name]:
                    yield stranger(f"{where}.{quote(name)[1:-1]}", name, side, schema)


def _places(column: InlineColumn) -> Iterator[str]:
    return (f"candidates[{row}].features" for row in column.rows)
