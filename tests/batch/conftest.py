"""A batch's scenes, and a detector that stands in where the subject is how they are kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import rasterio
from affine import Affine

from shipdet.api import Detection, DetectRequest
from shipdet.batch.inputs import one
from shipdet.batch.run import BatchRequest
from shipdet.batch.work import Outcome, Task
from shipdet.geometry import Hulls
from shipdet.inference.georeference import SceneTags, georeference
from shipdet.models.decode import no_tips
from shipdet.raster.scene import open_scene

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"


class Scenes:
    """Small scenes cut from the sample, where ships lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def write(self, name: str, x: int = 1000, size: tuple[int, int] = (64, 64), taken: str | None = None) -> Path:
        """A part of the sample at column x, of a height and a width."""
        path, y = self.folder / name, 600
        path.parent.mkdir(exist_ok=True)
        with rasterio.open(SAMPLE) as sample:
            pixels = sample.read(window=((y, y + size[0]), (x, x + size[1])))
            a, b, c, d, e, f = sample.transform[:6]
            transform = Affine(a, b, c + a * x + b * y, d, e, f + d * x + e * y)
            place = {"crs": sample.crs, "transform": transform}
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "height": size[0], "width": size[1], **place}
        with rasterio.open(path, "w", **profile) as part:
            part.write(pixels)
            if taken is not None:
                part.update_tags(TIFFTAG_DATETIME=taken)
        return path

    def broken(self, name: str) -> Path:
        path = self.folder / name
        path.write_bytes(b"no raster")
        return path


@pytest.fixture
def scenes(tmp_path: Path) -> Scenes:
    return Scenes(tmp_path / "in")


class Detector:
    """Stands in for `run_detection`: a ship in the middle of each scene, and no network."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, BaseException] = {}

    def __call__(self, source: Any, _request: DetectRequest, _progress: Any = None, _memory: Any = None) -> Detection:
        name = Path(source if isinstance(source, str) else source[0]).stem
        self.asked.append(name)
        if name in self.answers:
            raise self.answers[name]
        scene = open_scene(source)
        middle = np.array([[scene.grid.width / 2, scene.grid.height / 2]])
        hulls = ship_at(middle)
        tags = SceneTags(scene.scene_id, scene.acquired_at, "stand-in")
        return Detection(georeference(hulls, scene.grid, tags), hulls, scene, "cpu", 0.1, "stand-in", None)


def ship_at(middle: np.ndarray) -> Hulls:
    """One of 30 x 8 pixels that heads to the right."""
    ahead = np.array([[15.0, 0.0]])
    known = {"bow": middle + ahead, "stern": middle - ahead, "beam": np.array([8.0])}
    known |= {"score": np.array([0.9]), "bow_score": np.array([0.8])}
    if "types" in Hulls.__dataclass_fields__:
        known["types"] = np.zeros((1, 0))
    return Hulls(**known)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Detector:
    fake = Detector()
    monkeypatch.setattr("shipdet.batch.work.run_detection", fake)
    return fake


class Watched:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.plan: tuple[int, int] | None = None
        self.outcomes: list[Outcome] = []
        self.on_end: Callable[[Outcome], None] = lambda _outcome: None

    def planned(self, waiting: int, finished: int) -> None:
        self.plan = (waiting, finished)

    def begun(self, name: str) -> None:
        pass

    def ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.on_end(outcome)

    @property
    def errors(self) -> dict[str, str]:
        return {outcome.name: outcome.error for outcome in self.outcomes if outcome.error is not None}


@pytest.fixture
def watch() -> Watched:
    return Watched()


class Kit(NamedTuple):
    """Helpers, for tests are not a package."""

    detect: Callable[..., BatchRequest]
    task: Callable[..., Task]
    contents: Callable[[Path], dict[str, bytes]]
    no_tips: Callable[[], Any]
    watched: type[Watched]


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    def detect(*inputs: object, **options: Any) -> BatchRequest:
        request = options.pop("detect", DetectRequest(threshold=0.0, core=64))
        folder = options.pop("folder", tmp_path / "out")
        return BatchRequest(tuple(map(str, inputs)), folder, request, options.pop("ending", "parquet"), **options)

    def task(path: Path, name: str, settings: str = "settings", fingerprint: str = "") -> Task:
        return Task(one(str(path)), name, tmp_path / "out", DetectRequest(), "parquet", settings, fingerprint)

    return Kit(detect, task, contents, no_tips, Watched)


def contents(folder: Path) -> dict[str, bytes]:
    """All that a batch leaves for its user, byte for byte, but for the ledger."""
    files = [*folder.glob("scenes/*"), *folder.glob("detections/**/*.parquet"), folder / "summary.csv"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}
