"""Every mistake names its place, what was expected, what was found, and the nearest allowed name."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from model.contract.mistakes import LONGEST_QUOTE, InputError, Mistake, Strict, nearest, of_validation, place, quote
from model.contract.request import RankRequest
from model.contract.schema import FeatureSchema


class Circle(Strict):
    kind: Literal["circle"] = "circle"
    radius: float = Field(gt=0)


class Polygon(Strict):
    kind: Literal["polygon"] = "polygon"
    corners: tuple[tuple[int, int], ...] = Field(min_length=3)
    fill: Circle | None = None


class Drawing(Strict):
    title: str = Field(pattern="^[A-Z]")
    shapes: tuple[Annotated[Circle | Polygon, Field(discriminator="kind")], ...] = ()
    layers: dict[str, list[Circle]] = Field(default_factory=dict)


def told(root: type[Strict], raw: Any) -> list[Mistake]:
    with pytest.raises(ValidationError) as caught:
        root.model_validate(raw)
    return of_validation(caught.value, root)


def drawing(*shapes: Any, **more: Any) -> dict[str, Any]:
    return {"title": "T", "shapes": shapes} | more


SQUARE = {"kind": "polygon", "corners": [[0, 0], [0, 1], [1, 1]]}
CASES: dict[str, tuple[dict[str, Any], Mistake]] = {
    "extra_key": (drawing(titel="x"), Mistake("titel", "one of `title`, `shapes`, `layers`", "`titel`", "title")),
    "extra_key_far_from_any": (drawing(zzz=1), Mistake("zzz", "one of `title`, `shapes`, `layers`", "`zzz`")),
    "missing": ({}, Mistake("title", "a value (it is required)", "nothing")),
    "pattern": ({"title": "t"}, Mistake("title", "a string that matches pattern '^[A-Z]'", "`t`")),
    "wrong_type": ({"title": None}, Mistake("title", "a valid string", "null")),
    "extra_key_in_a_union": (
        drawing({"kind": "circle", "radius": 1}, {"kind": "circle", "radius": 1, "raduis": 2}),
        Mistake("shapes[1].raduis", "one of `kind`, `radius`", "`raduis`", "radius"),
    ),
    "value_in_a_union": (
        drawing({"kind": "circle", "radius": -1}),
        Mistake("shapes[0].radius", "greater than 0", "-1"),
    ),
    "unknown_kind": (
        drawing({"kind": "circel", "radius": 1}),
        Mistake("shapes[0].kind", "one of `circle`, `polygon`", "`circel`", "circle"),
    ),
    "no_kind": (drawing({"radius": 1}), Mistake("shapes[0].kind", "a value (it is required)", "nothing")),
    "nested_lists": (
        drawing({**SQUARE, "corners": [[0, 0], [0, 1], [1, "x"]]}),
        Mistake("shapes[0].corners[2][1]", "a valid integer, unable to parse string as an integer", "`x`"),
    ),
    "extra_key_below_a_union": (
        drawing({**SQUARE, "fill": {"radius": 1, "radis": 1}}),
        Mistake("shapes[0].fill.radis", "one of `kind`, `radius`", "`radis`", "radius"),
    ),
    "in_a_mapping_of_lists": (
        drawing(layers={"top": [{"radius": 1}, {"radius": 1, "kinds": "circle"}]}),
        Mistake("layers.top[1].kinds", "one of `kind`, `radius`", "`kinds`", "kind"),
    ),
    "too_short": (
        drawing({**SQUARE, "corners": [[0, 0], [0, 1]]}),
        Mistake("shapes[0].corners", "a list with at least 3 items", "2 of them"),
    ),
    "not_an_object": ({"title": "T", "shapes": 5}, Mistake("shapes", "a valid tuple", "5")),
    "infinite": (
        drawing({"kind": "circle", "radius": float("inf")}),
        Mistake("shapes[0].radius", "a finite number", "inf"),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), CASES.values(), ids=CASES)
def test_a_validation_error_becomes_a_mistake(raw: dict[str, Any], expected: Mistake) -> None:
    assert told(Drawing, raw) == [expected]


def test_all_are_told_or_the_first_few() -> None:
    raw = drawing({"kind": "circle"}, {"kind": "square"}, titel="x")
    assert [one.where for one in told(Drawing, raw)] == ["shapes[0].radius", "shapes[1].kind", "titel"]
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate(raw)
    assert len(of_validation(caught.value, Drawing, most=2)) == 2


def test_the_whole_has_a_place_too() -> None:
    assert told(Drawing, 5)[0].where == "the whole"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{", "the whole: expected valid JSON"),
        ('{"candidates": ["a"], "polcy": 1}', "polcy: expected one of `request_id`, "),
        ('{"candidates": ["a", ""]}', "candidates[1]: expected a string with at least 1 character, found ``"),
        ('{"candidates": [{"id": "a", "featurs": {}}]}', "candidates[0].featurs: expected one of `id`, `features`"),
        ('{"candidates": ["a"], "policy": {"combination": "sum"}}', "policy.combination: expected 'weighted_sum' or"),
    ],
)
def test_tags_of_unions_are_no_part_of_a_place(body: str, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RankRequest.model_validate_json(body)
    assert str(of_validation(caught.value, RankRequest)[0]).startswith(expected)


def test_options_of_a_feature_are_told_by_its_kind() -> None:
    number = {"name": "age", "kind": "number", "side": "user", "bin": 3}
    [mistake] = told(FeatureSchema, {"features": [number]})
    assert (mistake.where, mistake.nearest) == ("features[0].bin", "bins")
    assert "`min_count`" not in mistake.expected


def test_a_mistake_is_one_line() -> None:
    lines = [Mistake("a.b[1]", "one", "two", "three"), Mistake("c", "d", quote("line\nbreak"))]
    expected = "a.b[1]: expected one, found two; did you mean `three`?\nc: expected d, found `line\\nbreak`"
    assert str(InputError(*lines)) == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a", "`a`"), ("", "``"), (None, "null"), (True, "true"), (1.5, "1.5"), ([1], "[1]"), ("\ud800", "`\\ud800`")],
)
def test_values_are_shown_as_they_are_written(value: object, shown: str) -> None:
    assert quote(value) == shown


@pytest.mark.parametrize("value", ["x" * 10_000, list(range(1000)), 10**400])
def test_long_values_are_cut(value: object) -> None:
    assert len(quote(value)) == LONGEST_QUOTE


def test_places_are_written_as_paths() -> None:
    assert place(("features", 3, "name")) == "features[3].name"
    assert place((0, "name")) == "[0].name"
    assert place(()) == "the whole"


def test_the_nearest_name_is_near() -> None:
    assert nearest("clik", ["like", "click", "rating"]) == "click"
    assert nearest("zzz", ["like", "click"]) is None
