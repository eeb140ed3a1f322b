"""Whole evaluations: of a drawn harbour as a labelled folder, and of the real validation split where it is there."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shipdet.config import EvaluateConfig, load_config
from shipdet.errors import LabelsError
from shipdet.evaluation.cases import Case
from shipdet.evaluation.gates import gate_hits
from shipdet.evaluation.matching import HIT, IGNORED, MatchRule
from shipdet.evaluation.metrics import Scores
from shipdet.evaluation.run import Judging, evaluate, judge_by
from shipdet.geometry import Hulls
from shipdet.inference.engine import Found
from shipdet.labels.types import Labels, Ship
from shipdet.raster.sampling import Sampling
from shipdet.training.synthetic import HarbourOptions, render_harbour

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn pictures, of which only 5 belongs to validation."""
    path = tmp_path_factory.mktemp("inshore")
    for number in (4, 5):
        drawn = render_harbour(np.random.default_rng([7, number]), 448, HarbourOptions(marinas=0))
        Image.fromarray(drawn.pixels).save(path / f"{number}.jpg", quality=95)
        ends = zip(drawn.bow.tolist(), drawn.stern.tolist(), drawn.beam.tolist(), strict=True)
        ships = [{"bow": bow, "stern": stern, "beam": beam} for bow, stern, beam in ends]
        (path / f"{number}.json").write_text(json.dumps(ships))
    return path


def test_a_labelled_folder_is_scored_and_its_sheet_drawn(folder: Path, tmp_path: Path):
    told: list[tuple[int, int]] = []
    sheet = tmp_path / "sheet.png"
    config = EvaluateConfig(inshore=folder, sheet=sheet, report=tmp_path / "report.html")
    evaluation = evaluate(config, lambda done, total: told.append((done, total)))
    result = evaluation.scores
    labelled = json.loads((folder / "5.json").read_text())
    lengths = [np.hypot(*np.subtract(ship["bow"], ship["stern"])) for ship in labelled]
    assert result.ships == sum(length >= 12 for length in lengths) > 0
    assert result.f1 is not None
    assert result.f1 > 0.5
    assert result.gate_recall is not None
    assert result.gate_recall > 0.8
    assert told == [(1, 1)]
    assert (evaluation.name, evaluation.pictures) == ("inshore validation", 1)
    assert (evaluation.overlap.ap50 or 0) > 0.3
    assert sum(row.ships for row in evaluation.strata if row.by == "length") == result.ships
    assert "inshore validation" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with Image.open(sheet) as image:
        assert image.width > 1000


def test_a_fixed_threshold_is_kept(folder: Path):
    result = evaluate(EvaluateConfig(inshore=folder, threshold=0.9999), lambda _done, _total: None).scores
    assert result.threshold == 0.9999
    assert result.hits == 0


def test_a_folder_without_pictures_is_refused(tmp_path: Path):
    with pytest.raises(LabelsError, match="no validation pictures"):
        evaluate(EvaluateConfig(inshore=tmp_path), lambda _done, _total: None)


def test_ships_are_found_in_any_way_at_the_scale_that_they_were_looked_at():
    """Looked at with half the pixels, a ship of 30 is 15 long: too short where 20 count, and so is its bow unknown."""
    ships = [Ship((40.0, 10.0), (10.0, 10.0), 8.0), Ship((90.0, 40.0), (10.0, 40.0), 9.0)]
    unsure = Ship((90.0, 60.0), (10.0, 60.0), 9.0, bow_known=False)
    labels = Labels.of_rows([*ships, unsure], [], complete=True)
    case = Case("seen elsewhere", labels, lambda _gsd_m: pytest.fail("nobody looks at the scene"))
    hulls = Hulls(labels.bow, labels.stern, labels.beam, np.full(3, 0.9), np.ones(3))
    found = Found(hulls, Sampling(0.5, 0.5, 64, 64), np.full((8, 8), 255, np.uint8))
    (judged,) = judge_by(lambda _: found, [case], Judging(0.5, MatchRule(min_length=20, only_bow_known=True)))
    assert judged.matched.counted.tolist() == [False, True, False]
    assert judged.matched.status.tolist() == [IGNORED, HIT, IGNORED]
    assert (judged.scale, judged.gate) == (0.5, (2, 2))


def test_gate_recall_counts_the_ends_of_ships_that_count():
    attention = np.zeros((8, 16), np.uint8)
    attention[4, 4] = 255
    found = Found(Hulls.empty(), Sampling(1.0, 1.0, 128, 64), attention, attention)
    open_end, near_end, far_end = (36.0, 36.0), (44.0, 36.0), (100.0, 36.0)
    ships = [Ship(open_end, far_end), Ship(near_end, far_end), Ship(far_end, (100.0, 60.0), difficult=True)]
    hits = gate_hits(found, Labels.of_rows(ships, [], complete=True), 0.5)
    assert (hits.opened, hits.total) == (2, 4)


def scores_of(config: str, folder: dict[str, Path]) -> Scores:
    """What a config that README names scores, on the data of this machine."""
    named = load_config(CONFIGS / config, EvaluateConfig).model_dump(by_alias=True)
    return evaluate(EvaluateConfig.model_validate(named | folder), lambda _done, _total: None).scores


def test_the_model_that_ships_reaches_its_mark_on_the_inshore_validation_split(shared_data: Path):
    result = scores_of("evaluate_inshore.yaml", {"inshore": shared_data / "inshore"})
    assert result.ships == 544
    assert None not in (result.f1, result.ap, result.heading_accuracy, result.gate_recall)
    assert result.f1 >= 0.87
    assert result.ap >= 0.89
    assert result.heading_accuracy >= 0.97
    assert result.gate_recall >= 0.98


def test_the_model_that_ships_reaches_its_mark_on_civil_pictures_of_unknown_scale(shared_data: Path):
    result = scores_of("evaluate_civil.yaml", {"civil": shared_data / "civil"})
    assert result.ships == 118
    assert result.f1 is not None
    assert result.f1 >= 0.95


def test_the_model_for_sentinel_2_reaches_its_mark_on_ports_that_it_never_saw(shared_data: Path):
    result = scores_of("evaluate_sentinel2.yaml", {"sen2ships": shared_data / "sen2ships"})
    assert result.ships == 65
    assert result.f1 is not None
    assert result.f1 >= 0.58
