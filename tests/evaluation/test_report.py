import json

import pytest

from shipdet.errors import OutputError
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.metrics import Scores
from shipdet.evaluation.report import table, to_json, write_json
from shipdet.evaluation.summary import Evaluation, summarise
from shipdet.models.weights import Card

KEYS = ["ships", "ap", "f1", "precision", "recall", "threshold", "heading_accuracy", "length_error", "gate_recall"]


@pytest.fixture
def evaluation(judged: list[Judged], card: Card) -> Evaluation:
    return summarise(judged, "two pictures", card)


def test_json_has_every_score_and_reads_back_exactly(evaluation: Evaluation):
    read = json.loads(to_json(evaluation))
    assert [key for key in read if key in KEYS] == KEYS
    assert Scores(**{key: read[key] for key in Scores._fields}) == evaluation.scores


def test_json_carries_overlaps_recalls_calibration_and_types(evaluation: Evaluation):
    read = json.loads(to_json(evaluation))
    assert (read["name"], read["model"], read["pictures"]) == ("two pictures", "tiny", 2)
    assert (read["ships_with_beam"], read["ap50"]) == (4, evaluation.overlap.ap50)
    assert {"by": "type", "name": "warship", "ships": 2, "found": 1, "heading_accuracy": 1.0, "recall": 0.5} in read[
        "recalls"
    ]
    assert read["calibration"]["raw"]["error"] == pytest.approx(evaluation.reliability.raw.error)
    assert read["calibration"]["refitted"] is None
    assert read["types"] == {"names": ["warship", "tanker"], "counts": [[1, 0], [1, 0]], "accuracy": 0.5}


def test_json_of_nothing_is_null_never_nan(evaluation: Evaluation, card: Card):
    odd = evaluation._replace(scores=evaluation.scores._replace(ap=float("nan"), threshold=float("inf")))
    for empty in (summarise([], "nothing", card), odd):
        text = to_json(empty)
        assert "NaN" not in text
        assert "Infinity" not in text
        assert json.loads(text)["ap"] is None


def test_the_table_shows_each_figure_and_a_dash_for_what_was_not_measured(card: Card, evaluation: Evaluation):
    lines = {line.split("  ")[0]: line for line in table(evaluation).splitlines()}
    assert "two pictures, 2 pictures, tiny" in lines
    assert "3 found, 1 false alarm" in lines["ships"]
    assert "of 4 ships with a labelled beam" in lines["AP50"]
    assert lines["gate recall"].split()[2] == "0.800"
    nothing = {line.split("  ")[0]: line for line in table(summarise([], "nothing", card)).splitlines()}
    assert nothing["AP"].split()[1] == "-"
    assert nothing["gate recall"].split()[2] == "-"


def test_the_table_shows_recalls_calibration_and_types(evaluation: Evaluation):
    lines = [line.strip() for line in table(evaluation).splitlines()]
    assert ["side", "by", "side", "(gap", "<", "5", "px)", "2", "0.500", "1.000"] in [line.split() for line in lines]
    assert ["tanker", "1", "."] in [line.split() for line in lines]
    assert "types: 0.500 right of 2; labelled down, predicted across" in lines
    assert any(line.startswith("the network's own scores") for line in lines)
    assert max(map(len, lines)) <= 100


def test_the_file_is_written_whole_and_nothing_else_is_left(tmp_path, evaluation: Evaluation):
    path = tmp_path / "out" / "scores.json"
    path.parent.mkdir()
    path.write_text("old")
    write_json(evaluation, path)
    assert json.loads(path.read_text())["ships"] == 5
    assert [p.name for p in path.parent.iterdir()] == ["scores.json"]


def test_a_folder_that_does_not_exist_is_the_callers_mistake(tmp_path, evaluation: Evaluation):
    with pytest.raises(OutputError, match="does not exist"):
        write_json(evaluation, tmp_path / "nowhere" / "scores.json")
