from pathlib import Path

import numpy as np
import pytest
from scoring import model_of, outcome_of

from shipdet.geometry import Hulls
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import Labels, Ship
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import load_weights, save_weights
from shipdet.training.run import SIZES


def upright(x: float, kind: str = "warship") -> Ship:
    """A ship 100 pixels long and 10 wide."""
    return Ship((x, 10.0), (x, 110.0), beam=10.0, type=kind)


def labels_of(*ships: Ship) -> Labels:
    return Labels.of_rows(ships, [], complete=True)


def hulls_of(labels: Labels, *scores: float) -> Hulls:
    score = np.array(scores)
    return Hulls(labels.bow, labels.stern, labels.beam, score, score)


def test_recall_side_by_side_counts_hits_at_the_threshold_of_the_best_f1() -> None:
    beside, apart = labels_of(upright(50), upright(62)), labels_of(upright(50), upright(200))
    pictures = [LabelledPicture(Path("1.jpg"), beside), LabelledPicture(Path("2.jpg"), apart)]
    found = [hulls_of(labels_of(upright(50)), 0.9), hulls_of(apart, 0.9, 0.8)]
    outcome = outcome_of(pictures, found)
    assert outcome.recall == pytest.approx(3 / 4)
    assert outcome.side_by_side == pytest.approx(1 / 2)
    assert outcome.precision == 1


def test_where_nothing_is_found_recall_side_by_side_is_zero() -> None:
    pictures = [LabelledPicture(Path("1.jpg"), labels_of(upright(50), upright(62)))]
    assert outcome_of(pictures, [Hulls.empty()]).side_by_side == 0


def test_where_no_ships_lie_side_by_side_their_recall_is_unknown() -> None:
    labels = labels_of(upright(50))
    assert outcome_of([LabelledPicture(Path("1.jpg"), labels)], [hulls_of(labels, 0.5)]).side_by_side is None


def test_a_benchmarks_weights_can_be_loaded_again(tmp_path: Path) -> None:
    model = model_of(TaskPartition(SIZES), 0.1)
    save_weights(tmp_path / "w.safetensors", model)
    assert load_weights(str(tmp_path / "w.safetensors")).card == model.card
