import pytest

from shipdet.labels.classes import is_no_ship
from shipdet.labels.types import IGNORED_TYPES, NO_TYPE, SHIP_TYPES


@pytest.mark.parametrize("name", ["harbor", "Small-Vehicle", "small_vehicle", "storage tank", "storagetank", "plane"])
def test_a_class_is_known_however_it_is_spelled(name: str):
    assert is_no_ship(name)


def test_no_ship_is_taken_for_something_else():
    assert not any(is_no_ship(name) for name in {*SHIP_TYPES, *NO_TYPE, *IGNORED_TYPES, "merchant", "littoral", "0"})
