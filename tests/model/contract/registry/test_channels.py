"""Channel files, and users' places."""

import pytest

from model.contract.mistakes import InputError
from model.contract.registry.channels import Assignment, Channel, place_of, read_assignment

PLACE_OF_U1 = 21.070883655313587


@pytest.mark.parametrize(
    ("channel", "one"), [(Channel.LIVE, Assignment("v1")), (Channel.CANARY, Assignment("v1", 2.5))]
)
def test_what_is_written_is_read(channel: Channel, one: Assignment) -> None:
    assert read_assignment(channel, f"{one}\n".encode(), "here") == one


@pytest.mark.parametrize("content", [b"v1 101", b"v1 -1", b"v1 nan", b"v1", b"v1 5 5", b"v1 five", b"../v1 5", b""])
def test_a_canary_that_says_nothing_sensible_is_told(content: bytes) -> None:
    with pytest.raises(InputError, match="here: expected"):
        read_assignment(Channel.CANARY, content, "here")


def test_a_percent_is_for_canaries_alone() -> None:
    with pytest.raises(InputError, match="expected the name of a version"):
        read_assignment(Channel.LIVE, b"v1 5", "here")


def test_users_are_spread_evenly_and_stay_where_they_are() -> None:
    places = [place_of(f"u{at}") for at in range(20_000)]
    assert all(0 <= one < 100 for one in places)
    for percent in (1, 10, 50):
        share = sum(one < percent for one in places) / len(places) * 100
        assert abs(share - percent) < 4 * (percent * (100 - percent) / len(places)) ** 0.5  # four deviations
    # Written down: a release that changed it would move users between versions.
    assert place_of("u1") == pytest.approx(PLACE_OF_U1) and place_of("\ud800") != place_of("\ud801")
