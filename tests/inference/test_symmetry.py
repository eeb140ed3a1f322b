"""Mirrored and turned tiles, and what is found in them."""

import numpy as np
import pytest
import torch

from shipdet.inference.symmetry import AS_IT_IS, DIHEDRAL, FLIPS, Symmetry
from shipdet.models.decode import Tips

HEIGHT, WIDTH = 5, 9


def tip_at(x: float, y: float, to_x: float, to_y: float) -> Tips:
    point, vector = np.array([[x, y]]), np.array([[to_x - x, to_y - y]])
    one = np.ones(1)
    return Tips(point, one, vector, one, one, point, np.zeros((1, 0)))


def place_of(maps: torch.Tensor, value: float) -> np.ndarray:
    """(x, y) of the centre of the pixel with a value."""
    row, column = (maps == value).nonzero()[0].tolist()
    return np.array([column + 0.5, row + 0.5])


def test_there_are_eight_symmetries_and_four_of_them_are_flips():
    pixels = torch.arange(25.0).reshape(5, 5)
    seen = {tuple(symmetry.apply(pixels).flatten().tolist()) for symmetry in DIHEDRAL}
    assert len(seen) == 8
    assert set(FLIPS) < set(DIHEDRAL)
    assert DIHEDRAL[0] == AS_IT_IS


@pytest.mark.parametrize("symmetry", DIHEDRAL)
def test_undone_is_as_before(symmetry: Symmetry):
    pixels = torch.arange(2.0 * HEIGHT * WIDTH).reshape(2, HEIGHT, WIDTH)
    assert torch.equal(symmetry.undo(symmetry.apply(pixels)), pixels)


@pytest.mark.parametrize("symmetry", DIHEDRAL)
def test_tips_go_back_to_the_pixels_that_they_were_found_on(symmetry: Symmetry):
    pixels = torch.arange(float(HEIGHT * WIDTH)).reshape(HEIGHT, WIDTH)
    turned = symmetry.apply(pixels)
    found = tip_at(*place_of(turned, 11.0), *place_of(turned, 33.0))
    back = symmetry.undo_tips(found, *turned.shape)
    np.testing.assert_allclose(back.xy[0], place_of(pixels, 11.0))
    np.testing.assert_allclose(back.cell[0], place_of(pixels, 11.0))
    np.testing.assert_allclose(back.xy[0] + back.to_other_end[0], place_of(pixels, 33.0))
