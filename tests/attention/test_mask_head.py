import pytest
import torch
from torch import Tensor

from shipdet.attention.mask_head import (
    MaskHead,
    Masks,
    agnostic_loss,
    mask_targets,
    of_class,
    sigmoid_loss,
    softmax_loss,
)

BOXES = torch.tensor([[0.0, 4, 4, 20, 28], [1, 0, 8, 16, 16], [1, 3, 3, 30, 30]])


@pytest.mark.parametrize("size", [(8, 8), (9, 13)])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_box_gets_a_mask_a_class(size: tuple[int, int], count: int) -> None:
    masks = MaskHead(6, 4, stride=4, side=7)(torch.randn(2, 6, *size), BOXES[:count])
    assert masks.logits.shape == (count, 4, 14, 14)
    assert masks.logits.dtype == torch.float32


def test_other_classes_masks_get_no_gradient_at_all() -> None:
    logits = torch.randn(3, 5, 6, 6, requires_grad=True)
    classes = torch.tensor([0, 4, 2])
    sigmoid_loss(Masks(logits), (torch.rand(3, 6, 6) > 0.5).float(), classes).backward()
    assert logits.grad is not None
    for n in range(3):
        touched = (logits.grad[n] != 0).flatten(1).any(dim=1)
        assert touched.nonzero().flatten().tolist() == [int(classes[n])]


def test_in_a_softmax_classes_do_compete() -> None:
    logits = torch.randn(1, 4, 6, 6, requires_grad=True)
    softmax_loss(Masks(logits), torch.ones(1, 6, 6), torch.tensor([1])).backward()
    assert logits.grad is not None
    assert (logits.grad != 0).all()


def test_agnostic_and_sigmoid_agree_where_there_is_one_class() -> None:
    masks, truth = Masks(torch.randn(3, 1, 6, 6)), (torch.rand(3, 6, 6) > 0.5).float()
    assert agnostic_loss(masks, truth) == sigmoid_loss(masks, truth, torch.zeros(3, dtype=torch.long))


def test_softmax_and_sigmoid_agree_for_one_class_against_nothing() -> None:
    logits, truth = torch.randn(2, 1, 6, 6), (torch.rand(2, 6, 6) > 0.5).float()
    both = torch.cat([logits, torch.zeros_like(logits)], dim=1)
    classes = torch.zeros(2, dtype=torch.long)
    assert torch.allclose(softmax_loss(Masks(both), truth, classes), sigmoid_loss(Masks(logits), truth, classes))


def test_a_picture_without_positives_has_a_zero_loss_that_touches_the_parameters() -> None:
    for masks, loss in ((3, sigmoid_loss), (4, softmax_loss), (1, agnostic_loss)):
        head = MaskHead(6, masks, stride=4, side=7)
        out = head(torch.randn(1, 6, 8, 8), BOXES[:0])
        none: tuple[Tensor, ...] = (torch.zeros(0, 14, 14), torch.zeros(0, dtype=torch.long))
        value = loss(out, *none[: 1 if loss is agnostic_loss else 2])  # type: ignore[operator]
        value.backward()
        assert value.item() == 0
        assert all(p.grad is not None and (p.grad == 0).all() for p in head.parameters())


def test_losses_have_true_gradients() -> None:
    logits = torch.randn(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    truth, classes = (torch.rand(2, 3, 3) > 0.5).double(), torch.tensor([1, 0])
    assert torch.autograd.gradcheck(lambda x: sigmoid_loss(Masks(x), truth, classes), logits)
    assert torch.autograd.gradcheck(lambda x: softmax_loss(Masks(x), truth, classes), logits)


def test_the_mask_of_a_class_is_its_own() -> None:
    values = torch.arange(12.0).reshape(2, 3, 1, 2)
    assert of_class(values, torch.tensor([2, 0])).tolist() == [[[4, 5]], [[6, 7]]]


def test_targets_are_the_truth_seen_through_the_box() -> None:
    truth = torch.zeros(2, 20, 30)
    truth[0, 4:8, 10:14] = 1
    truth[1] = 1
    boxes = torch.tensor([[8.0, 4, 16, 12], [0, 0, 8, 8]])
    targets = mask_targets(truth, boxes, 8)
    expected = torch.zeros(8, 8)
    expected[:4, 2:6] = 1
    assert torch.equal(targets[0], expected)
    assert (targets[1] == 1).all()


def test_features_are_taken_at_the_stride() -> None:
    """A box over one cell of a map that counts columns sees that column."""
    features = torch.arange(8.0).expand(1, 1, 8, 8)
    head = MaskHead(1, 1, stride=4, side=2, depth=0, width=1)
    head.body = torch.nn.Identity()
    seen = head(features, torch.tensor([[0.0, 8, 8, 16, 16]])).logits
    assert seen[0, 0].tolist() == [[pytest.approx(2), pytest.approx(3)]] * 2


def test_it_exports() -> None:
    head, args = MaskHead(3, 2, stride=4, side=4).eval(), (torch.randn(2, 3, 8, 8), BOXES)
    exported = torch.export.export(head, args).module()
    assert torch.allclose(exported(*args)[0], head(*args).logits, atol=1e-5)
