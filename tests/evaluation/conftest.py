"""A small evaluation to tell of: two pictures with hits, misses, a false alarm and an ignored ship."""

import numpy as np
import pytest
from PIL import Image

from shipdet.evaluation.cases import Judged, case_of
from shipdet.evaluation.matching import match
from shipdet.evaluation.metrics import GateHits
from shipdet.geometry import Hulls
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import Labels, Ship
from shipdet.models.weights import Card

TYPES = ("warship", "tanker")
FIRST = [
    Ship((110.0, 20.0), (10.0, 20.0), 14.0, type="warship"),
    Ship((110.0, 38.0), (10.0, 38.0), 14.0, type="warship"),  # 4 px beside the first
    Ship((190.0, 100.0), (150.0, 100.0), 10.0, type="tanker"),
    Ship((40.0, 120.0), (10.0, 120.0), 8.0, type="tug", difficult=True),
]
SECOND = [Ship((100.0, 60.0), (40.0, 60.0), 12.0, type="unknown"), Ship((100.0, 130.0), (70.0, 130.0))]


def hulls_of(ships: list[Ship], scores: list[float], types: list[list[float]]) -> Hulls:
    ends = np.array([(*s.bow, *s.stern) for s in ships], dtype=np.float64).reshape(-1, 4)
    beam, ones = np.array([s.beam for s in ships]), np.ones(len(ships))
    return Hulls(ends[:, :2], ends[:, 2:], beam, np.array(scores), ones, np.array(types).reshape(-1, 2))


@pytest.fixture(scope="session")
def card() -> Card:
    return Card(
        name="tiny", width=64, context=48, gsd_m=1.0, bands=("red", "green", "blue"), normalisation="percentiles",
        classes=("background", "hull", "end"), types=TYPES, gate_threshold=0.1, score_threshold=0.3,
        trained_on=("drawn <harbours>",), terms="none", steps=7,
    )  # fmt: skip


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """Found: the first ship, the third the wrong way round and as a warship, and the fifth; one false alarm."""
    turned = Ship(FIRST[2].stern, FIRST[2].bow, 8.0)
    alarm = Ship((160.0, 140.0), (120.0, 140.0), 10.0)
    found = [
        hulls_of([FIRST[0], turned, alarm, FIRST[3]], [0.9, 0.6, 0.7, 0.5], [[0.8, 0.2], [0.7, 0.3], [0, 1], [0, 1]]),
        hulls_of([SECOND[0]], [0.8], [[0.5, 0.5]]),
    ]
    pictures, folder = [], tmp_path_factory.mktemp("judged")
    for number, (ships, hulls) in enumerate(zip((FIRST, SECOND), found, strict=True), start=1):
        path = folder / f"{number}.png"
        pixels = np.random.default_rng(number).integers(20, 90, (150, 200, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        labels = Labels.of_rows(ships, [], complete=True)
        case = case_of(LabelledPicture(path, labels))
        pictures.append(Judged(case, hulls, match(hulls, labels), GateHits(4, 5)))
    return pictures
