"""Workers: what each process serves, told to all in a small file."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from model.contract.durable import runs
from model.contract.mistakes import Strict

SUFFIX = ".worker.json"


class Worker(Strict):
    """What a process serves and since when (seconds of the epoch), and why it does not serve the live version."""

    version: str | None = None
    name: str | None = None
    since: float | None = None
    refused: str | None = None


class Workers:
    """`served` tells what this process does, without `since`."""

    def __init__(self, folder: Path, served: Callable[[], Worker]) -> None:
        self._folder, self._served, self._told = folder, served, Worker()

    def tell(self) -> None:
        """What this one serves, where it has changed."""
        now = self._served()
        since = self._told.since if now.version == self._told.version else time.time()
        now = now.model_copy(update={"since": since})
        path = self._folder / f"{os.getpid()}{SUFFIX}"
        if now == self._told and path.exists():
            return
        beside = path.with_suffix(".part")
        beside.write_text(now.model_dump_json(), encoding="utf-8")
        os.replace(beside, path)
        self._told = now

    def read(self) -> list[Worker]:
        """Of all that live; files of others are removed."""
        found = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            if runs(int(path.name.removesuffix(SUFFIX))):
                with suppress(FileNotFoundError):  # it has ended meanwhile, and another reader has removed it
                    found.append(Worker.model_validate_json(path.read_bytes()))
            else:
                path.unlink(missing_ok=True)
        return found
