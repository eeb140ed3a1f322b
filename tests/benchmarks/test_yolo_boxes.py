import ast
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from yolo_boxes import (
    GREY,
    Size,
    boxes,
    complete,
    label_lines,
    painted,
    read_answer,
    ships_of_boxes,
    write_dataset,
)

from shipdet.evaluation.matching import HIT, match
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import Labels, Ship

SIZE = Size(200, 100)
SHIPS = (
    Ship((60.0, 20.0), (20.0, 50.0), beam=8.0),
    Ship((150.0, 30.0), (150.0, 80.0), beam=12.0, bow_known=False),
    Ship((100.0, 90.0), (60.0, 90.0), beam=10.0, difficult=True),
)


def labels_of(*ships: Ship, regions: list[list[float]] | None = None, complete: bool = True) -> Labels:
    return Labels.of_rows(ships, regions or [], complete=complete)


def test_labels_come_back_from_yolo_boxes_as_the_same_ships() -> None:
    labels = labels_of(*SHIPS)
    lines = label_lines(labels, SIZE)
    assert [line.split()[0] for line in lines] == ["0", "0"]
    corners = np.array([line.split()[1:] for line in lines], float).reshape(-1, 4, 2) * SIZE
    hulls = ships_of_boxes(corners, np.array([0.9, 0.8]))
    for n in range(2):
        ends = sorted([hulls.bow[n].tolist(), hulls.stern[n].tolist()])
        np.testing.assert_allclose(ends, sorted([labels.bow[n].tolist(), labels.stern[n].tolist()]), atol=1e-3)
    np.testing.assert_allclose(hulls.beam, labels.beam[:2], atol=1e-3)
    assert (match(hulls, labels).status == HIT).all()


@pytest.mark.parametrize("first", range(4))
def test_the_ends_are_on_the_long_axis_whichever_corner_comes_first(first: int) -> None:
    box = np.roll(boxes(labels_of(SHIPS[0])), first, axis=1)
    for corners in (box, box[:, ::-1]):
        hulls = ships_of_boxes(corners, np.ones(1))
        assert hulls.length[0] == pytest.approx(50)
        assert hulls.beam[0] == pytest.approx(8)
        assert hulls.bow_score[0] == 0.5


def test_corners_stay_within_the_picture() -> None:
    (line,) = label_lines(labels_of(Ship((199.0, 50.0), (150.0, 99.0), beam=20.0)), SIZE)
    values = np.array(line.split()[1:], float)
    assert values.min() >= 0
    assert values.max() == 1


def test_what_teaches_nothing_is_grey_but_where_a_taught_ship_lies() -> None:
    white = Image.new("RGB", SIZE, "white")
    over = Ship((100.0, 90.0), (140.0, 90.0), beam=10.0)
    pixels = np.array(painted(white, labels_of(*SHIPS, over, regions=[[0, 0, 180, 100]])))
    assert (pixels[90, 70] == GREY).all()  # a difficult ship
    assert (pixels[:, 180:] == GREY).all()  # nobody labelled that
    assert (pixels[90, 100:139] == 255).all()
    assert (pixels[36, 41] == 255).all()
    assert (pixels[5:15, :180] == 255).all()


def test_a_dataset_is_written_as_ultralytics_wants_it(tmp_path: Path) -> None:
    pictures = []
    for number, labels in ((1, labels_of(*SHIPS)), (2, labels_of()), (3, labels_of(SHIPS[0], complete=False))):
        Image.new("RGB", SIZE, "white").save(tmp_path / f"{number}.jpg")
        pictures.append(LabelledPicture(tmp_path / f"{number}.jpg", labels))
    data = yaml.safe_load(write_dataset(complete(pictures), tmp_path / "yolo").read_text())
    folder = Path(data["path"])
    assert data["names"] == {0: "ship"}
    assert sorted(path.name for path in (folder / data["train"]).iterdir()) == ["1.png", "2.png"]
    assert [len(path.read_text().splitlines()) for path in sorted((folder / "labels/train").iterdir())] == [2, 0]
    assert [path.name for path in (folder / data["val"]).iterdir()] == ["1.png"]


def test_the_workers_answer_becomes_ships(tmp_path: Path) -> None:
    box = boxes(labels_of(SHIPS[1]))[0].tolist()
    found = [{"corners": [box], "score": [0.7]}, {"corners": [], "score": []}]
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"found": found, "minutes": 1.5, "seen": 80, "look_seconds": 2.0}))
    answer = read_answer(path)
    assert [len(hulls) for hulls in answer.hulls] == [1, 0]
    assert (answer.minutes, answer.seen) == (1.5, 80)


def test_only_the_workers_import_ultralytics_and_they_import_nothing_of_ours() -> None:
    repo = Path(__file__).resolve().parents[2]
    importing = set()
    for path in [path for room in ("shipdet", "benchmarks", "pipelines") for path in (repo / room).rglob("*.py")]:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        tops = {name.split(".")[0] for name in names}
        if "ultralytics" in tops:
            importing.add(path.name)
            ours = {file.stem for file in (repo / "benchmarks").glob("*.py")} | {"shipdet"}
            assert not tops & ours
    assert importing == {"yolo_worker.py", "sahi_worker.py"}
    assert "ultralytics" not in (repo / "pyproject.toml").read_text().partition("[tool.")[0]
