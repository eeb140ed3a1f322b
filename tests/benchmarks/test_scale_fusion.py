"""The parts of the scale fusion benchmark that need no pictures."""

import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

BENCHMARK = runpy.run_path(str(Path(__file__).resolve().parents[2] / "benchmarks" / "scale_fusion.py"))
SCORE = np.array([[0.2, 0.6, 0.1], [0.9, 0.0, 0.3]])


def line(**values: float):
    return BENCHMARK["Line"]("attention", values, (0.5, 1.0), 1.0)


def test_the_strongest_view_speaks_alone():
    fused, weights = BENCHMARK["strongest"](SCORE, np.zeros((2, 3)))
    assert fused.tolist() == [0.6, 0.9]
    assert weights.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_the_mean_does_not_care_what_views_are_worth():
    fused, weights = BENCHMARK["mean"](SCORE, np.array([[9.0, 0, 0], [0, 9.0, 0]]))
    np.testing.assert_allclose(fused, SCORE.mean(axis=1))
    np.testing.assert_allclose(weights, 1 / 3)


@pytest.mark.parametrize(("heading", "count"), [(0.96, 0), (0.94, 1), (math.nan, 1)])
def test_what_is_too_low_or_unknown_does_not_meet_the_contract(heading: float, count: int):
    assert len(BENCHMARK["unmet"](line(F1=0.9, heading=heading, AP50=0.8))) == count


def test_cost_is_counted_by_megapixels_of_picture_as_it_is_stored():
    sides = iter([(2000, 1000), (500, 1000)])

    def opened(_gsd_m: float) -> SimpleNamespace:
        width, height = next(sides)
        return SimpleNamespace(grid=SimpleNamespace(width=width, height=height))

    model = SimpleNamespace(card=SimpleNamespace(gsd_m=1.0))
    cases = [SimpleNamespace(open=opened), SimpleNamespace(open=opened)]
    assert BENCHMARK["megapixels"](cases, model) == 2.5


@pytest.mark.parametrize(("heading", "code"), [(0.96, 0), (0.94, 1)])
def test_tables_are_made_as_named_and_the_contract_is_judged_by_one(monkeypatch, capsys, heading: float, code: int):
    made = runpy.run_path(BENCHMARK["__file__"])
    names = made["main"].__globals__
    monkeypatch.setattr("sys.argv", ["scale_fusion.py", "--tables", "civil-views", "civil-scales"])
    monkeypatch.setitem(names, "load_weights", lambda _: SimpleNamespace(card=SimpleNamespace(name="a", steps=1)))
    monkeypatch.setitem(names, "_cases", lambda *_, **__: [])
    monkeypatch.setitem(names, "unknown_scale", lambda *_: [line(F1=0.9, heading=heading, AP50=0.9)])
    monkeypatch.setitem(names, "further_views", lambda *_: iter([line(F1=0.1, heading=0.1, AP50=0.1)]))
    assert made["main"]() == code
    shown = capsys.readouterr().out
    assert ("contract met" in shown) == (code == 0)
    assert shown.index("further views") < shown.index("bow known")
    assert "inshore" not in shown


def test_a_table_has_a_line_a_row(capsys):
    BENCHMARK["show"]("title", [line(F1=0.9, AP50=0.8)])
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == "| attention | 0.900 | 0.800 | 0.53, 0.75, 0.97 | 1.00 |"
    assert shown[-1].count("|") == shown[-2].count("|") == shown[-3].count("|")
