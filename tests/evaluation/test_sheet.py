import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from shipdet.errors import OutputError
from shipdet.evaluation.marks import FALSE_MARK, HIT_MARK, IGNORED_MARK, MISS_MARK
from shipdet.evaluation.matching import match
from shipdet.evaluation.sheet import BAND_PX, TITLE_PX, WIDTH_PX, Panel, draw_sheet
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels, Ship

TEXT = BAND_PX + TITLE_PX + 4
"""Rows of the page above the first picture."""


def panel_of(ships, ends, score=0.9):
    ends = np.array(ends, dtype=np.float64).reshape(-1, 4)
    n = len(ends)
    hulls = Hulls(ends[:, :2], ends[:, 2:], np.full(n, 20.0), np.full(n, score), np.ones(n))
    labels = Labels.of_rows(ships, [], complete=True)
    return Panel(np.full((60, 160, 3), 60, np.uint8), hulls, labels, match(hulls, labels), "harbour")


def colours_shown(path):
    """Which marks' colours appear in the picture."""
    below = matplotlib.image.imread(path)[TEXT:, :, :3]
    marks = {"hit": HIT_MARK, "missed": MISS_MARK, "false": FALSE_MARK, "ignored": IGNORED_MARK}
    near = {name: np.abs(below - np.array(to_rgb(mark.colour))).max(axis=2) < 0.02 for name, mark in marks.items()}
    return {name for name, pixels in near.items() if pixels.sum() > 50}


SHIP = Ship((120.0, 30.0), (20.0, 30.0), beam=20.0)
ON_IT, OFF_IT = (120, 30, 20, 30), (150, 50, 130, 10)


@pytest.mark.parametrize(
    ("ships", "ends", "shown"),
    [
        ([SHIP], [ON_IT], {"hit"}),
        ([SHIP], [OFF_IT], {"missed", "false"}),
        ([Ship(SHIP.bow, SHIP.stern, difficult=True)], [], {"ignored"}),
    ],
)
def test_each_kind_of_ship_is_drawn_in_its_colour(tmp_path, ships, ends, shown):
    (page,) = draw_sheet([panel_of(ships, ends)], tmp_path / "sheet.png")
    assert matplotlib.image.imread(page).shape[1] == WIDTH_PX
    assert colours_shown(page) == shown


def test_a_hit_below_the_threshold_is_a_miss(tmp_path):
    (page,) = draw_sheet([panel_of([SHIP], [ON_IT], score=0.3)], tmp_path / "sheet.png", threshold=0.5)
    assert colours_shown(page) == {"missed"}


def test_thirteen_pictures_fill_two_pages_and_leave_nothing_else(tmp_path):
    pages = draw_sheet([panel_of([SHIP], [ON_IT])] * 13, tmp_path / "sheet.png")
    assert [page.name for page in pages] == ["sheet.png", "sheet-2.png"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sheet-2.png", "sheet.png"]


def test_no_pictures_give_a_page_that_says_so(tmp_path):
    (page,) = draw_sheet([], tmp_path / "sheet.png")
    assert page.is_file()


def test_a_folder_that_does_not_exist_is_the_callers_mistake(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        draw_sheet([], tmp_path / "nowhere" / "sheet.png")
