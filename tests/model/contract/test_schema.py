"""Every way in which features do not fit together is told, all at once."""

from typing import Any

import pytest

from model.contract.features.interface import Table
from model.contract.graphs import OWN_NAMES
from model.contract.mistakes import Mistake
from tests.model.builders import FEATURES, full_schema, make_encoder, make_schema

CANDIDATE = {"name": "video_id", "kind": "category", "side": "candidate"}
CONTEXT = {"name": "device", "kind": "category", "side": "context"}
POSITION = {"name": "position", "kind": "category", "side": "impression"}
RECENT = {"name": "recent", "kind": "history", "side": "user", "of": "video_id", "outcomes": ["like"]}
MATCH = {"name": "same", "kind": "match", "of": "recent", "on": "video_id"}
PAIR = (CANDIDATE, CONTEXT)
NOT_BIAS = "a feature of side impression or context"
# More features than CANDIDATE and CONTEXT, the bias features, and the mistake: where, what of it, the nearest name.
Case = tuple[tuple[dict[str, Any], ...], tuple[str, ...], str, str, str | None]
CASES: dict[str, Case] = {
    "shares_unknown": (({**CONTEXT, "name": "d2", "shares": "devise"},), (), "[2].shares", "`devise`", "device"),
    "shares_itself": (({**CONTEXT, "name": "d2", "shares": "d2"},), (), "[2].shares", "`d2`", None),
    "of_unknown": (({**RECENT, "of": "video"},), (), "[2].of", "`video`", "video_id"),
    "of_a_set": (
        ({"name": "tags", "kind": "categories", "side": "candidate"}, {**RECENT, "of": "tags"}),
        (),
        "[3].of",
        "`tags`",
        None,
    ),
    "history_of_no_user": (({**RECENT, "side": "query"},), (), "[2].side", "`query`", None),
    "match_of_no_history": ((RECENT, {**MATCH, "of": "recnt"}), (), "[3].of", "`recnt`", "recent"),
    "match_on_the_request": ((RECENT, {**MATCH, "on": "device"}), (), "[3].on", "`device`", None),
    "match_on_unknown": ((RECENT, {**MATCH, "on": "video_ids"}), (), "[3].on", "`video_ids`", "video_id"),
    "two_histories": ((RECENT, {**RECENT, "name": "older"}), (), "[3]", "`older`", None),
    "pair_side": (({**CONTEXT, "name": "both", "side": "pair"},), (), "[2].side", "`pair`", None),
    "hidden_from_all": (({**CANDIDATE, "name": "author", "hidden": True},), (), "[2].hidden", "none", None),
    "hidden_from_the_tower": (({**POSITION, "hidden": True},), ("position",), "[2].hidden", "a hidden one", None),
    "bias_left_out": ((POSITION,), (), "[2].side", "`position` left out of it", None),
    "bias_unknown": ((POSITION,), ("position", "devise"), "position_bias.features[1]", "`devise`", "device"),
    "bias_of_candidate": ((), ("video_id",), "position_bias.features[0]", "`video_id`, of side candidate", None),
    "bias_of_inputs": ((), ("device",), "position_bias.features", "`device`", None),
    "bias_number": (
        ({"name": "depth", "kind": "number", "side": "context"},),
        ("depth",),
        "position_bias.features[0]",
        "`depth`",
        None,
    ),
    **{
        f"named_{name}": (({**CONTEXT, "name": name},), (), "[2].name", f"`{name}`", None) for name in sorted(OWN_NAMES)
    },
}


def full_place(where: str) -> str:
    return f"features{where}" if where.startswith("[") else where or "features"


def mistakes_of(*features: dict[str, Any], bias: tuple[str, ...] = ()) -> list[Mistake]:
    return make_schema(*features, bias=bias).mistakes()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_mistake_is_told_with_place_and_nearest_name(case: Case) -> None:
    more, bias, where, found, nearest = case
    [mistake] = mistakes_of(*PAIR, *more, bias=bias)
    assert (mistake.where, mistake.nearest) == (full_place(where), nearest)
    assert found in mistake.found


def test_a_name_taken_before_is_told_wherever_it_comes_again() -> None:
    found = mistakes_of(CANDIDATE, CONTEXT, {**CONTEXT, "kind": "number"}, RECENT, {**MATCH, "name": "device"})
    assert [one.where for one in found] == ["features[2].name", "features[4].name"]


@pytest.mark.parametrize(("only", "what"), [(CANDIDATE, "the request"), (CONTEXT, "the candidate")])
def test_each_side_needs_a_feature(only: dict[str, Any], what: str) -> None:
    [mistake] = mistakes_of(only)
    assert mistake == Mistake("features", f"at least one feature of {what}", "none")


def test_all_mistakes_are_told_at_once() -> None:
    wrong = (
        {**CONTEXT, "shares": "devise"},
        {**RECENT, "of": "video", "side": "query"},
        {**MATCH, "on": "author"},
        POSITION,
    )
    places = ["[1].name", "", "[1].shares", "[2].of", "[2].side", "[3].on", "[4].side"]
    assert [one.where for one in mistakes_of(CONTEXT, *wrong)] == [full_place(place) for place in places]


def test_a_schema_of_every_kind_is_fine() -> None:
    schema = full_schema()
    assert schema.mistakes() == []
    assert list(schema.columns) == [one["name"] for one in FEATURES if one["kind"] != "match"]
    assert [schema.discrete(name).name for name in ("author", "tags")] == ["author", "tags"]


def test_every_embedded_array_has_one_table() -> None:
    encoder = make_encoder(full_schema())
    tables = encoder.schema.tables(encoder.fitted)
    assert {spec.table for spec in encoder.schema.specs.values()} - {None} == set(tables)
    assert tables["tags"] == Table(6, 3)
    assert "watching" not in tables


def test_asking_for_the_vocabulary_of_a_number_is_our_mistake() -> None:
    with pytest.raises(TypeError, match="not a category"):
        full_schema().discrete("age")
