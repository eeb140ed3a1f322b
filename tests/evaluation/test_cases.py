"""Pictures as evaluation takes them."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from shipdet.errors import LabelsError
from shipdet.evaluation.cases import case_of, cases_of, rgb, size_of
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import Labels
from shipdet.raster.sampling import Sampling
from shipdet.raster.tiling import Window

NONE = Labels.of_rows([], [], complete=True)


@pytest.fixture
def picture(tmp_path: Path) -> LabelledPicture:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "7.png")
    return LabelledPicture(tmp_path / "7.png", NONE)


def test_a_picture_of_unknown_gsd_is_opened_at_the_models(picture: LabelledPicture):
    case = case_of(picture)
    assert (case.name, case.gsd_m) == ("7", None)
    assert case.open(1.5).gsd_m == (1.5, 1.5)


def test_a_picture_that_knows_its_gsd_keeps_it(picture: LabelledPicture):
    case = case_of(picture, 0.5)
    assert case.gsd_m == 0.5
    assert case.open(1.5).gsd_m == (0.5, 0.5)


def test_cases_pass_and_pictures_become_cases(picture: LabelledPicture):
    case = case_of(picture, 0.5)
    assert [c.gsd_m for c in cases_of([picture, case])] == [None, 0.5]


def test_eight_bits_are_shown_as_they_are(picture: LabelledPicture):
    case, expected = case_of(picture), np.asarray(Image.open(picture.path))
    np.testing.assert_array_equal(rgb(case, 1.0), expected)
    np.testing.assert_array_equal(rgb(case, 1.0, Window(10, 5, 20, 30)), expected[5:35, 10:30])


def test_a_case_in_other_pixels_than_its_scene_is_shown_in_those(picture: LabelledPicture):
    y, x = np.mgrid[:40, :60]
    Image.fromarray(np.stack([4 * x, 6 * y, 2 * (x + y)], axis=2).astype(np.uint8)).save(picture.path)
    case = case_of(picture)._replace(sampling=Sampling(0.5, 0.5, 30, 20))
    assert size_of(case, case.open(1.0)) == (30, 20)
    shown = rgb(case, 1.0)
    np.testing.assert_allclose(shown[3, 10], [4 * 20.5, 6 * 6.5, 2 * 27], atol=1)
    np.testing.assert_array_equal(rgb(case, 1.0, Window(3, 2, 10, 8)), shown[2:10, 3:13])


def test_sixteen_bits_of_one_band_are_stretched_and_shown_grey(tmp_path: Path):
    values = np.arange(40 * 60, dtype=np.uint16).reshape(1, 40, 60) * 20 + 1
    with rasterio.open(
        tmp_path / "deep.tif", "w", driver="GTiff", count=1, height=40, width=60, dtype="uint16",
        crs="EPSG:32631", transform=rasterio.Affine(1, 0, 500_000, 0, -1, 5_678_000),
    ) as file:  # fmt: skip
        file.write(values)
    shown = rgb(case_of(LabelledPicture(tmp_path / "deep.tif", NONE)), 1.0)
    assert shown.shape == (40, 60, 3)
    assert (shown.min(), shown.max()) == (0, 255)
    assert (shown[..., 0] == shown[..., 2]).all()
    assert (np.diff(shown[..., 0].ravel().astype(int)) >= 0).all()


def test_land_is_read_from_beside_the_picture(picture: LabelledPicture):
    assert case_of(picture).land is None
    beside = picture.path.with_suffix(".land.geojson")
    beside.write_text('{"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]]}')
    land = case_of(picture).land
    assert land is not None
    assert land.area == 81
    beside.write_text("{}")
    with pytest.raises(LabelsError, match=r"7\.land\.geojson: expected GeoJSON polygons in pixels"):
        case_of(picture)
