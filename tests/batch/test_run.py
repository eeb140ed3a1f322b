"""What a batch does on its own: which scenes are due, what is kept, and what is told. No network looks."""

import csv
import logging
import sqlite3
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from pyogrio import read_info

from shipdet.api import DetectRequest
from shipdet.batch.dataset import UNKNOWN
from shipdet.batch.processes import in_process
from shipdet.batch.run import run_batch
from shipdet.batch.work import Outcome
from shipdet.errors import InputError, OutputError, ReadError


def ledger(folder: Path) -> dict[str, tuple[str, str | None]]:
    connection = sqlite3.connect(folder / "ledger.sqlite")
    rows = connection.execute("SELECT name, state, error FROM scenes").fetchall()
    connection.close()
    return {name: (state, error) for name, state, error in rows}


def summary(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open() as file:
        return list(csv.DictReader(file))


def test_each_scene_gets_a_file_and_all_a_data_set_by_date(detector, scenes, watch, kit, tmp_path: Path):
    for name, taken in (("a", "2024:05:01 10:00:00"), ("b", "2024:05:02 10:00:00"), ("c", None)):
        scenes.write(f"{name}.tif", taken=taken)
    tally = run_batch(kit.detect(scenes.folder, ending="gpkg"), in_process, watch)
    assert tally == (3, 0, 0, 3)
    assert watch.plan == (3, 0)
    out = tmp_path / "out"
    assert [len(gpd.read_file(out / "scenes" / f"{name}.gpkg")) for name in "abc"] == [1, 1, 1]
    assert read_info(out / "scenes" / "a.gpkg")["crs"] == "EPSG:32631"
    ships = gpd.read_parquet(out / "detections")
    assert ships.crs == "EPSG:4326"
    assert ships["ship_id"].tolist() == ["a/1", "b/1", "c/1"]
    assert ships["same_as"].isna().all()
    days = sorted(path.name for path in (out / "detections").iterdir())
    assert days == ["date=2024-05-01", "date=2024-05-02", f"date={UNKNOWN}"]
    assert [row["state"] for row in summary(out)] == ["done"] * 3
    assert [path.name for path in (out / ".batch" / "tiles").iterdir()] == []


def test_finished_scenes_are_skipped_and_leave_the_same_outputs(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif")
    run_batch(kit.detect(scenes.folder), in_process, watch)
    before = kit.contents(tmp_path / "out")
    again = kit.watched()
    assert run_batch(kit.detect(scenes.folder), in_process, again) == (0, 1, 0, 1)
    assert again.plan == (0, 1)
    assert detector.asked == ["a"]
    assert kit.contents(tmp_path / "out") == before


def test_new_scenes_join_those_that_are_finished(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif")
    run_batch(kit.detect(scenes.folder), in_process, watch)
    scenes.write("b.tif", x=1100)
    assert run_batch(kit.detect(scenes.folder / "b.tif"), in_process, watch) == (1, 0, 0, 2)
    assert gpd.read_parquet(tmp_path / "out" / "detections")["scene"].tolist() == ["a", "b"]


def test_a_bad_scene_stops_no_other_and_is_retried_only_when_asked(detector, scenes, watch, kit, tmp_path: Path):
    for name in "abcd":
        scenes.write(f"{name}.tif")
    detector.answers = {"a": ReadError("a.tif is\ntruncated"), "b": MemoryError("no room"), "c": ReadError("c")}
    assert run_batch(kit.detect(scenes.folder), in_process, watch) == (1, 0, 3, 1)
    states = ledger(tmp_path / "out")
    assert states["a"] == ("failed", "a.tif is truncated")
    assert states["b"] == ("failed", "unforeseen MemoryError: no room")
    assert summary(tmp_path / "out")[0]["error"] == "a.tif is truncated"
    detector.answers = {"c": ReadError("c")}
    assert run_batch(kit.detect(scenes.folder), in_process, kit.watched()) == (0, 1, 3, 1)
    assert run_batch(kit.detect(scenes.folder, retry_failed=True), in_process, kit.watched()) == (2, 1, 1, 3)
    assert detector.asked == [*"abcd", *"abc"]
    assert ledger(tmp_path / "out")["a"] == ("done", None)


def test_changed_settings_are_noticed_before_anything_is_done(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif")
    run_batch(kit.detect(scenes.folder), in_process, watch)
    before = kit.contents(tmp_path / "out")
    other = kit.detect(scenes.folder, detect=DetectRequest(threshold=0.7, core=64))
    with pytest.raises(InputError, match=r"1 scenes .* other settings \(threshold 0.0 -> 0.7\); pass --redo"):
        run_batch(other, in_process, watch)
    assert kit.contents(tmp_path / "out") == before
    assert run_batch(replace(other, redo=True), in_process, watch) == (1, 0, 0, 1)
    assert detector.asked == ["a", "a"]


def test_the_data_set_never_mixes_settings(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif")
    scenes.write("b.tif", x=1100)
    run_batch(kit.detect(scenes.folder), in_process, watch)
    other = kit.detect(scenes.folder / "a.tif", detect=DetectRequest(threshold=0.7, core=64), redo=True)
    run_batch(other, in_process, watch)
    assert gpd.read_parquet(tmp_path / "out" / "detections")["scene"].tolist() == ["a"]


def test_failed_scenes_are_tried_again_when_settings_change(detector, scenes, watch, kit):
    scenes.write("a.tif")
    detector.answers = {"a": ReadError("a")}
    run_batch(kit.detect(scenes.folder), in_process, watch)
    detector.answers = {}
    other = kit.detect(scenes.folder, detect=DetectRequest(gsd_m=1.0))
    assert run_batch(other, in_process, watch) == (1, 0, 0, 1)


def test_a_file_that_changed_is_done_again(detector, scenes, watch, kit, caplog):
    scenes.write("a.tif")
    run_batch(kit.detect(scenes.folder), in_process, watch)
    scenes.write("a.tif", size=(64, 96))
    with caplog.at_level(logging.WARNING):
        assert run_batch(kit.detect(scenes.folder), in_process, watch) == (1, 0, 0, 1)
    assert "has changed since" in caplog.text


def test_a_result_that_is_gone_is_made_again(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif")
    run_batch(kit.detect(scenes.folder), in_process, watch)
    before = kit.contents(tmp_path / "out")
    (tmp_path / "out" / "scenes" / "a.parquet").unlink()
    run_batch(kit.detect(scenes.folder), in_process, watch)
    assert kit.contents(tmp_path / "out") == before


def test_a_scene_that_fails_when_done_again_leaves_no_old_result(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif")
    run_batch(kit.detect(scenes.folder), in_process, watch)
    scenes.broken("a.tif")
    detector.answers = {"a": ReadError("a")}
    run_batch(kit.detect(scenes.folder), in_process, watch)
    assert list((tmp_path / "out" / "scenes").iterdir()) == []
    assert not list((tmp_path / "out" / "detections").glob("*/*"))


def test_scenes_of_one_name_keep_apart(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("one/a.tif")
    scenes.write("two/A.tif", x=1100)
    run_batch(kit.detect(scenes.folder), in_process, watch)
    names = sorted(path.stem for path in (tmp_path / "out" / "scenes").iterdir())
    assert len(names) == 2
    assert {name.casefold().split("-")[0] for name in names} == {"a"}
    assert sorted(gpd.read_parquet(tmp_path / "out" / "detections")["scene"]) == names


def test_what_a_run_died_on_comes_last(detector, scenes, watch, kit, tmp_path: Path):
    for name in "abc":
        scenes.write(f"{name}.tif")
    detector.answers = {"a": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        run_batch(kit.detect(scenes.folder), in_process, watch)
    assert ledger(tmp_path / "out")["a"][0] == "running"
    detector.answers = {}
    run_batch(kit.detect(scenes.folder), in_process, watch)
    assert detector.asked == ["a", "b", "c", "a"]


def test_another_run_in_the_same_folder_is_refused(detector, scenes, watch, kit):
    scenes.write("a.tif")
    refusals = []

    def try_another(_outcome: object) -> None:
        with pytest.raises(OutputError, match="another run is at work") as refused:
            run_batch(kit.detect(scenes.folder), in_process, kit.watched())
        refusals.append(refused)

    watch.on_end = try_another
    run_batch(kit.detect(scenes.folder), in_process, watch)
    assert len(refusals) == 1


def test_half_written_leftovers_are_swept_away(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif")
    leftover = tmp_path / "out" / "scenes" / ".shipdet-killed"
    leftover.mkdir(parents=True)
    run_batch(kit.detect(scenes.folder), in_process, watch)
    assert not leftover.exists()


def test_what_a_killed_worker_leaves_is_gone_when_the_run_ends(detector, scenes, watch, kit, tmp_path: Path):
    for name in "ab":
        scenes.write(f"{name}.tif")
    scenes.broken("c.tif")
    detector.answers = {"c": ReadError("c")}
    hidden = tmp_path / "out" / ".batch"

    def die(outcome: Outcome) -> None:
        tiles = hidden / "tiles" / outcome.key / "settings"
        for folder in (tmp_path / "out" / "scenes", hidden / "parts", tiles / "view0"):
            half = folder / ".shipdet-killed" / "a.parquet"
            half.parent.mkdir(parents=True, exist_ok=True)
            half.write_bytes(b"half of it")
        (tiles / "0_0_64_64_64_64.safetensors").touch()

    watch.on_end = die
    run_batch(kit.detect(scenes.folder), in_process, watch)
    assert sorted(kit.contents(tmp_path / "out"))[1:] == ["scenes/a.parquet", "scenes/b.parquet", "summary.csv"]
    assert not list((tmp_path / "out").rglob(".shipdet-*"))
    kept = [path.relative_to(hidden / "tiles").parts[0] for path in hidden.rglob("*.safetensors")]
    assert kept == [outcome.key for outcome in watch.outcomes if outcome.error is not None]


def test_a_wrong_ending_is_told_before_the_work(detector, scenes, watch, kit):
    scenes.write("a.tif")
    with pytest.raises(OutputError, match="should end in one of"):
        run_batch(kit.detect(scenes.folder, ending="shp"), in_process, watch)
    assert detector.asked == []


def test_ships_of_overlapping_scenes_are_told_and_none_is_dropped(detector, scenes, watch, kit, tmp_path: Path):
    scenes.write("a.tif", taken="2024:05:01 23:59:50")
    scenes.write("b.tif", taken="2024:05:02 00:00:10")
    scenes.write("c.tif", x=1300, taken="2024:05:02 00:00:10")
    run_batch(kit.detect(scenes.folder, merge_window_s=60.0), in_process, watch)
    ships = gpd.read_parquet(tmp_path / "out" / "detections").set_index("ship_id")
    assert len(ships) == 3
    assert ships.loc["b/1", "same_as"] == "a/1"
    assert ships["same_as"].notna().sum() == 1
    run_batch(kit.detect(scenes.folder), in_process, watch)
    assert gpd.read_parquet(tmp_path / "out" / "detections")["same_as"].isna().all()


def test_scenes_without_ships_still_give_a_table_with_columns(detector, scenes, watch, kit, tmp_path, monkeypatch):
    scenes.write("a.tif")

    def nothing(*arguments: object) -> object:
        found = detector(*arguments)
        return found._replace(detections=found.detections[:0])

    monkeypatch.setattr("shipdet.batch.work.run_detection", nothing)
    run_batch(kit.detect(scenes.folder), in_process, watch)
    ships = gpd.read_parquet(tmp_path / "out" / "detections")
    assert len(ships) == 0
    assert {"ship_id", "score", "geometry"} <= set(ships.columns)


def test_large_days_are_several_files(detector, scenes, watch, kit, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("shipdet.batch.dataset.ROWS_A_FILE", 2)
    for n in range(5):
        scenes.write(f"{n}.tif", x=1000 + n, taken="2024:05:01 10:00:00")
    run_batch(kit.detect(scenes.folder), in_process, watch)
    day = tmp_path / "out" / "detections" / "date=2024-05-01"
    assert [len(gpd.read_parquet(day / f"part-{n}.parquet", partitioning=None)) for n in range(3)] == [2, 2, 1]
    assert np.array_equal(gpd.read_parquet(tmp_path / "out" / "detections")["scene"], list("01234"))
