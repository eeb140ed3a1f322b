"""The ledger of a batch: each scene's state in one SQLite file, written by one process only.

A transaction a change: whenever the process is killed, the file says what was finished before.
States: waiting, running (begun, and left so by a run that was killed), done, failed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from shipdet.batch.work import Outcome, Task
from shipdet.errors import OutputError

FORMAT = 1
"""Of the tables; in the file's user_version."""
_TABLES = """
CREATE TABLE settings (hash TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE scenes (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    source TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    settings TEXT NOT NULL REFERENCES settings (hash),
    fingerprint TEXT NOT NULL,
    model TEXT,
    acquired_at TEXT,
    ships INTEGER,
    error TEXT,
    started_at TEXT,
    finished_at TEXT,
    seconds REAL
);
"""


class Row(NamedTuple):
    """One scene of the ledger, in the order of its columns."""

    key: str
    name: str
    source: str
    """Without secrets."""
    state: str
    settings: str
    fingerprint: str
    model: str | None
    acquired_at: str | None
    ships: int | None
    error: str | None
    started_at: str | None
    """ISO 8601, UTC; so is finished_at."""
    finished_at: str | None
    seconds: float | None


class Ledger:
    """The scenes of one output folder."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path)
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        except sqlite3.Error as error:
            raise OutputError(f"{path} should be a ledger of shipdet, but {error}; give another folder") from None
        if version not in (0, FORMAT):
            raise OutputError(f"{path} is a ledger of format {version}, expected {FORMAT}; give another folder")

    def rows(self) -> list[Row]:
        """All scenes, by name."""
        columns = ", ".join(Row._fields)
        found = self._connection.execute(f"SELECT {columns} FROM scenes ORDER BY name, key")  # noqa: S608 - our names
        return [Row(*row) for row in found]

    def settings(self, key: str) -> str:
        """What a settings hash stands for, as JSON."""
        (content,) = self._connection.execute("SELECT content FROM settings WHERE hash = ?", (key,)).fetchone()
        return str(content)

    def register(self, tasks: Iterable[Task], content: str) -> None:
        """Takes scenes up as waiting, all or none.

        Args:
            tasks: of one settings hash.
            content: what that stands for, as JSON.
        """
        with _changing(self._connection) as change:
            for task in tasks:
                change.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (task.settings, content))
                change.execute(
                    "INSERT INTO scenes (key, name, source, state, settings, fingerprint) "
                    "VALUES (?, ?, ?, 'waiting', ?, ?) ON CONFLICT (key) DO UPDATE SET source = excluded.source, "
                    "state = CASE state WHEN 'running' THEN state ELSE 'waiting' END, settings = excluded.settings, "
                    "fingerprint = excluded.fingerprint, ships = NULL, error = NULL, finished_at = NULL, "
                    "seconds = NULL",
                    (task.scene.key, task.name, task.scene.label, task.settings, task.fingerprint),
                )

    def begin(self, task: Task) -> None:
        """Marks a scene as running."""
        with _changing(self._connection) as change:
            change.execute(
                "UPDATE scenes SET state = 'running', started_at = ? WHERE key = ?", (_now(), task.scene.key)
            )

    def finish(self, outcome: Outcome) -> None:
        """Marks a scene as done, or failed and why."""
        state = "done" if outcome.error is None else "failed"
        with _changing(self._connection) as change:
            change.execute(
                "UPDATE scenes SET state = ?, model = ?, acquired_at = ?, ships = ?, error = ?, seconds = ?, "
                "finished_at = ? WHERE key = ?",
                (
                    state,
                    outcome.model,
                    outcome.acquired_at,
                    outcome.ships,
                    outcome.error,
                    round(outcome.seconds, 3),
                    _now(),
                    outcome.key,
                ),
            )

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Keeps other runs out of a folder while it lasts; the lock goes with the process, however that ends.

    Args:
        folder: that exists.

    Raises:
        OutputError: another run is at work there, or the folder cannot be written.
    """
    with closing(sqlite3.connect(folder / "lock", timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise OutputError(f"cannot write in {folder} ({error}); give a folder that you own") from None
            raise OutputError(f"another run is at work in {folder.parent}; wait for it to end") from None
        yield


@contextmanager
def _changing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        with connection:
            yield connection
    except sqlite3.OperationalError as error:
        raise OutputError(f"could not write the ledger ({error}); make room there and give the command again") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
