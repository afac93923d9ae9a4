"""Registry: what is done with versions: published, promoted, rolled back, tried on some users or on none, pruned."""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.contract.bundle import MANIFEST, Manifest, parse_manifest
from model.contract.mistakes import InputError, mistake, unknown_name
from model.contract.registry.channels import Assignment, Channel, checked_percent, read_assignment
from model.contract.registry.storage import Storage
from model.contract.versions import CHANNELS, VERSIONS

logger = logging.getLogger(__name__)
KEPT_VERSIONS = 10


@dataclass(frozen=True, slots=True)
class Published:
    """What a list of versions tells of one; little where its manifest cannot be read. `metrics` by task, of the test
    split.
    """

    version: str
    created: str
    num_bytes: int
    channels: tuple[Channel, ...]
    metrics: Mapping[str, Mapping[str, float]]


class Registry:
    """Each channel is one small file, written at once, so that a reader never waits and never sees half of one. Writers
    take turns by the storage's lock. One that dies between two files leaves a channel as it was, and none damaged.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def __str__(self) -> str:
        return str(self.storage)

    def assignment(self, channel: Channel) -> Assignment | None:
        """Raises InputError where its file says nothing sensible."""
        content = self.storage.read(f"{CHANNELS}/{channel}")
        return None if content is None else read_assignment(channel, content, f"{self}/{CHANNELS}/{channel}")

    def live(self) -> Assignment:
        """Raises InputError where there is none."""
        live = self.assignment(Channel.LIVE)
        if live is None:
            raise mistake(str(self), "a registry with a live version (`watchnext train` publishes one)", "none")
        return live

    def live_manifest(self) -> Manifest:
        """Read without fetching the version. Raises InputError."""
        path = f"{VERSIONS}/{self.live().version}/{MANIFEST}"
        content = self.storage.read(path)
        if content is None:
            raise mistake(f"{self}/{path}", "the manifest of the live version", "none")
        return parse_manifest(content, f"{self}/{path}")

    def assignments(self) -> dict[Channel, Assignment]:
        """Of the channels that name a version. One whose file is damaged names none."""
        found: dict[Channel, Assignment] = {}
        for channel in Channel:
            with suppress(InputError):
                if assigned := self.assignment(channel):
                    found[channel] = assigned
        return found

    def publish(self, build: Callable[[Path], Manifest], keep: int) -> Manifest:
        """Add a version, make it the live one, and keep the newest `keep` versions."""
        manifest = self.storage.add(build)
        with self.storage.locked():
            self._make_live(manifest.version)
        self.prune(keep)
        return manifest

    def promote(self, version: str) -> None:
        """Make it the live one; what was live becomes `previous`. A canary or shadow of it ends. Raises InputError."""
        with self.storage.locked():
            self._check(version)
            self._make_live(version)
            for channel in (Channel.CANARY, Channel.SHADOW):
                if (assigned := self.assignments().get(channel)) and assigned.version == version:
                    self._assign(channel, None)

    def rollback(self) -> None:
        """Swap `live` and `previous`. Raises InputError where there is no previous one."""
        with self.storage.locked():
            previous = self.assignment(Channel.PREVIOUS)
            if previous is None:
                raise mistake(str(self), "a previous version to roll back to", "none")
            self._check(previous.version)
            self._make_live(previous.version)

    def try_on_users(self, version: str, percent: float) -> None:
        """Make it the canary of so many percent of users. Raises InputError."""
        checked_percent(percent)
        with self.storage.locked():
            self._check(version)
            self._assign(Channel.CANARY, Assignment(version, percent))

    def try_in_shadow(self, version: str) -> None:
        """Raises InputError."""
        with self.storage.locked():
            self._check(version)
            self._assign(Channel.SHADOW, Assignment(version))

    def end_trial(self, channel: Channel) -> None:
        """Of a canary or a shadow; of none is no mistake."""
        with self.storage.locked():
            self._assign(channel, None)

    def prune(self, keep: int) -> list[str]:
        """Drop all but the newest `keep` versions and those of a channel; returns the names of the dropped ones."""
        with self.storage.locked():
            try:
                for channel in Channel:
                    self.assignment(channel)
            except InputError as error:  # nobody knows which version that channel must keep
                logger.warning("pruned nothing: %s", error)
                return []
            found = [one for one in self.published()[keep:] if not one.channels]
            for one in found:
                self.storage.drop(one.version)
                logger.info("pruned version %s", one.version)
        return [one.version for one in found]

    def published(self) -> list[Published]:
        """The newest first."""
        named = self.assignments()
        found = [
            self._describe(version, tuple(channel for channel, one in named.items() if one.version == version))
            for version in self.storage.versions()
        ]
        return sorted(found, key=lambda one: (one.created, one.version), reverse=True)

    def _make_live(self, version: str) -> None:
        """What was live is written first: at no moment is it in neither channel."""
        was = self.assignments().get(Channel.LIVE)
        if was is None or was.version != version:
            if was is not None:
                self._assign(Channel.PREVIOUS, was)
            self._assign(Channel.LIVE, Assignment(version))

    def _assign(self, channel: Channel, assigned: Assignment | None) -> None:
        self.storage.write(f"{CHANNELS}/{channel}", None if assigned is None else f"{assigned}\n".encode())

    def _check(self, version: str) -> None:
        known = self.storage.versions()
        if version not in known:
            raise InputError(unknown_name("version", f"a version of {self}", version, known))

    def _describe(self, version: str, channels: tuple[Channel, ...]) -> Published:
        """Tolerant: a list must also show what an older or newer WatchNext wrote, or a damaged one."""
        raw: dict[str, Any] = {}
        with suppress(ValueError, RecursionError):
            raw = dict(json.loads(self.storage.read(f"{VERSIONS}/{version}/{MANIFEST}") or b"{}"))
        try:
            num_bytes = sum(int(one["num_bytes"]) for one in raw.get("files", {}).values())
            tasks = raw.get("metrics", {}).get("test", {}).get("tasks", {})
            metrics = {str(task): {str(k): float(v) for k, v in some.items()} for task, some in tasks.items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            num_bytes, metrics = 0, {}
        return Published(version, str(raw.get("created", "")), num_bytes, channels, metrics)
