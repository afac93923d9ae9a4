"""LiveBundle: serves the last good version, refuses a bad one once, and says why."""

import time
from pathlib import Path

import pytest

from model.contract.mistakes import mistake
from model.contract.versions import set_live, version_folder
from service.errors import NotReady
from service.ranking.ranker import Ranker
from service.registry.live import LiveBundle


class Loader:
    """Loads folders that hold a file `good`, and counts how often it was asked."""

    def __init__(self, ranker: Ranker) -> None:
        self.ranker, self.asked = ranker, 0

    def __call__(self, folder: Path) -> Ranker:
        self.asked += 1
        if (folder / "broken").exists():
            raise ZeroDivisionError("no library knows why")
        if not (folder / "good").exists():
            raise mistake(str(folder), "a good bundle", "a bad one")
        return self.ranker


@pytest.fixture
def loader(ranker: Ranker) -> Loader:
    return Loader(ranker)


@pytest.fixture
def live(loader: Loader, tmp_path: Path) -> LiveBundle:
    return LiveBundle(tmp_path / "registry", loader, poll_s=0.01)


def put(registry: Path, version: str, *files: str) -> None:
    folder = version_folder(registry, version)
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).touch()
    set_live(registry, version)


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
    assert live.ranker is loader.ranker and live.refused is None


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
    assert live.ranker is loader.ranker and "a bad one" in str(live.refused)
    put(tmp_path / "registry", "one")
    live.refresh()
    assert live.refused is None and loader.asked == 2


def test_a_registry_that_vanishes_changes_nothing_but_the_reason(live: LiveBundle, tmp_path: Path) -> None:
    put(tmp_path / "registry", "one", "good")
    live.refresh()
    (tmp_path / "registry").rename(tmp_path / "elsewhere")
    live.refresh()
    assert live.ranker and "expected a registry" in str(live.refused)


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
