import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from shipdet.attention.glimpse import GlimpseNetwork, take_glimpse


def at(x: float, y: float, image: Tensor) -> Tensor:
    """The location of a point in pixels."""
    height, width = image.shape[-2:]
    return torch.tensor([[2 * x / width - 1, 2 * y / height - 1]], dtype=image.dtype)


def test_a_glimpse_on_the_grid_equals_a_slice() -> None:
    image = torch.randn(1, 3, 20, 31)
    seen = take_glimpse(image, at(12, 8, image), 6, 1)
    assert seen.shape == (1, 1, 3, 6, 6)
    assert torch.allclose(seen[:, 0], image[:, :, 5:11, 9:15], atol=1e-4)


def test_an_odd_glimpse_stands_on_a_pixel() -> None:
    image = torch.randn(1, 1, 9, 9)
    seen = take_glimpse(image, at(4.5, 3.5, image), 3, 1)
    assert torch.allclose(seen[:, 0], image[:, :, 2:5, 3:6], atol=1e-5)


def test_wider_patches_are_the_mean_of_whole_pixels() -> None:
    image = torch.randn(1, 2, 40, 32)
    seen = take_glimpse(image, at(16, 20, image), 4, 3)
    for scale, reach in enumerate((2, 4, 8)):
        patch = image[:, :, 20 - reach : 20 + reach, 16 - reach : 16 + reach]
        assert torch.allclose(seen[:, scale], F.avg_pool2d(patch, 2**scale), atol=1e-4)


def test_each_axis_has_its_own_side() -> None:
    image = torch.zeros(1, 1, 10, 40)
    image[0, 0, 2, 35] = 1
    seen = take_glimpse(image, at(35.5, 2.5, image), 1, 1)
    assert seen.item() == pytest.approx(1, abs=1e-4)


def test_outside_the_picture_there_is_nothing() -> None:
    image = torch.ones(1, 1, 8, 8)
    seen = take_glimpse(image, torch.tensor([[-1.0, -1.0]]), 4, 1)[0, 0, 0]
    assert torch.allclose(seen, F.pad(torch.ones(2, 2), (2, 0, 2, 0)), atol=1e-5)


def test_pictures_of_a_batch_are_seen_at_their_own_places() -> None:
    image = torch.arange(36.0).reshape(1, 1, 6, 6).expand(2, -1, -1, -1)
    places = torch.cat([at(0.5, 0.5, image), at(5.5, 3.5, image)])
    assert take_glimpse(image, places, 1, 1).flatten().tolist() == pytest.approx([0, 23], abs=1e-4)


def test_it_has_true_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 1, 7, 9, dtype=torch.float64, generator=generator, requires_grad=True)
    place = torch.tensor([[0.13, -0.21]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda i, p: take_glimpse(i, p, 2, 2), (image, place))


@pytest.mark.parametrize("size", [(28, 28), (15, 61)])
def test_the_glimpse_network_takes_pictures_of_any_size(size: tuple[int, int]) -> None:
    network = GlimpseNetwork(1, 8, 3)
    features = network(torch.randn(1, 1, *size), torch.zeros(1, 2))
    assert features.shape == (1, 256)
    assert (features >= 0).all()


def test_what_and_where_both_matter() -> None:
    network, image = GlimpseNetwork(1, 4, 1), torch.ones(1, 1, 20, 20)
    a, b = network(image, torch.tensor([[0.0, 0.0]])), network(image, torch.tensor([[0.3, 0.0]]))
    assert not torch.allclose(a, b)
    assert not torch.allclose(a, network(2 * image, torch.tensor([[0.0, 0.0]])))
