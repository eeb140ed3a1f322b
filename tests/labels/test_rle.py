import numpy as np
import pytest

from shipdet.labels.coco import MASK_SHORTFALL
from shipdet.labels.outline import ship_around
from shipdet.labels.rle import RunMask, decompress, read_runs


def drawn(mask: RunMask, height: int, width: int) -> np.ndarray:
    pixels = np.zeros((height, width), bool)
    for column, top, bottom in zip(*(v.astype(int) for v in mask), strict=True):
        pixels[top:bottom, column] = True
    return pixels


def runs_of(mask: np.ndarray) -> list[int]:
    flat = np.concatenate([[False], mask.T.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1]).tolist()
    return np.diff([0, *edges, mask.size]).tolist()


def test_runs_give_back_the_mask_that_they_were_made_of():
    rng = np.random.default_rng(0)
    for density in (0.05, 0.5, 0.95, 1.0):
        mask = rng.random((13, 7)) < density
        read = read_runs(runs_of(mask), 13, 7)
        np.testing.assert_array_equal(drawn(read, 13, 7), mask)
        assert read.outline.area == pytest.approx(mask.sum())


def test_compressed_runs_are_those_that_pycocotools_packs():
    """Made with pycocotools 2.0.11: rows 5 to 9 of columns 3 to 6, and 8 to 9 on to column 29, of 12 x 40."""
    mask = np.zeros((12, 40), bool)
    mask[5:10, 3:7] = True
    np.testing.assert_array_equal(drawn(read_runs("Y15700000W<", 12, 40), 12, 40), mask)
    mask[8:10, 3:30] = True
    text = "Y157000003M00000000000000000000000000000000000000000000`3"
    np.testing.assert_array_equal(drawn(read_runs(text, 12, 40), 12, 40), mask)


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        ([3, 4], "got 7"),
        ([100, -8], "got 92"),
        ("Q", "breaks off"),
        ("0 1", "character ' '"),
        ("é", "character"),
        ([2**70], "more than any picture has"),
        ([2**63, -(2**63), 100], "got 100"),
        ("o" * 50_000, "does not end"),
    ],
)
def test_runs_that_are_no_mask_are_refused(counts: list[int] | str, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        read_runs(counts, 10, 10)


def test_a_mask_larger_than_any_picture_is_refused():
    with pytest.raises(ValueError, match="a mask of a picture, got one of 100000000 x 100000000 pixels"):
        read_runs([10**16], 10**8, 10**8)


def test_decompressed_runs_are_differences_to_the_one_two_before():
    assert decompress("") == []
    assert decompress("5") == [5]
    assert decompress("1234") == [1, 2, 3, 6]


def test_a_mask_gives_the_hulls_length_and_beam_without_bias():
    rng, errors = np.random.default_rng(0), []
    y, x = np.mgrid[:64, :64] + 0.5
    for turn in rng.uniform(0, np.pi, 300):
        length = rng.uniform(8, 35)
        beam, (cx, cy) = max(0.2 * length, 2.5), rng.uniform(31, 33, 2)
        along, across = (
            (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn),
            (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn),
        )
        mask = np.abs(2 * along / length) ** 3 + np.abs(2 * across / beam) ** 3 < 1
        ship = ship_around(read_runs(runs_of(mask), 64, 64).centres, None, MASK_SHORTFALL)
        errors.append((np.hypot(*np.subtract(ship.bow, ship.stern)) - length, ship.beam - beam))
    assert np.abs(np.mean(errors, axis=0)).max() < 0.15
