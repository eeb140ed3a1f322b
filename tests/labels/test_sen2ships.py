"""Masks are rasterised from hulls that the test knows."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shipdet.errors import LabelsError
from shipdet.labels.sen2ships import VALIDATION, CutMask, hull_of_mask, read_ports


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, list[int]]:
    """COCO's uncompressed RLE: down the columns, first a run outside."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask.T.ravel()[-1]]])
    edges = np.flatnonzero(np.diff(flat))
    counts = np.diff([0, *edges])
    return {"size": [*mask.shape], "counts": [int(count) for count in counts]}


def write_port(folder: Path, masks: list[NDArray[np.bool_]]) -> None:
    folder.mkdir(parents=True)
    annotations = [
        {"id": n, "image_id": 99, "iscrowd": 1, "segmentation": run_lengths(mask)} for n, mask in enumerate(masks)
    ]
    (folder / "coco.json").write_text(json.dumps({"images": [], "annotations": annotations}))


def hull(length: float, beam: float, angle_deg: float, middle: tuple[float, float]) -> NDArray[np.bool_]:
    """(64, 64), pointed at one end; a pixel is inside when half of it is."""
    fine = (np.arange(64 * 8) + 0.5) / 8
    x, y = np.meshgrid(fine - middle[0], fine - middle[1])
    angle = np.radians(angle_deg)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    half = np.clip((length / 2 - along) / beam, 0, 1) * beam / 2
    inside = (along >= -length / 2) & (np.abs(across) <= half)
    return np.asarray(inside.reshape(64, 8, 64, 8).mean(axis=(1, 3)) >= 0.5)


def test_a_mask_along_the_grid_gives_its_ends_and_beam_exactly():
    ship = hull_of_mask(CutMask(np.ones((3, 20), bool), 5, 7))
    ends = sorted([ship.bow, ship.stern])
    assert np.allclose(ends, [(5.1, 8.5), (24.9, 8.5)])
    assert ship.beam == pytest.approx(60 / 19.8)
    assert not ship.bow_known


def test_hulls_of_masks_are_right_on_average_at_any_angle_and_place():
    rng = np.random.default_rng(0)
    errors, turns, shifts = [], [], []
    for angle in rng.uniform(0, 180, 120):
        middle = (32 + rng.uniform(), 32 + rng.uniform())
        ship = hull_of_mask(CutMask(hull(20, 3, angle, middle), 0, 0))
        axis = np.subtract(ship.bow, ship.stern)
        errors.append(np.hypot(*axis) - 20)
        turns.append((np.degrees(np.arctan2(axis[1], axis[0])) - angle + 90) % 180 - 90)
        shifts.append(np.add(ship.bow, ship.stern) / 2 - middle)
    assert abs(np.mean(errors)) < 0.8
    assert np.max(np.abs(turns)) < 6
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.3


def test_a_folder_is_one_image_whatever_its_file_calls_it(tmp_path: Path):
    masks = [hull(20, 3, 30, (20, 20)), hull(12, 3, 120, (45, 40))]
    write_port(tmp_path / "busan", masks)
    write_port(tmp_path / "klang", masks[:1])
    (port,) = read_ports(tmp_path, "validation")
    assert port.name == "busan"
    assert [path.name for path in port.bands] == ["B04.tiff", "B03.tiff", "B02.tiff", "B08.tiff"]
    assert port.labels.length == pytest.approx([20, 12], abs=1)
    for cut, mask in zip(port.masks, masks, strict=True):
        assert cut.inside.sum() == mask.sum()
        assert mask[cut.y : cut.y + cut.inside.shape[0], cut.x : cut.x + cut.inside.shape[1]].sum() == mask.sum()
    assert [port.name for port in read_ports(tmp_path, "train")] == ["klang"]


def test_an_empty_mask_is_no_ship(tmp_path: Path):
    write_port(tmp_path / "klang", [np.zeros((9, 9), bool)])
    assert len(read_ports(tmp_path, "train")[0].labels) == 0


def test_runs_that_do_not_fill_the_image_are_refused_by_naming_them(tmp_path: Path):
    (tmp_path / "klang").mkdir()
    wrong = {"images": [], "annotations": [{"image_id": 3, "segmentation": {"size": [4, 4], "counts": [1, 2]}}]}
    (tmp_path / "klang" / "coco.json").write_text(json.dumps(wrong))
    with pytest.raises(
        LabelsError, match=r"klang.coco.json: annotations\[0\].segmentation: expected runs of 16 pixels"
    ):
        read_ports(tmp_path, "train")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"images": [], "annotations": [{"image_id": 1, "segmentation": [[1, 2]]}]}']
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str):
    (tmp_path / "klang").mkdir()
    (tmp_path / "klang" / "coco.json").write_text(text)
    with pytest.raises(LabelsError, match=r"coco.json"):
        read_ports(tmp_path, "train")
    with pytest.raises(LabelsError, match="busan"):
        read_ports(tmp_path, "validation")


def test_the_real_ports_are_read(shared_data: Path):
    folder = shared_data / "sen2ships"
    train, validation = read_ports(folder, "train"), read_ports(folder, "validation")
    assert {port.name for port in validation} == VALIDATION
    assert len(train) == 8
    assert sum(len(port.labels) for port in [*train, *validation]) == 245
    assert all(path.exists() for port in train for path in port.bands)
