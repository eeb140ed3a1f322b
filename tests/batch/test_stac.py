import json
from pathlib import Path
from typing import Any

import pytest

from shipdet.batch.inputs import expand
from shipdet.batch.stac import read_items
from shipdet.errors import InputError

TIFF = "image/tiff; application=geotiff; profile=cloud-optimized"


def item(name: str, assets: dict[str, Any], **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [[[3, 51], [4, 51], [4, 52], [3, 52], [3, 51]]]}
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": geometry,
        "bbox": [3, 51, 4, 52],
        "properties": {"datetime": "2024-05-01T10:00:00Z", **properties},
        "links": [],
        "assets": assets,
    }


def save(path: Path, *items: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(items)}))
    return path


def asset(href: str, *roles: str, kind: str | None = TIFF) -> dict[str, Any]:
    return {"href": href, "roles": list(roles)} | ({"type": kind} if kind else {})


def test_an_item_gives_its_picture_its_name_and_its_time(tmp_path: Path):
    assets = {"B04": asset("https://host/B04.tif", "data"), "visual": asset("https://host/tci.tif?sig=SECRET")}
    (scene,) = expand([str(save(tmp_path / "found.json", item("S2A/31U", assets)))])
    assert scene.sources == ("https://host/tci.tif?sig=SECRET",)
    assert (scene.name, scene.scene_id, scene.label) == ("S2A_31U", "S2A/31U", "https://host/tci.tif")
    assert scene.acquired_at == "2024-05-01T10:00:00+00:00"
    assert scene.problem is None


def test_the_only_raster_is_taken_and_links_count_from_the_file(tmp_path: Path):
    assets = {
        "thumbnail": asset("./small.tif", "thumbnail"),
        "meta": asset("./meta.xml", "metadata", kind="application/xml"),
        "image": asset("./deep/scene.tif", kind=None),
    }
    (scene,) = read_items(save(tmp_path / "found.json", item("a", assets)))
    assert scene.sources == (str(tmp_path / "deep/scene.tif"),)


def test_assets_that_are_asked_for_are_the_bands_in_that_order(tmp_path: Path):
    assets = {name: asset(f"/data/{name}.tif") for name in ("blue", "green", "red")}
    (scene,) = read_items(save(tmp_path / "found.json", item("a", assets)), ("red", "green", "blue"))
    assert scene.sources == ("/data/red.tif", "/data/green.tif", "/data/blue.tif")


def test_an_item_without_a_fitting_asset_is_a_scene_with_a_problem(tmp_path: Path):
    bands = {name: asset(f"{name}.tif") for name in ("blue", "red")}
    path = save(tmp_path / "found.json", item("a", bands), item("b", {"visual": asset("b.tif")}), item("c", {}))
    several, fine, nothing = read_items(path)
    assert several.problem == (
        "the STAC item a has not one raster but several or none; choose with --asset among its assets: blue, red"
    )
    assert fine.problem is None
    assert "its assets: none" in str(nothing.problem)
    assert "no asset nir" in str(read_items(path, ("nir",))[0].problem)
    assert len({scene.key for scene in read_items(path)}) == 3


def test_one_item_alone_will_do(tmp_path: Path):
    path = tmp_path / "item.json"
    span = {"start_datetime": "2024-05-01T00:00:00Z", "end_datetime": "2024-05-02T00:00:00Z"}
    path.write_text(json.dumps(item("a", {"visual": asset("a.tif")}, datetime=None, **span)))
    assert read_items(path)[0].acquired_at == "2024-05-01T00:00:00+00:00"


@pytest.mark.parametrize("text", ["[]", "{}", "no json", '{"type": "Feature"}'])
def test_what_is_no_stac_is_told(tmp_path: Path, text: str):
    path = tmp_path / "found.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"found\.json is no STAC ItemCollection"):
        read_items(path)


def test_an_empty_collection_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="without items"):
        read_items(save(tmp_path / "found.json"))
