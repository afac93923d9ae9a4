"""LiveBundle: the rankers of a registry's channels, kept up to date by a thread."""

import gc
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from model.contract.mistakes import InputError, mistake
from model.contract.registry.channels import Assignment, Channel, place_of
from model.contract.registry.operations import Registry
from model.contract.request import Asked
from service.errors import NotReady
from service.ranking.order import Ranking
from service.ranking.ranker import Ranker
from service.registry.shadow import Answered, Shadow

logger = logging.getLogger(__name__)
STOP_TIMEOUT_S = 5.0
RETRY_S = 30.0
Held = TypeVar("Held")


@dataclass(frozen=True, slots=True)
class State:
    """`rankers` by the channel that they answer or shadow; `named` are what the registry says, and `refused` why a
    channel has another ranker than that, or none. `loaded_at` is the time of the last swap, in seconds since 1970.
    """

    rankers: Mapping[Channel, Ranker] = field(default_factory=dict)
    named: Mapping[Channel, Assignment] = field(default_factory=dict)
    refused: Mapping[Channel, str] = field(
        default_factory=lambda: {Channel.LIVE: "the live version is still being loaded"}
    )
    loaded_at: float | None = None

    def version(self, channel: Channel) -> str | None:
        """Which one it serves."""
        ranker = self.rankers.get(channel)
        return None if ranker is None else ranker.bundle.manifest.version


@dataclass(frozen=True, slots=True)
class Attempt:
    """A version that failed: its files then, why, and when to try even the same again, by the monotonic clock."""

    version: str
    stamp: object
    reason: str
    retry_at: float


class LiveBundle:
    """A version that cannot be loaded is refused: as the live one, the last good one goes on being served; as a canary
    or a shadow, there is none.
    """

    def __init__(
        self, registry: Registry, load: Callable[[Path], Ranker], poll_s: float, cache: Path, shadow: Shadow
    ) -> None:
        self.registry, self.shadow = registry, shadow
        self._load, self._poll_s, self._cache = load, poll_s, cache
        self._state = State()  # replaced as a whole, so that no reader needs a lock
        self._failed: dict[Channel, Attempt] = {}
        self._looked_at: float | None = None
        self.num_loaded, self.num_refused = 0, Counter[Channel]()
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live-bundle", daemon=True)

    def start(self) -> None:
        """Look once, then go on looking in the thread: a worker that has started knows what it serves, so that no
        request meets one that is still loading while its neighbours are ready.
        """
        self.refresh()
        self._thread.start()
        self.shadow.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        self._thread.join(STOP_TIMEOUT_S)
        self.shadow.stop()

    def look_now(self) -> None:
        """Instead of at the next turn."""
        self._woken.set()

    @property
    def state(self) -> State:
        return self._state

    @property
    def looked_s_ago(self) -> float | None:
        """Seconds since the registry could last be read; None before it ever was."""
        return None if self._looked_at is None else time.monotonic() - self._looked_at

    @property
    def ranker(self) -> Ranker:
        """That of the live version. Raises NotReady with the reason."""
        state = self._state
        if Channel.LIVE not in state.rankers:
            raise NotReady(state.refused[Channel.LIVE], self._poll_s)
        return state.rankers[Channel.LIVE]

    def choose(self, user_id: str | None) -> Ranker:
        """Who answers this user: the canary where the user is among its percent, else the live version, as for
        requests that name no user. Raises NotReady.
        """
        state = self._state
        if user_id is not None and (canary := state.rankers.get(Channel.CANARY)):
            percent = state.named[Channel.CANARY].percent
            if percent is not None and place_of(user_id) < percent:
                return canary
        return self.ranker

    def note(self, request: Asked, ranking: Ranking, ranker: Ranker) -> None:
        """What the live version answered is ranked again by the shadow, if there is one, off the path of the answer."""
        rankers = self._state.rankers
        if (shadow := rankers.get(Channel.SHADOW)) and ranker is rankers.get(Channel.LIVE):
            self.shadow.offer(Answered(request, ranking, ranker, shadow))

    @property
    def refused(self) -> str | None:
        """Why the registry's live version is not the one that is served; None where it is."""
        return self._state.refused.get(Channel.LIVE)

    def refresh(self) -> None:
        """Look once; never raises."""
        before = self._state.loaded_at
        for channel in Channel:  # the live one first: it waits for no other
            try:
                assigned = self.registry.live() if channel is Channel.LIVE else self.registry.assignment(channel)
                self._looked_at = time.monotonic()
                self._follow(channel, assigned)
            except Exception as error:  # whatever a registry holds, the thread lives on
                self._refuse(channel, error)
        if self._state.loaded_at != before:
            self._tidy()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(self._poll_s)
            self._woken.clear()
            if not self._stopping.is_set():
                self.refresh()

    def _follow(self, channel: Channel, assigned: Assignment | None) -> None:
        if assigned is None or channel is Channel.PREVIOUS:
            self._set(channel, assigned, None)
        elif ranker := self._loaded(assigned.version):
            self._set(channel, assigned, ranker)
        else:
            self._try(channel, assigned)

    def _loaded(self, version: str) -> Ranker | None:
        """A version is in memory once, however many channels name it."""
        rankers = self._state.rankers.values()
        return next((one for one in rankers if one.bundle.manifest.version == version), None)

    def _try(self, channel: Channel, assigned: Assignment) -> None:
        version = assigned.version
        stamp = self.registry.storage.stamp(version)
        last = self._failed.get(channel)
        if last and (last.version, last.stamp) == (version, stamp) and time.monotonic() < last.retry_at:
            self._tell(channel, last.reason)  # meanwhile the registry may not have answered
            return
        try:
            folder = self.registry.storage.local(version, self._cache)
            ranker = self._load(folder)
            if (found := ranker.bundle.manifest.version) != version:
                raise mistake(str(folder), f"version {version}", f"version {found}")
        except Exception as error:  # a damaged file fails in as many ways as there are libraries
            # What is wrong with a version stays so until its files change; a full disk or a lost network passes.
            retry_at = float("inf") if isinstance(error, InputError) else time.monotonic() + RETRY_S
            kept = self._state.rankers.get(channel) if channel is Channel.LIVE else None
            self._refuse(channel, error)
            self._set(channel, assigned, kept, _reason(error))
            self._failed[channel] = Attempt(version, stamp, _reason(error), retry_at)
            return
        self._set(channel, assigned, ranker)
        self.num_loaded += 1
        logger.info("%s: serving version %s", channel, version)

    def _set(
        self, channel: Channel, assigned: Assignment | None, ranker: Ranker | None, refused: str | None = None
    ) -> None:
        """One assignment swaps it in; requests in flight end with the ranker that they hold."""
        state = self._state
        is_swap = state.rankers.get(channel) is not ranker
        self._failed.pop(channel, None)
        self._state = State(
            _with(state.rankers, channel, ranker),
            _with(state.named, channel, assigned),
            _with(state.refused, channel, refused),
            time.time() if is_swap else state.loaded_at,
        )

    def _refuse(self, channel: Channel, error: Exception) -> None:
        reason = _reason(error)
        if reason != self._state.refused.get(channel):
            self.num_refused[channel] += 1
            is_told = isinstance(error, InputError | OSError)
            logger.warning("refused the %s version: %s", channel, reason, exc_info=None if is_told else error)
        self._tell(channel, reason)

    def _tell(self, channel: Channel, reason: str) -> None:
        self._state = replace(self._state, refused=_with(self._state.refused, channel, reason))

    def _tidy(self) -> None:
        """After a swap: what was loaded stays, so that no collection need look at it again; what nothing named any
        more was freed with its last request, and its fetched files go too.
        """
        gc.collect()  # before it is frozen; what was frozen earlier it does not look at
        gc.freeze()
        keep = {one.version for one in self._state.named.values()}
        keep |= {one.bundle.manifest.version for one in self._state.rankers.values()}
        try:
            self.registry.storage.forget(keep, self._cache)
        except OSError as error:
            logger.warning("could not tidy %s: %s", self._cache, error)


def _with(held: Mapping[Channel, Held], channel: Channel, value: Held | None) -> dict[Channel, Held]:
    """A copy in which the channel has this; None is nothing."""
    others = {one: other for one, other in held.items() if one is not channel}
    return others if value is None else others | {channel: value}


def _reason(error: Exception) -> str:
    """One line."""
    if isinstance(error, InputError):
        return "; ".join(map(str, error.mistakes))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
