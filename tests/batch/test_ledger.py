import sqlite3
from pathlib import Path

import pytest

from shipdet.batch.ledger import Ledger, only_run
from shipdet.batch.work import Outcome, failed
from shipdet.errors import OutputError


def done(task) -> Outcome:
    return Outcome(task.scene.key, task.name, 3, "2024-05-01T10:00:00", "a model", 1.23456, None)


def states(ledger: Ledger) -> dict[str, str]:
    return {row.name: row.state for row in ledger.rows()}


def test_a_scene_goes_from_waiting_to_done_or_failed(tmp_path: Path, kit):
    a, b, c = (kit.task(tmp_path / f"{name}.tif", name) for name in "abc")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.register([a, b, c], "{}")
        assert states(ledger) == {"a": "waiting", "b": "waiting", "c": "waiting"}
        ledger.begin(a)
        ledger.begin(b)
        assert states(ledger)["a"] == "running"
        ledger.finish(done(a))
        ledger.finish(failed(b, "cannot be\nread", 2.0))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first, second, third = ledger.rows()
    assert first[3:10] == ("done", "settings", "", "a model", "2024-05-01T10:00:00", 3, None)
    assert first.seconds == 1.235
    assert first.started_at is not None
    assert first.finished_at is not None
    assert (second.state, second.error, second.ships) == ("failed", "cannot be read", None)
    assert third.state == "waiting"


def test_a_scene_that_is_taken_up_again_forgets_its_error_but_not_that_a_run_died_on_it(tmp_path: Path, kit):
    a, b = (kit.task(tmp_path / f"{name}.tif", name) for name in "ab")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.register([a, b], "{}")
        ledger.finish(failed(a, "broken"))
        ledger.begin(b)
        ledger.register([a, b], "{}")
        first, second = ledger.rows()
    assert (first.state, first.error, first.finished_at) == ("waiting", None, None)
    assert second.state == "running"


def test_settings_are_kept_with_their_hash(tmp_path: Path, kit):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.register([kit.task(tmp_path / "a.tif", "a")], '{"threshold": 0.5}')
        assert ledger.settings("settings") == '{"threshold": 0.5}'


def test_no_secret_is_in_the_file(tmp_path: Path, kit):
    task = kit.task("https://alice:hunter2@host/a.tif?sig=SECRET", "a")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.register([task], "{}")
        ledger.begin(task)
        ledger.finish(failed(task, "'/vsicurl/https://alice:hunter2@host/a.tif?sig=SECRET' not recognized"))
    content = (tmp_path / "ledger.sqlite").read_bytes()
    assert b"https://host/a.tif" in content
    assert not [secret for secret in (b"alice", b"hunter2", b"SECRET") if secret in content]


def test_what_is_no_ledger_is_told(tmp_path: Path):
    (tmp_path / "ledger.sqlite").write_text("no database, but long enough to be looked at as one " * 20)
    with pytest.raises(OutputError, match="should be a ledger"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_of_another_format_is_told(tmp_path: Path):
    with Ledger(tmp_path / "ledger.sqlite"):
        pass
    other = sqlite3.connect(tmp_path / "ledger.sqlite")
    other.execute("PRAGMA user_version = 9")
    other.close()
    with pytest.raises(OutputError, match="format 9, expected 1"):
        Ledger(tmp_path / "ledger.sqlite")


def test_two_runs_do_not_share_a_folder(tmp_path: Path):
    with (
        only_run(tmp_path),
        pytest.raises(OutputError, match="another run is at work"),
        only_run(tmp_path),
    ):
        pass
    with only_run(tmp_path):
        pass
