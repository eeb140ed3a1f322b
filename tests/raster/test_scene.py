import logging
import pickle
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.control import GroundControlPoint

from shipdet.errors import SceneError
from shipdet.raster.info import scene_info
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import open_scene

GREY = np.full((1, 8, 8), 100, np.uint8)


def test_a_scene_is_picklable_and_knows_its_file(write_tif, rasters):
    def tag(dataset):
        dataset.update_tags(TIFFTAG_DATETIME="2021:03:04 05:06:07")

    path = write_tif("port.tif", rasters.noise((3, 200, 300)), tag, nodata=255, **rasters.tiled)
    rasters.add_overviews(path, [2, 4])
    scene = pickle.loads(pickle.dumps(open_scene(path)))  # noqa: S301
    assert (scene.grid.width, scene.grid.height) == (300, 200)
    assert scene.grid.crs.to_epsg() == 32631
    assert (scene.scene_id, scene.acquired_at) == ("port", "2021-03-04T05:06:07")
    assert (scene.dtype, scene.block, scene.overviews, scene.mask) == ("uint8", (64, 64), (2, 4), "nodata tag")
    assert scene.sources[0].nodata == (255, 255, 255)
    assert scene.chosen == (1, 2, 3)
    assert hash(scene.sources)


def test_the_time_of_acquisition_wins_over_the_time_of_writing(write_tif):
    def tag(dataset):
        dataset.update_tags(TIFFTAG_DATETIME="2022:01:01 00:00:00")
        dataset.update_tags(ns="IMAGERY", ACQUISITIONDATETIME="2021-03-04T05:06:07Z")

    assert open_scene(write_tif("a.tif", GREY, tag)).acquired_at == "2021-03-04T05:06:07+00:00"


def test_a_time_that_makes_no_sense_is_no_time(write_tif):
    scene = open_scene(write_tif("a.tif", GREY, lambda dataset: dataset.update_tags(TIFFTAG_DATETIME="yesterday")))
    assert scene.acquired_at is None


@pytest.mark.parametrize(
    ("crs", "transform", "expected"),
    [
        ("EPSG:32631", Affine(0.5, 0, 500000, 0, -0.5, 5700000), (0.5, 0.5)),
        ("EPSG:3857", Affine(10, 0, 0, 0, -10, 8399737.9), (5, 5)),
        ("EPSG:4326", Affine(1e-5, 0, 3, 0, -1e-5, 60), (0.558, 1.114)),
        ("EPSG:32631", Affine(3**0.5, 1, 500000, 1, -(3**0.5), 5700000), (2, 2)),
    ],
)
def test_the_ground_sample_distance_is_taken_on_the_ground(write_tif, crs, transform, expected):
    scene = open_scene(write_tif("a.tif", GREY, crs=crs, transform=transform))
    assert scene.gsd_m == pytest.approx(expected, rel=5e-3)


def test_a_callers_ground_sample_distance_wins(write_tif):
    assert open_scene(write_tif("a.tif", GREY), gsd_m=3).gsd_m == (3, 3)


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_an_impossible_ground_sample_distance_is_refused(write_tif, wrong):
    with pytest.raises(SceneError, match="positive number of metres"):
        open_scene(write_tif("a.tif", GREY), gsd_m=wrong)


def test_a_scene_without_a_place_has_neither_crs_nor_ground_sample_distance(write_tif):
    scene = open_scene(write_tif("a.tif", GREY, crs=None, transform=None))
    assert scene.grid.crs is None
    assert scene.grid.transform == Affine.identity()
    assert scene.gsd_m is None
    with pytest.raises(SceneError, match="--gsd"):
        model_sampling(scene, 1.0)


def gcps(bend: float) -> list[GroundControlPoint]:
    corners = [(0, 0, 0.0), (0, 200, bend), (100, 0, -bend), (100, 200, 0.0), (50, 100, bend)]
    return [
        GroundControlPoint(row=row, col=col, x=500000 + 2 * col + miss, y=5700000 - 2 * row - miss)
        for row, col, miss in corners
    ]


def test_ground_control_points_give_a_grid(write_tif, caplog):
    scene = open_scene(
        write_tif("a.tif", np.ones((1, 100, 200), np.uint8), crs="EPSG:32631", gcps=gcps(0), transform=None)
    )
    assert scene.from_gcps
    assert scene.grid.crs.to_epsg() == 32631
    assert np.allclose(scene.grid.transform, Affine(2, 0, 500000, 0, -2, 5700000), atol=1e-4)
    assert scene.gsd_m == pytest.approx((2, 2), rel=1e-3)
    assert not caplog.records


def test_ground_control_points_that_are_not_affine_are_warned_of(write_tif, caplog):
    path = write_tif("a.tif", np.ones((1, 100, 200), np.uint8), crs="EPSG:32631", gcps=gcps(20), transform=None)
    with caplog.at_level(logging.WARNING):
        assert open_scene(path).from_gcps
    assert "5 ground control points" in caplog.text


def test_several_files_are_one_scene_in_the_order_of_their_names(write_tif):
    paths = {name: write_tif(f"{name}.tif", GREY + i) for i, name in enumerate(["B02", "B03", "B04"])}
    scene = open_scene([paths["B02"], paths["B03"], paths["B04"]])
    assert [source.path for source in scene.sources] == [paths["B04"], paths["B03"], paths["B02"]]
    assert scene.scene_id == Path(paths["B02"]).parent.name


def test_several_files_may_be_picked_by_place_or_name(write_tif):
    paths = [write_tif(f"T31_{name}_10m.tif", GREY) for name in ("a", "b", "c")]
    scene = open_scene(paths, bands=(3, "T31_a_10m", 3))
    assert [source.path for source in scene.sources] == [paths[2], paths[0]]
    assert scene.channels == (0, 1, 0)
    assert scene.scene_id == "T31"


@pytest.mark.parametrize(
    ("other", "options", "fact"),
    [
        (np.ones((1, 8, 9), np.uint8), {}, "differs from .* in its size"),
        (GREY, {"crs": "EPSG:32632"}, "in its CRS"),
        (GREY, {"transform": Affine(1, 0, 500000.5, 0, -1, 5700000)}, "in its transform"),
        (GREY.astype(np.uint16), {}, "differ in data type"),
        (np.ones((2, 8, 8), np.uint8), {}, "2 bands"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(write_tif, other, options, fact):
    paths = [write_tif("a.tif", GREY), write_tif("b.tif", GREY), write_tif("c.tif", other, **options)]
    with pytest.raises(SceneError, match=fact):
        open_scene(paths)


def test_what_is_no_raster_is_refused_in_one_line(tmp_path, capfd):
    text = tmp_path / "notes.tif"
    text.write_text("not a raster")
    for path, words in [(tmp_path / "gone.tif", "no such file"), (tmp_path, "is a folder"), (text, "cannot be opened")]:
        with pytest.raises(SceneError, match=words) as caught:
            open_scene(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(SceneError, match="no file was given"):
        open_scene([])
    assert capfd.readouterr() == ("", "")


def test_complex_pixels_are_refused(write_tif):
    with pytest.raises(SceneError, match="complex"):
        open_scene(write_tif("a.tif", np.ones((1, 8, 8), np.complex64)))


def test_two_bands_are_refused_unless_chosen(write_tif):
    path = write_tif("a.tif", np.ones((2, 8, 8), np.uint16))
    with pytest.raises(SceneError, match="--bands"):
        open_scene(path)
    assert open_scene(path, bands=(2,)).channels == (0, 0, 0)


def test_info_tells_what_the_model_would_read(write_tif):
    path = write_tif("a.tif", GREY, transform=Affine(0.5, 0, 500000, 0, -0.5, 5700000))
    info = scene_info(open_scene(path, gsd_m=0.5), model_gsd_m=1.0)
    assert (info.width, info.height, info.model.width, info.model.height) == (8, 8, 4, 4)
    assert info.crs_name == "EPSG:32631 WGS 84 / UTM zone 31N"
    assert info.chosen == (1, 1, 1)
    assert info.nodata == (None, None, None)
    assert scene_info(open_scene(write_tif("b.tif", GREY, crs=None, transform=None)), 1.0).model is None
