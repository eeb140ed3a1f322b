"""`shipdet batch` from its words to its exit code; the run itself is a stand-in."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipdet.batch import run
from shipdet.batch.cluster import on_cluster
from shipdet.batch.processes import in_process, processes
from shipdet.batch.run import BatchRequest, Tally
from shipdet.batch.work import Outcome
from shipdet.cli import main

Run = Callable[..., tuple[int, str, str]]


class Runs:
    """Stands in for `run_batch`."""

    def __init__(self) -> None:
        self.asked: list[tuple[BatchRequest, Any]] = []
        self.tally = Tally(1, 2, 0, 7)

    def __call__(self, request: BatchRequest, runner: Any, watch: Any) -> Tally:
        self.asked.append((request, runner))
        watch.planned(1, 2)
        watch.ended(Outcome("key", "a", 7, None, "a model", 1.0, None))
        return self.tally


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    fake = Runs()
    monkeypatch.setattr(run, "run_batch", fake)
    return fake


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def shipdet(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(words)
        return int(stop.value.code or 0), *capsys.readouterr()

    return shipdet


def test_words_become_one_request(runs, call):
    words = ["--threshold", "0.5", "--bands", "3,2,1", "--format", ".csv", "--asset", "red, green", "--core", "512"]
    words += ["--gsd", "unknown", "--augment", "flips", "--sharpen", "--retry-failed", "--redo"]
    code, out, err = call("batch", "in", "*.tif", "-o", "out", *words)
    assert (code, err) == (0, "")
    ((request, runner),) = runs.asked
    assert request.inputs == ("in", "*.tif")
    assert (request.folder, request.ending, request.assets) == (Path("out"), "csv", ("red", "green"))
    assert (request.retry_failed, request.redo, request.merge_window_s) == (True, True, None)
    assert (request.detect.threshold, request.detect.bands, request.detect.core) == (0.5, (3, 2, 1), 512)
    assert (request.detect.gsd_m, request.detect.augment, request.detect.sharpen) == ("unknown", "flips", True)
    assert runner.func is in_process
    assert out.splitlines()[-1] == "1 scenes done, 2 finished before, 0 failed; 7 ships in out/detections"


def test_merging_has_a_window_of_its_own(runs, call):
    call("batch", "in", "-o", "out", "--merge-overlaps")
    call("batch", "in", "-o", "out", "--merge-overlaps", "--merge-window", "5")
    assert [request.merge_window_s for request, _ in runs.asked] == [60.0, 5.0]


def test_the_work_is_shared_as_asked(runs, call):
    call("batch", "in", "-o", "out", "--workers", "3")
    call("batch", "in", "-o", "out", "--scheduler", "tcp://host:8786")
    shared, clustered = (runner for _, runner in runs.asked)
    assert (shared.func, shared.keywords) == (processes, {"count": 3})
    assert (clustered.func, clustered.keywords) == (on_cluster, {"scheduler": "tcp://host:8786"})
    assert isinstance(clustered, partial)


def test_a_failed_scene_is_in_the_exit_code(runs, call):
    runs.tally = Tally(1, 0, 2, 7)
    code, out, _ = call("batch", "in", "-o", "out")
    assert code == 1
    assert "out/summary.csv" in out.splitlines()[-1]


def test_a_log_for_programs_is_nothing_but_json(runs, call):
    _, out, _ = call("batch", "in", "-o", "out", "--json-log")
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["planned", "done"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--workers", "2", "--scheduler", "tcp://host:1"], "pass one of them"),
        (["--workers", "0"], "--workers"),
        (["--device", "abacus"], "no device 'abacus'"),
    ],
)
def test_what_does_not_go_together_is_the_callers_mistake(runs, call, words: list[str], complaint: str):
    code, _, err = call("batch", "in", "-o", "out", *words)
    assert code == 2
    assert complaint in err
    assert runs.asked == []


def test_inputs_without_a_scene_are_the_callers_mistake(call, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    code, _, err = call("batch", "empty", "-o", "out")
    assert code == 2
    assert (
        err
        == "shipdet: the folder empty holds no raster (.tif, .tiff, .vrt, .jp2, .img, .ntf, .nitf); check the path\n"
    )
    assert not (tmp_path / "out").exists()


def test_secrets_in_arguments_are_not_repeated(call, monkeypatch):
    def break_down(*_arguments: object) -> Tally:
        raise RuntimeError("https://alice:hunter2@host/a.tif?sig=SECRET broke")

    monkeypatch.setattr(run, "run_batch", break_down)
    for flags in ([], ["--traceback"]):
        code, out, err = call(*flags, "batch", "https://alice:hunter2@host/a.tif?sig=SECRET", "-o", "out")
        assert code == 1
        assert "unforeseen RuntimeError" in err
        assert not [secret for secret in ("alice", "hunter2", "SECRET") if secret in out + err]
