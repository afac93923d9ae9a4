"""Parts of a draft: entries of a run config, each with the reason why it was guessed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class LeftOut(Exception):
    """A column that the draft does not use; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the YAML file, and the comment beside it. `distinct` counts the values of a category."""

    fields: dict[str, Any]
    why: str = ""
    distinct: int = 0

    @property
    def name(self) -> str:
        return str(self.fields["name"])


@dataclass(frozen=True, slots=True)
class Guesses:
    """Entries, and by column why another one is none."""

    entries: list[Entry] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, column: str, make: Callable[[], Entry]) -> None:
        try:
            self.entries.append(make())
        except LeftOut as why:
            self.left_out[column] = str(why)

    @property
    def names(self) -> set[str]:
        return {one.name for one in self.entries}
