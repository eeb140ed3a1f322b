"""Whole evaluations: of a drawn harbour as a labelled folder, and of the real validation split where it is there."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shipdet.config import EvaluateConfig
from shipdet.errors import LabelsError
from shipdet.evaluation.run import evaluate, gate_hits
from shipdet.geometry import Hulls
from shipdet.inference.engine import Found
from shipdet.labels.types import Labels, Ship
from shipdet.raster.sampling import Sampling
from shipdet.training.synthetic import HarbourOptions, render_harbour


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
    config = EvaluateConfig(inshore=folder, sheet=sheet)
    result = evaluate(config, lambda done, total: told.append((done, total)))
    labelled = json.loads((folder / "5.json").read_text())
    lengths = [np.hypot(*np.subtract(ship["bow"], ship["stern"])) for ship in labelled]
    assert result.ships == sum(length >= 12 for length in lengths) > 0
    assert result.f1 is not None
    assert result.f1 > 0.5
    assert result.gate_recall is not None
    assert result.gate_recall > 0.8
    assert told == [(1, 1)]
    with Image.open(sheet) as image:
        assert image.width > 1000


def test_a_fixed_threshold_is_kept(folder: Path):
    result = evaluate(EvaluateConfig(inshore=folder, threshold=0.99), lambda _done, _total: None)
    assert result.threshold == 0.99
    assert result.hits == 0


def test_a_folder_without_pictures_is_refused(tmp_path: Path):
    with pytest.raises(LabelsError, match="no validation pictures"):
        evaluate(EvaluateConfig(inshore=tmp_path), lambda _done, _total: None)


def test_gate_recall_counts_the_ends_of_ships_that_count():
    attention = np.zeros((8, 16), np.uint8)
    attention[4, 4] = 255
    found = Found(Hulls.empty(), Sampling(1.0, 1.0, 128, 64), attention, attention)
    open_end, near_end, far_end = (36.0, 36.0), (44.0, 36.0), (100.0, 36.0)
    ships = [Ship(open_end, far_end), Ship(near_end, far_end), Ship(far_end, (100.0, 60.0), difficult=True)]
    hits = gate_hits(found, Labels.of_rows(ships, [], complete=True), 0.5)
    assert (hits.opened, hits.total) == (2, 4)


def test_the_model_that_ships_reaches_its_mark_on_the_inshore_validation_split(shared_data: Path):
    result = evaluate(EvaluateConfig(inshore=shared_data / "inshore"), lambda _done, _total: None)
    assert result.ships == 544
    assert None not in (result.f1, result.heading_accuracy, result.gate_recall)
    assert result.f1 >= 0.78
    assert result.heading_accuracy >= 0.94
    assert result.gate_recall >= 0.95
