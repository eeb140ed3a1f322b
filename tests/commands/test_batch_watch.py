import json

import pytest

from shipdet.batch.work import Outcome
from shipdet.commands.batch_watch import JsonLines, Lines, Pace, hours, watching

DONE = Outcome("key", "a", 3, None, "a model", 2.5, None)
FAILED = Outcome("key", "b", None, None, None, 0.5, "b.tif is truncated")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_pace_is_scenes_an_hour_and_the_time_left(clock: Clock):
    pace = Pace(clock)
    pace.total = 10
    assert pace.left_s is None
    assert pace.words() == ""
    clock.now += 90
    pace.done = 4
    assert pace.scenes_per_hour == pytest.approx(160)
    assert pace.left_s == pytest.approx(135)
    assert pace.words() == "160 scenes/h, 0:02:15 left"


def test_hours_are_written_out():
    assert hours(3723.4) == "1:02:03"


def test_lines_tell_each_scene_and_complain_of_those_that_failed(clock: Clock, capsys: pytest.CaptureFixture[str]):
    lines = Lines(Pace(clock))
    lines.planned(2, 5)
    lines.begun("a")
    clock.now += 3600
    lines.ended(DONE)
    lines.ended(FAILED)
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "2 scenes to do, 5 finished before",
        "[1/2] a: 3 ships in 2.5 s; 1 scenes/h, 1:00:00 left",
    ]
    assert shown.err == "shipdet: b: b.tif is truncated\n"


def test_json_lines_are_an_object_each(clock: Clock, capsys: pytest.CaptureFixture[str]):
    lines = JsonLines(Pace(clock))
    lines.planned(2, 0)
    lines.begun("a")
    clock.now += 60
    lines.ended(DONE)
    lines.ended(FAILED)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [facts["event"] for facts in told] == ["planned", "begun", "done", "failed"]
    assert told[2] == {
        "event": "done",
        "scene": "a",
        "ships": 3,
        "seconds": 2.5,
        "error": None,
        "scenes_per_hour": 60.0,
        "seconds_left": 60.0,
    }
    assert told[3]["error"] == "b.tif is truncated"


def test_a_terminal_gets_one_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with watching("text") as watch:
        watch.planned(2, 1)
        watch.begun("a")
        watch.tiles(3, 9)
        watch.ended(DONE)
        watch.ended(FAILED)
    shown = capsys.readouterr().out
    assert "3/3" in shown
    assert "scenes/h" in shown
    assert "b: b.tif is truncated" in shown


def test_elsewhere_there_are_lines_or_json(capsys: pytest.CaptureFixture[str]):
    with watching("text") as lines, watching("json") as objects:
        lines.planned(1, 0)
        objects.planned(1, 0)
    assert capsys.readouterr().out.splitlines()[1] == '{"event": "planned", "waiting": 1, "finished": 0}'
