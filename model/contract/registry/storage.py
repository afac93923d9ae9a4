"""Storage: where the files of a registry are."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from model.contract.bundle import Manifest


class Storage(ABC):
    """Paths are relative to the registry, with slashes. What the place itself refuses is an OSError."""

    @abstractmethod
    def __str__(self) -> str:
        """As the operator named it."""

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """The content of a small file; None where there is none."""

    @abstractmethod
    def write(self, path: str, content: bytes | None) -> None:
        """At once: who reads meanwhile gets the old content or the new one. None removes the file."""

    @abstractmethod
    def versions(self) -> list[str]:
        """The names of those that are there as a whole."""

    @abstractmethod
    def add(self, build: Callable[[Path], Manifest]) -> Manifest:
        """Let `build` fill a folder, which becomes its manifest's version as a whole or not at all."""

    @abstractmethod
    def drop(self, version: str) -> None:
        """It is no version any more at once, and then its files go."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Held by one writer at a time. Readers need none."""

    @abstractmethod
    def stamp(self, version: str) -> object:
        """Equal while the files of a version are."""

    @abstractmethod
    def local(self, version: str, cache: Path) -> Path:
        """The folder of a version on this machine, fetched into `cache` where it is elsewhere. Raises InputError where
        the version is damaged, OSError where it cannot be had now.
        """

    @abstractmethod
    def forget(self, keep: set[str], cache: Path) -> None:
        """Remove all other versions from what was fetched."""
