"""Pictures that labels belong to, on Earth and off it, and ships in them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from shipdet.geometry import Grid
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels, Ship

MakeFrame = Callable[..., Frame]


@pytest.fixture
def plain() -> Frame:
    """A picture of 400 x 300 pixels that lies nowhere on Earth."""
    return Frame("harbour.png", Grid(None, Affine.identity(), 400, 300))


@pytest.fixture
def utm() -> Frame:
    """A scene of 400 x 300 pixels of half a metre."""
    return Frame("harbour.tif", Grid(CRS.from_epsg(32631), Affine(0.5, 0, 535_000, 0, -0.5, 5_817_000), 400, 300))


@pytest.fixture
def stretched() -> Frame:
    """A scene in degrees at 60 north, where a pixel is half as wide as high."""
    return Frame("harbour.tif", Grid(CRS.from_epsg(4326), Affine(1e-5, 0, 5.0, 0, -1e-5, 60.0), 400, 300))


@pytest.fixture
def fleet() -> Labels:
    """Ships in all headings and with all that labels can say."""
    ships = [
        Ship((60.5, 40.25), (120.0, 80.5), beam=12.5, type="tanker"),
        Ship((300.0, 200.0), (220.0, 200.0), beam=14.0, bow_known=False),
        Ship((200.0, 250.0), (200.0, 150.0), beam=20.0, difficult=True, type="warship"),
        Ship((330.0, 60.0), (350.0, 110.0), beam=9.0),
    ]
    return Labels.of_rows(ships, [], complete=True)


@pytest.fixture
def turned_box() -> Callable[[float], np.ndarray]:
    """Corners of a ship 60 x 16 around (200, 150), its axis turned by degrees clockwise on screen."""

    def corners(degrees: float) -> np.ndarray:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return np.array([[30, 8], [30, -8], [-30, -8], [-30, 8]]) @ np.array([[c, s], [-s, c]]) + (200, 150)

    return corners


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a text file and gives its path."""

    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file
