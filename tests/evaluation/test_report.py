import json

import pytest

from shipdet.errors import OutputError
from shipdet.evaluation.metrics import Scores, scores
from shipdet.evaluation.report import table, to_json, write_json

SCORES = Scores(
    ships=236,
    ap=0.8123,
    f1=0.7912,
    precision=0.9,
    recall=0.7056,
    threshold=0.41,
    heading_accuracy=0.95,
    length_error=0.031,
    gate_recall=None,
    hits=167,
    false_alarms=19,
)
KEYS = ["ships", "ap", "f1", "precision", "recall", "threshold", "heading_accuracy", "length_error", "gate_recall"]


def test_json_has_every_key_and_reads_back_exactly():
    read = json.loads(to_json(SCORES))
    assert [key for key in read if key in KEYS] == KEYS
    assert Scores(**read) == SCORES


def test_json_names_what_was_scored():
    assert json.loads(to_json(SCORES, "inshore validation"))["name"] == "inshore validation"


def test_json_of_nothing_is_null_never_nan():
    for empty in (scores([]), SCORES._replace(ap=float("nan"), threshold=float("inf"))):
        text = to_json(empty)
        assert "NaN" not in text
        assert "Infinity" not in text
        assert json.loads(text)["ap"] is None


def test_the_table_shows_each_figure_and_a_dash_for_what_was_not_measured():
    lines = {line.split("  ")[0]: line for line in table(SCORES).splitlines()}
    assert "236" in lines["ships"]
    assert "167 found, 19 false alarms" in lines["ships"]
    assert "0.812" in lines["AP"]
    assert "0.950" in lines["heading"]
    assert lines["gate recall"].split()[2] == "-"


def test_the_file_is_written_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("old")
    write_json(SCORES, path)
    assert json.loads(path.read_text())["ships"] == 236
    assert [p.name for p in tmp_path.iterdir()] == ["scores.json"]


def test_a_folder_that_does_not_exist_is_the_callers_mistake(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        write_json(SCORES, tmp_path / "nowhere" / "scores.json")
