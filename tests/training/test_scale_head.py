"""The scale head learns which views are right."""

import numpy as np
import pytest
import torch

from shipdet.training.scale_head import Lessons, ScaleHeadSchedule, head_loss, train_scale_head, worth

LINE = torch.tensor([1.0, 0.0])


def lessons(count: int = 64, seed: int = 0) -> Lessons:
    """Of three views the one whose features say so is right: it alone shows ships, and no false alarms."""
    random = torch.Generator().manual_seed(seed)
    right = torch.randint(0, 3, (count,), generator=random)
    told = torch.nn.functional.one_hot(right, 3)
    features = 0.1 * torch.randn(count, 3, 5, 51, generator=random)
    features[..., 7] += told[:, :, None]
    ship = torch.arange(count) % 2 == 0
    score = torch.where(ship[:, None] == told.bool(), 0.8, 0.1)
    off = torch.where(told[..., None].bool(), 0.0, 0.1).expand(count, 3, 4)
    bow = torch.where(told.bool(), 0.9, 0.3)
    return Lessons(features.half(), score, off, bow, ship, torch.full((count, 3), torch.nan))


def test_it_learns_to_listen_to_the_view_that_is_right():
    head = train_scale_head(lessons(), ScaleHeadSchedule(steps=150, batch=64, hidden=8))
    unseen = lessons(seed=1)
    with torch.no_grad():
        weights = worth(head, unseen.features).softmax(dim=1)
    right = unseen.features[..., 7].float().mean(dim=2).argmax(dim=1)
    assert (weights.argmax(dim=1) == right).float().mean() > 0.95


def test_the_same_seed_gives_the_same_head():
    schedule = ScaleHeadSchedule(steps=5, batch=16, hidden=4)
    one, other = (train_scale_head(lessons(), schedule).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)


def loss_of(right: float, some: Lessons, schedule: ScaleHeadSchedule) -> float:
    """Loss where the first view is worth `right` more than the others."""
    logits = torch.zeros_like(some.score)
    logits[:, 0] = right
    everything = torch.ones_like(some.score, dtype=torch.bool)
    return float(head_loss(logits, some, everything, LINE, schedule))


def one_lesson(*, ship: bool, score: list[float]) -> Lessons:
    none = torch.full((1, 2), torch.nan)
    return Lessons(
        torch.zeros(1, 2, 5, 51), torch.tensor([score]), torch.zeros(1, 2, 4), none, torch.tensor([ship]), none
    )


@pytest.mark.parametrize(("ship", "score"), [(True, [0.9, 0.1]), (False, [0.1, 0.9])])
def test_listening_to_the_view_that_tells_ship_from_false_alarm_costs_less(ship: bool, score: list[float]):
    some = one_lesson(ship=ship, score=score)
    costs = [loss_of(right, some, ScaleHeadSchedule()) for right in (-5.0, 0.0, 5.0)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[2] + 1


def test_ends_bows_and_the_true_scale_draw_attention_each_by_itself():
    some = one_lesson(ship=True, score=[0.5, 0.5])
    cases = {
        "ends": some._replace(off=torch.tensor([[[0.0] * 4, [0.2] * 4]])),
        "bow": some._replace(bow=torch.tensor([[0.9, 0.2]])),
        "true_scale": some._replace(gsd_m=torch.tensor([[1.0, 3.0]])),
    }
    for name, case in cases.items():
        off = ScaleHeadSchedule()._replace(**{name: 0.0})
        assert loss_of(2.0, case, off) == pytest.approx(loss_of(0.0, case, off), abs=1e-6), name
        assert loss_of(2.0, case, ScaleHeadSchedule()) < loss_of(0.0, case, ScaleHeadSchedule()) - 0.01, name


def test_a_view_that_is_left_out_is_not_heard():
    some = one_lesson(ship=True, score=[0.9, 0.1])
    first_only = torch.tensor([[True, False]])
    cost = float(head_loss(torch.tensor([[-9.0, 9.0]]), some, first_only, LINE, ScaleHeadSchedule()))
    assert cost == pytest.approx(-np.log(0.9), abs=1e-5)
