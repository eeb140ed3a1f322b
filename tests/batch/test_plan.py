from pathlib import Path

import pytest

from shipdet.batch.plan import Job, make_plan, scene_name
from shipdet.errors import OutputError


def test_one_scene_goes_to_the_file_named(tmp_path: Path):
    output, picture = tmp_path / "ships.gpkg", tmp_path / "ships.png"
    plan = make_plan(["a.tif"], output, "gpkg", picture)
    assert plan.jobs == (Job("a.tif", output, picture),)
    assert plan.together is None


def test_several_scenes_share_the_file_named(tmp_path: Path):
    plan = make_plan(["a.tif", "b.tif"], tmp_path / "ships.csv", "gpkg")
    assert plan.jobs == (Job("a.tif", None, None), Job("b.tif", None, None))
    assert plan.together == tmp_path / "ships.csv"


def test_a_folder_gets_one_file_a_scene(tmp_path: Path):
    plan = make_plan(["in/a.tif", ("in/b_red.tif", "in/b_green.tif")], tmp_path, "geojson", tmp_path)
    assert [job.output for job in plan.jobs] == [tmp_path / "a.geojson", tmp_path / "b_red.geojson"]
    assert [job.picture for job in plan.jobs] == [tmp_path / "a.png", tmp_path / "b_red.png"]
    assert plan.together is None


def test_an_ending_may_be_given_with_its_point(tmp_path: Path):
    assert make_plan(["a.tif"], tmp_path, ".fgb").jobs[0].output == tmp_path / "a.fgb"


def test_a_scene_is_called_by_its_files_name():
    assert scene_name("https://example.com/in/harbour.tif?key=a/b.c") == "harbour"
    assert scene_name(("in/B04.tif", "in/B03.tif")) == "B04"


def test_two_scenes_of_one_name_cannot_share_a_folder(tmp_path: Path):
    with pytest.raises(OutputError, match=r"2 scenes are called 'a' and would go to one file"):
        make_plan(["x/a.tif", "y/a.tif"], tmp_path, "gpkg")


def test_a_missing_folder_is_told(tmp_path: Path):
    with pytest.raises(OutputError, match="there is no folder"):
        make_plan(["a.tif", "b.tif"], tmp_path / "out", "gpkg")
    with pytest.raises(OutputError, match="does not exist"):
        make_plan(["a.tif"], tmp_path / "out" / "ships.gpkg", "gpkg")


def test_an_unknown_ending_is_told(tmp_path: Path):
    with pytest.raises(OutputError, match=r"should end in one of \.gpkg"):
        make_plan(["a.tif"], tmp_path / "ships.shp", "gpkg")
    with pytest.raises(OutputError, match=r"should end in one of \.gpkg"):
        make_plan(["a.tif"], tmp_path, "shp")


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path):
    with pytest.raises(OutputError, match=r"should end in \.png"):
        make_plan(["a.tif"], tmp_path / "ships.csv", "gpkg", tmp_path / "ships.bmp")
    with pytest.raises(OutputError, match="does not exist"):
        make_plan(["a.tif"], tmp_path / "ships.csv", "gpkg", tmp_path / "out" / "ships.png")


def test_several_scenes_cannot_share_a_picture(tmp_path: Path):
    with pytest.raises(OutputError, match="one picture for 2 scenes"):
        make_plan(["a.tif", "b.tif"], tmp_path / "ships.csv", "gpkg", tmp_path / "ships.png")


def test_planning_leaves_nothing_behind(tmp_path: Path):
    make_plan(["a.tif", "b.tif"], tmp_path, "gpkg", tmp_path)
    assert list(tmp_path.iterdir()) == []
