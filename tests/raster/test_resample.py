import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipdet.raster.resample import Span, axis_weights, resample, support


def at(pixels, valid, step, rows, columns):
    """Model pixels `rows` x `columns`, from no more source pixels than they need."""
    parts = [
        Span(max(s.start, 0), min(s.stop, n))
        for s, n in zip((support(rows, step), support(columns, step)), valid.shape, strict=True)
    ]
    y, x = parts
    weights = [axis_weights(span, step, part) for span, part in zip((rows, columns), parts, strict=True)]
    return resample(pixels[:, y.start : y.stop, x.start : x.stop], valid[y.start : y.stop, x.start : x.stop], *weights)


@settings(max_examples=30, deadline=None)
@given(step=st.floats(0.2, 6.0), cut=st.integers(1, 11), hole=st.booleans())
def test_a_window_in_one_go_is_the_window_in_parts(step, cut, hole):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 255, (2, 90, 90)).astype(np.uint8)
    valid = np.ones((90, 90), bool)
    valid[40:55, 10:30] &= not hole
    whole = at(pixels, valid, step, Span(0, 12), Span(1, 13))
    left, right = (at(pixels, valid, step, Span(0, 12), Span(a, b)) for a, b in ((1, 1 + cut), (1 + cut, 13)))
    assert np.allclose(whole.pixels, np.concatenate([left.pixels, right.pixels], axis=2), rtol=1e-6, atol=1e-5)
    assert (whole.valid == np.concatenate([left.valid, right.valid], axis=1)).all()


@pytest.mark.parametrize("step", [0.3, 1.0, 2.0, 3.7])
def test_a_plane_stays_the_plane(step):
    y, x = np.mgrid[:100, :100] + 0.5
    plane = (3 * x - 2 * y + 500)[None]
    found = at(plane, np.ones((100, 100), bool), step, Span(6, 20), Span(7, 21)).pixels[0]
    yy, xx = np.mgrid[6:20, 7:21] + 0.5
    assert np.allclose(found, 3 * xx * step - 2 * yy * step + 500, rtol=0, atol=0.3 if step > 1 else 1e-3)


def test_a_step_of_one_changes_nothing():
    pixels = np.random.default_rng(0).normal(size=(1, 20, 20)).astype(np.float32)
    assert (at(pixels, np.ones((20, 20), bool), 1.0, Span(0, 20), Span(0, 20)).pixels == pixels).all()


def test_a_checkerboard_turns_grey_when_reduced():
    board = (np.indices((80, 80)).sum(axis=0) % 2 * 200.0)[None]
    assert np.allclose(at(board, np.ones((80, 80), bool), 4.0, Span(2, 18), Span(2, 18)).pixels, 100, atol=1)


def test_invalid_pixels_have_no_weight_and_a_majority_is_needed():
    pixels = np.full((1, 40, 40), 7.0)
    valid = np.ones((40, 40), bool)
    valid[:, 20:] = False
    pixels[:, ~valid] = np.nan
    found = at(pixels, valid, 2.0, Span(0, 20), Span(0, 20))
    assert found.valid[:, :10].all()
    assert not found.valid[:, 10:].any()
    assert np.allclose(found.pixels[:, found.valid], 7)
    assert (found.pixels[:, ~found.valid] == 0).all()
