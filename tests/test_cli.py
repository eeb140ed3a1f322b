import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import typer
from shapely.geometry import Point

from shipdet import __version__
from shipdet.cli import app, main
from shipdet.errors import ReadError, SceneError, WeightsError

HEAVY = ("torch", "rasterio", "geopandas", "pandas", "numpy", "scipy", "matplotlib", "pydantic", "lightning", "timm")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on standard error."""
        assert self.err.count("\n") == 1
        assert self.err.startswith("shipdet: ")
        assert "Traceback" not in self.err
        return self.err.removeprefix("shipdet: ").strip()


Run = Callable[..., Outcome]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        return Outcome(int(stop.value.code or 0), *capfd.readouterr())

    return call


@dataclass(frozen=True)
class Request:
    model: str
    bands: tuple[int | str, ...] | None
    threshold: float | None
    core: int | None
    dense: bool
    device: str
    precision: str
    gsd_m: float | str | None
    pixel_coordinates: bool
    augment: str
    sharpen: bool


class Detection(NamedTuple):
    detections: gpd.GeoDataFrame
    device: str = "cpu"
    precision: str = "float32"
    seconds: float = 1.25
    opened: float = 1.0
    sharpened: int = 1


class Detector:
    """Stands in for `shipdet.api`: what it was asked, and what it answers by scene."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | tuple[str, ...], Request]] = []
        self.pictures: list[Path] = []
        self.answers: dict[str, Exception | KeyboardInterrupt | gpd.GeoDataFrame] = {}

    def run_detection(self, source: Any, request: Request, progress: Callable[[int, int], None]) -> Detection:
        self.asked.append((source, request))
        progress(1, 2)
        answer = self.answers.get(source)
        if isinstance(answer, BaseException):
            raise answer
        progress(2, 2)
        return Detection(ships(source) if answer is None else answer)

    def save_picture(self, _detection: Detection, path: Path) -> None:
        self.pictures.append(path)


def ships(source: str | tuple[str, ...], crs: str | None = "EPSG:32631") -> gpd.GeoDataFrame:
    columns = {"id": [1, 2], "scene_id": str(source), "score": [0.9, 0.4], "lon": 3.0, "lat": 51.25}
    pixels = {"bow_col": 1.0, "bow_row": 2.0, "heading_deg": 45.0, "length_m": 100.0, "beam_m": 20.0}
    footprints = [Point(500_000, 5_678_000).buffer(50), Point(500_500, 5_678_000).buffer(50)]
    return gpd.GeoDataFrame({**columns, **pixels}, geometry=footprints, crs=crs)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Detector]:
    fake, api = Detector(), ModuleType("shipdet.api")
    api.__dict__.update(
        DetectRequest=Request, Detection=Detection, run_detection=fake.run_detection, save_picture=fake.save_picture
    )
    monkeypatch.setitem(sys.modules, "shipdet.api", api)
    monkeypatch.delitem(sys.modules, "shipdet.batch.local", raising=False)
    yield fake
    sys.modules.pop("shipdet.batch.local", None)


def test_version_and_help_import_nothing_heavy():
    code = (
        "import sys; from shipdet.cli import main\n"
        "for word in ('--version', '--help'):\n"
        "    try: main([word])\n"
        "    except SystemExit as stop: assert not stop.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[0] == f"shipdet {__version__}"
    light_enough = {"[]", "['pydantic']"}  # newer releases of typer bring pydantic
    assert done.stdout.splitlines()[-1] in light_enough
    assert done.stderr == ""


@pytest.mark.parametrize("command", sorted(typer.main.get_command(app).commands))
def test_each_command_has_help_with_an_example(run: Run, command: str):
    outcome = run(command, "--help")
    assert outcome.code == 0
    assert f"Example: shipdet {command} " in outcome.out
    assert outcome.err == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Missing command"),
        (["sail"], "No such command 'sail'"),
        (["detect", "a.tif"], "Missing option"),
        (["detect", "a.tif", "-o", "a.csv", "--treshold", "1"], "--threshold"),
        (["detect", "a.tif", "-o", "a.csv", "--threshold", "2"], "--threshold"),
        (["detect", "a.tif", "-o", "a.csv", "--precision", "half"], "bfloat16"),
    ],
)
def test_wrong_usage_is_told_in_one_line(run: Run, arguments: list[str], complaint: str):
    outcome = run(*arguments)
    assert outcome.code == 2
    assert complaint in outcome.complaint
    assert "--help)" in outcome.complaint


def test_detect_asks_the_library_and_shows_the_ships(run: Run, detector: Detector):
    outcome = run("detect", "a.tif", "-o", "a.gpkg", "--picture", "a.png")
    assert (outcome.code, outcome.err) == (0, "")
    source, request = detector.asked[0]
    assert source == "a.tif"
    assert request == Request("auto", None, None, 2048, False, "auto", "auto", None, False, "none", False)
    assert "a: 2 ships in 1.2 s on cpu" in outcome.out
    assert "51.25000" in outcome.out
    assert len(gpd.read_file("a.gpkg")) == 2
    assert detector.pictures == [Path("a.png")]


def test_detect_hands_on_what_it_was_told(run: Run, detector: Detector):
    chosen = ("--model", "m", "--bands", "4,green,2", "--threshold", 0.5, "--core", 512, "--device", "cuda")
    more = (
        "--dense",
        "--precision",
        "bfloat16",
        "--gsd",
        0.5,
        "--pixel-coordinates",
        "--augment",
        "flips",
        "--sharpen",
    )
    outcome = run("detect", "a.jpg", "-o", "a.csv", *chosen, *more)
    assert outcome.code == 0
    request = Request("m", (4, "green", 2), 0.5, 512, True, "cuda", "bfloat16", 0.5, True, "flips", True)
    assert detector.asked == [("a.jpg", request)]


def test_detect_tells_how_much_of_the_scene_was_looked_at(run: Run, detector: Detector, monkeypatch):
    told = {"opened": 0.031}
    monkeypatch.setattr(sys.modules["shipdet.api"], "run_detection", lambda *_: Detection(ships("a"), **told))
    assert "a: 2 ships in 1.2 s on cpu, 3.1 % of the scene looked at" in run("detect", "a.tif", "-o", "a.gpkg").out


def test_detect_tells_how_much_a_scene_was_sharpened(run: Run, detector: Detector, monkeypatch):
    found = Detection(ships("a"), sharpened=4)
    monkeypatch.setattr(sys.modules["shipdet.api"], "run_detection", lambda *_: found)
    assert "a: 2 ships in 1.2 s on cpu, sharpened 4 times\n" in run("detect", "a.tif", "-o", "a.gpkg").out


def test_an_unknown_scale_is_asked_for_by_that_word(run: Run, detector: Detector):
    assert run("detect", "a.jpg", "-o", "a.csv", "--gsd", "unknown", "--pixel-coordinates").code == 0
    assert detector.asked[0][1].gsd_m == "unknown"


@pytest.mark.parametrize("gsd", ["dunno", "0", "-1", "nan", "inf"])
def test_a_ground_pixel_that_is_none_is_refused(run: Run, detector: Detector, gsd: str):
    outcome = run("detect", "a.jpg", "-o", "a.csv", f"--gsd={gsd}")
    assert outcome.code == 2
    assert "--gsd should be metres per pixel" in outcome.complaint
    assert detector.asked == []


def test_stacked_files_are_one_scene(run: Run, detector: Detector):
    assert run("detect", "B04.tif", "B03.tif", "B02.tif", "--stack", "-o", "a.csv").code == 0
    assert [source for source, _ in detector.asked] == [("B04.tif", "B03.tif", "B02.tif")]


def test_several_scenes_go_to_one_file_numbered_anew(run: Run, detector: Detector):
    outcome = run("detect", "a.tif", "b.tif", "-o", "ships.gpkg")
    assert outcome.code == 0
    written = gpd.read_file("ships.gpkg")
    assert list(written["id"]) == [1, 2, 3, 4]
    assert list(written["scene_id"]) == ["a.tif", "a.tif", "b.tif", "b.tif"]


def test_scenes_of_different_crs_share_a_file_in_wgs84(run: Run, detector: Detector):
    detector.answers["b.tif"] = ships("b.tif").to_crs(3857)
    assert run("detect", "a.tif", "b.tif", "-o", "ships.gpkg").code == 0
    written = gpd.read_file("ships.gpkg")
    assert written.crs == "EPSG:4326"
    np.testing.assert_allclose(written.total_bounds[:2], [3.0, 51.25], atol=0.01)


def test_scenes_in_pixels_and_on_earth_cannot_share_a_file(run: Run, detector: Detector, tmp_path: Path):
    detector.answers["b.tif"] = ships("b.tif", crs=None)
    outcome = run("detect", "a.tif", "b.tif", "-o", "ships.gpkg")
    assert outcome.code == 2
    assert "cannot share one file" in outcome.complaint
    assert list(tmp_path.iterdir()) == []


def test_several_scenes_go_to_a_folder_one_file_each(run: Run, detector: Detector, tmp_path: Path):
    assert run("detect", "a.tif", "b.tif", "-o", tmp_path, "--format", "csv").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("error", [SceneError("b.tif has no CRS"), ReadError("b.tif is damaged")])
def test_a_bad_scene_among_several_is_told_and_the_rest_goes_on(run: Run, detector: Detector, error: Exception):
    detector.answers["b.tif"] = error
    outcome = run("detect", "a.tif", "b.tif", "c.tif", "-o", "ships.gpkg")
    assert outcome.code == 1
    assert outcome.complaint == str(error)
    assert set(gpd.read_file("ships.gpkg")["scene_id"]) == {"a.tif", "c.tif"}


def test_when_all_scenes_are_bad_nothing_is_written(run: Run, detector: Detector, tmp_path: Path):
    detector.answers = {"a.tif": SceneError("a"), "b.tif": SceneError("b")}
    outcome = run("detect", "a.tif", "b.tif", "-o", "ships.gpkg")
    assert outcome.code == 1
    assert outcome.err == "shipdet: a\nshipdet: b\n"
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_that_every_scene_would_meet_is_told_once(run: Run, detector: Detector):
    detector.answers = {"a.tif": WeightsError("no weights called 'm'"), "b.tif": WeightsError("again")}
    outcome = run("detect", "a.tif", "b.tif", "-o", "ships.gpkg")
    assert (outcome.code, outcome.complaint) == (2, "no weights called 'm'")


@pytest.mark.parametrize(
    ("error", "code", "complaint"),
    [
        (SceneError("a.tif has\nno CRS"), 2, "a.tif has no CRS"),
        (ReadError("a.tif is damaged"), 1, "a.tif is damaged"),
        (KeyboardInterrupt(), 130, "stopped"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "unforeseen ZeroDivisionError: division by zero; "
            "to see where it came from: shipdet --traceback detect a.tif -o a.gpkg",
        ),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    run: Run, detector: Detector, tmp_path: Path, error: Exception, code: int, complaint: str
):
    detector.answers["a.tif"] = error
    outcome = run("detect", "a.tif", "-o", "a.gpkg")
    assert (outcome.code, outcome.complaint) == (code, complaint)
    assert list(tmp_path.iterdir()) == []


def test_traceback_shows_where_an_error_came_from(run: Run, detector: Detector):
    detector.answers["a.tif"] = ZeroDivisionError("division by zero")
    outcome = run("--traceback", "detect", "a.tif", "-o", "a.gpkg")
    assert outcome.code == 1
    assert "in run_detection" in outcome.err


def test_bands_that_are_no_list_are_told(run: Run, detector: Detector):
    outcome = run("detect", "a.tif", "-o", "a.gpkg", "--bands", "3,,1")
    assert (outcome.code, detector.asked) == (2, [])
    assert "--bands should be like 3,2,1" in outcome.complaint


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_an_unknown_config_key_is_told_with_the_nearest_known_one(run: Run, command: str):
    Path("x.yaml").write_text("inshor: data\n")
    outcome = run(command, "x.yaml")
    assert (outcome.code, outcome.complaint) == (2, "x.yaml: unknown key 'inshor'; did you mean 'inshore'?")


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_missing_config_is_told(run: Run, command: str):
    outcome = run(command, "nowhere.yaml")
    assert outcome.code == 2
    assert "nowhere.yaml: no such config" in outcome.complaint


def test_evaluate_makes_sure_of_its_outputs_first(run: Run):
    Path("x.yaml").write_text("inshore: data\n")
    outcome = run("evaluate", "x.yaml", "--json", "nowhere/scores.json")
    assert outcome.code == 2
    assert "does not exist" in outcome.complaint


def write_scene(path: Path, pixels: np.ndarray, **profile: Any) -> None:
    settings = {"crs": "EPSG:32631", "transform": rasterio.Affine(1, 0, 500_000, 0, -1, 5_678_000), **profile}
    bands, height, width = pixels.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=bands, height=height, width=width, dtype=pixels.dtype, **settings
    ) as file:
        file.write(pixels)


def noise(bands: int = 3, size: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 255, (bands, size, size), dtype=np.uint8)


def make_text(path: Path) -> None:
    path.write_text("no raster")


def make_truncated(path: Path) -> None:
    write_scene(path, noise(), tiled=True, blockxsize=64, blockysize=64)
    path.write_bytes(path.read_bytes()[:100_000])


def make_without_crs(path: Path) -> None:
    write_scene(path, noise(), crs=None)


def make_all_nodata(path: Path) -> None:
    write_scene(path, np.zeros((3, 64, 64), np.uint8), nodata=0)


def make_one_pixel(path: Path) -> None:
    write_scene(path, noise(size=1))


def make_two_bands(path: Path) -> None:
    write_scene(path, noise(bands=2))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    ("make", "code", "complaint"),
    [
        (None, 2, "a.tif"),
        (make_text, 2, "a.tif"),
        (make_truncated, 1, "a.tif"),
        (make_without_crs, 2, "--pixel-coordinates"),
        (make_all_nodata, 2, "a.tif"),
        (make_one_pixel, 2, "a.tif"),
        (make_two_bands, 2, "--bands"),
    ],
)
def test_a_bad_scene_is_told_in_one_line_and_nothing_is_written(
    run: Run, tmp_path: Path, make: Callable[[Path], None] | None, code: int, complaint: str
):
    if make is not None:
        make(tmp_path / "a.tif")
    outcome = run("detect", "a.tif", "-o", "a.gpkg", "--picture", "a.png", "--precision", "float32")
    assert complaint in outcome.complaint
    assert "unforeseen" not in outcome.complaint
    assert outcome.code == code
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tif"}


@pytest.mark.parametrize("name", ["weights.safetensors", "nowhere.safetensors"])
def test_weights_that_are_not_ours_are_told(run: Run, tmp_path: Path, name: str):
    write_scene(tmp_path / "a.tif", noise())
    (tmp_path / "weights.safetensors").write_bytes(b"not weights at all")
    outcome = run("detect", "a.tif", "-o", "a.gpkg", "--model", name)
    assert outcome.code == 2
    assert name in outcome.complaint
    assert not (tmp_path / "a.gpkg").exists()


@pytest.mark.parametrize("output", ["nowhere/a.gpkg", "nowhere", "file/a.gpkg", "a.shp"])
def test_an_output_that_cannot_be_written_is_told_before_the_work(run: Run, tmp_path: Path, output: str):
    (tmp_path / "file").touch()
    outcome = run("detect", "a.tif", "-o", output)
    assert outcome.code == 2
    assert Path(output).parts[0] in outcome.complaint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_info_tells_what_a_scene_is(run: Run, tmp_path: Path):
    write_scene(tmp_path / "a.tif", noise())
    outcome = run("info", "a.tif")
    assert (outcome.code, outcome.err) == (0, "")
    rows = {line[:14].strip(): line[14:] for line in outcome.out.splitlines()}
    assert rows["size"] == "256 x 256 pixels"
    assert "32631" in rows["CRS"]
    assert rows["ground pixel"] == "1 x 1 m"
    assert rows["model reads"] == "bands 1, 2, 3, at 256 x 256 pixels"


def test_a_process_ends_with_the_exit_code_and_no_traceback(tmp_path: Path):
    arguments = [sys.executable, "-c", "from shipdet.cli import main; main()", "detect", "a.tif", "-o", "no/a.gpkg"]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False)  # noqa: S603
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("shipdet: ")
    assert done.stderr.count("\n") == 1
