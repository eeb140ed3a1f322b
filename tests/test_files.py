from pathlib import Path

import pytest

from shipdet.errors import OutputError
from shipdet.files import scratch_beside, whole_file


def test_a_file_appears_when_its_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "ships.gpkg"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.suffix == path.suffix
    assert path.read_text() == "half"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "ships.gpkg"
    path.write_text("old")
    with pytest.raises(TypeError), whole_file(path) as temporary:
        temporary.write_bytes("half")  # opens the file, then fails
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ships.gpkg"
    path.write_text("old")
    with whole_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_what_a_library_leaves_beside_its_file_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "ships.gpkg"
    with whole_file(path) as temporary:
        temporary.write_text("all")
        temporary.with_name("ships.gpkg-journal").write_text("journal")
    assert list(tmp_path.iterdir()) == [path]


def test_the_scratch_folder_lies_beside_the_file_for_renaming_is_whole_there_only(tmp_path: Path) -> None:
    with scratch_beside(tmp_path / "ships.gpkg") as scratch:
        assert scratch.parent == tmp_path
        assert scratch.name.startswith(".")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"nowhere for ships\.csv does not exist; make it with `mkdir -p`"):
        whole_file(tmp_path / "nowhere" / "ships.csv").__enter__()


def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(OutputError, match=r"a\.txt should be a folder"):
        whole_file(tmp_path / "a.txt" / "ships.csv").__enter__()


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="should be a file to write, but is a folder"):
        whole_file(tmp_path).__enter__()


def test_a_system_that_refuses_is_explained_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "ships.csv"
    with pytest.raises(OutputError, match=r"could not write .*No space left") as caught, whole_file(path):
        raise OSError(28, "No space left on device")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"could not write"), whole_file(tmp_path / "ships.csv"):
        pass
