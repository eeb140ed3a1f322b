import pickle
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from shapely.geometry import LineString, box
from torch.utils.data import DataLoader

from shipdet.errors import LabelsError, SceneError
from shipdet.labels.types import Labels, Ship
from shipdet.raster.reader import FILL
from shipdet.raster.scene import open_scene
from shipdet.raster.stretch import scene_stretch
from shipdet.training.augmentation import COMPLETE, INCOMPLETE, OUTSIDE
from shipdet.training.blocks import Blocks
from shipdet.training.chips import Chips, Source
from shipdet.training.pictures import decode
from shipdet.training.scenes import ScenePicture, open_labelled, picture_of

NOWHERE = np.zeros((0, 4))
SIZE = 600


def write_scene(path: Path, gsd: float = 1.0, **options: object) -> Path:
    """A dark sea with a bright square of 12 pixels around (203, 105) and a black, empty right edge."""
    pixels = np.random.default_rng(0).integers(40, 60, (3, SIZE, SIZE), dtype=np.uint16)
    pixels[:, 99:111, 197:209] = 400
    pixels[:, :, 560:] = 0
    profile = {"driver": "GTiff", "count": 3, "height": SIZE, "width": SIZE, "dtype": "uint16",
               "crs": "EPSG:32631", "transform": Affine(gsd, 0, 5e5, 0, -gsd, 5.7e6), "tiled": True,
               "blockxsize": 128, "blockysize": 128}  # fmt: skip
    with rasterio.open(path, "w", **{**profile, **options}) as file:
        file.write(pixels)
    return path


def picture(path: Path, labels: Labels, validation: np.ndarray = NOWHERE) -> ScenePicture:
    scene = open_scene(path)
    whole = np.array([[0.0, 0, SIZE, SIZE]])
    return ScenePicture("a", scene, scene_stretch(scene), labels, Blocks(whole, validation))


SHIP = Ship((203.0, 105.0), (263.0, 105.0), 10.0)
LABELS = Labels.of_rows([SHIP, Ship((500, 500), (450, 450), 9.0)], [], complete=True)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_scene(tmp_path / "a.tif")


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_points_lie_in_a_cut_where_the_pixels_lie(scene: Path, scale: float):
    square, labels = picture(scene, LABELS).cut(np.array([230.0, 120.0]), scale, 256)
    assert square.pixels.shape == (256, 256, 3)
    bright = decode(square.pixels)[..., 0] > 1.25
    y, x = np.nonzero(bright)
    assert len(labels) == (1 if scale > 0.5 else 2)
    np.testing.assert_allclose([x.mean() + 0.5, y.mean() + 0.5], square.points[0], atol=0.6)
    assert np.sqrt(bright.sum()) == pytest.approx(12 * scale, abs=1.5)
    bow, stern = np.split(square.points, 2)
    np.testing.assert_allclose(np.hypot(*(bow - stern)[0]), 60 * scale)


def test_what_has_no_pixels_is_outside_and_filled(scene: Path):
    square, _ = picture(scene, LABELS).cut(np.array([560.0, 60.0]), 1.0, 128)
    assert (square.mask[:, 64:] == OUTSIDE).all()
    assert (square.mask[:4] == OUTSIDE).all()
    assert (square.mask[4:, :64] == COMPLETE).all()
    np.testing.assert_allclose(decode(square.pixels)[square.mask == OUTSIDE], FILL, atol=0.01)


def test_validation_is_as_if_it_lay_outside(scene: Path):
    held = picture(scene, LABELS, np.array([[150.0, 0, 250, 110]]))
    square, _ = held.cut(np.array([200.0, 100.0]), 2.0, 256)
    y, x = np.mgrid[:256, :256] / 2 + 0.25 + np.array([36, 136])[:, None, None]
    np.testing.assert_array_equal(square.mask == OUTSIDE, (x >= 150) & (x < 250) & (y < 110))
    assert (decode(square.pixels)[square.mask == OUTSIDE] < 0.6).all()


def test_regions_and_places_to_ignore_are_masked(scene: Path):
    labels = Labels.of_rows([SHIP], [(100, 50, 300, 200)], complete=True, ignore=[box(120, 60, 150, 90)])
    square, _ = picture(scene, labels).cut(np.array([200.0, 125.0]), 1.0, 256)
    known = square.mask == COMPLETE
    rows, columns = np.nonzero(known)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (28, 53, 227, 202)
    assert (square.mask[65:91, 50:76] == INCOMPLETE).all()
    assert known.sum() == pytest.approx(200 * 150 - 30 * 30, rel=0.01)


def test_pixels_are_square_on_the_ground_in_a_cut(tmp_path: Path):
    """In degrees at 60 north a pixel is half as wide as high."""
    path = write_scene(tmp_path / "a.tif", crs="EPSG:4326", transform=Affine(2e-5, 0, 5.0, 0, -1e-5, 60.0))
    labels = Labels.of_rows([Ship((203, 105), (263, 105)), Ship((203, 105), (203, 165))], [], complete=True)
    shown = picture(path, labels)
    square, _ = shown.cut(np.array([230.0, 120.0]), 1.0, 256)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = square.points
    gsd = shown.scene.grid.gsd_m(np.array([[230.0, 120.0]]))[0]
    assert np.hypot(ax - cx, ay - cy) / np.hypot(bx - dx, by - dy) == pytest.approx(gsd[0] / gsd[1], rel=1e-3)


def test_chips_of_a_scene_are_the_same_in_workers_and_here(scene: Path):
    source = Source([picture(scene, LABELS)], 1.0, (0.5, 2.0))
    chips = Chips([source], 128, seed=3, first=5, count=6)
    loaded = list(DataLoader(pickle.loads(pickle.dumps(chips)), batch_size=None, num_workers=2))  # noqa: S301
    for number, chip in enumerate(loaded):
        for ours, theirs in zip(chips[number], chip, strict=True):
            assert torch.equal(ours, theirs)
    assert any(bool(chip[2].amax() == 1) for chip in loaded)


def test_places_anywhere_are_never_in_validation(scene: Path):
    blocks = Blocks(np.array([[0.0, 0, 600, 100], [0, 100, 300, 600]]), np.array([[300.0, 100, 600, 600]]))
    shown = picture(scene, LABELS)
    shown = ScenePicture(shown.name, shown.scene, shown.stretch, shown.labels, blocks)
    rng = np.random.default_rng(0)
    places = np.array([shown.anywhere(rng) for _ in range(400)])
    assert not ((places[:, 0] >= 300) & (places[:, 1] >= 100)).any()
    assert (places[:, 1] < 100).mean() == pytest.approx(60 / 210, abs=0.08)


def test_labels_come_from_any_vector_file_and_ships_over_nodata_go(scene: Path, tmp_path: Path):
    ends = np.array([[(203, 105), (263, 105)], [(580, 300), (590, 340)], [(450, 450), (500, 500)]], dtype=float)
    lines = [LineString(line * (1, -1) + (5e5, 5.7e6)) for line in ends]
    gpd.GeoDataFrame({"beam_m": [10.0, 5, 9]}, geometry=lines, crs=32631).to_crs(4326).to_file(tmp_path / "a.gpkg")
    labelled = open_labelled(str(scene), tmp_path / "a.gpkg", 0.0)
    np.testing.assert_allclose(labelled.labels.bow, ends[[0, 2], 0], atol=1e-3)
    assert [str(note) for note in labelled.notes] == ["dropped, where the scene has no data: 1"]
    assert len(picture_of(labelled).labels) == 2


def test_a_scene_that_is_all_validation_cannot_be_learnt_from(scene: Path, tmp_path: Path):
    (tmp_path / "a.json").write_text('[{"bow": [203, 105], "stern": [263, 105]}]')
    with pytest.raises(LabelsError, match="all kept for validation; lower validation_share"):
        picture_of(open_labelled(str(scene), tmp_path / "a.json", 1.0))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_picture_of_unknown_scale_asks_for_it(tmp_path: Path):
    path = write_scene(tmp_path / "a.tif", crs=None, transform=Affine.identity())
    (tmp_path / "a.json").write_text('[{"bow": [203, 105], "stern": [263, 105]}]')
    with pytest.raises(SceneError, match="scenes_gsd_m to train, gsd_m to evaluate"):
        open_labelled(str(path), tmp_path / "a.json", 0.2)
    assert open_labelled(str(path), tmp_path / "a.json", 0.2, gsd_m=0.5).scene.gsd_m == (0.5, 0.5)
