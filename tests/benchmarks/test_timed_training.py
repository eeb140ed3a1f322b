from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import timed_training
import torch
from quiet_training import train_quietly

from shipdet.config import TrainConfig
from shipdet.training import run


def config_of(output: Path) -> TrainConfig:
    return TrainConfig(
        name="tiny", output=output, steps=1, batch=2, crop=64, workers=0, synthetic_share=1.0, precision="float32"
    )


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SYNTHETIC_COUNT", 1)
    monkeypatch.setattr(run, "SYNTHETIC_SIZE", 128)
    monkeypatch.setattr(timed_training, "TRIAL_STEPS", 4)
    monkeypatch.setattr(timed_training, "SETTLED", 1)


def second_by_second() -> Callable[[], float]:
    """A watch that goes on by a second whenever it is looked at."""
    return partial(next, count(100.0))


def test_a_clock_ends_batches_at_its_deadline() -> None:
    clock = timed_training.Clock(103.0, second_by_second())
    assert len(list(clock.until(iter(int, 1)))) == 3  # of batches without end
    assert clock.asked == [100, 101, 102]


def test_training_takes_the_steps_that_fit(tmp_path: Path) -> None:
    trained = timed_training.train_for(6 / 60, config_of(tmp_path), second_by_second())
    assert trained.seen == 2 * 5  # at a second a step and one before the first
    assert trained.minutes == pytest.approx(6 / 60)
    assert not trained.network.training
    assert list(tmp_path.iterdir()) == []


def test_the_clock_has_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_training, "median", lambda _: 0.1)  # the trial was too fast
    assert timed_training.train_for(4 / 60, config_of(tmp_path), second_by_second()).seen == 2 * 3


def test_training_that_has_no_time_left_takes_one_step_all_the_same(tmp_path: Path) -> None:
    trained = timed_training.train_for(0.0, config_of(tmp_path), second_by_second())
    assert trained.seen == 2


def test_quiet_training_gives_the_average_after_the_last_step(tmp_path: Path) -> None:
    built = []

    def build(*arguments: object) -> object:
        built.append(run.build_training(*arguments))
        return built[0]

    network = train_quietly(config_of(tmp_path).model_copy(update={"steps": 3}), build=build)
    assert built[0].global_step == 3
    assert built[0].average.n_averaged == 3
    torch.testing.assert_close(network.shallow.head.weight, built[0].average.module.shallow.head.weight)
    assert list(tmp_path.iterdir()) == []
