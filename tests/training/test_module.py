from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from shipdet.labels.types import Labels, Ship
from shipdet.models.losses import Losses
from shipdet.models.task_partition import Sizes, TaskPartition
from shipdet.training.module import AVERAGE_DECAY, Judged, LossWeights, Schedule, TaskPartitionTraining
from shipdet.training.targets import draw_targets

SCHEDULE = Schedule(steps=100, warmup_steps=10, learning_rate=0.01, weight_decay=0.1, gate_threshold=0.1)


@pytest.fixture
def training() -> TaskPartitionTraining:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = TaskPartition(Sizes(width=16, context=8))
    return TaskPartitionTraining(network, SCHEDULE, LossWeights(), lambda _: [], lambda _: Judged(0, 0, 0))


def weight(network: TaskPartition) -> Tensor:
    return network.shallow.head.weight.detach().clone()


def follow(training: TaskPartitionTraining, value: float, steps: int) -> None:
    with torch.no_grad():
        training.network.shallow.head.weight.fill_(value)
    for _ in range(steps):
        training.on_train_batch_end()


def test_the_learning_rate_rises_then_falls_to_a_hundredth(training: TaskPartitionTraining) -> None:
    configured = training.configure_optimizers()
    factor = configured["lr_scheduler"]["scheduler"].lr_lambdas[0]
    rates = [factor(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1
    assert all(a < b for a, b in pairwise(rates[:10]))
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert rates[100] == factor(500) == pytest.approx(0.01)


def test_a_run_without_warm_up_starts_at_the_full_rate() -> None:
    network = TaskPartition(Sizes(width=16, context=8))
    schedule = SCHEDULE._replace(warmup_steps=0)
    training = TaskPartitionTraining(network, schedule, LossWeights(), lambda _: [], lambda _: Judged(0, 0, 0))
    assert training.configure_optimizers()["lr_scheduler"]["scheduler"].lr_lambdas[0](0) == pytest.approx(1)


def test_the_average_forgets_the_random_start_soon(training: TaskPartitionTraining) -> None:
    follow(training, 1.0, 60)
    assert (weight(training.averaged()) - 1).abs().max() < 1e-3


def test_the_average_moves_slowly_once_it_is_old(training: TaskPartitionTraining) -> None:
    follow(training, 0.0, 1)
    training.average.n_averaged.fill_(100_000)
    follow(training, 1.0, 1)
    assert weight(training.averaged()).mean() == pytest.approx(1 - AVERAGE_DECAY, rel=1e-3)


def test_the_average_follows_batch_norm_too_and_is_ready_to_look(training: TaskPartitionTraining) -> None:
    norm = training.network.deep.smooth[0]
    norm.running_mean.fill_(3.0)
    norm.num_batches_tracked.fill_(7)
    training.on_train_batch_end()
    averaged = training.averaged()
    assert not averaged.training
    assert training.network.training
    assert (averaged.deep.smooth[0].running_mean == 3).all()
    assert averaged.deep.smooth[0].num_batches_tracked == 7


def test_the_total_is_the_weighted_sum(training: TaskPartitionTraining) -> None:
    training.weights = LossWeights(coarse=1, heat=2, offset=3, vector=4, beam=5, types=6)
    losses = Losses(*torch.tensor([1.0, 10.0, 100.0, 1000.0, 10000.0, 1e5]))
    assert training._total(losses) == 1 + 20 + 300 + 4000 + 50000 + 600000


@pytest.mark.parametrize(("warmup_steps", "hears"), [(10, True), (0, False)])
def test_while_warming_up_the_truth_opens_the_gate(
    training: TaskPartitionTraining, monkeypatch: pytest.MonkeyPatch, warmup_steps: int, hears: bool
) -> None:
    logged: dict[str, float] = {}
    monkeypatch.setattr(training, "log", lambda name, value, **_: logged.update({name: float(value.detach())}))
    training.schedule = SCHEDULE._replace(warmup_steps=warmup_steps, gate_threshold=1.1)
    ship = Ship((50.0, 40.0), (10.0, 30.0), beam=8.0)
    targets = draw_targets(Labels.of_rows([ship], [], complete=True), np.ones((64, 64), bool))
    maps = [torch.from_numpy(np.ascontiguousarray(field))[None].repeat_interleave(2, 0) for field in targets]
    training.training_step([torch.randn(2, 3, 64, 64), *maps], 0).backward()
    head, classes = training.network.shallow.head.weight.grad, training.network.deep.classes.weight.grad
    assert head is not None
    assert bool(head.any()) == hears
    assert classes is not None
    assert classes.any()
    assert (logged["gate/open"] > 0) == hears
