"""STAC items as scenes of a batch (https://github.com/radiantearth/stac-spec; ItemCollection: the STAC API's)."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from shipdet.batch.inputs import RASTERS, Input
from shipdet.errors import InputError
from shipdet.raster.files import is_remote, shown

PICTURE = "visual"
"""The asset of many catalogues that is a true-colour picture."""


def read_items(path: Path, assets: Sequence[str] = ()) -> list[Input]:
    """The items of a file that holds a STAC ItemCollection or one item.

    Nothing is fetched. Relative links count from the file's folder.

    Args:
        path: of the JSON file.
        assets: the asset that is the scene, or those that are its bands, in the model's order; empty: the
            asset `visual`, else the only raster among the item's data.

    Raises:
        InputError: not such a file, or pystac is not installed. An item without a fitting asset is a scene
            with a problem, for the others can be detected all the same.
    """
    try:
        import pystac  # noqa: PLC0415 - of the extra `stac`
    except ModuleNotFoundError:
        raise InputError("STAC needs pystac; install it with: pip install 'shipdet[stac]'") from None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("type") == "Feature":
            items = [pystac.Item.from_dict(content)]
        else:
            items = pystac.ItemCollection.from_dict(content).items
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        pystac.STACError,
        pystac.STACTypeError,
    ) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no STAC ItemCollection or item ({reason}); expected one saved as JSON") from None
    if not items:
        raise InputError(f"{path} is a STAC ItemCollection without items; search again with wider limits")
    return [_scene(item, path, assets) for item in items]


def _scene(item: Any, path: Path, assets: Sequence[str]) -> Input:
    keys = tuple(assets) or _found(item)
    missing = [key for key in keys if key not in item.assets]
    problem = None
    if missing or not keys:
        offered = ", ".join(sorted(item.assets)) or "none"
        wanted = f"no asset {missing[0]}" if missing else "not one raster but several or none"
        problem = f"the STAC item {item.id} has {wanted}; choose with --asset among its assets: {offered}"
    sources = tuple(_place(item.assets[key].href, path) for key in keys) if problem is None else (f"{path}#{item.id}",)
    name = re.sub(r"[^\w.-]+", "_", item.id)
    taken = item.datetime or item.common_metadata.start_datetime
    when = taken.isoformat() if isinstance(taken, datetime) else None
    return Input(sources, ", ".join(map(shown, sources)), name, item.id, when, problem)


def _found(item: Any) -> tuple[str, ...]:
    """The asset that is the scene, where there is no doubt."""
    if PICTURE in item.assets:
        return (PICTURE,)
    rasters = tuple(key for key, asset in item.assets.items() if _is_raster(asset))
    return rasters if len(rasters) == 1 else ()


def _is_raster(asset: Any) -> bool:
    if {"thumbnail", "overview", "metadata"} & set(asset.roles or ()):
        return False
    return "tiff" in (asset.media_type or "") or shown(asset.href).lower().endswith(RASTERS)


def _place(href: str, path: Path) -> str:
    if is_remote(href):
        return href
    return str(path.absolute().parent.joinpath(href))
