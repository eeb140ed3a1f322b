"""What the experiments are fed with."""

from importlib import import_module

import numpy as np
import pytest
import torch


def test_digits_are_pasted_where_they_should_be_and_the_brighter_wins() -> None:
    digits = import_module("digits")
    canvas = torch.full((2, 6, 8), 0.5)
    patches = torch.stack([torch.ones(2, 3), torch.zeros(2, 3)])
    pasted = digits.paste(canvas, patches, torch.tensor([1, 0]), torch.tensor([5, 0]))
    assert (pasted[0] == 1).nonzero().tolist() == [[y, x] for y in (1, 2) for x in (5, 6, 7)]
    assert torch.equal(pasted[1], canvas[1])


def test_a_translated_digit_is_whole_and_clutter_only_adds() -> None:
    digits = import_module("digits")
    some = digits.Digits(torch.rand(5, 28, 28), torch.arange(5))
    which = torch.tensor([0, 3])
    alone = digits.translated(some, which, 60, torch.Generator().manual_seed(1))
    among = digits.cluttered(some, which, 60, torch.Generator().manual_seed(1))
    assert alone.shape == among.shape == (2, 1, 60, 60)
    assert torch.allclose(alone.sum(dim=(1, 2, 3)), some.images[which].sum(dim=(1, 2)), rtol=1e-4)
    assert (among >= alone).all()


def test_tight_bounds_hold_every_pixel() -> None:
    masks = torch.zeros(1, 9, 12, dtype=torch.bool)
    masks[0, 2:5, 7:11] = True
    assert import_module("masks").bounds(masks).tolist() == [[7, 2, 11, 5]]


def test_wrong_labels_are_wrong_and_as_many_as_asked_for() -> None:
    classes = torch.arange(10).repeat(1000)
    spoilt = import_module("residual").spoil(classes, 0.3, torch.Generator().manual_seed(0))
    assert (spoilt != classes).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert spoilt.min() == 0
    assert spoilt.max() == 9


def test_near_duplicates_and_turned_ones_form_a_group() -> None:
    chips = import_module("ship_chips")
    rng = np.random.default_rng(0)
    a, b = (np.repeat(np.repeat(rng.integers(0, 255, (16, 8, 3)), 16, 0), 8, 1).astype(np.uint8) for _ in range(2))
    brighter = np.clip(a.astype(int) + 3, 0, 255).astype(np.uint8)
    group = chips.near_duplicates(np.stack([a, b, brighter, b[::-1, ::-1], a[::-1, ::-1]]))
    assert group.tolist() == [0, 1, 0, 1, 0]


def test_sentences_are_true_in_grammar_and_known_in_every_word() -> None:
    sentences = import_module("harbour_sentences")
    assert sentences.sentence_of("ferry", 2, "north east", True) == "two ferries moored side by side heading north east"
    assert sentences.sentence_of("tanker", 1, "west", False) == "a tanker under way heading west"
    for kind in sentences.NAMES:
        for count in (1, 2, 3):
            said = sentences.sentence_of(kind, count, "south west", True)
            tokens = sentences.encode(said)
            assert len(tokens) == sentences.LONGEST + 1
            end = tokens.index(sentences.END)
            assert sentences.decode(tuple(tokens[1:end])) == said


def test_a_hulls_mask_lies_where_the_ship_does() -> None:
    rendered = import_module("rendered")
    ship = rendered.make_ship(np.random.default_rng(0), "cargo", np.array([40.0, 60.0]), 90.0, 50.0)
    assert ship.bow.tolist() == pytest.approx([65, 60])
    rows, columns = rendered.hull_mask(ship, 96, 2).nonzero()
    assert columns.min() == pytest.approx(15 / 2, abs=1.5)
    assert columns.max() == pytest.approx(65 / 2, abs=1.5)
    assert rows.mean() == pytest.approx(29.5, abs=0.6)


def test_what_a_day_shows_is_numbered_and_structures_are_there_on_all_days() -> None:
    dates = import_module("dates")
    places = dates.make_places(3, 0, torch.device("cpu"))
    assert places.images.shape == (3, dates.DAYS, 3, 64, 64)
    assert places.present[:, 0].all()
    assert not ((places.ships > 0) & (places.structures > 0)).any()
    found, total = dates.detected((places.ships > 0).float(), places.ships)
    assert found == total
    assert dates.detected((places.ships > 0).float(), places.structures)[0] == 0


def test_two_digits_do_not_overlap_and_are_read_from_left_to_right() -> None:
    dram, digits = import_module("dram"), import_module("digits")
    some = digits.Digits(torch.ones(3, 28, 28), torch.tensor([4, 7, 9]))
    which = torch.tensor([[0, 1], [2, 2]])
    image = dram.pairs(some, which, torch.Generator().manual_seed(0))
    assert image.sum(dim=(1, 2, 3)).tolist() == [2 * 14**2] * 2, "both at half their size"
    assert dram.symbols(some, which).tolist() == [[4, 9, 10], [7, 9, 10]]
