from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from shipdet.labels.sen2ships import BANDS, CutMask, LabelledPort, hull_of_mask
from shipdet.labels.types import Labels
from shipdet.raster.reader import FILL
from shipdet.training.ports import PORT_GSD_M, Lesson, Port, PortChips, draw_view, load_port, relight, warp

SIDE, GROUND_M = 120, 10.0


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Port:
    """One ship of 20 x 4 pixels on water, in UTM at 10 m."""
    folder = tmp_path_factory.mktemp("port")
    rng = np.random.default_rng(0)
    for number, band in enumerate(BANDS):
        pixels = rng.integers(900, 1100, (SIDE, SIDE)).astype(np.uint16)
        pixels[50:54, 40:60] = 5000 + number
        pixels[100:] = 9000
        profile = {"driver": "GTiff", "count": 1, "width": SIDE, "height": SIDE, "dtype": "uint16", "crs": "EPSG:32631"}
        transform = Affine(GROUND_M, 0, 500000, 0, -GROUND_M, 4000000)
        with rasterio.open(folder / f"{band}.tiff", "w", **profile, transform=transform) as file:
            file.write(pixels, 1)
    mask = CutMask(np.ones((4, 20), bool), 40, 50)
    labels = Labels.of_rows([hull_of_mask(mask)], [], complete=True)
    return load_port(LabelledPort("port", tuple(folder / f"{band}.tiff" for band in BANDS), (mask,), labels))


def test_a_port_is_stretched_and_knows_its_scale(port: Port):
    assert port.pixels.shape == (SIDE, SIDE, 4)
    assert port.scale == pytest.approx(GROUND_M / PORT_GSD_M, rel=1e-3)
    assert port.pixels[52, 50].min() > 3 * port.pixels[:40].mean()


def test_a_view_carries_the_ship_and_its_ends_alike(port: Port):
    rng = np.random.default_rng(3)
    for _ in range(10):
        view = draw_view(rng, np.array([50.0, 52.0]), port.scale, 256)
        pixels, valid, _ = warp(port, view, 256)
        ends = view.to_chip(np.concatenate([port.labels.bow, port.labels.stern]))
        assert np.allclose(ends.mean(axis=0), 128, atol=1e-6)
        bow, stern = ends
        inside, outside = stern + 0.9 * (bow - stern), stern + 1.15 * (bow - stern)
        for place, bright in ((inside, True), (outside, False)):
            x, y = np.floor(place).astype(int)
            assert (pixels[y, x, 0] > 0.25) == bright
        assert valid[128, 128]


def test_chips_are_the_same_for_the_same_seed_and_number(port: Port):
    once, again = (PortChips([port], [], 128, 5, 7, 2)[1] for _ in range(2))
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    later = PortChips([port], [], 128, 5, 8, 1)[0]
    assert all((a == b).all() for a, b in zip(once, later, strict=True))


def test_chips_show_ships_whose_ends_are_in_no_order(port: Port):
    chips = PortChips([port], [], 128, 0, 0, 8)
    drawn = [chips[i] for i in range(8)]
    assert all(chip[0].shape == (4, 128, 128) for chip in drawn)
    assert not any(chip[2].any() for chip in drawn)
    assert any((chip[3] == 1).any() for chip in drawn)


def test_other_lessons_take_their_share_of_the_chips(port: Port):
    dark, bright = (port._replace(pixels=np.full_like(port.pixels, value)) for value in (0.2, 0.8))
    lessons = [Lesson([dark], 0.25), Lesson([bright], 0.5), Lesson([], 0.0)]
    chips = PortChips([port], lessons, 64, 0, 0, 1)
    taken = [chips._lesson(drawn)[0] for drawn in (0.1, 0.24, 0.26, 0.74, 0.76, 0.99)]
    assert [one is dark for one in taken] == [True, True, False, False, False, False]
    assert [one is bright for one in taken] == [False, False, True, True, False, False]
    assert taken[-1] is port


def test_a_missing_infrared_band_is_fill(port: Port):
    rng = np.random.default_rng(0)
    lit = [relight(rng, port.pixels[:64, :64]) for _ in range(40)]
    missing = [bool((pixels[:, :, 3] == FILL).all()) for pixels in lit]
    assert 3 < sum(missing) < 25
    assert not any((pixels[:, :, :3] == FILL).all() for pixels in lit)


def test_real_ports_load(shared_data: Path):
    from shipdet.labels.sen2ships import read_ports  # noqa: PLC0415 - only where there are data

    port = load_port(read_ports(shared_data / "sen2ships", "validation")[0])
    assert port.scale == pytest.approx(8.18 / PORT_GSD_M, rel=0.01)
    assert np.median(port.pixels) < 0.5
