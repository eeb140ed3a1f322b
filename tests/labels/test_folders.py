from pathlib import Path

import pytest

from shipdet.errors import LabelsError
from shipdet.labels.folders import Folder, civil, inshore, read_folder


@pytest.fixture
def twelve(tmp_path: Path) -> Path:
    for number in range(1, 13):
        (tmp_path / f"{number}.jpg").touch()
        (tmp_path / f"{number}.txt").write_text("1 2 3 4 5")
    return tmp_path


def numbers(folder: Folder, split: str) -> list[int]:
    return [int(picture.path.stem) for picture in read_folder(folder, split)]


def test_the_splits_part_the_pictures(twelve: Path) -> None:
    for folder in (inshore(twelve), civil(twelve)):
        train, validation = numbers(folder, "train"), numbers(folder, "validation")
        assert not set(train) & set(validation)
        assert sorted(train + validation) == list(range(1, 13))


def test_validation_is_fixed_by_number(twelve: Path) -> None:
    assert numbers(inshore(twelve), "validation") == [5, 10]
    assert numbers(civil(twelve), "validation") == [4, 8, 12]


def test_pictures_come_by_number_not_by_name(twelve: Path) -> None:
    assert numbers(inshore(twelve), "train") == [1, 2, 3, 4, 6, 7, 8, 9, 11, 12]


def test_complete_labels_go_before_incomplete_ones(twelve: Path) -> None:
    (twelve / "5.json").write_text('[{"bow": [7, 8], "stern": [9, 9]}]')
    with_json, with_text = read_folder(inshore(twelve), "validation")
    assert with_json.labels.complete
    assert with_json.labels.bow.tolist() == [[7, 8]]
    assert not with_text.labels.complete


def test_pictures_without_a_number_are_not_taken(twelve: Path) -> None:
    (twelve / "sheet.jpg").touch()
    assert len(numbers(inshore(twelve), "train")) == 10


def test_a_picture_without_labels_is_refused(twelve: Path) -> None:
    (twelve / "6.txt").unlink()
    with pytest.raises(LabelsError, match=r"6\.jpg has no labels: expected 6\.json or 6\.txt"):
        read_folder(inshore(twelve), "train")


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"no validation pictures in .*: expected files such as 5\.jpg"):
        read_folder(inshore(tmp_path / "nowhere"), "validation")


def test_the_real_validation_pictures_are_labelled_completely(shared_data: Path) -> None:
    pictures = read_folder(inshore(shared_data / "inshore"), "validation")
    assert pictures
    assert all(picture.labels.complete for picture in pictures)
