import numpy as np
import pytest

from shipdet.labels.sen2ships import CutMask
from shipdet.labels.types import Labels
from shipdet.training.stamps import Stamp, cut_stamp, paste_stamps

NOTHING = Labels.of_rows([], [], complete=True)


@pytest.fixture
def stamp() -> Stamp:
    """A bright ship of 20 x 4 scene pixels on dark water."""
    scene = np.full((40, 60, 4), 0.05, np.float32)
    scene[18:22, 20:40] = 1.0
    return cut_stamp(scene, CutMask(np.ones((4, 20), bool), 20, 18), 2.0)


def test_a_stamp_knows_its_ship(stamp: Stamp):
    assert stamp.pixels.shape == (8, 24, 4)
    assert stamp.beam == pytest.approx(4.0, rel=0.02)
    assert np.allclose(sorted(stamp.ends.tolist()), [[2.0, 4.0], [22.0, 4.0]], atol=0.2)


def test_pasted_ships_lie_where_their_labels_say(stamp: Stamp):
    for seed in range(8):
        water = np.full((160, 160, 4), 0.02, np.float32)
        pixels, labels = paste_stamps(np.random.default_rng(seed), water, NOTHING, [stamp], 1)
        assert len(labels) == 1
        assert not labels.bow_known.any()
        ends = np.concatenate([labels.bow, labels.stern])
        if ends.min() < 8 or ends.max() > 152:
            continue  # cut by the edge
        bright = pixels.mean(axis=2) > 0.2
        y, x = np.nonzero(bright)
        middle = np.array([x.mean(), y.mean()]) + 0.5
        assert np.abs(middle - (labels.bow[0] + labels.stern[0]) / 2).max() < 1.0
        assert bright.sum() == pytest.approx(labels.length[0] * labels.beam[0], rel=0.2)


def test_no_ship_is_pasted_on_land(stamp: Stamp):
    land = np.full((160, 160, 4), 0.6, np.float32)
    pixels, labels = paste_stamps(np.random.default_rng(0), land, NOTHING, [stamp], 3)
    assert len(labels) == 0
    assert np.array_equal(pixels, land)


def test_pasted_ships_do_not_overlap(stamp: Stamp):
    water = np.full((160, 160, 4), 0.02, np.float32)
    _, labels = paste_stamps(np.random.default_rng(1), water, NOTHING, [stamp], 6)
    assert len(labels) > 1
    middle = (labels.bow + labels.stern) / 2
    apart = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1)) + 99 * np.eye(len(labels))
    assert apart.min() > 0.8 * labels.beam.min()
