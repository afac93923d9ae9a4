"""Folder: where all workers keep their figures while the service runs."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.contract.durable import workspace
from model.contract.mistakes import mistake

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's own name: it reads it when it is imported
IN_MEMORY = Path("/dev/shm")


@contextmanager
def metrics_folder() -> Iterator[None]:
    """One that every worker finds in its environment, gone at the end; in memory where there is such a place, which
    is there in most containers that may write nowhere else. Raises InputError where there is none.
    """
    try:
        parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise mistake("metrics", "a place to write (a tmpfs at /tmp will do)", str(error)) from None
    with workspace(parent, "watchnext-metrics") as folder:
        os.environ[FOLDER_VARIABLE] = str(folder)
        yield
