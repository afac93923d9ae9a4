"""What is done with versions, in a folder and in a bucket alike."""

import threading
import uuid
from pathlib import Path

import pytest

from model.contract.mistakes import InputError
from model.contract.registry import bucket, open_registry
from model.contract.registry.channels import Assignment, Channel
from model.contract.registry.operations import Registry
from tests.model.contract.registry.places import publish

LIVE, PREVIOUS, CANARY, SHADOW = Channel


@pytest.fixture(params=["folder", "bucket"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "folder":
        return open_registry(tmp_path / "registry")
    pytest.importorskip("fsspec")
    return open_registry(f"memory://{uuid.uuid4().hex}/registry")


def names(registry: Registry) -> dict[Channel, str]:
    return {channel: str(one) for channel, one in registry.assignments().items()}


def test_publishing_sets_live_and_keeps_the_previous_one(registry: Registry) -> None:
    publish(registry, "v1")
    assert names(registry) == {LIVE: "v1"}
    publish(registry, "v2")
    assert names(registry) == {LIVE: "v2", PREVIOUS: "v1"}
    publish(registry, "v2")  # an equal one: nothing changes
    assert names(registry) == {LIVE: "v2", PREVIOUS: "v1"}


def test_rolling_back_swaps(registry: Registry) -> None:
    publish(registry, "v1", "v2")
    registry.rollback()
    assert names(registry) == {LIVE: "v1", PREVIOUS: "v2"}
    registry.rollback()
    assert names(registry) == {LIVE: "v2", PREVIOUS: "v1"}


def test_trials_begin_change_and_end(registry: Registry) -> None:
    publish(registry, "v2", "v1")
    registry.try_on_users("v2", 5)
    registry.try_on_users("v2", 12.5)
    registry.try_in_shadow("v2")
    assert registry.assignment(CANARY) == Assignment("v2", 12.5) and registry.assignment(SHADOW) == Assignment("v2")
    registry.end_trial(CANARY)
    registry.end_trial(CANARY)
    assert names(registry) == {LIVE: "v1", PREVIOUS: "v2", SHADOW: "v2"}


def test_promoting_a_version_ends_its_trials(registry: Registry) -> None:
    publish(registry, "v2", "v1")
    registry.try_on_users("v2", 5)
    registry.try_in_shadow("v2")
    registry.promote("v2")
    assert names(registry) == {LIVE: "v2", PREVIOUS: "v1"}


def test_mistakes_are_told_and_change_nothing(registry: Registry) -> None:
    publish(registry, "v-one")
    before = names(registry)
    for change in (
        lambda: registry.promote("v-on"),
        lambda: registry.try_on_users("v-on", 5),
        lambda: registry.try_in_shadow("../v-one"),
    ):
        with pytest.raises(InputError, match=r"expected a version of .*`v-one`.*did you mean `v-one`"):
            change()
    for percent in (-1, 100.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="percent: expected a number from 0 to 100"):
            registry.try_on_users("v-one", percent)
    with pytest.raises(InputError, match="expected a previous version to roll back to, found none"):
        registry.rollback()
    assert names(registry) == before


def test_pruning_keeps_the_newest_and_those_of_a_channel(registry: Registry) -> None:
    publish(registry, "v1", "v2", "v3", "v4", "v5")
    registry.try_on_users("v1", 5)
    registry.try_in_shadow("v2")
    publish(registry, "v6", keep=1)
    assert registry.storage.versions() == ["v1", "v2", "v5", "v6"]
    registry.end_trial(CANARY)
    assert registry.prune(1) == ["v1"]
    assert [one.version for one in registry.published()] == ["v6", "v5", "v2"]


def test_nothing_is_pruned_while_a_channel_is_damaged(registry: Registry) -> None:
    publish(registry, "v1", "v2", "v3")
    registry.storage.write("channels/canary", b"\xff\xfe 5")
    assert registry.prune(1) == [] and len(registry.storage.versions()) == 3


def test_the_list_shows_what_a_damaged_version_has(registry: Registry) -> None:
    publish(registry, "v1", "v2")
    registry.storage.write("versions/v1/manifest.json", b"[" * 100_000)
    good, bad = registry.published()
    assert (good.version, good.channels, dict(good.metrics)) == ("v2", (LIVE,), {"click": {"auc": 0.75}})
    assert good.num_bytes == len("graph of v2")
    assert (bad.version, bad.created, bad.channels, bad.num_bytes) == ("v1", "", (PREVIOUS,), 0)


def test_writers_at_once_leave_a_sound_registry(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "LOCK_POLL_S", 0.002)
    publish(registry, *(f"v{at}" for at in range(4)))

    def change(at: int) -> None:
        for _ in range(5):
            registry.promote(f"v{at}")
            registry.rollback()

    writers = [threading.Thread(target=change, args=(at,)) for at in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    found = names(registry)
    assert found.keys() == {LIVE, PREVIOUS} and found[LIVE] != found[PREVIOUS]
    assert set(found.values()) <= set(registry.storage.versions())


def test_what_a_url_lacks_is_told() -> None:
    with pytest.raises(InputError, match=r"--registry: expected a folder, or a URL"):
        open_registry("nowhere://bucket/prefix")
