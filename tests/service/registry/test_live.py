"""LiveBundle: serves the last good version, refuses a bad one once, and says why; canaries and shadows likewise."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from model.contract.mistakes import mistake
from model.contract.registry import open_registry
from model.contract.registry.channels import Assignment, Channel, place_of
from model.contract.versions import CHANNELS, set_live, version_folder
from service.errors import NotReady
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.registry import live as module
from service.registry.live import LiveBundle
from service.registry.shadow import Shadow


class Loader:
    """Loads folders that hold a file `good`, and counts how often it was asked. `full` is what the disk says."""

    def __init__(self, ranker: Ranker) -> None:
        self.ranker, self.asked, self.full = ranker, 0, False

    def __call__(self, folder: Path) -> Ranker:
        self.asked += 1
        if self.full:
            raise OSError(28, "No space left on device", "cache")
        if (folder / "broken").exists():
            raise ZeroDivisionError("no library knows why")
        if not (folder / "good").exists():
            raise mistake(str(folder), "a good bundle", "a bad one")
        version = "another" if (folder / "misnamed").exists() else folder.name
        manifest = self.ranker.bundle.manifest.model_copy(update={"version": version})
        return replace(self.ranker, bundle=replace(self.ranker.bundle, manifest=manifest))


@pytest.fixture
def loader(ranker: Ranker) -> Loader:
    return Loader(ranker)


@pytest.fixture
def live(loader: Loader, tmp_path: Path) -> LiveBundle:
    return LiveBundle(open_registry(tmp_path / "registry"), loader, 0.01, tmp_path / "cache", Shadow(rank))


def put(registry: Path, version: str, *files: str) -> None:
    folder = version_folder(registry, version)
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).touch()
    set_live(registry, version)


def assign(registry: Path, channel: Channel, content: str | None) -> None:
    path = registry / CHANNELS / channel
    path.unlink(missing_ok=True) if content is None else path.write_text(content)


def served(live: LiveBundle, channel: Channel = Channel.LIVE) -> str | None:
    return live.state.version(channel)


def reason(live: LiveBundle) -> str:
    with pytest.raises(NotReady) as told:
        _ = live.ranker
    return told.value.reason


def test_before_the_first_look_and_without_a_registry_nothing_is_ready(live: LiveBundle) -> None:
    assert "being loaded" in reason(live)
    live.refresh()
    assert "expected a registry with a live version" in reason(live)


def test_what_is_published_later_is_served(live: LiveBundle, loader: Loader, tmp_path: Path) -> None:
    live.refresh()
    put(tmp_path / "registry", "one", "good")
    live.refresh()
    assert served(live) == "one" and live.refused is None


def test_a_bad_version_is_refused_once_until_its_files_change(live: LiveBundle, loader: Loader, tmp_path: Path) -> None:
    put(tmp_path / "registry", "one", "bad")
    for _ in range(3):
        live.refresh()
    assert reason(live).endswith("expected a good bundle, found a bad one")
    assert loader.asked == 1
    put(tmp_path / "registry", "one", "good")
    live.refresh()
    assert live.refused is None and loader.asked == 2


def test_the_last_good_version_goes_on_being_served(live: LiveBundle, loader: Loader, tmp_path: Path) -> None:
    put(tmp_path / "registry", "one", "good")
    live.refresh()
    put(tmp_path / "registry", "two", "bad")
    live.refresh()
    assert served(live) == "one" and "a bad one" in str(live.refused)
    put(tmp_path / "registry", "one")
    live.refresh()
    assert live.refused is None and loader.asked == 2


def test_a_registry_that_vanishes_changes_nothing_but_the_reason(live: LiveBundle, tmp_path: Path) -> None:
    put(tmp_path / "registry", "one", "good")
    live.refresh()
    (tmp_path / "registry").rename(tmp_path / "elsewhere")
    live.refresh()
    assert live.ranker and "expected a registry" in str(live.refused)


def test_the_reason_of_a_bad_version_comes_back_with_the_registry(
    live: LiveBundle, loader: Loader, tmp_path: Path
) -> None:
    put(tmp_path / "registry", "one", "bad")
    live.refresh()
    (tmp_path / "registry").rename(tmp_path / "elsewhere")
    live.refresh()
    assert "expected a registry" in reason(live)
    (tmp_path / "elsewhere").rename(tmp_path / "registry")
    live.refresh()
    assert reason(live).endswith("found a bad one") and loader.asked == 1


def test_whatever_breaks_the_thread_lives_on(
    live: LiveBundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "registry", "one", "broken")
    live.refresh()
    assert reason(live) == "ZeroDivisionError: no library knows why"
    assert "Traceback" in caplog.text  # ours to look into, so the log has all of it


def test_the_thread_looks_by_itself_and_stops(live: LiveBundle, tmp_path: Path) -> None:
    live.start()
    put(tmp_path / "registry", "one", "good")
    deadline = time.monotonic() + 30
    while live.refused and time.monotonic() < deadline:
        time.sleep(0.01)
    assert live.ranker
    live.stop()


def test_a_bundle_in_anothers_folder_is_refused(live: LiveBundle, tmp_path: Path) -> None:
    put(tmp_path / "registry", "one", "good", "misnamed")
    live.refresh()
    assert reason(live).endswith("expected version one, found version another")


@pytest.mark.parametrize("channel", [Channel.CANARY, Channel.SHADOW])
def test_a_trial_that_fails_is_refused_and_the_live_version_goes_on(
    live: LiveBundle, tmp_path: Path, channel: Channel
) -> None:
    registry = tmp_path / "registry"
    put(registry, "two", "good")
    put(registry, "three", "bad")
    put(registry, "one", "good")
    percent = " 100" if channel is Channel.CANARY else ""
    assign(registry, channel, f"two{percent}")
    live.refresh()
    assert served(live, channel) == "two" and not live.state.refused
    assign(registry, channel, f"three{percent}")
    live.refresh()
    assert served(live, channel) is None and "a bad one" in live.state.refused[channel]
    assert live.refused is None and live.choose("u1") is live.ranker
    assert live.num_refused == {channel: 1}
    assign(registry, channel, None)
    live.refresh()
    assert not live.state.refused and channel not in live.state.named


def test_a_canary_answers_its_percent_of_the_users(live: LiveBundle, tmp_path: Path) -> None:
    put(tmp_path / "registry", "two", "good")
    put(tmp_path / "registry", "one", "good")
    assign(tmp_path / "registry", Channel.CANARY, "two 20")
    live.refresh()
    users = [f"u{at}" for at in range(300)]
    chosen = {user for user in users if live.choose(user).bundle.manifest.version == "two"}
    assert chosen == {user for user in users if place_of(user) < 20}
    assert live.choose(None) is live.ranker
    assign(tmp_path / "registry", Channel.CANARY, "two 40")
    live.refresh()
    assert chosen < {user for user in users if live.choose(user).bundle.manifest.version == "two"}
    assert live.state.named[Channel.CANARY] == Assignment("two", 40)


def test_a_promoted_canary_is_not_loaded_again(live: LiveBundle, loader: Loader, tmp_path: Path) -> None:
    put(tmp_path / "registry", "two", "good")
    put(tmp_path / "registry", "one", "good")
    assign(tmp_path / "registry", Channel.CANARY, "two 5")
    live.refresh()
    canary = live.state.rankers[Channel.CANARY]
    set_live(tmp_path / "registry", "two")
    live.refresh()
    assert live.ranker is canary and loader.asked == 2


def test_a_channel_that_says_nothing_sensible_keeps_what_it_had(live: LiveBundle, tmp_path: Path) -> None:
    put(tmp_path / "registry", "one", "good")
    for channel, content in ((Channel.CANARY, "one 120"), (Channel.PREVIOUS, "../one")):
        assign(tmp_path / "registry", channel, content)
    live.refresh()
    assert served(live) == "one" and set(live.state.refused) == {Channel.CANARY, Channel.PREVIOUS}


def test_what_passes_is_tried_again_later(
    live: LiveBundle, loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "registry", "one", "good")
    live.refresh()
    loader.full = True
    put(tmp_path / "registry", "two", "good")
    for _ in range(3):
        live.refresh()
    assert (served(live), live.refused, loader.asked) == ("one", "No space left on device (cache)", 2)
    loader.full = False
    now = time.monotonic()
    monkeypatch.setattr(module.time, "time", lambda: 0.0)  # a clock that jumps is none of our business
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.RETRY_S)
    live.refresh()
    assert (served(live), live.refused) == ("two", None)
