"""Names: the features and outcomes that may be given by name, and what is said of a name that may not."""

from collections.abc import Iterator, Sequence

from model.contract.features.interface import Feature, Side
from model.contract.mistakes import Mistake, quote, unknown_name
from model.contract.request import Interaction
from model.contract.schema import FeatureSchema


def given_by_name(side: Side, schema: FeatureSchema) -> dict[str, Feature]:
    elsewhere = _given_elsewhere(schema)
    return {one.name: one for one in schema.of_sides(side) if one.name not in elsewhere}


def _given_elsewhere(schema: FeatureSchema) -> dict[str | None, str]:
    """Where the request has the features that are not given by name."""
    keys = schema.keys
    ids = {keys.user: "user.id", keys.video: "candidates[].id", keys.query_video: "query.video_id"}
    return ids | dict.fromkeys(schema.histories, "user.history")


def stranger(where: str, name: str, side: Side, schema: FeatureSchema) -> Mistake:
    """What is wrong with a name that is none of `given_by_name`."""
    elsewhere = _given_elsewhere(schema)
    expected = f"a feature of the {side}"
    if name in elsewhere:
        return Mistake(where, f"`{elsewhere[name]}` to give `{name}`", "a feature")
    if name in schema.columns:
        return Mistake(where, expected, f"`{name}`, a feature of the {schema.columns[name].side}")
    if name in schema.matches:
        return Mistake(where, expected, f"`{name}`, which is computed from the history")
    return unknown_name(where, expected, name, given_by_name(side, schema))


def wrong_outcomes(history: Sequence[Interaction] | None, where: str, schema: FeatureSchema) -> Iterator[Mistake]:
    if history is not None and not schema.histories:
        yield Mistake(where, "no history: the live version has no such feature", "one")
        return
    known = {outcome for one in schema.histories.values() for outcome in one.outcomes}
    for at, interaction in enumerate(history or ()):
        for name in interaction.outcomes:
            if name not in known:
                yield unknown_name(f"{where}[{at}].outcomes.{quote(name)[1:-1]}", "an outcome", name, known)
