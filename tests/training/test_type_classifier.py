import numpy as np
import pytest
import torch

from shipdet.labels.types import SHIP_TYPES, Labels
from shipdet.training.augmentation import COMPLETE
from shipdet.training.hulls import picture_of
from shipdet.training.pictures import Picture, encode
from shipdet.training.type_classifier import TypeSchedule, train_type_classifier, typed_hulls

SIDE, LENGTH = 300, 50.0
TYPES = ("warship", "yacht")


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Dark warships and bright yachts; then one of no known type, one too short, one difficult."""
    pixels = np.full((SIDE, SIDE, 3), 0.4, np.float32)
    middles = np.array([(x, y) for x in (30, 75, 120, 165) for y in (45, 115, 185, 255)], float)
    for number, (x, y) in enumerate(middles.astype(int)):
        pixels[y - 25 : y + 25, x - 5 : x + 5] = 0.9 if number % 2 else 0.1
    ahead = np.array([0, LENGTH / 2])
    bow, stern = middles - ahead, middles + ahead
    bow = np.vstack([bow, [[250, 50], [250, 150], [250, 200]]])
    stern = np.vstack([stern, [[250, 100], [250, 155], [250, 250]]])
    count = len(bow)
    difficult = np.zeros(count, bool)
    difficult[-1] = True
    types = (*(TYPES[number % 2] for number in range(16)), "unknown", "yacht", "tanker")
    labels = Labels(
        bow, stern, np.full(count, 10.0), np.zeros(count, bool), difficult, types, np.zeros((0, 4)), complete=True
    )
    return Picture("ships", encode(pixels), np.full((SIDE, SIDE), COMPLETE, np.uint8), labels)


def test_only_plain_hulls_of_a_known_type_are_learnt_from(picture: Picture):
    assert [SHIP_TYPES[each.type] for each in typed_hulls([picture])] == [*TYPES] * 8


def test_chips_of_single_ships_are_difficult_and_learnt_from(picture: Picture):
    assert [SHIP_TYPES[each.type] for each in typed_hulls([picture], difficult=True)][16:] == ["tanker"]


def test_it_learns_types_and_always_the_same(picture: Picture):
    lines: list[str] = []
    hulls = typed_hulls([picture])
    schedule = TypeSchedule(steps=40, batch=16, width=4)
    once, again = (train_type_classifier(hulls, schedule, lines.append) for _ in range(2))
    for a, b in zip(once.state_dict().values(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    random = np.random.default_rng(7)
    shown = torch.from_numpy(np.stack([picture_of(each.hull, random) for each in hulls]))
    with torch.inference_mode():
        named = once(shown).argmax(dim=1)
    assert (named == torch.tensor([each.type for each in hulls])).float().mean() > 0.9
    assert not lines
