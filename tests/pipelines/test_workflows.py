"""The pipelines call what the command line calls, with what their config says."""

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import Point

from shipdet.config import EvaluateConfig, TrainConfig
from shipdet.config_parts import BowClassifierConfig, ScaleHeadConfig, SharpenConfig, TypeClassifierConfig
from shipdet.errors import ConfigError, SceneError
from shipdet.evaluation.calibration import reliability
from shipdet.evaluation.iou import OverlapScores
from shipdet.evaluation.metrics import Scores
from shipdet.evaluation.summary import Evaluation

PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"
SCORES = Scores(4, 0.8, 0.75, 0.7, 0.81, 0.3, 0.95, 0.05, 0.99, 3, 1)

EVALUATION = Evaluation(
    "civil", "tiny", 1, SCORES, OverlapScores(4, 0.6, 0.4, 0.3), (), reliability([], 0.0, None), None
)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts a module in the place of one of the library's."""

    def put(name: str, **content: Any) -> None:
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)

    monkeypatch.delitem(sys.modules, "shipdet.batch.local", raising=False)
    yield put
    sys.modules.pop("shipdet.batch.local", None)


def pipeline(name: str) -> Callable[[str], Any]:
    main: Callable[[str], Any] = runpy.run_path(str(PIPELINES / f"{name}.py"))["main"]
    return main


def test_detect_writes_the_ships_of_each_scene(install, tmp_path: Path, monkeypatch, capsys):
    def run_detection(source: str, request: SimpleNamespace, progress: Callable[[int, int], None]) -> SimpleNamespace:
        progress(1, 1)
        if source == "bad.tif":
            raise SceneError("bad.tif has no CRS")
        assert (request.threshold, request.core, request.bands) == (0.5, 2048, (3, 2, 1))
        ships = gpd.GeoDataFrame({"id": [1]}, geometry=[Point(0, 0).buffer(1)], crs="EPSG:32631")
        return SimpleNamespace(detections=ships, seconds=1.0)

    install(
        "shipdet.api",
        DetectRequest=SimpleNamespace,
        Detection=SimpleNamespace,
        run_detection=run_detection,
        save_picture=lambda _detection, _path: None,
    )
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text("scenes: [a.tif, bad.tif]\noutput: .\nbands: [3, 2, 1]\nthreshold: 0.5\n")
    assert pipeline("detect")("x.yaml") == 1
    assert len(gpd.read_file("a.gpkg")) == 1
    shown = capsys.readouterr()
    assert shown.out == "a.tif: 1 ships in 1.0 s\n"
    assert shown.err == "bad.tif: bad.tif has no CRS\n"


def test_train_tells_where_the_weights_are(install, tmp_path: Path, capsys):
    def train(config: TrainConfig, report: Callable[[str], None]) -> Path:
        report(f"{config.steps} steps")
        return config.output / "best.safetensors"

    install("shipdet.learning", train=train)
    (tmp_path / "x.yaml").write_text("name: x\noutput: runs\nsteps: 5\nsynthetic_share: 1\n")
    assert pipeline("train")(str(tmp_path / "x.yaml")) == Path("runs/best.safetensors")
    assert capsys.readouterr().out == "5 steps\nweights: runs/best.safetensors\n"


def test_scales_tells_where_the_weights_are(install, tmp_path: Path, capsys):
    def train_scale_head(config: ScaleHeadConfig, report: Callable[[str], None]) -> Path:
        report(f"{config.model}, {config.steps} steps")
        return config.output

    install("shipdet.learning", train_scale_head=train_scale_head)
    (tmp_path / "x.yaml").write_text("model: m\noutput: both.safetensors\nsteps: 5\ncivil: x\n")
    assert pipeline("scales")(str(tmp_path / "x.yaml")) == Path("both.safetensors")
    assert capsys.readouterr().out == "m, 5 steps\nweights: both.safetensors\n"


def test_bows_tells_where_the_weights_are(install, tmp_path: Path, capsys):
    def train_bow_classifier(config: BowClassifierConfig, report: Callable[[str], None]) -> Path:
        report(f"{config.model}, {config.steps} steps")
        return config.output

    install("shipdet.learning", train_bow_classifier=train_bow_classifier)
    (tmp_path / "x.yaml").write_text("model: m\noutput: both.safetensors\nsteps: 5\ninshore: x\n")
    assert pipeline("bows")(str(tmp_path / "x.yaml")) == Path("both.safetensors")
    assert capsys.readouterr().out == "m, 5 steps\nweights: both.safetensors\n"


def test_hull_types_tells_where_the_weights_are(install, tmp_path: Path, capsys):
    def train_type_classifier(config: TypeClassifierConfig, report: Callable[[str], None]) -> Path:
        report(f"{config.model}, {config.steps} steps")
        return config.output

    install("shipdet.learning", train_type_classifier=train_type_classifier)
    (tmp_path / "x.yaml").write_text("model: m\noutput: both.safetensors\nsteps: 5\ninshore: x\n")
    assert pipeline("hull_types")(str(tmp_path / "x.yaml")) == Path("both.safetensors")
    assert capsys.readouterr().out == "m, 5 steps\nweights: both.safetensors\n"


def test_sharpen_tells_where_the_weights_are(install, tmp_path: Path, capsys):
    def train_sharpeners(config: SharpenConfig, report: Callable[[str], None]) -> list[Path]:
        report(f"{config.steps} steps")
        return [config.output / f"x{factor}.safetensors" for factor in config.factors]

    install("shipdet.learning", train_sharpeners=train_sharpeners)
    (tmp_path / "x.yaml").write_text("factors: [2, 4]\noutput: runs\nsteps: 5\ninshore: x\n")
    assert pipeline("sharpen")(str(tmp_path / "x.yaml")) == [Path("runs/x2.safetensors"), Path("runs/x4.safetensors")]
    told = "5 steps\nweights: runs/x2.safetensors\nweights: runs/x4.safetensors\n"
    assert capsys.readouterr().out == told


def test_evaluate_prints_the_scores_and_writes_them(install, tmp_path: Path, monkeypatch, capsys):
    def evaluate(config: EvaluateConfig, progress: Callable[[int, int], None]) -> Evaluation:
        progress(1, 1)
        return EVALUATION

    install("shipdet.evaluation.run", evaluate=evaluate)
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text("civil: data\njson: scores.json\n")
    assert pipeline("evaluate")("x.yaml") == EVALUATION
    assert "0.750" in capsys.readouterr().out
    assert '"f1": 0.75' in Path("scores.json").read_text()


def test_evaluate_refuses_a_bad_config(install, tmp_path: Path):
    install("shipdet.evaluation.run", evaluate=None)
    (tmp_path / "x.yaml").write_text("civvil: data\n")
    with pytest.raises(ConfigError, match="did you mean 'civil'"):
        pipeline("evaluate")(str(tmp_path / "x.yaml"))


def test_batch_does_all_scenes_and_counts_those_that_failed(tmp_path: Path, monkeypatch, capsys):
    import shipdet.batch.processes  # noqa: PLC0415
    import shipdet.batch.run  # noqa: PLC0415
    from shipdet.batch.work import Outcome  # noqa: PLC0415

    asked = []

    def run_batch(request: Any, runner: Any, watch: Any) -> Any:
        asked.append((request, runner))
        watch.planned(2, 1)
        watch.begun("a")
        watch.ended(Outcome("key", "a", 4, None, "a model", 1.0, None))
        watch.ended(Outcome("key", "b", None, None, None, 1.0, "b.tif is truncated"))
        return SimpleNamespace(failed=1)

    monkeypatch.setattr(shipdet.batch.run, "run_batch", run_batch)
    (tmp_path / "x.yaml").write_text("inputs: [in]\noutput: out\nthreshold: 0.5\nworkers: 2\nmerge_window_s: 30\n")
    assert pipeline("batch")(str(tmp_path / "x.yaml")) == 1
    ((request, runner),) = asked
    assert (request.inputs, request.folder, request.merge_window_s) == (("in",), Path("out"), 30.0)
    assert request.detect.threshold == 0.5
    assert runner.keywords == {"count": 2}
    assert capsys.readouterr().out.splitlines() == [
        "2 scenes to do, 1 finished before",
        "a ...",
        "a: 4 ships in 1.0 s",
        "b: b.tif is truncated",
    ]
