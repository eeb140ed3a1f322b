"""Which bands of a file are red, green and blue, and which others a model may read besides."""

import logging
import re
from collections.abc import Sequence
from typing import NamedTuple

from shipdet.errors import SceneError

log = logging.getLogger(__name__)

BandChoice = Sequence[int | str]
"""Bands in the model's order, each by number (from 1) or by description."""

COLOURS = ("red", "green", "blue")
NAMES = ({"red", "b04", "b4"}, {"green", "b03", "b3"}, {"blue", "b02", "b2"})
"""Words that name the colours in descriptions and file names; numbers as of Sentinel-2 and Landsat 8."""
OTHERS = {"nir": frozenset({"nir", "nir1", "infrared", "b08", "b8"})}
"""Words that name other bands; numbers as of Sentinel-2."""
NOT_OTHERS = frozenset({"edge", "narrow", "short", "shortwave", "thermal"})
"""Words of bands that are none of these, such as the red edge."""
SENTINEL2_COUNTS = (12, 13)
"""So many bands without a description are taken for those of Sentinel-2, by number (L2A leaves out B10)."""
SENTINEL2 = (4, 3, 2)
SENTINEL2_OTHERS = {"nir": 8}


class Band(NamedTuple):
    """One band that a scene offers."""

    number: int
    """From 1: its place in the file, or of its file where several were given."""
    dtype: str
    description: str
    """Empty where the file has none; of several files, the file's name."""
    colour: str
    """GDAL's colour interpretation, such as red, gray, alpha, undefined."""


def choose_bands(bands: Sequence[Band], name: str) -> tuple[int, ...]:
    """Numbers of the bands for a model that wants red, green, blue.

    By colour interpretation, else by descriptions, else those of Sentinel-2 where there are as many bands as it has,
    else the first three; a single band is given three times.

    Args:
        bands: all bands of the scene.
        name: the scene, for messages.

    Raises:
        SceneError: two bands, none, or indexes into a palette.
    """
    usable = [band for band in bands if band.colour != "alpha"]
    if len(usable) == 1:
        if usable[0].colour == "palette":
            raise SceneError(f"{name} has palette colours; expand them first with `gdal_translate -expand rgb`")
        return (usable[0].number,) * 3
    if len(usable) < 3:
        raise SceneError(
            f"{name} has {len(usable)} bands ({_listed(bands)}), expected 1 or at least 3; choose with --bands"
        )
    chosen = _by_colour(usable) or _by_words(usable)
    if chosen:
        return chosen
    first = SENTINEL2 if _is_bare_sentinel2(usable) else tuple(band.number for band in usable[:3])
    level = logging.INFO if len(usable) == 3 else logging.WARNING
    log.log(
        level, "%s does not say which bands are red, green, blue; took %s; choose otherwise with --bands", name, first
    )
    return first


def pick_bands(bands: Sequence[Band], choice: BandChoice, name: str) -> tuple[int, ...]:
    """Numbers of the bands that a caller names; a single one is given three times.

    Raises:
        SceneError: there is no such band, or several have the description.
    """
    numbers = tuple(_number(bands, wanted, name) for wanted in choice)
    if not numbers:
        raise SceneError(f"no band was chosen; {name} has {_listed(bands)}")
    return numbers * 3 if len(numbers) == 1 else numbers


def other_band(bands: Sequence[Band], name: str) -> int | None:
    """The number of the one band that a scene tells to be another than the colours, such as "nir"; None if it does not.

    Args:
        bands: all bands of the scene.
        name: a key of `OTHERS`.
    """
    if _is_bare_sentinel2([band for band in bands if band.colour != "alpha"]):
        return SENTINEL2_OTHERS.get(name)
    said = {band.number: _words(band) | {band.colour} for band in bands}
    found = [number for number, words in said.items() if words & OTHERS[name] and not words & NOT_OTHERS]
    return found[0] if len(found) == 1 else None


def _is_bare_sentinel2(usable: Sequence[Band]) -> bool:
    return len(usable) in SENTINEL2_COUNTS and not any(band.description for band in usable)


def _words(band: Band) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", band.description.lower()))


def _number(bands: Sequence[Band], wanted: int | str, name: str) -> int:
    if isinstance(wanted, str):
        found = [band.number for band in bands if band.description.lower() == wanted.strip().lower()]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise SceneError(f"{name} has {len(found)} bands described {wanted!r}; choose by number")
    if str(wanted).strip().isdecimal() and any(band.number == int(wanted) for band in bands):
        return int(wanted)
    raise SceneError(f"{name} has no band {wanted!r}; it has {_listed(bands)}")


def _by_colour(bands: Sequence[Band]) -> tuple[int, ...]:
    found = [[band.number for band in bands if band.colour == colour] for colour in COLOURS]
    return tuple(numbers[0] for numbers in found) if all(found) else ()


def _by_words(bands: Sequence[Band]) -> tuple[int, ...]:
    words = {band.number: _words(band) for band in bands}
    found = [[number for number, said in words.items() if said & names and "edge" not in said] for names in NAMES]
    return tuple(numbers[0] for numbers in found) if all(found) else ()


def _listed(bands: Sequence[Band]) -> str:
    labels = [f"{band.number} ({band.description or band.colour})" for band in bands]
    return ", ".join(labels if len(labels) <= 16 else [*labels[:15], f"... {labels[-1]}"])
