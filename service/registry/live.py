"""LiveBundle: the ranker of a registry's live version, kept up to date by a thread."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from model.contract.durable import files_below
from model.contract.mistakes import InputError
from model.contract.versions import CHANNELS, LIVE, live_version, version_folder
from service.errors import NotReady
from service.ranking.ranker import Ranker

logger = logging.getLogger(__name__)
STOP_TIMEOUT_S = 5.0
Stamp = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class State:
    """What is served, why the registry's live version is not (`refused`), and the files that were refused (`stamp`)."""

    ranker: Ranker | None = None
    version: str | None = None
    refused: str | None = "the live version is still being loaded"
    stamp: Stamp | None = None


class LiveBundle:
    """A version that cannot be loaded is refused, and the last good one goes on being served."""

    def __init__(self, registry: Path, load: Callable[[Path], Ranker], poll_s: float) -> None:
        self._registry, self._load, self._poll_s = registry, load, poll_s
        self._state = State()  # replaced as a whole, so that no reader needs a lock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live-bundle", daemon=True)

    def start(self) -> None:
        """Look once, then go on looking in the thread: a worker that has started knows what it serves, so that no
        request meets one that is still loading while its neighbours are ready.
        """
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    @property
    def ranker(self) -> Ranker:
        """Raises NotReady with the reason."""
        state = self._state
        if state.ranker is None:
            raise NotReady(str(state.refused), self._poll_s)
        return state.ranker

    @property
    def refused(self) -> str | None:
        """Why the registry's live version is not the one that is served; None where it is."""
        return self._state.refused

    def refresh(self) -> None:
        """Look once; never raises."""
        try:
            version = live_version(self._registry)
            if version != self._state.version:
                self._try(version)
            elif self._state.refused:
                self._state = replace(self._state, refused=None, stamp=None)
        except Exception as error:  # whatever a registry holds, the thread lives on
            self._refuse(error, None)

    def _watch(self) -> None:
        while not self._stopping.wait(self._poll_s):
            self.refresh()

    def _try(self, version: str) -> None:
        folder = version_folder(self._registry, version)
        stamp = _stamp([self._registry / CHANNELS / LIVE, *files_below(folder)])
        if stamp == self._state.stamp:
            return
        try:
            ranker = self._load(folder)
        except Exception as error:  # a damaged file fails in as many ways as there are libraries
            self._refuse(error, stamp)
            return
        self._state = State(ranker, version, refused=None)
        logger.info("serving version %s", version)

    def _refuse(self, error: Exception, stamp: Stamp | None) -> None:
        is_told = isinstance(error, InputError)
        reason = (
            "; ".join(map(str, error.mistakes)) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        )
        if reason != self._state.refused:
            logger.warning("refused the live version: %s", reason, exc_info=None if is_told else error)
        self._state = replace(self._state, refused=reason, stamp=stamp)


def _stamp(paths: list[Path]) -> Stamp:
    """Changes when any of the files does."""
    stats = [path.stat() for path in paths]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in zip(paths, stats, strict=True))
