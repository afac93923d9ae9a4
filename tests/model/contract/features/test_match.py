"""A match against a plain loop over interactions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.encoding import encode, encode_pairs
from model.contract.features.match import COUNT_EDGES
from tests.model.builders import OUTCOME_MEANS, VALUES, VIDEOS, full_schema, make_encoder, to_columns

SCHEMA = full_schema()
SMOOTHING, LENGTH = SCHEMA.matches["same_tag"].smoothing, SCHEMA.histories["recent"].length
authors = st.sampled_from([*VALUES["author"], "unheard of", None])
tags = st.lists(st.sampled_from([*VALUES["tags"], "unheard of", "never seen"]), max_size=3)
outcome = st.none() | st.booleans()
interactions = st.fixed_dictionaries(
    {
        "video_id": st.sampled_from([*VIDEOS, "not in the catalog", None]),
        "outcomes": st.fixed_dictionaries({"click": outcome, "like": outcome}),
    }
)
Interaction = Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """A catalog, by feature and then by video, one user's history, and candidates, by feature."""

    catalog: Mapping[str, Sequence[Any]]
    history: Sequence[Interaction]
    candidates: Mapping[str, Sequence[Any]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    size = draw(st.integers(1, 4))
    some = {"author": authors, "tags": tags}
    return World(
        {name: draw(st.lists(one, min_size=len(VIDEOS), max_size=len(VIDEOS))) for name, one in some.items()},
        draw(st.lists(interactions, max_size=LENGTH + 2)),
        {name: draw(st.lists(one, min_size=size, max_size=size)) for name, one in some.items()},
    )


def values(world: World, on: str, video: str) -> set[str]:
    found = world.catalog[on][VIDEOS.index(video)] if video in VIDEOS else None
    return known(on, found)


def known(on: str, value: Any) -> set[str]:
    return {one for one in (value if isinstance(value, list) else [value]) if one in VALUES[on]}


def expected(world: World, on: str, candidate: Any) -> tuple[int, list[float]]:
    newest = world.history[::-1][:LENGTH]
    met = [one for one in newest if values(world, on, one["video_id"]) & known(on, candidate)]
    columns = [math.log1p(len(met))]
    for name, mean in zip(("click", "like"), OUTCOME_MEANS, strict=True):
        given_outcomes = [mean if one["outcomes"][name] is None else one["outcomes"][name] for one in met]
        rate = (sum(given_outcomes) + SMOOTHING * mean) / (len(met) + SMOOTHING)
        columns.append((rate - mean) / math.sqrt(mean * (1 - mean)))
    return sum(len(met) >= edge for edge in COUNT_EDGES), columns


ALONE = np.zeros(1, dtype=np.int64)


@given(worlds())
def test_counts_and_rates_are_those_of_a_plain_loop(world: World) -> None:
    encoder = make_encoder(SCHEMA, world.catalog)
    features = [SCHEMA.columns[name] for name in ("recent", "author", "tags")]
    arrays = encode(encoder, to_columns(features, {"recent": [world.history], **world.candidates}))
    num_candidates = len(world.candidates["author"])
    pairs = encode_pairs(encoder, arrays, arrays, np.zeros(num_candidates, dtype=np.int64))
    for match in SCHEMA.matches.values():
        for at, candidate in enumerate(world.candidates[match.on]):
            code, columns = expected(world, match.on, candidate)
            assert pairs[match.binned][at] == code
            np.testing.assert_allclose(pairs[match.name][at], columns, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 40])
def test_the_bin_of_a_count(count: int) -> None:
    match = SCHEMA.matches["same_author"]
    keys = np.array([[5] * count + [6] * (40 - count)], dtype=np.int32)
    pairs = match.pair(keys, np.zeros((1, 40, 1), dtype=np.float32), np.array([5], dtype=np.int32), ALONE)
    assert pairs["same_author.bin"].tolist() == [sum(count >= edge for edge in COUNT_EDGES)]
    assert match.tables()["same_author.bin"].num_codes == len(COUNT_EDGES) + 1


@pytest.mark.parametrize("code", [0, 1])
def test_missing_and_unknown_agree_with_nothing(code: int) -> None:
    keys, codes = np.full((1, 4, 2), code, dtype=np.int32), np.full((1, 3), code, dtype=np.int32)
    pairs = SCHEMA.matches["same_tag"].pair(keys, np.ones((1, 4, 2), dtype=np.float32), codes, ALONE)
    np.testing.assert_array_equal(pairs["same_tag"], [[0, 0, 0]])
    assert pairs["same_tag.bin"].tolist() == [0]


@given(st.integers(0, 2**32 - 1))
def test_a_pair_is_the_same_bit_for_bit_in_any_company(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, length = int(random.integers(1, 30)), int(random.integers(1, 200))
    keys = random.integers(0, 4, (1, length)).astype(np.int32)
    outcomes = random.lognormal(0, 9, (1, length, 2)).astype(np.float32)
    codes, request_of = random.integers(0, 4, rows).astype(np.int32), np.zeros(rows, dtype=np.int64)
    match = SCHEMA.matches["same_author"]
    together = match.pair(keys, outcomes, codes, request_of)
    for at in range(rows):
        for name, array in match.pair(keys, outcomes, codes[at : at + 1], ALONE).items():
            np.testing.assert_array_equal(array[0], together[name][at])
