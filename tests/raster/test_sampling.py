import numpy as np
import pytest
from affine import Affine

from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import open_scene


@pytest.fixture
def sampling(write_tif):
    def of(model_gsd_m, **options):
        return model_sampling(open_scene(write_tif("a.tif", np.ones((1, 51, 101), np.uint8), **options)), model_gsd_m)

    return of


@pytest.mark.parametrize("model_gsd_m", [1.0, 0.92, 1.09])
def test_a_scale_near_one_is_one(sampling, model_gsd_m):
    found = sampling(model_gsd_m)
    assert (found.scale_x, found.scale_y, found.width, found.height) == (1, 1, 101, 51)


def test_the_model_grid_covers_the_scene(sampling):
    found = sampling(2.0)
    assert found.scale_x == pytest.approx(0.5, rel=1e-3)
    assert (found.width, found.height) == (51, 26)


def test_pixels_that_are_not_square_on_the_ground_have_two_scales(sampling):
    found = sampling(1.0, crs="EPSG:4326", transform=Affine(1e-5, 0, 3, 0, -1e-5, 60))
    assert found.scale_x == pytest.approx(0.558, rel=5e-3)
    assert found.scale_y == pytest.approx(1.114, rel=5e-3)


def test_coordinates_come_back(sampling):
    found, xy = sampling(2.0), np.array([[0.0, 0.0], [10.0, 20.0]])
    assert np.allclose(found.to_scene(found.to_model(xy)), xy)
    assert np.allclose(found.to_scene(np.array([[5.0, 5.0]])), [[10, 10]], rtol=1e-3)
