import numpy as np
import pytest

from shipdet.geometry import overlaps, rectangle_corners
from shipdet.training.synthetic_camera import Weather
from shipdet.training.synthetic_fleet import CLASSES, TYPE_OF, label_type
from shipdet.training.synthetic_scenes import Scene, SceneOptions, render_scene

LABEL_TYPES = {
    "warship", "carrier", "submarine", "container", "cargo", "tanker", "barge", "passenger", "tug", "fishing", "yacht",
    "small",
}  # fmt: skip
SEEDS = range(10)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [render_scene(np.random.default_rng(seed), 320) for seed in SEEDS]


def test_the_same_seed_gives_the_same_scene(scenes: list[Scene]) -> None:
    again = render_scene(np.random.default_rng(SEEDS[0]), 320)
    assert np.array_equal(again.pixels, scenes[0].pixels)
    assert np.array_equal(again.bow, scenes[0].bow)
    assert again.type == scenes[0].type


def test_ships_lie_within_the_scene_a_pixel_or_more_apart(scenes: list[Scene]) -> None:
    for scene in scenes:
        corners = rectangle_corners(scene.bow, scene.stern, scene.beam)
        assert (corners >= 0).all()
        assert (corners <= 320).all()
        wider = rectangle_corners(scene.bow, scene.stern, scene.beam + 0.9)
        assert len(overlaps(wider).first) == 0


def test_types_are_those_of_labels_and_all_are_drawn(scenes: list[Scene]) -> None:
    assert {label_type(name) for name in CLASSES} == LABEL_TYPES
    assert TYPE_OF.keys() <= CLASSES.keys()
    seen = {kind for scene in scenes for kind in scene.type}
    assert seen <= LABEL_TYPES
    assert len(seen) >= 6


def test_ships_have_the_length_in_metres_and_the_slenderness_of_their_type(scenes: list[Scene]) -> None:
    for scene in scenes:
        length = np.hypot(*(scene.bow - scene.stern).T)
        for kind, long, beam in zip(scene.type, length, scene.beam, strict=True):
            classes = [c for name, c in CLASSES.items() if label_type(name) == kind]
            low = min(c.length_m[0] for c in classes) * 0.79
            assert low <= long * scene.gsd_m <= max(c.length_m[1] for c in classes) + 1e-6
            slender = [bound for c in classes for bound in c.slenderness]
            assert 0.75 * min(slender) <= long / beam <= 1.15 * max(slender)


def test_the_gsd_is_drawn_within_its_limits_and_pixels_follow_it() -> None:
    longest = {}
    for gsd_m in (0.3, 3.0):
        options = SceneOptions(gsd_m=(gsd_m, gsd_m), open_sea=1.0)
        drawn = [render_scene(np.random.default_rng(seed), 256, options) for seed in range(4)]
        assert {scene.gsd_m for scene in drawn} == {gsd_m}
        ends = np.concatenate([scene.bow - scene.stern for scene in drawn])
        longest[gsd_m] = np.hypot(*ends.T).max() * gsd_m
        assert longest[gsd_m] <= 0.6 * 256 * gsd_m + 1e-6
    assert longest[3.0] > longest[0.3]


def test_a_16_bit_scene_has_the_same_ships_and_many_more_levels() -> None:
    eight, sixteen = (render_scene(np.random.default_rng(3), 256, SceneOptions(bits=bits)) for bits in (8, 16))
    assert eight.pixels.dtype == np.uint8
    assert sixteen.pixels.dtype == np.uint16
    assert np.array_equal(eight.bow, sixteen.bow)
    assert sixteen.pixels.min() >= 1
    assert len(np.unique(sixteen.pixels)) > 2 * len(np.unique(eight.pixels))
    assert np.corrcoef(eight.pixels.ravel(), sixteen.pixels.ravel())[0, 1] > 0.99


def test_ships_under_cloud_are_marked_and_others_are_not() -> None:
    clear = SceneOptions(weather=Weather(cloud=0.0))
    cloudy = SceneOptions(weather=Weather(cloud=1.0))
    scenes = [render_scene(np.random.default_rng(seed), 256, cloudy) for seed in range(16)]
    assert not render_scene(np.random.default_rng(0), 256, clear).hidden.any()
    assert any(scene.hidden.any() for scene in scenes)
    assert not all(scene.hidden.all() for scene in scenes)
