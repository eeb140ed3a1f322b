import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from shipdet.attention.ra_cnn import RACNN
from shipdet.training.ra_cnn import RACNNTraining, Rates, Turns

quiet = pytest.mark.filterwarnings(
    "ignore:.*num_workers.*",
    "ignore:.*LeafSpec.*",
    "ignore:.*no `val_dataloader`.*",
    "ignore:.*does not have many workers.*",
)
"""What lightning says of torch and of this test, but not of our module."""
TURNS = Turns(first=2, start=3, classify=4, propose=2, total=20)


def backbone() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU())


def make(scales: int = 2, turns: Turns = TURNS) -> RACNNTraining:
    torch.manual_seed(0)
    return RACNNTraining(RACNN(backbone, 4, 2, scales, (8, 8)), turns, Rates())


def fit(training: RACNNTraining, steps: int) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(8 * steps, 1, 16, 16, generator=generator)
    classes = torch.randint(2, (8 * steps,), generator=generator)
    trainer = L.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(training, DataLoader(TensorDataset(images, classes), batch_size=8))


def snapshot(training: RACNNTraining) -> tuple[list[Tensor], list[Tensor]]:
    network = training.network
    proposals = [p.detach().clone() for p in network.proposals.parameters()]
    return [p.detach().clone() for p in network.backbones.parameters()], proposals


def moved(before: list[Tensor], after: list[Tensor]) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_turns_follow_each_other() -> None:
    training = make()
    turns = "".join("p" if training.proposes(step) else "c" for step in range(17))
    assert turns == "cc" + "ppp" + "ccccpp" * 2


def test_a_network_of_one_scale_has_nothing_to_propose() -> None:
    training = make(scales=1)
    assert not any(training.proposes(step) for step in range(30))
    assert len(training.configure_optimizers()) == 1


def test_boxes_that_cannot_learn_leave_all_steps_to_the_classifiers() -> None:
    network = make().network
    network.proposals = nn.ModuleList([nn.Identity()])
    training = RACNNTraining(network, TURNS, Rates())
    assert not any(training.proposes(step) for step in range(30))
    assert len(training.configure_optimizers()) == 1


def test_k_grows_from_the_first_value_to_the_last() -> None:
    training = make()
    values = [training.sharpness(step) for step in range(0, 25, 5)]
    assert values[0] == 10
    assert values[-1] == pytest.approx(100)
    assert values == sorted(values)


def test_classifiers_learn_at_the_same_rates_with_and_without_proposals_between() -> None:
    turns = TURNS._replace(total=17)
    with_proposals = make(turns=turns)
    own = [with_proposals.learnt(step) for step in range(17) if not with_proposals.proposes(step)]
    alone = make(scales=1, turns=turns._replace(total=len(own)))
    assert own == [alone.learnt(step) for step in range(len(own))]
    assert own[0] == 0
    assert own == sorted(own)
    assert with_proposals.learnt(2) == 0
    assert with_proposals.learnt(17) == 1


@quiet
def test_each_holds_still_while_the_other_learns() -> None:
    for turns, who in ((TURNS, 0), (TURNS._replace(first=0), 1)):
        training = make(turns=turns)
        before = snapshot(training)
        fit(training, 2)
        after = snapshot(training)
        assert moved(before[who], after[who])
        assert not moved(before[1 - who], after[1 - who])


@quiet
def test_statistics_of_the_backbones_move_in_the_turns_of_the_classifiers_alone() -> None:
    for turns, moves in ((TURNS, True), (TURNS._replace(first=0), False), (Turns(0, 0, 0, 2, 2), False)):
        torch.manual_seed(0)
        network = RACNN(lambda: nn.Sequential(backbone(), nn.BatchNorm2d(4)), 4, 2, 2, (8, 8))
        before = [b.clone() for b in network.backbones.buffers()]
        fit(RACNNTraining(network, turns, Rates()), 2)
        assert moved(before, list(network.backbones.buffers())) == moves
        assert all(module.training for module in network.modules())


@quiet
def test_everything_can_be_taught_again_after_training() -> None:
    training = make()
    fit(training, 7)
    assert training.global_step == 7
    assert all(p.requires_grad for p in training.network.parameters())
