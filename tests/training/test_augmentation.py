import albumentations as A
import numpy as np
import pytest

from shipdet.training.augmentation import (
    COMPLETE,
    INCOMPLETE,
    OUTSIDE,
    Augmented,
    augment,
    build_augmentation,
    cut_square,
    padded_size,
)

CHIP = 128
RADIUS = 5.0


def picture_with_dots(points: np.ndarray, height: int, width: int) -> Augmented:
    """Bright round dots on dark noise."""
    y, x = np.mgrid[:height, :width] + 0.5
    value = np.full((height, width), 40.0)
    for point in points:
        away = np.hypot(x - point[0], y - point[1])
        value += 190 * np.clip(RADIUS + 0.5 - away, 0, 1)
    pixels = np.repeat(np.round(value).astype(np.uint8)[:, :, None], 3, axis=2)
    return Augmented(pixels, np.full((height, width), COMPLETE, np.uint8), points)


def dot_near(drawn: Augmented, point: np.ndarray, reach: float) -> np.ndarray:
    """Centroid of what is bright around a point."""
    grey = drawn.pixels.astype(float).mean(axis=2)
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]] + 0.5
    around = np.hypot(x - point[0], y - point[1]) < reach
    level = (grey[around].max() + np.median(grey[around])) / 2
    bright = around & (grey > level)
    return np.array([x[bright].mean(), y[bright].mean()])


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
def test_a_dot_at_a_bow_stays_at_the_bow(scale: float) -> None:
    """Scaled, turned, mirrored, blurred: the point goes where the pixels go, the half pixel included."""
    augmentation = build_augmentation(CHIP)
    side, errors = padded_size(CHIP), []
    for seed in range(16):
        centre = np.array([230.3, 190.8])
        turn = seed * 0.7
        points = np.array([centre, centre + 40 / scale * np.array([np.cos(turn), np.sin(turn)])])
        drawn = augment(augmentation, cut_square(picture_with_dots(points, 400, 460), centre, scale, side), seed)
        assert drawn.pixels.shape == (CHIP, CHIP, 3)
        np.testing.assert_allclose(np.hypot(*(drawn.points[0] - drawn.points[1])), 40, rtol=0.03)
        errors += [dot_near(drawn, point, 3 * RADIUS * scale) - point for point in drawn.points]
    assert np.hypot(*np.transpose(errors)).max() < 1.0
    assert np.abs(np.mean(errors, axis=0)).max() < 0.25


def test_turns_and_mirrors_of_all_kinds_are_drawn() -> None:
    augmentation = build_augmentation(CHIP)
    side = padded_size(CHIP)
    triangle = np.array([[60.0, 60.0], [120.0, 60.0], [60.0, 90.0]])
    square = Augmented(np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8), triangle)
    angles, hands = [], set()
    for seed in range(40):
        a, b, c = augment(augmentation, square, seed).points
        np.testing.assert_allclose([np.hypot(*(b - a)), np.hypot(*(c - a))], [60, 30], rtol=1e-4)
        angles.append(np.degrees(np.arctan2(*(b - a)[::-1])) % 360)
        hands.add(float(np.sign(np.cross([*(b - a), 0], [*(c - a), 0])[2])))
    assert hands == {-1.0, 1.0}
    assert set(np.floor(np.array(angles) / 90)) == {0, 1, 2, 3}


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    square = Augmented(
        np.random.default_rng(0).integers(0, 255, (182, 182, 3), dtype=np.uint8),
        np.zeros((182, 182), np.uint8),
        np.array([[70.0, 80.0]]),
    )
    first, again, other = (augment(build_augmentation(CHIP), square, seed) for seed in (5, 5, 6))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.pixels, other.pixels)


def test_points_out_of_view_and_no_points_survive() -> None:
    augmentation, side = build_augmentation(CHIP), padded_size(CHIP)
    square = Augmented(np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8), np.zeros((0, 2)))
    assert augment(augmentation, square, 1).points.shape == (0, 2)
    far = np.array([[-300.0, 900.0], [50.0, 50.0]])
    near, beyond = augment(augmentation, square._replace(points=far), 1), far[0] - far[1]
    np.testing.assert_allclose(np.hypot(*(near.points[0] - near.points[1])), np.hypot(*beyond), rtol=1e-4)


def test_a_chip_turned_by_any_angle_shows_nothing_from_outside_its_square() -> None:
    augmentation, side = build_augmentation(CHIP), padded_size(CHIP)
    square = Augmented(
        np.full((side, side, 3), 99, np.uint8), np.full((side, side), INCOMPLETE, np.uint8), np.zeros((0, 2))
    )
    for seed in range(10):
        assert (augment(augmentation, square, seed).mask == INCOMPLETE).all()


def test_a_square_shows_the_pixels_around_its_centre() -> None:
    picture = picture_with_dots(np.array([[30.0, 20.0]]), 60, 80)
    cut = cut_square(picture, np.array([30.0, 20.0]), 1.0, 20)
    np.testing.assert_array_equal(cut.pixels, picture.pixels[10:30, 20:40])
    np.testing.assert_allclose(cut.points, [[10, 10]])
    assert (cut.mask == COMPLETE).all()


def test_beyond_the_picture_a_square_is_black_and_outside() -> None:
    picture = picture_with_dots(np.array([[5.0, 5.0]]), 60, 80)
    cut = cut_square(picture, np.array([0.0, 0.0]), 1.0, 20)
    assert (cut.mask[:10] == OUTSIDE).all()
    assert (cut.mask[:, :10] == OUTSIDE).all()
    assert (cut.mask[10:, 10:] == COMPLETE).all()
    assert not cut.pixels[:10].any()
    np.testing.assert_allclose(cut.points, [[15, 15]])


def test_a_square_beside_the_picture_is_all_outside() -> None:
    cut = cut_square(picture_with_dots(np.zeros((0, 2)), 60, 80), np.array([500.0, 500.0]), 2.0, 20)
    assert (cut.mask == OUTSIDE).all()
    assert cut.pixels.shape == (20, 20, 3)


def test_scale_is_chip_pixels_per_picture_pixel() -> None:
    points = np.array([[30.0, 30.0], [40.0, 30.0]])
    for scale in (0.5, 2.0):
        cut = cut_square(picture_with_dots(points, 60, 80), np.array([30.0, 30.0]), scale, 40)
        np.testing.assert_allclose(cut.points, [[20, 20], [20 + 10 * scale, 20]])


def test_no_step_moves_the_pixels_from_their_points() -> None:
    """Each step alone, always applied, for a step that is seldom drawn may hide its error among the others."""
    points = np.array([[90.3, 85.8], [75.6, 101.1]])
    picture = picture_with_dots(points, 182, 182)
    for step in build_augmentation(CHIP).transforms:
        for inner in step.transforms if isinstance(step, A.OneOf) else [step]:
            inner.p = 1.0
            keypoints = A.KeypointParams(format="xy", remove_invisible=False)
            drawn = [augment(A.Compose([A.NoOp(), inner], keypoint_params=keypoints), picture, s) for s in range(8)]
            errors = [dot_near(d, point, 2 * RADIUS) - point for d in drawn for point in d.points]
            assert np.hypot(*np.transpose(errors)).max() < 1.0, inner
            assert np.abs(np.mean(errors, axis=0)).max() < 0.25, inner
