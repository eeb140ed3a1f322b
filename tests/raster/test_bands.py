import logging

import pytest

from shipdet.errors import SceneError
from shipdet.raster.bands import Band, choose_bands, other_band, pick_bands


def bands(*colours, descriptions=None):
    descriptions = descriptions or [""] * len(colours)
    pairs = enumerate(zip(colours, descriptions, strict=True), start=1)
    return [Band(number, "uint8", description, colour) for number, (colour, description) in pairs]


def test_colour_interpretation_decides_before_descriptions():
    offered = bands("blue", "green", "red", "alpha", descriptions=["red", "green", "blue", ""])
    assert choose_bands(offered, "a.tif") == (3, 2, 1)


@pytest.mark.parametrize(
    "words",
    [
        ["Blue", "GREEN", "Red", "nir"],
        ["B02", "B03", "B04", "B08"],
        ["B2 (490 nm)", "B3", "B4, 665 nm", "B8"],
        ["band_blue", "band_green", "band_red", "red edge"],
    ],
)
def test_descriptions_name_the_colours(words):
    assert choose_bands(bands("gray", *["undefined"] * 3, descriptions=words), "a.tif") == (3, 2, 1)


def test_red_edge_is_not_red():
    words = ["red edge 1", "green", "blue", "red"]
    assert choose_bands(bands(*["undefined"] * 4, descriptions=words), "a.tif") == (4, 2, 3)


def test_without_a_hint_the_first_three_are_taken_and_it_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        assert choose_bands(bands("gray", *["undefined"] * 4), "a.tif") == (1, 2, 3)
    assert "a.tif" in caplog.text
    assert "--bands" in caplog.text


def test_one_band_is_given_three_times():
    assert choose_bands(bands("gray"), "a.tif") == (1, 1, 1)
    assert choose_bands(bands("gray", "alpha"), "a.tif") == (1, 1, 1)
    assert pick_bands(bands("gray", "undefined"), (2,), "a.tif") == (2, 2, 2)


def test_two_bands_are_refused_with_advice():
    with pytest.raises(SceneError, match=r"2 bands \(1 \(gray\), 2 \(undefined\)\).*--bands"):
        choose_bands(bands("gray", "undefined"), "a.tif")


def test_a_palette_is_refused_with_advice():
    with pytest.raises(SceneError, match="gdal_translate -expand rgb"):
        choose_bands(bands("palette"), "a.tif")


def test_bands_are_picked_by_number_and_by_description():
    offered = bands("gray", "undefined", "undefined", descriptions=["NIR", "red", ""])
    assert pick_bands(offered, (3, "nir", "2"), "a.tif") == (3, 1, 2)


@pytest.mark.parametrize("wrong", [4, 0, -1, "swir", "9"])
def test_a_band_that_is_not_there_is_refused_by_naming_what_is(wrong):
    with pytest.raises(SceneError, match=r"no band .*it has 1 \(NIR\), 2 \(undefined\)"):
        pick_bands(bands("gray", "undefined", descriptions=["NIR", ""]), (1, wrong), "a.tif")


def test_a_description_that_two_bands_share_is_refused():
    with pytest.raises(SceneError, match="choose by number"):
        pick_bands(bands("gray", "gray", descriptions=["x", "x"]), ("x",), "a.tif")


def test_twelve_or_thirteen_bands_without_words_are_those_of_sentinel_2(caplog):
    for count in (12, 13):
        offered = bands(*["undefined"] * count)
        with caplog.at_level(logging.WARNING):
            assert choose_bands(offered, "a.tif") == (4, 3, 2)
        assert "--bands" in caplog.text
        assert other_band(offered, "nir") == 8


def test_near_infrared_is_known_by_its_words_or_its_number_in_sentinel_2():
    undefined = ["undefined"] * 5
    assert other_band(bands(*undefined, descriptions=["B04", "B03", "B02", "B08", "B8A"]), "nir") == 4
    assert (
        other_band(
            bands(*undefined, descriptions=["B4, 665 nm", "B3", "B2", "B8, central wavelength 842 nm", "B11"]), "nir"
        )
        == 4
    )
    assert other_band(bands(*undefined, descriptions=["blue", "green", "red", "NIR", "red edge NIR"]), "nir") == 4


def test_near_infrared_is_not_guessed():
    assert other_band(bands(*["undefined"] * 4), "nir") is None
    assert other_band(bands("gray", "gray", descriptions=["nir", "nir"]), "nir") is None
    assert other_band(bands("gray", descriptions=["short wave infrared"]), "nir") is None
