"""Fixtures that every room's tests share."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real imagery, where there is one beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real imagery beside this checkout")
    return SHARED_DATA
