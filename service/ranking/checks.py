"""Checks: what a request may not ask, whatever is known of its user and videos."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

from model.contract.features.interface import Side
from model.contract.mistakes import InputError, Mistake, mistake, quote, unknown_name
from model.contract.request import Asked, InlineColumn
from model.contract.schema import FeatureSchema

MOST_MISTAKES = 20  # told at once: finding the nearest name takes time, and nobody reads more


def check_limits(request: Asked, max_candidates: int) -> None:
    if len(request.ids) > max_candidates:
        raise mistake("candidates", f"at most {max_candidates} candidates", str(len(request.ids)))
    if request.top_k is not None and request.top_k > max_candidates:
        raise mistake("top_k", f"at most {max_candidates}, the limit of candidates", quote(request.top_k))


def check(request: Asked, schema: FeatureSchema) -> None:
    """Raises InputError with the first mistakes."""
    if not request.ids:
        raise mistake("candidates", "at least one candidate", "none")
    wrong = chain(_duplicates(request), _wrong_names(request, schema), _wrong_outcomes(request, schema))
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
        allowed = _allowed(side, schema) if given else set()
        for name in given:
            if name not in allowed:
                for where in given[name]:
                    yield _stranger(f"{where}.{quote(name)[1:-1]}", name, side, schema)


def _places(column: InlineColumn) -> Iterator[str]:
    return (f"candidates[{row}].features" for row in column.rows)


def _allowed(side: Side, schema: FeatureSchema) -> set[str]:
    return {one.name for one in schema.of_sides(side)} - _given_elsewhere(schema).keys()


def _given_elsewhere(schema: FeatureSchema) -> dict[str | None, str]:
    """Where the request has the features that are not given by name."""
    keys = schema.keys
    ids = {keys.user: "user.id", keys.video: "candidates[].id", keys.query_video: "query.video_id"}
    return ids | dict.fromkeys(schema.histories, "user.history")


def _stranger(where: str, name: str, side: Side, schema: FeatureSchema) -> Mistake:
    elsewhere = _given_elsewhere(schema)
    expected = f"a feature of the {side}"
    if name in elsewhere:
        return Mistake(where, f"`{elsewhere[name]}` to give `{name}`", "a feature")
    if name in schema.columns:
        return Mistake(where, expected, f"`{name}`, a feature of the {schema.columns[name].side}")
    if name in schema.matches:
        return Mistake(where, expected, f"`{name}`, which is computed from the history")
    return unknown_name(where, expected, name, _allowed(side, schema))


def _wrong_outcomes(request: Asked, schema: FeatureSchema) -> Iterator[Mistake]:
    history = request.user.history
    if history is not None and not schema.histories:
        yield Mistake("user.history", "no history: the live version has no such feature", "one")
        return
    known = {outcome for one in schema.histories.values() for outcome in one.outcomes}
    for at, interaction in enumerate(history or ()):
        for name in interaction.outcomes:
            if name not in known:
                yield unknown_name(f"user.history[{at}].outcomes.{quote(name)[1:-1]}", "an outcome", name, known)
