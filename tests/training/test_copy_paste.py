from dataclasses import replace

import cv2
import numpy as np
import pytest
import shapely

from shipdet.geometry import hull_corners, overlaps, rectangle_corners
from shipdet.labels.types import Labels, Ship
from shipdet.training.augmentation import COMPLETE, INCOMPLETE
from shipdet.training.copy_paste import RAFT_GAP, SOFT, Donor, donors_of, with_pasted
from shipdet.training.pictures import Picture, render_harbours
from shipdet.training.water import CELL, find_water

SHORE = 120
"""The land's edge in `harbour`: rows above it are land."""
SEEDS = range(12)
SHIPS = (
    Ship((300, 200), (220, 200), 12.0, type="warship"),
    Ship((120, 260), (120, 300), 10.0, type="tug", bow_known=False),
    Ship((280, 330), (230, 330), float("nan"), type="cargo"),
    Ship((60, 200), (90, 220), 9.0, type="barge", difficult=True),
)


def harbour(ships: tuple[Ship, ...] = SHIPS) -> Picture:
    """Rough bright land above smooth dark water with grey ships."""
    rng = np.random.default_rng(0)
    pixels = np.full((400, 400, 3), (30, 45, 60)) + rng.normal(0, 3, (400, 400, 1))
    pixels[:SHORE] = 130 + cv2.resize(rng.normal(0, 50, (15, 50)), (400, SHORE))[..., None]
    labels = Labels.of_rows(ships, [], complete=True)
    coded = np.clip(pixels, 0, 255).astype(np.uint8)
    for corners in hull_corners(labels.bow, labels.stern, np.nan_to_num(labels.beam, nan=8.0)):
        cv2.fillPoly(coded, [np.round(corners).astype(np.int32)], (150, 152, 155))
    return Picture("harbour", coded, np.full((400, 400), COMPLETE, np.uint8), labels)


def new_hulls(before: Picture, after: Picture) -> np.ndarray:
    new = slice(len(before.labels), None)
    labels = after.labels
    return hull_corners(labels.bow[new], labels.stern[new], labels.beam[new])


@pytest.fixture(scope="module")
def donors() -> list[Donor]:
    return donors_of([harbour()])


@pytest.fixture(scope="module")
def pasted(donors: list[Donor]) -> list[Picture]:
    return [with_pasted(harbour(), donors, np.random.default_rng(seed)) for seed in SEEDS]


def test_donors_are_whole_easy_ships_of_known_beam(donors: list[Donor]) -> None:
    assert [(donor.type, donor.beam, donor.bow_known) for donor in donors] == [
        ("warship", 12, True),
        ("tug", 10, False),
    ]
    for donor, ship in zip(donors, SHIPS, strict=False):
        assert donor.bow - donor.stern == pytest.approx(np.subtract(ship.bow, ship.stern))
        middle = ((donor.bow + donor.stern) / 2).astype(int)
        assert donor.pixels[middle[1], middle[0]] == pytest.approx([150, 152, 155])


def test_incomplete_labels_give_no_donors() -> None:
    picture = harbour()
    assert donors_of([picture._replace(labels=replace(picture.labels, complete=False))]) == []
    unknown = np.full_like(picture.mask, INCOMPLETE)
    assert donors_of([picture._replace(mask=unknown)]) == []


def test_water_is_below_the_shore_and_not_where_ships_are() -> None:
    water = find_water(harbour())
    assert water is not None
    assert not water.cells[: SHORE // CELL - 1].any()
    assert water.cells[SHORE // CELL + 4 :].mean() > 0.8
    assert water.room[200 // CELL, 260 // CELL] == 0
    assert water.colour == pytest.approx([30, 45, 60], abs=3)


def test_pasting_adds_labels_and_changes_pixels_under_them_and_nowhere_else(pasted: list[Picture]) -> None:
    before, rows_columns = harbour(), np.mgrid[:400, :400] + 0.5
    assert sum(len(after.labels) for after in pasted) > len(SEEDS) * (len(SHIPS) + 1)
    for after in pasted:
        hulls = shapely.polygons(new_hulls(before, after))
        changed = (after.pixels != before.pixels).any(axis=2)
        near = shapely.union_all(shapely.buffer(hulls, SOFT))
        assert shapely.contains_xy(near, rows_columns[1][changed], rows_columns[0][changed]).all()
        for hull in hulls:
            inside = shapely.contains_xy(hull.buffer(-1), rows_columns[1], rows_columns[0])
            assert changed[inside].mean() > 0.95
            assert abs(after.pixels[inside].astype(int) - (150, 152, 155)).mean() < 12


def test_a_pasted_hulls_ends_are_where_its_label_says(donors: list[Donor], pasted: list[Picture]) -> None:
    before = harbour()
    for after in pasted:
        grey = after.pixels.astype(float).mean(axis=2)
        for k in range(len(SHIPS), len(after.labels)):
            bow, stern = after.labels.bow[k], after.labels.stern[k]
            step = (bow - stern) / after.labels.length[k]
            inner, outer = stern + 3 * step, stern - 4 * step
            assert grey[int(inner[1]), int(inner[0])] > 110
            if np.array_equal(before.pixels[int(outer[1]), int(outer[0])], after.pixels[int(outer[1]), int(outer[0])]):
                assert grey[int(outer[1]), int(outer[0])] < 160


def test_the_old_labels_stay_and_the_picture_given_is_not_changed(donors: list[Donor], pasted: list[Picture]) -> None:
    before = harbour()
    given = harbour()
    with_pasted(given, donors, np.random.default_rng(0))
    assert np.array_equal(given.pixels, before.pixels)
    for after in pasted:
        assert after.labels.type[: len(SHIPS)] == before.labels.type
        assert np.array_equal(after.labels.bow[: len(SHIPS)], before.labels.bow)
        assert not after.labels.difficult[len(SHIPS) :].any()
        assert np.array_equal(after.mask, before.mask)
        for k in range(len(SHIPS), len(after.labels)):
            assert after.labels.bow_known[k] == (after.labels.type[k] == "warship")


def test_pasted_ships_lie_on_water_and_touch_no_ship(pasted: list[Picture]) -> None:
    before = harbour()
    for after in pasted:
        assert new_hulls(before, after)[..., 1].min(initial=np.inf) > SHORE
        beam = np.nan_to_num(after.labels.beam, nan=8.0)
        assert len(overlaps(rectangle_corners(after.labels.bow, after.labels.stern, beam)).first) == 0


def test_some_are_pasted_side_by_side_one_to_three_pixels_apart(pasted: list[Picture]) -> None:
    gaps = []
    mate = rectangle_corners(np.array([[300.0, 200]]), np.array([[220.0, 200]]), np.array([12.0]))
    for after in pasted:
        for k in range(len(SHIPS), len(after.labels)):
            one = after.labels.bow[k : k + 1], after.labels.stern[k : k + 1], after.labels.beam[k : k + 1]
            gap = shapely.distance(shapely.polygons(mate)[0], shapely.polygons(rectangle_corners(*one))[0])
            if gap < 4:
                along = one[0][0] - one[1][0]
                assert abs(along[1]) < 1e-6
                gaps.append(gap)
    assert gaps
    assert min(gaps) >= RAFT_GAP[0] - 1e-6
    assert max(gaps) <= RAFT_GAP[1] + 1e-6


def test_nothing_is_pasted_where_labels_are_incomplete(donors: list[Donor]) -> None:
    picture = harbour()
    mask = picture.mask.copy()
    mask[:, 200:] = INCOMPLETE
    for seed in SEEDS:
        after = with_pasted(picture._replace(mask=mask), donors, np.random.default_rng(seed))
        changed = (after.pixels != picture.pixels).any(axis=2)
        assert not changed[:, 200:].any()


def test_nothing_is_pasted_without_water_or_donors(donors: list[Donor]) -> None:
    picture = harbour()
    land = picture._replace(pixels=np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8))
    assert with_pasted(land, donors, np.random.default_rng(0)) is land
    assert with_pasted(picture, [], np.random.default_rng(0)) is picture


def test_the_same_seed_pastes_the_same(donors: list[Donor], pasted: list[Picture]) -> None:
    again = with_pasted(harbour(), donors, np.random.default_rng(SEEDS[0]))
    assert np.array_equal(again.pixels, pasted[0].pixels)
    assert np.array_equal(again.labels.bow, pasted[0].labels.bow)
    assert any(not np.array_equal(other.pixels, again.pixels) for other in pasted[1:])


def test_a_hull_takes_the_tone_of_the_water_that_it_is_pasted_on(donors: list[Donor]) -> None:
    lighter = harbour()
    lighter.pixels[SHORE:] += 20
    for seed in SEEDS:
        after = with_pasted(lighter, donors, np.random.default_rng(seed))
        for bow, stern in zip(after.labels.bow[len(SHIPS) :], after.labels.stern[len(SHIPS) :], strict=True):
            middle = ((bow + stern) / 2).astype(int)
            assert after.pixels[middle[1], middle[0]] == pytest.approx([170, 172, 175], abs=6)


def test_hulls_of_drawn_harbours_of_8_and_16_bit_can_be_pasted() -> None:
    pictures = render_harbours(4, 256, seed=1)
    donors = donors_of(pictures)
    after = [with_pasted(picture, donors, np.random.default_rng(2)) for picture in pictures]
    assert all(picture.pixels.dtype == np.uint8 for picture in after)
    assert all(len(new.labels) >= len(old.labels) for new, old in zip(after, pictures, strict=True))
