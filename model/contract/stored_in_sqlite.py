"""Stored features in a SQLite file: a table of users and one of videos, an id and a JSON document a row."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from model.contract.durable import told_as_input_errors
from model.contract.mistakes import mistake, quote
from model.contract.stored_features import Entity

APPLICATION_ID, LAYOUT = 0x574E4653, 1  # "WNFS"; the number that a change of the tables would raise
MOST_PARAMETERS = 30_000  # of one statement; SQLite takes 32,766
CACHE_KIB = 32 * 1024  # at most, of one connection: with less, 500 rows of 100,000 take twice the time


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """For one thread at a time, whichever; every statement is its own transaction. The file is made where there is
    none. Who writes waits for another writer up to `busy_timeout_s`; readers wait for nobody. Raises InputError.
    """
    expected = "a SQLite file of stored features, or a folder to make it in"
    with told_as_input_errors(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)  # what is known of users is nobody else's; SQLite's other files have the same mode
    try:
        connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
        found = connection.execute("PRAGMA application_id").fetchone()[0]
        if found != APPLICATION_ID and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise mistake(str(path), expected, "another program's database")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged outlives a power cut too
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if found != APPLICATION_ID:
            _lay_out(connection)
        layout = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise mistake(str(path), expected, quote(str(error))) from error
    if layout != LAYOUT:
        raise mistake(str(path), f"stored features of layout {LAYOUT}", f"layout {layout}")
    return connection


def _lay_out(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for entity in Entity:
        table = f"CREATE TABLE IF NOT EXISTS {entity} (id TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID"
        connection.execute(table)
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("COMMIT")


def read(connection: sqlite3.Connection, entity: Entity, ids: Sequence[str]) -> dict[str, bytes]:
    """The documents of those that have one. Raises sqlite3.Error."""
    if not connection.execute(f"SELECT EXISTS (SELECT 1 FROM {entity})").fetchone()[0]:
        return {}
    found: dict[str, bytes] = {}
    for start in range(0, len(ids), MOST_PARAMETERS):
        some = ids[start : start + MOST_PARAMETERS]
        marks = ",".join("?" * len(some))
        found |= connection.execute(f"SELECT id, document FROM {entity} WHERE id IN ({marks})", some).fetchall()
    return found


def write(connection: sqlite3.Connection, entity: Entity, rows: Iterable[tuple[str, bytes]]) -> None:
    """All of them or none. Raises sqlite3.Error."""
    statement = f"INSERT OR REPLACE INTO {entity} VALUES (?, ?)"
    with connection:  # rolls back where something fails
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows)


def delete(connection: sqlite3.Connection, entity: Entity, one: str) -> None:
    connection.execute(f"DELETE FROM {entity} WHERE id = ?", [one])
