from pathlib import Path

import pytest

from shipdet.batch.inputs import expand, one
from shipdet.errors import InputError


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty files of an archive, which is where the test stands."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.tif", "a.TIF", "deep/c.vrt", "deep/preview.png", ".hidden/d.tif", "notes.md"):
        path = tmp_path / "archive" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "archive"


def names(*given: object) -> list[str]:
    return [scene.name for scene in expand([str(one) for one in given])]


def test_a_folder_gives_its_rasters_to_the_bottom_by_name(archive: Path):
    assert names(archive) == ["a", "b", "c"]


def test_a_pattern_gives_what_it_matches_of_any_kind():
    assert names("archive/*.tif") == ["b"]
    assert names("archive/**/*.png") == ["preview"]


def test_a_list_gives_a_scene_a_line_from_where_the_command_is_given():
    Path("list.txt").write_text("# ours\narchive/b.tif\n\n  https://host/x.tif?sig=1  \narchive/deep\n")
    assert names("list.txt") == ["b", "x", "c"]


def test_each_scene_counts_once_where_it_came_first(archive: Path):
    assert names("archive/b.tif", "archive", archive / "b.tif") == ["b", "a", "c"]


def test_a_file_that_does_not_exist_is_a_scene_that_will_fail():
    assert names("gone.tif") == ["gone"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("archive/.hidden", None),
        ("empty", "holds no raster"),
        ("archive/*.jp2", "no file matches"),
        ("list.txt", "lists no scene"),
        ("nested.txt", "names another list"),
        ("binary.txt", "should be a text file"),
    ],
)
def test_what_holds_no_scene_is_told(given: str, reason: str | None):
    Path("empty").mkdir()
    Path("list.txt").write_text("# nothing\n")
    Path("nested.txt").write_text("list.txt\n")
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    if reason is None:
        assert names(given) == ["d"]
        return
    with pytest.raises(InputError, match=reason):
        expand([given])


def test_local_paths_are_absolute_and_shown_as_given(archive: Path):
    scene = expand(["archive/b.tif"])[0]
    assert scene.sources == (str(archive / "b.tif"),)
    assert scene.label == "archive/b.tif"


def test_a_url_that_was_signed_anew_is_the_same_scene():
    monday, tuesday = (
        one(f"https://{user}host/a.tif?scene=7&X-Amz-Signature={signature}&Expires={signature}&token=x{signature}")
        for user, signature in (("", "1"), ("alice:hunter2@", "2"))
    )
    assert monday.key == tuesday.key
    assert monday.key != one("https://host/a.tif?scene=8&Expires=1").key
    assert monday.key != one("https://host/b.tif?scene=7").key


def test_secrets_are_not_shown():
    scene = one("https://alice:hunter2@host/a.tif?sig=SECRET")
    assert scene.label == "https://host/a.tif"
    assert scene.sources == ("https://alice:hunter2@host/a.tif?sig=SECRET",)
    assert not [secret for secret in ("alice", "hunter2", "SECRET") if secret in repr(scene) + scene.key]


def test_nothing_given_is_told():
    with pytest.raises(InputError, match="no scene was given"):
        expand([])
