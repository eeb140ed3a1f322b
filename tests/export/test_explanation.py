from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from matplotlib.image import imread

from shipdet.errors import OutputError
from shipdet.export.explanation import PANEL, Facts, draw_explanation, facts_of
from shipdet.geometry import Hulls
from shipdet.inference.explain import Explained, Maps
from shipdet.inference.georeference import SceneTags, pixel_detections
from shipdet.raster.sampling import Sampling
from shipdet.raster.tiling import Window

SIDE = 96
NORTH = np.array([0.0, -1.0])
FACTS = Facts("a scene", "a place", "a size", "scores")


def ship(bow: tuple[float, float], stern: tuple[float, float], bow_score: float = 0.9) -> Hulls:
    return Hulls(np.array([bow]), np.array([stern]), np.array([10.0]), np.array([0.8]), np.array([bow_score]))


def explained() -> Explained:
    """A ship that heads right, in even grey; the left half of the gate is shut, the lower half not computed."""
    coarse, fine = np.zeros((12, 12), np.float32), np.zeros((24, 24), np.float32)
    gate, computed = np.zeros((12, 12), bool), np.ones((12, 12), bool)
    gate[:, 6:] = True
    gate[6:] = computed[6:] = False
    bow = fine.copy()
    bow[12, 17] = 1.0
    window = Window(0, 0, SIDE, SIDE)
    maps = Maps(window, np.full((3, SIDE, SIDE), 0.5, np.float32), coarse, gate, computed, bow, fine)
    found = ship((68, 50), (28, 50))
    return Explained(found, Hulls.empty(), maps, Sampling(1.0, 1.0, SIDE, SIDE), (1.0, 1.0), 0.1)


def panels(path: Path) -> np.ndarray:
    """(6, PANEL, PANEL, 3)"""
    drawn = np.asarray(imread(path))[..., :3]
    gap = (drawn.shape[1] - 6 * PANEL) // 7
    rows = np.flatnonzero(np.abs(drawn[:, gap + 1] - drawn[0, 0]).max(axis=1) > 0.2)
    top = int(rows[rows > 60][0])
    return np.stack([drawn[top : top + PANEL, gap + n * (PANEL + gap) :][:, :PANEL] for n in range(6)])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    path = tmp_path_factory.mktemp("drawn") / "ship.png"
    draw_explanation(explained(), FACTS, NORTH, path)
    assert [file.name for file in path.parent.iterdir()] == ["ship.png"]
    return panels(path)


def test_the_chip_is_shown_as_it_is(drawn: np.ndarray) -> None:
    np.testing.assert_allclose(drawn[0, 150:300, 50:300], 0.5, atol=0.01)


def test_without_attention_the_chip_is_dim(drawn: np.ndarray) -> None:
    np.testing.assert_allclose(drawn[1, 50:300, 50:300], 0.225, atol=0.01)


def test_the_gate_is_bright_where_open_dim_where_computed_along_and_dark_elsewhere(drawn: np.ndarray) -> None:
    shades = [drawn[2, y, x].mean() for y, x in ((100, 300), (100, 100), (300, 200))]
    np.testing.assert_allclose(shades, [0.5, 0.15, 0.04], atol=0.01)


def test_the_heat_of_a_bow_lies_at_the_bow_alone(drawn: np.ndarray) -> None:
    hot = drawn[3][..., 0] - drawn[4][..., 0] > 0.4
    rows, columns = np.nonzero(hot[:340])
    assert (rows.mean() / 4, columns.mean() / 4) == pytest.approx((50, 70), abs=5)


def test_the_hull_is_outlined_with_its_heading_ahead_of_the_bow(drawn: np.ndarray) -> None:
    rows, columns = np.nonzero(np.abs(drawn[5] - 0.5).max(axis=2) > 0.15)
    assert (rows.min() / 4, rows.max() / 4) == pytest.approx((45, 55), abs=2)
    assert columns.min() / 4 == pytest.approx(28, abs=2)
    assert 68 < columns.max() / 4 < 80


def test_without_an_earth_there_is_no_arrow_to_the_north(tmp_path: Path, drawn: np.ndarray) -> None:
    draw_explanation(explained(), FACTS, None, tmp_path / "ship.png")
    corner = np.s_[:70, PANEL - 70 :]
    assert panels(tmp_path / "ship.png")[0][corner].std() < 0.01 < drawn[0][corner].std()


def row(hulls: Hulls) -> gpd.GeoDataFrame:
    return pixel_detections(hulls, 2.0, SceneTags("scene", None, "model"))


def test_facts_are_those_of_the_detection() -> None:
    facts = facts_of(row(ship((60, 50), (20, 50))), "title")
    assert facts == Facts("title", "ship at column, row 40, 50", "heading 90° · 80 x 20 m", "score 0.80 · bow 0.90")


def test_ends_in_no_order_are_told() -> None:
    facts = facts_of(row(ship((60, 50), (20, 50), bow_score=0.5)), "title")
    assert (facts.size, facts.scores) == ("ends in no order, 90° · 80 x 20 m", "score 0.80")


@pytest.mark.parametrize("name", ["ship.jpg", "missing/ship.png"])
def test_a_picture_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError):
        draw_explanation(explained(), FACTS, None, tmp_path / name)
