"""`shipdet models`, of all models that ship and of one."""

from pathlib import Path

import pytest

from shipdet.cli import main
from shipdet.models.choice import shipped_cards
from shipdet.models.weights import load_weights, save_weights

CARDS = shipped_cards()


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["models", *map(str, arguments)])
    return int(stop.value.code or 0)


def test_all_models_that_ship_are_listed_without_bands(capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    out, _ = capfd.readouterr()
    assert all(card.name in out.splitlines() for card in CARDS)
    assert "recall by" not in out


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_of_one_model_recall_is_shown_by_band_of_each_data_set(card, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(card.name) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [card.name]
    rows = [line.split() for line in lines if line.startswith("    ") and "recall by" not in line]
    wanted = [row for scores in card.scores for row in scores.recalls]
    assert {row.by for row in wanted} >= {"length", "type", "neighbour"}
    assert [words[-2:] for words in rows] == [[str(row.ships), f"{row.recall:.3f}"] for row in wanted]
    for by in ("length", "type", "neighbour"):
        assert sum(words[0] == by for words in rows) == len(card.scores)
    for scores in card.scores:
        assert any(line.startswith(f"  {scores.split}: AP50 {scores.ap50:.3f}, AP75 ") for line in lines)


def test_a_weights_file_that_was_never_judged_has_no_bands(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = load_weights("sentinel2")
    card = model.card.model_copy(update={"name": "mine", "scores": ()})
    save_weights(tmp_path / "mine.safetensors", model._replace(card=card))
    assert run(tmp_path / "mine.safetensors") == 0
    out, _ = capfd.readouterr()
    assert out.startswith("mine\n")
    assert "recall by" not in out


def test_a_name_that_nothing_has_is_refused_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("no-such-model") == 2
    out, err = capfd.readouterr()
    assert not out
    assert "inshore-vhr, sentinel2" in err
    assert err.count("\n") == 1
