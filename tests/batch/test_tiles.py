from pathlib import Path

import numpy as np
import pytest

from shipdet.batch.tiles import TileFolder, forget
from shipdet.errors import OutputError
from shipdet.inference.looked import Looked
from shipdet.models.decode import Tips
from shipdet.raster.tiling import Tile, Window

TILE = Tile(Window(-352, -352, 768, 768), Window(0, 0, 64, 64))


def looked(no_tips: Tips, count: int = 3) -> Looked:
    random = np.random.default_rng(count)
    tips = Tips(*(random.normal(size=(count, *field.shape[1:])) for field in no_tips))
    return Looked(
        tips,
        random.integers(0, 255, (8, 8), np.uint8),
        random.integers(0, 255, (8, 8), np.uint8),
        random.normal(size=(count, 8, 8)).astype(np.float16),
    )


@pytest.mark.parametrize("count", [0, 3])
def test_a_tile_comes_back_as_it_was_kept(tmp_path: Path, kit, count: int):
    kept = looked(kit.no_tips(), count)
    TileFolder(tmp_path / "tiles").keep(TILE, kept)
    back = TileFolder(tmp_path / "tiles").recall(TILE)
    assert back is not None
    for field, other in zip([*kept.tips, *kept[1:]], [*back.tips, *back[1:]], strict=True):
        assert field.dtype == other.dtype
        assert field.shape == other.shape
        assert (field == other).all()


def test_each_view_has_a_memory_of_its_own(tmp_path: Path, kit):
    memory = TileFolder(tmp_path / "tiles")
    memory.part("view0").keep(TILE, looked(kit.no_tips()))
    assert memory.recall(TILE) is None
    assert memory.part("view1").recall(TILE) is None
    assert memory.part("view0").recall(TILE) is not None
    forget(tmp_path / "tiles")
    assert memory.part("view0").recall(TILE) is None


def test_another_tile_is_not_known(tmp_path: Path, kit):
    TileFolder(tmp_path).keep(TILE, looked(kit.no_tips()))
    assert TileFolder(tmp_path).recall(Tile(TILE.window, Window(0, 0, 64, 32))) is None
    assert TileFolder(tmp_path / "other").recall(TILE) is None


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_counts_as_none(tmp_path: Path, kit, damage: bytes | None):
    TileFolder(tmp_path).keep(TILE, looked(kit.no_tips()))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5] if damage is None else damage)
    assert TileFolder(tmp_path).recall(TILE) is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, kit):
    (tmp_path / "tiles").write_text("a file in the way")
    with pytest.raises(OutputError):
        TileFolder(tmp_path / "tiles").keep(TILE, looked(kit.no_tips()))


def test_what_is_forgotten_is_gone(tmp_path: Path, kit):
    TileFolder(tmp_path / "tiles").keep(TILE, looked(kit.no_tips()))
    forget(tmp_path / "tiles")
    forget(tmp_path / "tiles")
    assert not (tmp_path / "tiles").exists()
