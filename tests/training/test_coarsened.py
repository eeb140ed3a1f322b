import numpy as np
import pytest
from shapely.geometry import box

from shipdet.labels.types import Labels
from shipdet.models.task_partition import BACKGROUND, HULL
from shipdet.training.augmentation import COMPLETE, INCOMPLETE
from shipdet.training.coarsened import DRAWN_GSD_M, DRAWN_SIDE, coarse_harbours, coarsen
from shipdet.training.pictures import Picture, decode, encode
from shipdet.training.ports import PORT_GSD_M, PortChips

SIDE = 400


@pytest.fixture
def picture() -> Picture:
    """A ship of 100 m and one of 30 m at 1 m a pixel; what lies right of column 300 is not known."""
    pixels = np.full((SIDE, SIDE, 3), 0.1, np.float32)
    pixels[190:210, 100:200] = 0.9
    pixels[300:306, 100:130] = 0.9
    mask = np.full((SIDE, SIDE), COMPLETE, np.uint8)
    mask[:, 300:] = INCOMPLETE
    labels = Labels(
        bow=np.array([[200.0, 200.0], [130.0, 303.0]]),
        stern=np.array([[100.0, 200.0], [100.0, 303.0]]),
        beam=np.array([20.0, 6.0]),
        bow_known=np.array([True, True]),
        difficult=np.array([False, False]),
        type=("container", "tug"),
        regions=np.zeros((0, 4)),
        complete=True,
        ignore=(box(300, 0, SIDE, SIDE),),
    )
    return Picture("harbour", encode(pixels), mask, labels)


def test_ships_keep_their_place_on_the_ground(picture: Picture):
    port = coarsen(picture, 1.0)
    assert port.pixels.shape == (40, 40, 4)
    assert port.scale == pytest.approx(10 / PORT_GSD_M)
    assert port.labels.bow[0] == pytest.approx([20, 20])
    assert port.labels.beam[0] == pytest.approx(2)
    assert port.pixels[19, 15, 0] > 5 * port.pixels[5, 5, 0]


def test_ends_are_in_no_order_and_small_ships_are_not_asked_for(picture: Picture):
    port = coarsen(picture, 1.0)
    assert not port.labels.bow_known.any()
    assert port.labels.difficult.tolist() == [False, True]
    assert coarsen(picture, 2.0).labels.difficult.tolist() == [False, False]


def test_a_coarse_pixel_is_the_mean_of_what_it_covers(picture: Picture):
    port = coarsen(picture, 1.0)
    assert port.pixels[..., :3].mean() == pytest.approx(decode(picture.pixels).mean(), rel=1e-2)


def test_what_is_not_known_stays_so(picture: Picture):
    port = coarsen(picture, 1.0)
    assert port.known[:, :30].all()
    assert not port.known[:, 30:].any()


def test_chips_teach_nothing_where_nothing_is_known(picture: Picture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shipdet.training.ports.NEAR_SHIPS", 1.0)
    port = coarsen(picture, 10.0)
    for known, taught in ((1, True), (0, False)):
        chips = PortChips([port._replace(known=np.full_like(port.known, known))], [], 128, 0, 0, 4)
        for index in range(len(chips)):
            _, coarse, *_ = chips[index]
            assert (BACKGROUND in coarse) == taught
            assert HULL in coarse


def test_drawn_harbours_are_coarse_ports_with_large_ships():
    ports = coarse_harbours(2, 5)
    side = round(DRAWN_SIDE * DRAWN_GSD_M / 10)
    assert all(port.pixels.shape == (side, side, 4) for port in ports)
    assert all((port.known == 1).all() for port in ports)
    ship = ports[0].labels
    large = ~ship.difficult
    assert large.sum() >= 3
    assert (np.hypot(*(ship.bow - ship.stern)[large].T) * 10 >= 50 - 1e-6).all()
    assert (ports[0].pixels == coarse_harbours(1, 5)[0].pixels).all()
