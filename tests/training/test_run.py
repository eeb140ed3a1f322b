import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from shipdet.config import TrainConfig
from shipdet.errors import WeightsError
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import load_weights
from shipdet.training import run
from shipdet.training.module import Judged
from shipdet.training.quiet import LIGHTNING_LOGGERS


class KilledError(Exception):
    """Stands for whatever ends a run before its time."""


@pytest.fixture(autouse=True)
def tiny_harbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SYNTHETIC_COUNT", 2)
    monkeypatch.setattr(run, "SYNTHETIC_SIZE", 128)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the chips that training asked for, in order."""
    numbers: list[int] = []

    class Recorded(run.Chips):
        def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
            numbers.append(self.first + index)
            return super().__getitem__(index)

    monkeypatch.setattr(run, "Chips", Recorded)
    return numbers


def config_of(output: Path, steps: int) -> TrainConfig:
    return TrainConfig(
        name="tiny", output=output, steps=steps, batch=2, crop=64, warmup_steps=2, validate_every=2, workers=0,
        synthetic_share=1.0, precision="float32",
    )  # fmt: skip


def judge_with(scores: Iterator[float]) -> tuple[Callable[[TaskPartition], Judged], list[torch.Tensor]]:
    """A judge that gives these scores, and the weights that it saw."""
    seen: list[torch.Tensor] = []

    def judge(network: TaskPartition) -> Judged:
        assert not network.training
        seen.append(network.shallow.head.weight.detach().clone())
        score = next(scores, None)
        if score is None:
            raise KilledError
        return Judged(score, 1.0, 1.0)

    return judge, seen


def test_a_killed_run_goes_on_where_it_was_and_keeps_the_best(
    tmp_path: Path, drawn: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    judge, seen = judge_with(iter([0.9]))
    with pytest.raises(KilledError):
        run.train(config_of(tmp_path, 6), judge, lines.append)
    assert drawn == list(range(8))
    assert torch.load(tmp_path / "tiny" / "last.ckpt", weights_only=True)["global_step"] == 2
    assert lines == ["synthetic: 2 harbours, " + lines[0].split(", ")[1]]

    drawn.clear()
    again, seen_again = judge_with(iter([0.3, 0.8]))
    network = run.train(config_of(tmp_path, 6), again, lines.append)
    assert drawn == list(range(4, 12))
    assert lines[-1] == f"going on from {tmp_path / 'tiny' / 'last.ckpt'}"
    assert torch.load(tmp_path / "tiny" / "last.ckpt", weights_only=True)["global_step"] == 6
    torch.testing.assert_close(network.shallow.head.weight, seen[0], rtol=0, atol=0)
    torch.testing.assert_close(seen_again[0], seen[1], rtol=1e-3, atol=1e-6)
    assert capfd.readouterr() == ("", "")


def test_a_finished_run_can_be_made_longer(tmp_path: Path, drawn: list[int]) -> None:
    judge, _ = judge_with(iter([0.1, 0.2]))
    run.train(config_of(tmp_path, 4), judge, str)
    judge, seen = judge_with(iter([0.3, 0.4]))
    network = run.train(config_of(tmp_path, 8), judge, str)
    assert drawn == list(range(16))
    assert torch.load(tmp_path / "tiny" / "last.ckpt", weights_only=True)["global_step"] == 8
    torch.testing.assert_close(network.shallow.head.weight, seen[-1], rtol=0, atol=0)


def test_lightnings_loggers_speak_again_after_a_run(tmp_path: Path) -> None:
    levels = [logging.getLogger(name).level for name in LIGHTNING_LOGGERS]
    judge, _ = judge_with(iter([]))
    with pytest.raises(KilledError):
        run.train(config_of(tmp_path, 2), judge, str)
    assert [logging.getLogger(name).level for name in LIGHTNING_LOGGERS] == levels


def test_validation_pictures_are_never_learnt_from(tmp_path: Path) -> None:
    for number in range(1, 11):
        Image.fromarray(np.full((40, 40, 3), 120, np.uint8)).save(tmp_path / f"{number}.jpg")
        (tmp_path / f"{number}.txt").write_text("5 5 30 30 5")
    config = TrainConfig(name="tiny", inshore=tmp_path, civil=tmp_path, output=tmp_path, steps=1)
    lines: list[str] = []
    from_inshore, from_civil = run.read_sources(config, lines.append)
    assert [p.name for p in from_inshore.pictures] == [f"inshore {n}" for n in (1, 2, 3, 4, 6, 7, 8, 9)]
    assert [p.name for p in from_civil.pictures] == [f"civil {n}" for n in (1, 2, 3, 5, 6, 7, 9, 10)]
    assert lines == ["inshore: 8 pictures, 8 ships", "civil: 8 pictures, 8 ships"]


def test_drawn_harbours_have_the_share_asked_for(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        Image.fromarray(np.full((40, 40, 3), 120, np.uint8)).save(tmp_path / f"{number}.jpg")
        (tmp_path / f"{number}.json").write_text("[]")
    config = TrainConfig(name="tiny", inshore=tmp_path, output=tmp_path, steps=1, synthetic_share=0.25)
    real, drawn_harbours = run.read_sources(config, str)
    assert drawn_harbours.share / (real.share + drawn_harbours.share) == pytest.approx(0.25)
    assert len(drawn_harbours.pictures) == 2


def test_a_network_of_more_bands_starts_from_one_of_fewer_and_says_the_same_where_they_are_empty(tmp_path: Path):
    config = TrainConfig(name="ports", sen2ships=tmp_path, start_from="inshore-vhr", output=tmp_path, steps=1)
    ports, pictures = run.first_network(config).eval(), load_weights("inshore-vhr").network.eval()
    three = torch.randn(1, 3, 64, 96)
    four = torch.cat([three, torch.zeros(1, 1, 64, 96)], dim=1)
    with torch.inference_mode():
        assert torch.allclose(ports.coarse(four).logits, pictures.coarse(three).logits, atol=1e-5)


def test_a_network_does_not_start_from_one_of_another_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "PORT_SIZES", run.PORT_SIZES._replace(width=32))
    config = TrainConfig(name="ports", sen2ships=tmp_path, start_from="inshore-vhr", output=tmp_path, steps=1)
    with pytest.raises(WeightsError, match="inshore-vhr is of another network"):
        run.first_network(config)
