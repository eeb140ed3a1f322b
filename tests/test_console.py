import logging

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point

from shipdet.console import complain, notes, progress, show_ships


def ships(scene_id: str, scores: list[float], crs: str | None = "EPSG:32631") -> gpd.GeoDataFrame:
    count = len(scores)
    columns = {
        "id": np.arange(1, count + 1),
        "scene_id": scene_id,
        "score": scores,
        "lon": 3.0 if crs else np.nan,
        "lat": 51.25 if crs else np.nan,
        "bow_col": 100.5,
        "bow_row": 200.5,
        "heading_deg": 45.0,
        "length_m": 123.4,
        "beam_m": np.nan,
    }
    return gpd.GeoDataFrame(columns, index=range(count), geometry=[Point(0, 0)] * count, crs=crs)


def test_complaints_are_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]):
    complain("first\n  second")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "shipdet: first second\n")


def test_what_the_library_warns_of_is_told_beside_the_results(capsys: pytest.CaptureFixture[str]):
    log = logging.getLogger("shipdet.raster.place")
    with notes():
        log.warning("a.tif has no CRS")
    log.warning("nobody listens any more")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("note: a.tif has no CRS\n", "")


def test_progress_without_a_terminal_is_ten_lines(capsys: pytest.CaptureFixture[str]):
    with progress("harbour") as report:
        for done in range(1, 1001):
            report(done, 1000)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"harbour: {done} of 1000" for done in range(100, 1001, 100)]


def test_progress_of_few_tiles_tells_each_once(capsys: pytest.CaptureFixture[str]):
    with progress("harbour") as report:
        for done in range(4):
            report(done, 3)
    assert capsys.readouterr().out.splitlines() == ["harbour: 1 of 3", "harbour: 2 of 3", "harbour: 3 of 3"]


def test_progress_of_another_count_begins_anew(capsys: pytest.CaptureFixture[str]):
    with progress("harbour") as report:
        for done, total in ((1, 2), (2, 2), (1, 3), (3, 3)):
            report(done, total)
    told = ["1 of 2", "2 of 2", "1 of 3", "3 of 3"]
    assert capsys.readouterr().out.splitlines() == [f"harbour: {line}" for line in told]


def test_progress_on_a_terminal_is_a_bar_that_goes_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress("harbour") as report:
        report(1, 2)
        report(2, 2)
    shown = capsys.readouterr().out
    assert "harbour: " not in shown
    assert "2/2" in shown


def test_ships_are_a_table_best_first(capsys: pytest.CaptureFixture[str]):
    show_ships([ships("a", [0.5, 0.9])])
    title, best, second = capsys.readouterr().out.splitlines()
    assert title.split() == ["id", "lon", "lat", "heading", "length", "beam", "score"]
    assert best.split() == ["2", "3.00000", "51.25000", "45°", "123", "m", "-", "0.90"]
    assert second.split()[0] == "1"


def test_the_table_ends_after_twenty_and_tells_how_many_more(capsys: pytest.CaptureFixture[str]):
    show_ships([ships("a", [0.5] * 18), ships("b", [0.6] * 17)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 20 + 1
    assert [line.split()[1] for line in lines[1:-1]] == ["b"] * 17 + ["a"] * 3
    assert lines[-1] == "and 15 more"


def test_ships_that_lie_nowhere_on_earth_are_told_by_pixel(capsys: pytest.CaptureFixture[str]):
    show_ships([ships("a", [0.5], crs=None)])
    title, row = capsys.readouterr().out.splitlines()
    assert title.split()[:5] == ["id", "bow", "x", "bow", "y"]
    assert row.split()[:3] == ["1", "100.5", "200.5"]


def test_no_ships_are_no_table(capsys: pytest.CaptureFixture[str]):
    show_ships([ships("a", [])])
    show_ships([])
    assert capsys.readouterr().out == ""
