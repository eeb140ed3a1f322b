import json
from pathlib import Path

import pytest
from outcomes import Column, Kept, Outcome, Runs, beside, mean, spread, table, wins

from shipdet.errors import InputError

NOTHING = Outcome(None, None, None, None, None, None, None, 0.0, 0)


def of_f1(*values: float | None) -> list[Outcome]:
    return [NOTHING._replace(f1=value) for value in values]


def test_mean_and_sample_deviation_are_over_the_runs_that_have_the_figure() -> None:
    outcomes = of_f1(0.7, None, 0.8, 0.9)
    assert mean(outcomes, "f1") == pytest.approx(0.8)
    assert spread(outcomes, "f1") == pytest.approx(0.1)


def test_nothing_has_no_mean_and_one_run_no_spread() -> None:
    assert mean(of_f1(None), "f1") is None
    assert spread(of_f1(0.5), "f1") is None


def test_a_table_gives_mean_and_spread_and_a_dash_for_what_was_not_measured() -> None:
    rows = [Runs("a", of_f1(0.5, 0.7)), Runs("b", of_f1(0.25)), Runs("c", of_f1(None))]
    assert table(rows, (Column("F1", "f1"), Column("seen", "seen", 0))).splitlines() == [
        "|  | F1 | seen |",
        "| --- | --- | --- |",
        "| a | 0.600 ± 0.141 | 0 ± 0 |",
        "| b | 0.250 | 0 |",
        "| c | - | 0 |",
    ]


def test_a_column_is_put_beside_a_table() -> None:
    text = table([Runs("a", of_f1(0.5))], (Column("F1", "f1"),))
    assert beside(text, "gain", ["+0.1"]).splitlines() == [
        "|  | F1 | gain |",
        "| --- | --- | --- |",
        "| a | 0.500 | +0.1 |",
    ]


def test_a_row_wins_only_alone() -> None:
    assert wins([Runs("a", of_f1(0.4, 0.6)), Runs("b", of_f1(0.49, 0.49))], "a")
    assert not wins([Runs("a", of_f1(0.5)), Runs("b", of_f1(0.5))], "a")
    assert not wins([Runs("a", of_f1(None)), Runs("b", of_f1(0.1))], "a")


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "new" / "folder")
    first = NOTHING._replace(f1=0.5, seen=7)
    assert kept.outcome("full-1", '{"steps": 2}', lambda: first) == first
    assert kept.outcome("full-1", '{"steps": 2}', lambda: pytest.fail("run twice")) == first
    assert [path.name for path in kept.folder.iterdir()] == ["full-1.json"]


def test_a_run_with_other_settings_is_refused(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.outcome("full-1", '{"steps": 2}', lambda: NOTHING)
    with pytest.raises(InputError, match=r"full-1\.json was run with other settings"):
        kept.outcome("full-1", '{"steps": 3}', lambda: NOTHING)


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"outcome": {"f1": 1.0}, "settings": {}})])
def test_a_file_that_is_no_finished_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "full-1.json").write_text(text)
    with pytest.raises(InputError, match="no finished run"):
        Kept(tmp_path).outcome("full-1", "{}", lambda: NOTHING)
