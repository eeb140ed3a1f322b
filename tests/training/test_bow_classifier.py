"""Training of the classifier of bows."""

import numpy as np
import pytest
import torch

from shipdet.labels.types import Labels
from shipdet.raster.aligned import COLUMNS, ROWS
from shipdet.training.augmentation import COMPLETE
from shipdet.training.bow_classifier import BowSchedule, hulls_of, train_bow_classifier
from shipdet.training.hulls import Hull, picture_of
from shipdet.training.pictures import Picture, encode

SIDE, LENGTH = 300, 50.0


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Ships in all directions, each bright at its bow; two more that are not to be learnt from, one beyond the edge."""
    pixels = np.full((SIDE, SIDE, 3), 0.2, np.float32)
    middles = np.array([(x, y) for x in (45, 115, 185, 255) for y in (45, 115, 185, 255)], float)
    angles = np.linspace(0, 2 * np.pi, len(middles), endpoint=False)
    ahead = np.stack([np.cos(angles), np.sin(angles)], axis=1) * LENGTH / 2
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    for middle, half in zip(middles, ahead, strict=True):
        pixels[np.hypot(x - middle[0] - half[0] * 0.7, y - middle[1] - half[1] * 0.7) < 8] = 0.9
        pixels[np.hypot(x - middle[0] + half[0] * 0.5, y - middle[1] + half[1] * 0.5) < 8] = 0.5
    bow, stern = middles + ahead, middles - ahead
    bow, stern = np.vstack([bow, [[20, 20], [9, 9], [-5, 100]]]), np.vstack([stern, [[60, 20], [15, 9], [40, 100]]])
    count = len(bow)
    known, difficult = np.ones(count, bool), np.zeros(count, bool)
    known[count - 3] = False
    difficult[count - 1] = True
    labels = Labels(
        bow, stern, np.full(count, 8.0), known, difficult, ("ship",) * count, np.zeros((0, 4)), complete=True
    )
    return Picture("ships", encode(pixels), np.full((SIDE, SIDE), COMPLETE, np.uint8), labels)


def test_only_long_plain_hulls_with_a_known_bow_are_learnt_from(picture: Picture):
    hulls = hulls_of([picture, picture])
    assert len(hulls) == 32
    assert all(np.hypot(*(hull.bow - hull.stern)) == pytest.approx(LENGTH) for hull in hulls)


def test_it_learns_which_end_is_the_bow_and_always_the_same(picture: Picture):
    lines: list[str] = []
    schedule = BowSchedule(steps=60, batch=16, width=8, average=0.8)
    once, again = (train_bow_classifier(hulls_of([picture]), [], schedule, lines.append) for _ in range(2))
    for a, b in zip(once.state_dict().values(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    random = np.random.default_rng(7)
    shown = torch.from_numpy(np.stack([picture_of(hull, random) for hull in hulls_of([picture])]))
    with torch.inference_mode():
        assert (once(shown) > 0).float().mean() > 0.9
    assert not lines


def test_a_hull_at_the_edge_is_shown_with_nothing_beyond(picture: Picture):
    hull = Hull(picture, np.array([10.0, 5.0]), np.array([10.0, 45.0]))
    shown = picture_of(hull, np.random.default_rng(0))
    assert shown.shape == (3, ROWS, COLUMNS)
    assert np.isfinite(shown).all()
