from pathlib import Path

import ingredients
import numpy as np
import pytest
from ingredients import WEIGHTS_BEFORE, Row, gains, link_makers_labels, plan, slug, unknown_keys
from outcomes import Outcome, Runs
from PIL import Image

from shipdet.config import TrainConfig
from shipdet.labels.folders import inshore, read_folder

BASE = TrainConfig(name="tiny", inshore=Path("data"), output=Path("out"), steps=4, seed=3)
NOTHING = Outcome(None, None, None, None, None, None, None, 0.0, 0)


def test_ingredients_add_up() -> None:
    rows = [Row("a", {"inshore": Path("other")}), Row("+ b", {"synthetic_share": 0.5}), Row("+ c", {"civil": "civil"})]
    a, b, c = (step.config for step in plan(rows, BASE, Path("out")))
    assert (a.inshore, a.synthetic_share, a.civil) == (Path("other"), 0, None)
    assert (b.inshore, b.synthetic_share, b.civil) == (Path("other"), 0.5, None)
    assert (c.inshore, c.synthetic_share, c.civil) == (Path("other"), 0.5, Path("civil"))
    assert {a.seed, b.seed, c.seed} == {3}


def test_rows_before_an_ingredient_have_what_stands_in_its_place() -> None:
    rows = [Row("a", {}), Row("+ b", {"crop": 256}, without={"crop": 128}), Row("+ c", {})]
    assert [step.config.crop for step in plan(rows, BASE, Path("out"))] == [128, 256, 256]


def test_a_teacher_is_the_row_before_with_the_same_seed_and_stays_it() -> None:
    rows = [Row("a", {}), Row("+ b", {"teacher": WEIGHTS_BEFORE}), Row("+ c", {})]
    steps = plan(rows, BASE, Path("out"))
    assert steps[0].weights == Path("out/a-3.safetensors")
    assert [step.config.teacher for step in steps] == [None, "out/a-3.safetensors", "out/a-3.safetensors"]


def test_rows_are_files_by_names_that_differ() -> None:
    rows = ingredients.rows_of(ingredients._arguments([]))
    assert slug("+ self-training") == "self-training"
    assert slug("makers' labels") == "makers-labels"
    assert len({slug(row.name) for row in rows}) == len(rows)


def test_only_the_last_row_sees_civil_pictures() -> None:
    rows = [row for row in ingredients.rows_of(ingredients._arguments([])) if not unknown_keys(row)]
    assert [step.config.civil is not None for step in plan(rows, BASE, Path("out"))] == [False] * (len(rows) - 1) + [
        True
    ]


def test_keys_that_a_config_does_not_have_are_named() -> None:
    assert unknown_keys(Row("a", {"crop": 64, "no_such_key": 1})) == ["no_such_key"]


def test_gains_are_over_the_row_before() -> None:
    rows = [Runs(str(f1), [NOTHING._replace(f1=f1)]) for f1 in (0.5, 0.75, 0.7)]
    assert gains(rows) == ["", "+0.250", "-0.050"]


def test_the_makers_folder_holds_training_pictures_with_their_labels_alone(tmp_path: Path) -> None:
    data, makers = tmp_path / "data", tmp_path / "out" / "makers"
    data.mkdir()
    for number in (1, 2, 5):
        Image.fromarray(np.full((40, 40, 3), 120, np.uint8)).save(data / f"{number}.jpg")
        (data / f"{number}.txt").write_text("5 5 30 30 5")
        (data / f"{number}.json").write_text("[]")
    link_makers_labels(data, makers)
    link_makers_labels(data, makers)
    pictures = read_folder(inshore(makers), "train")
    assert [picture.path.name for picture in pictures] == ["1.jpg", "2.jpg"]
    assert [(len(picture.labels), picture.labels.complete) for picture in pictures] == [(1, False), (1, False)]
    assert len(list(makers.iterdir())) == 4


def test_what_is_not_there_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingredients.main(["--inshore", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "no train pictures" in capsys.readouterr().err
