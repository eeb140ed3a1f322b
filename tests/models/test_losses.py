import numpy as np
import pytest
import torch
from torch import Tensor

from shipdet.labels.types import Labels, Ship
from shipdet.models.losses import UNKNOWN, Losses, TargetMaps, coarse_loss, focal, task_partition_losses
from shipdet.models.task_partition import END, Coarse, Output
from shipdet.training.targets import draw_targets

SIZE = 96
SHIP = Ship((70.0, 41.0), (21.0, 30.0), beam=10.0)


def target_of(*ships: Ship) -> TargetMaps:
    targets = draw_targets(Labels.of_rows(ships, [], complete=True), np.ones((SIZE, SIZE), bool))
    return TargetMaps(*(torch.from_numpy(np.ascontiguousarray(t))[None] for t in targets))


def perfect(target: TargetMaps, sureness: float = 20.0) -> Output:
    """What a network says that knows the truth."""
    classes = target.coarse.long().clamp(max=END)
    logits = sureness * torch.nn.functional.one_hot(classes, 3).permute(0, 3, 1, 2).float()
    heat = torch.maximum(target.heat, target.either[:, None])
    ends = torch.cat([torch.where(heat == 1, sureness, -sureness)[:, :, None], target.fields], dim=2)
    return Output(Coarse(logits, torch.zeros(1), torch.zeros(1), logits[:, :0]), ends)


def noisy(target: TargetMaps, seed: int = 0) -> Output:
    generator = torch.Generator().manual_seed(seed)
    output = perfect(target, 1.0)
    ends = output.ends + torch.randn(output.ends.shape, generator=generator)
    return output._replace(ends=ends.requires_grad_())


def everywhere(target: TargetMaps) -> Tensor:
    return torch.ones(target.either.shape, dtype=torch.bool)


def assert_same(a: Losses, b: Losses) -> None:
    for name, x, y in zip(Losses._fields, a, b, strict=True):
        torch.testing.assert_close(x, y, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("bow_known", [True, False])
def test_the_truth_costs_almost_nothing(bow_known: bool) -> None:
    target = target_of(Ship(SHIP.bow, SHIP.stern, SHIP.beam, bow_known))
    assert max(task_partition_losses(perfect(target), target, everywhere(target))) < 1e-5


def test_each_mistake_costs_in_its_own_part_only() -> None:
    target, truth = target_of(SHIP), perfect(target_of(SHIP))
    for part, field in (("heat", 0), ("offset", 1), ("offset", 2), ("vector", 3), ("vector", 4), ("beam", 5)):
        ends = truth.ends.clone()
        ends[:, :, field] += 25.0
        losses = task_partition_losses(truth._replace(ends=ends), target, everywhere(target))._asdict()
        assert losses.pop(part) > 0.1
        assert max(losses.values()) < 1e-5


def test_behind_a_shut_gate_the_shallow_branch_hears_nothing() -> None:
    target = target_of(SHIP)
    output = noisy(target)
    losses = task_partition_losses(output, target, ~everywhere(target))
    torch.stack([losses.heat, losses.offset, losses.vector, losses.beam]).sum().backward()
    assert output.ends.grad is not None
    assert not output.ends.grad.any()


def test_behind_a_gate_open_in_part_gradients_come_from_the_open_part_only() -> None:
    target = target_of(SHIP)
    output, gate = noisy(target), everywhere(target)
    gate[..., : SIZE // 8] = False
    torch.stack(task_partition_losses(output, target, gate)).sum().backward()
    assert output.ends.grad is not None
    touched = output.ends.grad.abs().sum(dim=(1, 2)) > 0
    assert touched[gate].all()
    assert not touched[~gate].any()


def test_places_of_no_weight_teach_no_heat() -> None:
    target = target_of(SHIP)
    known = torch.zeros_like(target.weight)
    known[:, :10, :10] = 1
    output = noisy(target)
    task_partition_losses(output, target._replace(weight=known), everywhere(target)).heat.backward()
    assert output.ends.grad is not None
    assert torch.equal(output.ends.grad[:, :, 0].abs().sum(dim=1) > 0, known > 0)


def test_fields_of_no_weight_teach_nothing() -> None:
    target = target_of(Ship(SHIP.bow, SHIP.stern))
    output = noisy(target)
    losses = task_partition_losses(output, target, everywhere(target))
    assert losses.beam == 0
    (losses.offset + losses.vector).backward()
    assert output.ends.grad is not None
    taught = output.ends.grad[:, :, 1:].abs() > 0
    assert torch.equal(taught, target.field_weight > 0)


def test_unknown_coarse_cells_do_not_count() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, classes = torch.randn(2, 3, 6, 6, generator=generator), torch.randint(0, 3, (2, 6, 6), generator=generator)
    classes[:, :3] = UNKNOWN
    changed = logits.clone()
    changed[:, :, :3] += torch.randn(2, 3, 3, 6, generator=generator)
    assert coarse_loss(logits, classes) == coarse_loss(changed, classes)
    torch.testing.assert_close(coarse_loss(logits, classes), coarse_loss(logits[:, :, 3:], classes[:, 3:]))


def test_a_batch_of_unknown_cells_alone_teaches_nothing() -> None:
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = coarse_loss(logits, torch.full((1, 4, 4), UNKNOWN))
    loss.backward()
    assert loss == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_a_missed_end_is_dearer_than_a_false_one() -> None:
    says_background, says_end = torch.tensor([[3.0, 0, 0], [0, 0, 3.0]])[:, :, None, None]
    classes = torch.zeros(1, 1, 2, dtype=torch.long)
    classes[0, 0, 0] = END
    misses = coarse_loss(torch.stack([says_background, says_background], dim=2)[None, :, :, :, 0], classes)
    cries = coarse_loss(torch.stack([says_end, says_end], dim=2)[None, :, :, :, 0], classes)
    assert misses > cries


def test_swapping_bow_and_stern_costs_nothing_where_nobody_knows_which_is_which() -> None:
    target = target_of(Ship(SHIP.bow, SHIP.stern, SHIP.beam, bow_known=False))
    output = noisy(target)
    swapped = output._replace(ends=output.ends.flip(1))
    gate = everywhere(target)
    assert_same(task_partition_losses(output, target, gate), task_partition_losses(swapped, target, gate))


def test_swapping_bow_and_stern_costs_where_they_are_known() -> None:
    target = target_of(SHIP)
    swapped = perfect(target)._replace(ends=perfect(target).ends.flip(1))
    assert task_partition_losses(swapped, target, everywhere(target)).heat > 10


def test_one_kind_of_end_is_enough_for_a_ship_of_unknown_order() -> None:
    target = target_of(Ship(SHIP.bow, SHIP.stern, SHIP.beam, bow_known=False))
    truth = perfect(target)
    ends = truth.ends.clone()
    ends[:, 1, 0] = -20.0
    assert task_partition_losses(truth._replace(ends=ends), target, everywhere(target)).heat < 1e-5


def test_a_yachts_vector_matters_as_much_as_a_carriers() -> None:
    costs = []
    for length in (16.0, 64.0):
        target = target_of(Ship((16.0 + length, 48.0), (16.0, 48.0), beam=8.0))
        ends = perfect(target).ends.clone()
        ends[:, :, 3:5] *= 1.25
        costs.append(task_partition_losses(perfect(target)._replace(ends=ends), target, everywhere(target)).vector)
    torch.testing.assert_close(costs[0], costs[1])


def test_an_empty_chip_costs_nothing_to_a_network_that_sees_nothing() -> None:
    target = target_of()
    assert max(task_partition_losses(perfect(target), target, everywhere(target))) < 1e-5


def test_focal_loss_is_its_papers_formula() -> None:
    logits, target = torch.tensor([0.3, -1.2, 0.7]), torch.tensor([1.0, 0.0, 0.6])
    p = logits.sigmoid()
    hit = -((1 - p[0]) ** 2) * p[0].log()
    misses = [-((1 - target[k]) ** 4) * p[k] ** 2 * (1 - p[k]).log() for k in (1, 2)]
    torch.testing.assert_close(focal(logits, target, torch.ones(3)), hit + misses[0] + misses[1])
    torch.testing.assert_close(focal(logits, target, torch.tensor([0.0, 2.0, 0.0])), 2 * misses[0])
