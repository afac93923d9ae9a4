"""FeatureSchema: all features of a ranker, checked against each other."""

from collections.abc import Iterator
from functools import cached_property

from pydantic import Field

from model.contract.features import AnyFeature
from model.contract.features.categories import Categories
from model.contract.features.category import Category
from model.contract.features.discrete import Discrete
from model.contract.features.history import History
from model.contract.features.interface import REQUEST_SIDES, ArraySpec, Feature, Fitted, Side, Table
from model.contract.features.match import Match
from model.contract.graphs import OWN_NAMES
from model.contract.mistakes import Mistake, Strict, quote, unknown_name


class Keys(Strict):
    """The columns that name things; at serving the same ids come as `user.id`, `candidates[].id`, `query.video_id`."""

    user: str = "user_id"
    video: str = "video_id"
    query_video: str | None = None
    request: str | None = None


class FeatureSchema(Strict):
    """`features` in the order of the config; `bias` names those that the position-bias tower reads."""

    keys: Keys = Keys()
    features: tuple[AnyFeature, ...] = Field(min_length=1)
    bias: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> dict[str, Feature]:
        """The features that have a raw column, by name."""
        return {one.name: one for one in self.features if isinstance(one, Feature)}

    @cached_property
    def matches(self) -> dict[str, Match]:
        return {one.name: one for one in self.features if isinstance(one, Match)}

    @cached_property
    def histories(self) -> dict[str, History]:
        return {name: one for name, one in self.columns.items() if isinstance(one, History)}

    @cached_property
    def given_elsewhere(self) -> dict[str | None, str]:
        """The features that a request does not give by name, and where it has them."""
        ids = {self.keys.user: "user.id", self.keys.video: "candidates[].id", self.keys.query_video: "query.video_id"}
        return ids | dict.fromkeys(self.histories, "user.history")

    @cached_property
    def given_by_name(self) -> dict[Side, dict[str, Feature]]:
        return {
            side: {one.name: one for one in self.of_sides(side) if one.name not in self.given_elsewhere}
            for side in Side
        }

    def discrete(self, name: str) -> Discrete:
        """A feature that has a vocabulary; the schema must have been checked."""
        feature = self.columns[name]
        if not isinstance(feature, Discrete):
            raise TypeError(f"`{name}` is a {type(feature).__name__}, not a category")
        return feature

    @cached_property
    def specs(self) -> dict[str, ArraySpec]:
        """Every encoded array, by its name."""
        plain = [spec for feature in self.columns.values() for spec in feature.specs]
        pairs = [
            spec for one in self.matches.values() for spec in one.specs(self.histories[one.of], self.discrete(one.on))
        ]
        return {spec.name: spec for spec in [*plain, *pairs]}

    def of_sides(self, *sides: Side) -> list[Feature]:
        return [feature for feature in self.columns.values() if feature.side in sides]

    def tables(self, fitted: Fitted) -> dict[str, Table]:
        owned = [one.tables() if isinstance(one, Match) else one.tables(fitted) for one in self.features]
        return {name: table for tables in owned for name, table in tables.items()}

    def mistakes(self) -> list[Mistake]:
        """What makes the features impossible together; empty when all is well."""
        names = [feature.name for feature in self.features]
        twice = [
            Mistake(f"features[{at}].name", "a name that no other feature has", quote(name))
            for at, name in enumerate(names)
            if name in names[:at]
        ]
        taken = [
            Mistake(f"features[{at}].name", "a name that no exported graph uses itself", quote(name))
            for at, name in enumerate(names)
            if name in OWN_NAMES
        ]
        sides = {spec.side for one in self.columns.values() for spec in one.specs if not spec.hidden}
        empty = [
            Mistake("features", f"at least one feature of {what}", "none")
            for what, needed in (("the candidate", {Side.CANDIDATE}), ("the request", REQUEST_SIDES))
            if not sides & needed
        ]
        return [*twice, *taken, *empty, *self._hidden_mistakes(), *self._reference_mistakes(), *self._bias_mistakes()]

    def _hidden_mistakes(self) -> Iterator[Mistake]:
        readers = [
            *(one.on for one in self.matches.values()),
            *(one.of for one in self.histories.values()),
            *(one.shares for one in self.columns.values() if isinstance(one, Discrete)),
        ]
        for at, one in enumerate(self.features):
            if not isinstance(one, Discrete) or not one.hidden:
                continue
            if one.name in self.bias:
                yield Mistake(
                    f"features[{at}].hidden", "a feature that the position-bias tower can read", "a hidden one"
                )
            elif one.name not in readers:
                yield Mistake(f"features[{at}].hidden", "a match, or another feature, that reads it", "none")

    def _reference_mistakes(self) -> Iterator[Mistake]:
        owners = {
            name: type(one) for name, one in self.columns.items() if isinstance(one, Discrete) and one.shares is None
        }
        single = {name for name, kind in owners.items() if kind is Category}
        candidate = {
            name for name, one in self.columns.items() if isinstance(one, Discrete) and one.side is Side.CANDIDATE
        }
        for at, one in enumerate(self.features):
            where = f"features[{at}]"
            if isinstance(one, Discrete) and one.shares is not None and one.shares not in owners:
                yield unknown_name(
                    f"{where}.shares", "a category feature that shares nothing itself", one.shares, owners
                )
            owner = self.columns.get(getattr(one, "shares", None) or "")
            if isinstance(one, Categories) and isinstance(owner, Categories) and one.length > owner.length:
                # Of the video being watched no more is stored than its owner keeps.
                yield Mistake(f"{where}.length", f"at most the {owner.length} of `{owner.name}`", str(one.length))
            if isinstance(one, History):
                if one.of not in single:
                    yield unknown_name(f"{where}.of", "a category feature that shares nothing itself", one.of, single)
                if one.side is not Side.USER:
                    yield Mistake(f"{where}.side", "`user`", quote(one.side.value))
                if one.name != next(iter(self.histories)):
                    yield Mistake(where, "one history, for a request has one", f"a second one, `{one.name}`")
            elif isinstance(one, Feature) and one.side is Side.PAIR:
                yield Mistake(f"{where}.side", "user, query, context, candidate or impression", "`pair`")
            if isinstance(one, Match):
                if one.of not in self.histories:
                    yield unknown_name(f"{where}.of", "a history feature", one.of, self.histories)
                if one.on not in candidate:
                    yield unknown_name(f"{where}.on", "a category feature of the candidate", one.on, candidate)

    def _bias_mistakes(self) -> Iterator[Mistake]:
        categories = {name for name, one in self.columns.items() if isinstance(one, Category)}
        for at, name in enumerate(self.bias):
            where = f"position_bias.features[{at}]"
            if name not in categories:
                yield unknown_name(where, "a feature of kind category", name, categories)
            elif self.columns[name].side not in (Side.IMPRESSION, Side.CONTEXT):
                yield Mistake(
                    where, "a feature of side impression or context", f"`{name}`, of side {self.columns[name].side}"
                )
        if self.bias and all(name in categories and self.columns[name].side is Side.CONTEXT for name in self.bias):
            expected = "one of side impression among them: those of the context are inputs of the ranker as well"
            yield Mistake("position_bias.features", expected, ", ".join(map(quote, self.bias)))
        for at, one in enumerate(self.features):
            if isinstance(one, Feature) and one.side is Side.IMPRESSION and one.name not in self.bias:
                expected = "a place in `position_bias.features`: at serving an impression's features are unknown"
                yield Mistake(f"features[{at}].side", expected, f"`{one.name}` left out of it")
