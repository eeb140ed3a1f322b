import pytest
import torch

from shipdet.attention.zoom import Box, boxcar, pixel_centres, whole, within, zoom

EXACT = 1e6


def box_of(x0: float, y0: float, x1: float, size: tuple[int, int]) -> Box:
    """The box of columns x0 to x1 from row y0 on, of the picture's shape."""
    height, width = size
    half = (x1 - x0) / width
    centre = torch.tensor([[(x0 + x1) / width - 1, 2 * y0 / height - 1 + half]])
    return Box(centre, torch.tensor([half]))


def test_pixel_centres_lie_evenly_between_the_edges() -> None:
    assert pixel_centres(4, torch.zeros(1)).tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_as_k_grows_the_mask_becomes_the_exact_box() -> None:
    mask = boxcar(box_of(2, 1, 6, (8, 8)), (8, 8), EXACT)
    expected = torch.zeros(1, 1, 8, 8)
    expected[..., 1:5, 2:6] = 1
    assert torch.equal(mask, expected)


def test_a_zoom_on_the_grid_equals_a_slice() -> None:
    image = torch.randn(1, 3, 8, 16)
    shown = zoom(image, box_of(4, 3, 8, (8, 16)), (2, 4), EXACT).image
    assert torch.allclose(shown, image[:, :, 3:5, 4:8], atol=1e-5)


def test_the_whole_picture_shown_at_its_size_is_itself() -> None:
    image = torch.randn(2, 3, 7, 9)
    assert torch.allclose(zoom(image, whole(image), (7, 9), EXACT).image, image, atol=1e-5)


def test_x_is_along_columns_and_y_along_rows() -> None:
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, :4, 4:] = 1
    top_right = Box(torch.tensor([[0.5, -0.5]]), torch.tensor([0.5]))
    assert torch.allclose(zoom(image, top_right, (4, 4), EXACT).image, torch.ones(1, 1, 4, 4), atol=1e-5)
    mask = boxcar(top_right, (8, 8), EXACT)
    assert torch.equal(mask, image)


@pytest.mark.parametrize("sharpness", [2.0, 20.0])
def test_mask_and_zoom_have_true_gradients_with_respect_to_the_box(sharpness: float) -> None:
    """What the popular ports get wrong: their hand-written backward ignores the box."""
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(2, 1, 7, 9, dtype=torch.float64, generator=generator, requires_grad=True)
    centre = torch.tensor([[0.11, -0.23], [-0.31, 0.07]], dtype=torch.float64, requires_grad=True)
    half = torch.tensor([0.43, 0.37], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda c, h: boxcar(Box(c, h), (7, 9), sharpness), (centre, half))
    assert torch.autograd.gradcheck(lambda i, c, h: zoom(i, Box(c, h), (5, 4), sharpness).image, (image, centre, half))


def test_a_saturated_mask_teaches_nothing_and_a_soft_one_does() -> None:
    for sharpness, learns in ((EXACT, False), (10.0, True)):
        half = torch.tensor([0.5], requires_grad=True)
        boxcar(Box(torch.zeros(1, 2), half), (8, 8), sharpness).sum().backward()
        assert half.grad is not None
        assert bool(half.grad.abs().item() > 1e-6) == learns


def test_a_box_within_a_box_is_where_two_zooms_would_look() -> None:
    outer, inner = (
        Box(torch.tensor([[0.5, -0.5]]), torch.tensor([0.5])),
        Box(torch.tensor([[-0.5, 0.5]]), torch.tensor([0.5])),
    )
    both = within(outer, inner)
    assert both.centre.tolist() == [[0.25, -0.25]]
    assert both.half.tolist() == [0.25]
    image = torch.randn(1, 2, 16, 16)
    twice = zoom(zoom(image, outer, (8, 8), EXACT).image, inner, (4, 4), EXACT).image
    assert torch.allclose(zoom(image, both, (4, 4), EXACT).image, twice, atol=1e-4)


def test_boxes_of_a_batch_are_its_own() -> None:
    image = torch.randn(1, 1, 8, 8).expand(2, -1, -1, -1)
    boxes = Box(torch.tensor([[-0.5, -0.5], [0.5, 0.5]]), torch.tensor([0.5, 0.5]))
    shown = zoom(image, boxes, (4, 4), EXACT)
    assert torch.allclose(shown.image[0], image[0, :, :4, :4], atol=1e-5)
    assert torch.allclose(shown.image[1], image[0, :, 4:, 4:], atol=1e-5)
    assert shown.mask.shape == (2, 1, 8, 8)
