from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch


def table(quick: bool = False) -> Any:
    trials = import_module("trials")
    options = trials.Options(Path(), (0, 1), 5, torch.device("cpu"), quick, None)
    return trials.Table("Title", options)


def filled(a: tuple[float, float], b: tuple[float, float], quick: bool = False) -> Any:
    made = table(quick)
    for name, values in (("a", a), ("b", b)):
        for value in values:
            made.add(name, "error", value)
    return made


def test_the_table_shows_mean_and_spread_over_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    filled((1.0, 3.0), (5.0, 5.0)).show()
    shown = capsys.readouterr().out
    assert "| a | 2.00 ± 1.41 |" in shown
    assert "| b | 5.00 ± 0.00 |" in shown
    assert "prove nothing" not in shown


@pytest.mark.parametrize(
    ("a", "b", "by", "verdict"),
    [
        ((1, 2), (3, 4), 0, "holds;"),
        ((1, 2), (3, 4), 3, "does NOT hold"),
        ((1, 5), (3, 4), 0, "holds on average"),
        ((3, 4), (1, 2), 0, "does NOT hold"),
        ((1, 1), (1, 1), 0, "does NOT hold"),
    ],
)
def test_claims_are_judged_seed_by_seed(
    a: tuple[float, float], b: tuple[float, float], by: float, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(a, b).claim("a below b", ("a", "error"), ("b", "error"), by)
    assert f"a below b: {verdict}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("greater", "verdict", "gap"),
    [((3, 6), "holds;", "1.50 ± 0.71"), ((1, 9), "holds on average", "2.00"), ((2, 4), "does NOT hold", "0.00 ± 0.00")],
)
def test_claims_of_gaps_compare_differences_seed_by_seed(
    greater: tuple[float, float], verdict: str, gap: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seeds start from 10 and 20, so that only differences of the same seed tell."""
    made = table()
    for seed, start in enumerate((10.0, 20.0)):
        for name, values in (("steady", (2, 4)), ("grown", greater)):
            made.add(name, "before", start)
            made.add(name, "after", start + values[seed])
    steady, grown = (((name, "before"), (name, "after")) for name in ("steady", "grown"))
    made.claim_of_gaps("steady gains less than grown", steady, grown)
    shown = capsys.readouterr().out
    assert f"steady gains less than grown: {verdict}" in shown
    assert f"gap {gap}" in shown


def test_residual_attention_is_judged_by_its_lead_and_by_what_wrong_labels_cost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    residual, made = import_module("residual"), table()
    errors = {
        "m = 1, 0% noise": {"residual": 10, "naive": 11, "no mask": 12},
        "m = 2, 0% noise": {"residual": 9, "naive": 12, "no mask": 12},
        "m = 1, 50% noise": {"residual": 15, "naive": 20, "no mask": 16},
    }
    for column, values in errors.items():
        for name, value in values.items():
            made.add(name, column, value)
    residual.claims(made, [(2, 0.0), (1, 0.0)], [(1, 0.5)])
    lines = capsys.readouterr().out.splitlines()
    assert "- gap from residual to naive greater with m = 2 than with 1: holds; gap 2.00" in lines
    assert "- m = 1, 50% noise: residual loses less by wrong labels than no mask: does NOT hold; gap -1.00" in lines
    assert len(lines) == 8


def test_a_quick_run_judges_nothing_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    quick = filled((1, 2), (3, 4), quick=True)
    quick.show()
    quick.claim("a below b", ("a", "error"), ("b", "error"))
    shown = capsys.readouterr().out
    assert "prove nothing" in shown
    assert "not judged" in shown


def test_quick_takes_one_seed_and_few_steps() -> None:
    trials = import_module("trials")
    args = trials.parser("An experiment.", steps=1000).parse_args(["--data", ".", "--quick"])
    options = trials.options_of(args)
    assert options.seeds == (0,)
    assert options.steps == trials.QUICK_STEPS
    assert options.few(1000) == 64


def test_training_minimises() -> None:
    trials = import_module("trials")
    value = torch.nn.Parameter(torch.tensor(3.0))
    trials.train([value], lambda _: value.square(), steps=100, rate=0.2)
    assert value.abs().item() < 0.5


def test_what_is_slow_learns_at_a_tenth_of_the_rate() -> None:
    trials = import_module("trials")
    quick, slow = (torch.nn.Parameter(torch.ones(())) for _ in range(2))
    trials.train([quick, slow], lambda _: quick + slow, steps=5, rate=0.1, slow=[slow])
    fallen = 1 - quick.item(), 1 - slow.item()
    assert fallen[0] == pytest.approx(10 * fallen[1], rel=1e-2)
