import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from shipdet.config import TrainConfig
from shipdet.models.task_partition import TaskPartition
from shipdet.training import run
from shipdet.training.module import Judged


class Killed(Exception):
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
            raise Killed
        return Judged(score, 1.0, 1.0)

    return judge, seen


def test_a_killed_run_goes_on_where_it_was_and_keeps_the_best(
    tmp_path: Path, drawn: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    judge, seen = judge_with(iter([0.9]))
    with pytest.raises(Killed):
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
