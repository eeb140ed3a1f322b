import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from shapely.geometry import LineString, MultiLineString, Point, Polygon, box

from shipdet.errors import LabelsError, OutputError
from shipdet.geometry import Grid, hull_corners
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels
from shipdet.labels.vector import heading_deg, read_vector
from shipdet.labels.vector_out import write_geojson, write_gpkg


def place(frame: Frame, geometry: Any, crs: str | int | None = None) -> Any:
    """A geometry in pixels to the CRS of the scene, or on to another."""
    projected = shapely.transform(geometry, frame.grid.to_crs)
    if crs is None:
        return projected
    move = Transformer.from_crs(frame.grid.crs, crs, always_xy=True)
    return shapely.transform(projected, lambda xy: np.stack(move.transform(*xy.T), axis=1))


def save(path: Path, geometries: list[Any], crs: Any, **columns: Any) -> Path:
    gpd.GeoDataFrame(columns, geometry=geometries, crs=crs).to_file(path, engine="pyogrio")
    return path


LINE = LineString([(60.5, 40.25), (120, 80.5)])


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp", ".fgb"])
@pytest.mark.parametrize("crs", [32631, 4326, 3857, 25832])
def test_lines_run_from_bow_to_stern_in_any_format_and_crs(tmp_path: Path, utm: Frame, ending: str, crs: int):
    crs = 4326 if ending == ".geojson" else crs
    path = save(tmp_path / f"a{ending}", [place(utm, LINE, crs)], crs, beam_m=[6.0], type=["Tanker"])
    labels, notes = read_vector(path, utm)
    np.testing.assert_allclose(labels.bow, [(60.5, 40.25)], atol=2e-3)
    np.testing.assert_allclose(labels.stern, [(120, 80.5)], atol=2e-3)
    np.testing.assert_allclose(labels.beam, [12], rtol=2e-3)
    assert labels.bow_known.all()
    assert labels.type == ("tanker",)
    assert labels.complete
    assert notes == ()


def test_polygons_are_ships_of_unknown_bow(tmp_path: Path, utm: Frame, turned_box):
    path = save(tmp_path / "a.gpkg", [place(utm, Polygon(turned_box(90)), 4326)], 4326)
    labels, _ = read_vector(path, utm)
    np.testing.assert_allclose([labels.bow[0], labels.stern[0]], [(200, 120), (200, 180)], atol=0.05)
    assert labels.beam == pytest.approx([16], abs=0.05)
    assert not labels.bow_known.any()
    assert labels.outline(0).area == pytest.approx(960, rel=1e-3)


def test_a_heading_tells_the_bow_unless_it_was_guessed(tmp_path: Path, utm: Frame):
    bow, stern = np.array([[300.0, 50], [100, 250], [100, 250]]), np.array([[250.0, 90], [180, 200], [180, 200]])
    shapes = [place(utm, Polygon(corners)) for corners in hull_corners(bow, stern, np.full(3, 14.0))]
    columns = {"heading_deg": heading_deg(bow, stern, utm), "bow_score": [0.9, 0.8, 0.5]}
    labels, _ = read_vector(save(tmp_path / "a.gpkg", shapes, utm.grid.crs, **columns), utm)
    assert labels.bow_known.tolist() == [True, True, False]
    np.testing.assert_allclose(labels.bow[:2], bow[:2], atol=1e-6)
    np.testing.assert_allclose(labels.stern[:2], stern[:2], atol=1e-6)


def test_the_samples_labels_read_as_they_were_drawn():
    samples = Path(__file__).parents[2] / "data_samples"
    truth = gpd.read_file(samples / "harbour_labels.gpkg")
    frame = Frame("harbour.tif", Grid(CRS.from_epsg(32631), Affine(1, 0, 534_200, 0, -1, 5_817_600), 2048, 1536))
    labels, _ = read_vector(samples / "harbour_labels.gpkg", frame)
    np.testing.assert_allclose(labels.bow, truth[["bow_col", "bow_row"]], atol=1e-5)
    np.testing.assert_allclose(labels.stern, truth[["stern_col", "stern_row"]], atol=1e-5)
    np.testing.assert_allclose(labels.beam, truth["beam_m"], rtol=2e-3)
    assert labels.bow_known.all()
    assert labels.type == tuple(truth["type"])


def test_beams_are_metres_on_the_ground_where_pixels_are_not_square(tmp_path: Path, stretched: Frame):
    path = save(tmp_path / "a.gpkg", [place(stretched, LINE)], 4326, width_m=[10.0])
    gsd_m = stretched.grid.gsd_m(np.array([[90.0, 60.0]]))[0]
    assert gsd_m[0] < 0.6 * gsd_m[1]
    assert read_vector(path, stretched).labels.beam == pytest.approx([10 / np.sqrt(gsd_m.prod())], rel=1e-3)


def test_columns_may_be_missing_empty_or_spelt_as_a_shapefile_spells_them(tmp_path: Path, utm: Frame):
    lines = [place(utm, LINE)] * 3
    path = save(
        tmp_path / "a.shp", lines, 32631, WIDTH_M=[6.0, None, 0], difficult=["T", "no", None], BOW_KNOWN=[1, 0, 1]
    )
    labels, _ = read_vector(path, utm)
    assert np.isnan(labels.beam).tolist() == [False, True, True]
    assert labels.difficult.tolist() == [True, False, False]
    assert labels.bow_known.tolist() == [True, False, True]
    assert labels.type == ("unknown",) * 3


def test_what_is_neither_outline_nor_line_is_dropped_and_counted(tmp_path: Path, utm: Frame):
    shapes = [
        Point(9, 9),
        LINE,
        LineString([(5, 5), (9, 9), (5, 5)]),
        MultiLineString([LINE, LineString([(1, 1), (9, 2)])]),
    ]
    path = save(tmp_path / "a.gpkg", [*(place(utm, shape) for shape in shapes), None], 32631)
    labels, notes = read_vector(path, utm)
    assert len(labels) == 1
    assert [note.times for note in notes] == [1, 1, 1, 1]
    assert any("Point" in note.what for note in notes)


def test_places_that_the_scenes_crs_does_not_have_are_dropped(tmp_path: Path, utm: Frame):
    path = save(tmp_path / "a.geojson", [place(utm, LINE, 4326), LineString([(0, 95), (0, 96)])], 4326)
    labels, notes = read_vector(path, utm)
    assert len(labels) == 1
    assert [str(note) for note in notes] == ["dropped, a place that the scene's CRS does not have: 1"]


def test_only_the_classes_asked_for_are_taken(tmp_path: Path, utm: Frame):
    path = save(tmp_path / "a.gpkg", [place(utm, LINE)] * 2, 32631, **{"class": ["ship", "buoy"]})
    labels, notes = read_vector(path, utm, {"ship"})
    assert len(labels) == 1
    assert [str(note) for note in notes] == ["dropped, buoy is not among the classes taken: 1"]


def test_a_file_on_earth_needs_a_scene_on_earth(tmp_path: Path, utm: Frame, plain: Frame):
    path = save(tmp_path / "a.gpkg", [place(utm, LINE)], 32631)
    for frame in (None, plain):
        with pytest.raises(LabelsError, match="pass a georeferenced scene with --scene"):
            read_vector(path, frame)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_file_without_a_crs_is_refused_over_a_scene_that_has_one(tmp_path: Path, utm: Frame):
    path = save(tmp_path / "a.shp", [LINE], None)
    with pytest.raises(LabelsError, match=r"a\.shp has no CRS, but its scene has"):
        read_vector(path, utm)


def test_a_wrong_number_is_named_with_its_feature(tmp_path: Path, utm: Frame):
    path = save(tmp_path / "a.gpkg", [place(utm, LINE)] * 2, 32631, beam_m=["6", "wide"])
    with pytest.raises(LabelsError, match=r"a\.gpkg: layer a, feature 2: beam_m: expected a number, got 'wide'"):
        read_vector(path, utm)


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.shp", "a.parquet"])
def test_what_is_no_vector_file_is_refused_in_one_line(tmp_path: Path, utm: Frame, name: str):
    (tmp_path / name).write_text("no vector file")
    with pytest.raises(LabelsError) as caught:
        read_vector(tmp_path / name, utm)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def whole(fleet: Labels) -> Labels:
    """All that labels can say at once."""
    more = {
        "beam": np.array([12.5, 14, np.nan, 9]),
        "regions": np.array([[10.0, 20, 300, 250]]),
        "polygon": (None, box(220, 193, 300, 207), None, None),
        "ignore": (box(5, 5, 25, 15), Polygon([(380, 250), (399, 270), (370, 290)])),
    }
    return Labels(**{**fleet.__dict__, **more})


@pytest.mark.parametrize("where", ["utm", "stretched", "plain"])
@pytest.mark.parametrize("write", [write_gpkg, write_geojson])
def test_what_is_written_reads_the_same(
    tmp_path: Path, request: pytest.FixtureRequest, fleet: Labels, where: str, write: Any
):
    frame, labels = request.getfixturevalue(where), whole(fleet)
    path = tmp_path / ("a.gpkg" if write is write_gpkg else "a.geojson")
    if where == "plain" and write is write_geojson:
        with pytest.raises(OutputError, match=r"write a\.gpkg instead"):
            write(labels, path, frame)
        return
    assert write(labels, path, frame) == ()
    read, _ = read_vector(path, frame)
    for name in ("bow", "stern", "beam", "bow_known", "difficult", "regions"):
        np.testing.assert_allclose(getattr(read, name), getattr(labels, name), atol=1e-5, err_msg=name)
    assert read.type == labels.type
    assert read.outline(1).symmetric_difference(labels.outline(1)).area < 1e-3
    assert [outline is None for outline in read.polygon] == [True, False, True, True]
    assert [area.area for area in read.ignore] == pytest.approx([area.area for area in labels.ignore], abs=1e-3)


def test_incomplete_labels_come_back_as_complete_nowhere(tmp_path: Path, utm: Frame, fleet: Labels):
    write_gpkg(Labels(**{**fleet.__dict__, "complete": False}), tmp_path / "a.gpkg", utm)
    read, _ = read_vector(tmp_path / "a.gpkg", utm)
    np.testing.assert_allclose(read.regions, [[0, 0, 0, 0]], atol=1e-6)


def test_no_ship_writes_an_empty_layer(tmp_path: Path, utm: Frame):
    write_gpkg(Labels.of_rows([], [], complete=True), tmp_path / "a.gpkg", utm)
    assert len(read_vector(tmp_path / "a.gpkg", utm).labels) == 0
    assert gpd.read_file(tmp_path / "a.gpkg").crs == utm.grid.crs


def test_a_turned_region_ignores_what_it_leaves_of_an_upright_one(tmp_path: Path, utm: Frame):
    diamond = Polygon([(200, 50), (300, 150), (200, 250), (100, 150)])
    path = save(tmp_path / "a.gpkg", [place(utm, diamond)], 32631, role=["region"])
    labels, _ = read_vector(path, utm)
    np.testing.assert_allclose(labels.regions, [[100, 50, 300, 250]])
    assert labels.ignores(np.array([[110.0, 60], [200, 150], [290, 240]])).tolist() == [True, False, True]


@pytest.mark.parametrize("geometry", [
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
    {"type": "LineString", "coordinates": [[0, 0]]},
])  # fmt: skip
def test_a_geometry_that_is_none_is_named_and_nothing_else_is_said(tmp_path: Path, utm: Frame, geometry: Any):
    """Warnings are errors here, so what the reader beneath says of open rings would be seen."""
    good = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
    features = [{"type": "Feature", "properties": {}, "geometry": each} for each in (good, geometry)]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(LabelsError) as caught:
        read_vector(path, utm)
    assert str(caught.value).startswith(f"{path}: layer a, feature 2: expected a geometry, got ")
    assert "\n" not in str(caught.value)


def test_what_is_known_to_be_no_ship_is_dropped_and_counted(tmp_path: Path, utm: Frame):
    path = save(tmp_path / "a.gpkg", [place(utm, LINE)] * 3, 32631, type=["Harbor", "tanker", None])
    labels, notes = read_vector(path, utm)
    assert labels.type == ("tanker", "unknown")
    assert [str(note) for note in notes] == ["dropped, Harbor is no ship: 1"]
