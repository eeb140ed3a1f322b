import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from shipdet.attention.apn import rank_loss
from shipdet.attention.ra_cnn import RACNN
from shipdet.attention.zoom import zoom


def backbone() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())


def make(scales: int = 3) -> RACNN:
    torch.manual_seed(0)
    return RACNN(backbone, 8, 5, scales, (16, 12))


@pytest.mark.parametrize("scales", [1, 2, 3, 4])
def test_any_number_of_scales_and_any_size(scales: int) -> None:
    out = make(scales)(torch.randn(1, 3, 33, 25))
    assert len(out.logits) == len(out.images) == len(out.features) == scales
    assert len(out.boxes) == len(out.proposed) == len(out.fused) == scales - 1
    assert all(logits.shape == (1, 5) for logits in (*out.logits, *out.fused))
    assert all(image.shape == (1, 3, 16, 12) for image in out.images)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_stays_what_it_was(dtype: torch.dtype) -> None:
    out = make().to(dtype)(torch.randn(1, 3, 33, 25, dtype=dtype))
    boxes = [x for box in (*out.proposed, *out.boxes) for x in box]
    assert {x.dtype for x in (*out.logits, *out.fused, *out.images, *out.features, *boxes)} == {dtype}
    assert rank_loss(true_class(out.logits)).dtype == dtype


def test_the_first_scale_is_the_picture_reduced_and_finer_ones_are_what_boxes_show() -> None:
    image = torch.randn(2, 3, 32, 24)
    out = make()(image, 50.0)
    assert torch.allclose(out.images[0], F.avg_pool2d(image, 2), atol=1e-6)
    for shown, box in zip(out.images[1:], out.boxes, strict=True):
        assert torch.equal(shown, zoom(image, box, (16, 12), 50.0).image)


def test_finer_boxes_lie_within_coarser_ones() -> None:
    out = make(4)(torch.randn(8, 3, 32, 24))
    for outer, inner in zip(out.boxes[:-1], out.boxes[1:], strict=True):
        reach = (inner.centre - outer.centre).abs() + inner.half[:, None]
        assert (reach <= outer.half[:, None] + 1e-6).all()


def true_class(out: tuple[Tensor, ...]) -> list[Tensor]:
    return [logits.softmax(dim=1)[:, 0] for logits in out]


def test_the_rank_loss_reaches_every_proposal() -> None:
    network = make()
    rank_loss(true_class(network(torch.rand(4, 3, 32, 24), 10.0).logits), margin=1.0).backward()
    for propose in network.proposals:
        assert propose.box.bias.grad is not None
        assert (propose.box.bias.grad != 0).all(), "x, y and half side all learn"


def test_the_gradient_to_a_proposal_agrees_with_finite_differences() -> None:
    """Through zoom, backbone, softmax and rank loss, with x, y and half side told apart."""
    network, image = make(2).double(), torch.rand(3, 3, 24, 20, dtype=torch.float64)
    bias = network.proposals[0].box.bias

    def loss() -> Tensor:
        return rank_loss(true_class(network(image, 10.0).logits), margin=1.0)

    network.zero_grad()
    loss().backward()
    assert bias.grad is not None
    for axis in range(3):
        values = []
        for step in (-1e-6, 1e-6):
            with torch.no_grad():
                bias[axis] += step
                values.append(loss().item())
                bias[axis] -= step
        assert bias.grad[axis].item() == pytest.approx((values[1] - values[0]) / 2e-6, rel=1e-3, abs=1e-9)


def test_fusing_teaches_the_backbones_nothing() -> None:
    network = make(2)
    torch.stack(network(torch.randn(2, 3, 32, 24)).fused).sum().backward()
    assert all(p.grad is None for p in network.backbones.parameters())
    assert all(p.grad is not None for p in network.fuse.parameters())


def test_each_fused_classifier_reads_the_scales_up_to_its_own() -> None:
    network, image = make(), torch.randn(2, 3, 32, 24)
    before = network(image).fused
    with torch.no_grad():
        for bias in (network.backbones[2][0].bias, network.backbones[2][2].bias):
            bias.add_(torch.linspace(0, 1, 8))
    after = network(image).fused
    assert [torch.equal(old, new) for old, new in zip(before, after, strict=True)] == [True, False]


def test_scales_are_fused_alike_however_strong_their_features() -> None:
    network, image, read = make(2), torch.randn(2, 3, 32, 24), []
    network.fuse[0].register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    before = network(image).fused
    torch.testing.assert_close(read[0].square().mean(dim=1), torch.ones(2), msg="a mean square of 1")
    with torch.no_grad():
        network.backbones[1][2].weight.mul_(100)
        network.backbones[1][2].bias.mul_(100)
    for old, new in zip(before, network(image).fused, strict=True):
        torch.testing.assert_close(new, old)


def test_it_exports() -> None:
    network, x = make(2).eval(), torch.randn(1, 3, 32, 24)
    exported = torch.export.export(network, (x,)).module()
    leaves, expected = (tree_leaves(out) for out in (exported(x), network(x)))
    torch.testing.assert_close(leaves, expected)


def test_what_a_finer_scale_gets_wrong_bends_no_coarser_features() -> None:
    network = make()
    out = network(torch.randn(2, 3, 32, 24), 10.0)
    out.logits[2].sum().backward()
    assert all(p.grad is None for p in (*network.backbones[0].parameters(), *network.backbones[1].parameters()))
    assert all(p.grad is not None for p in network.backbones[2].parameters())
