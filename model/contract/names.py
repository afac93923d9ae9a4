"""Names: what is said of a name by which no feature, or no outcome, may be given."""

from collections.abc import Iterator, Sequence

from model.contract.features.interface import Side
from model.contract.mistakes import Mistake, quote, unknown_name
from model.contract.request import Interaction
from model.contract.schema import FeatureSchema


def stranger(where: str, name: str, side: Side, schema: FeatureSchema) -> Mistake:
    """What is wrong with a name that is none of the side's `given_by_name`."""
    expected = f"a feature of the {side}"
    if name in schema.given_elsewhere:
        return Mistake(where, f"`{schema.given_elsewhere[name]}` to give `{name}`", "a feature")
    if name in schema.columns:
        return Mistake(where, expected, f"`{name}`, a feature of the {schema.columns[name].side}")
    if name in schema.matches:
        return Mistake(where, expected, f"`{name}`, which is computed from the history")
    return unknown_name(where, expected, name, schema.given_by_name[side])


def wrong_outcomes(history: Sequence[Interaction] | None, where: str, schema: FeatureSchema) -> Iterator[Mistake]:
    if history is not None and not schema.histories:
        yield Mistake(where, "no history: the live version has no such feature", "one")
        return
    known = {outcome for one in schema.histories.values() for outcome in one.outcomes}
    for at, interaction in enumerate(history or ()):
        for name in interaction.outcomes:
            if name not in known:
                yield unknown_name(f"{where}[{at}].outcomes.{quote(name)[1:-1]}", "an outcome", name, known)
