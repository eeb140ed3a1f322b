import csv
import errno
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet
import pyogrio
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Geod

from shipdet.errors import OutputError
from shipdet.export.vector import check_output, write_detections
from shipdet.geometry import Grid, Hulls
from shipdet.inference.georeference import COLUMNS, SceneTags, georeference, pixel_detections

ENDINGS = (".gpkg", ".geojson", ".parquet", ".fgb", ".csv")
KEEP_CRS = (".gpkg", ".parquet", ".fgb")
NAMES = [column.name for column in COLUMNS]
TEXTS = [column.name for column in COLUMNS if column.dtype == "string"]
NUMBERS = [column.name for column in COLUMNS if column.dtype in ("int64", "float64")]
TAGS = SceneTags('häfen, "old"', None, "shipdet-test")
UTM = Grid(CRS.from_epsg(32631), Affine(10, 0, 5e5, 0, -10, 6e6), 1000, 1000)


def hulls(ships: int) -> Hulls:
    rng = np.random.default_rng(5)
    stern, turn = rng.uniform(100, 900, (ships, 2)), rng.uniform(0, 2 * np.pi, ships)
    bow = stern + 20 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return Hulls(bow, stern, np.full(ships, 3.0), rng.uniform(0.3, 1, ships), rng.uniform(0.5, 1, ships))


def across_180(epsg: int) -> gpd.GeoDataFrame:
    """Three ships: west of, on and east of the meridian, in a grid that goes on across it."""
    transform = {
        4326: Affine(1e-4, 0, 179.95, 0, -1e-4, 0.02),
        3857: Affine(10, 0, 20037508.342789244 - 5000, 0, -10, 2000),
        32660: Affine(10, 0, 829_000, 0, -10, 2000),
    }[epsg]
    grid = Grid(CRS.from_epsg(epsg), transform, 1000, 400)
    columns = np.linspace(0, 1000, 100_001)
    lon = grid.to_lonlat(np.stack([columns, np.full_like(columns, 100.0)], axis=1))[:, 0]
    x = columns[np.argmax(lon < 0)] + np.array([-100.0, 0.0, 100.0])
    stern, bow = np.stack([x - 8, np.full(3, 100.0)], axis=1), np.stack([x + 12, np.full(3, 100.0)], axis=1)
    return georeference(Hulls(bow, stern, np.full(3, 3.0), np.array([0.9, 0.8, 0.7]), np.full(3, 0.9)), grid, TAGS)


def read(path: Path) -> gpd.GeoDataFrame:
    if path.suffix == ".parquet":
        return gpd.read_parquet(path)
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        frame = gpd.GeoDataFrame({name: [row[name] or None for row in rows] for name in NAMES[:-1]})
        frame = frame.astype(dict.fromkeys(NUMBERS, "float64"))
        return frame.set_geometry(gpd.GeoSeries(shapely.from_wkt([row["geometry"] for row in rows]), crs=4326))
    return gpd.read_file(path)


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def ground_area(footprint: shapely.Geometry) -> float:
    return float(Geod(ellps="WGS84").geometry_area_perimeter(footprint)[0])


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_written_is_read_back(ending: str, tmp_path: Path) -> None:
    detections = georeference(hulls(12), UTM, TAGS)
    path = tmp_path / f"ships{ending}"
    write_detections(detections, path)
    back = read(path).sort_values("id", ignore_index=True)
    assert list(back.columns) == NAMES
    for name in NUMBERS:
        np.testing.assert_allclose(back[name].astype(float), detections[name].astype(float), rtol=1e-12)
    assert (back.scene_id == TAGS.scene_id).all()
    assert back.acquired_at.isna().all()
    assert back.crs == (UTM.crs if ending in KEEP_CRS else CRS.from_epsg(4326))
    offset = back.geometry.to_crs(UTM.crs).hausdorff_distance(detections.geometry)
    assert offset.max() < 0.02
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", KEEP_CRS)
@pytest.mark.parametrize("ships", [0, 3])
def test_column_types_survive_also_where_nothing_was_found(ending: str, ships: int, tmp_path: Path) -> None:
    path = tmp_path / f"ships{ending}"
    write_detections(georeference(hulls(ships), UTM, TAGS), path)
    back = read(path)
    assert len(back) == ships
    assert back.crs == UTM.crs
    assert list(back.columns) == NAMES
    assert back.id.dtype.kind == "i"
    assert all(back[name].dtype.kind == "f" for name in NUMBERS[1:])
    schema = pyarrow.parquet.read_schema(path) if ending == ".parquet" else gdal_schema(path)
    assert all("string" in str(schema.field(name).type) for name in TEXTS)


def gdal_schema(path: Path) -> pyarrow.Schema:
    return pyogrio.read_arrow(path)[1].schema


def test_no_ships_make_a_valid_geojson_and_csv(tmp_path: Path) -> None:
    nothing = georeference(hulls(0), UTM, TAGS)
    for ending in (".geojson", ".csv"):
        write_detections(nothing, tmp_path / f"ships{ending}")
    assert json.loads((tmp_path / "ships.geojson").read_text())["features"] == []
    assert (tmp_path / "ships.csv").read_text().strip().split(",") == NAMES
    assert len(gpd.read_file(tmp_path / "ships.geojson")) == 0


def test_a_time_of_acquisition_stays_as_it_was_given(tmp_path: Path) -> None:
    detections = georeference(hulls(2), UTM, TAGS._replace(acquired_at="2024-05-01T10:00:00Z"))
    for ending in (".gpkg", ".parquet", ".fgb", ".csv"):
        write_detections(detections, tmp_path / f"ships{ending}")
        assert read(tmp_path / f"ships{ending}").acquired_at.tolist() == ["2024-05-01T10:00:00Z"] * 2


def test_geojson_is_as_rfc_7946_wants_it(tmp_path: Path) -> None:
    path = tmp_path / "ships.geojson"
    write_detections(georeference(hulls(12), UTM, TAGS), path)
    text = path.read_text(encoding="utf-8")
    collection = json.loads(text)
    assert "crs" not in collection
    assert "NaN" not in text
    for feature in collection["features"]:
        assert feature["properties"]["acquired_at"] is None
        (ring,) = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        assert ring[0] == pytest.approx([feature["properties"]["bow_lon"], feature["properties"]["bow_lat"]], abs=1e-7)
        assert shapely.is_ccw(shapely.LinearRing(ring))
        assert all(value == round(value, 7) for xy in ring for value in xy)
    mirrored = Grid(UTM.crs, Affine(10, 0, 5e5, 0, 10, 6e6), 1000, 1000)
    write_detections(georeference(hulls(12), mirrored, TAGS), path)
    assert all(shapely.is_ccw(footprint.exterior) for footprint in gpd.read_file(path).geometry)


@pytest.mark.parametrize("ending", [".geojson", ".csv"])
@pytest.mark.parametrize("epsg", [4326, 3857, 32660])
def test_a_ship_across_the_180th_meridian_is_split(epsg: int, ending: str, tmp_path: Path) -> None:
    detections = across_180(epsg)
    write_detections(detections, tmp_path / f"ships{ending}")
    back = read(tmp_path / f"ships{ending}")
    assert back.geometry.geom_type.tolist() == ["Polygon", "MultiPolygon", "Polygon"]
    assert back.geometry.is_valid.all()
    coordinates = shapely.get_coordinates(back.geometry.to_numpy())
    assert np.abs(coordinates[:, 0]).max() == 180
    west, split, east = back.geometry
    assert west.bounds[0] > 179
    assert east.bounds[2] < -179
    assert sorted(part.bounds[0] > 0 for part in split.geoms) == [False, True]
    assert all(shapely.is_ccw(part.exterior) for part in split.geoms)
    length_m, beam_m = detections.length_m[1], detections.beam_m[1]
    assert ground_area(split) == pytest.approx(length_m * beam_m - beam_m**2 / 4, rel=1e-3)


@pytest.mark.parametrize("ending", KEEP_CRS)
def test_formats_that_keep_the_crs_leave_a_ship_across_180_whole(ending: str, tmp_path: Path) -> None:
    write_detections(across_180(4326), tmp_path / f"ships{ending}")
    back = read(tmp_path / f"ships{ending}").sort_values("id")
    assert (back.geometry.geom_type == "Polygon").all()
    assert back.geometry.iloc[1].bounds[2] > 180


@pytest.mark.parametrize("ending", [".gpkg", ".parquet", ".fgb", ".csv"])
@pytest.mark.parametrize("ships", [0, 4])
def test_pixel_detections_are_written_without_a_crs(ending: str, ships: int, tmp_path: Path) -> None:
    detections = pixel_detections(hulls(ships), 2.0, TAGS)
    path = tmp_path / f"ships{ending}"
    write_detections(detections, path)
    back = read(path).sort_values("id", ignore_index=True)
    assert len(back) == ships
    if ending != ".csv":
        assert back.crs is None or back.crs.is_engineering
    assert back.lon.astype(float).isna().all()
    pairs = zip(back.geometry, detections.geometry, strict=True)
    assert all(shapely.hausdorff_distance(a, b) < 1e-6 for a, b in pairs)


def test_a_geopackage_of_pixels_says_that_it_is_cartesian(tmp_path: Path) -> None:
    write_detections(pixel_detections(hulls(2), 2.0, TAGS), tmp_path / "ships.gpkg")
    with sqlite3.connect(tmp_path / "ships.gpkg") as database:
        rows = database.execute("select table_name, srs_id from gpkg_contents").fetchall()
    database.close()
    assert rows == [("ships", -1)]


def test_pixel_detections_are_refused_as_geojson_and_pointed_to_geopackage(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"pixels; write ships\.gpkg"):
        write_detections(pixel_detections(hulls(2), 2.0, TAGS), tmp_path / "ships.geojson")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_older_output_is_replaced(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"ships{ending}"
    for ships in (9, 2):
        write_detections(georeference(hulls(ships), UTM, TAGS), path)
        assert len(read(path)) == ships


def test_a_journal_left_beside_an_older_geopackage_goes(tmp_path: Path) -> None:
    path = tmp_path / "ships.gpkg"
    for suffix in ("-wal", "-shm", "-journal"):
        (tmp_path / f"ships.gpkg{suffix}").write_bytes(b"stale")
    write_detections(georeference(hulls(2), UTM, TAGS), path)
    assert names_in(tmp_path) == ["ships.gpkg"]
    assert len(read(path)) == 2


@pytest.mark.parametrize("name", ["ships.shp", "ships", "ships.GeoTIFF"])
def test_an_unknown_ending_is_refused_with_the_known_ones(name: str, tmp_path: Path) -> None:
    for refuse in (check_output, lambda path: write_detections(georeference(hulls(1), UTM, TAGS), path)):
        with pytest.raises(OutputError, match=r"\.gpkg \.geojson \.parquet \.fgb \.csv"):
            refuse(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_endings_may_be_in_capitals(tmp_path: Path) -> None:
    write_detections(georeference(hulls(1), UTM, TAGS), tmp_path / "SHIPS.GPKG")
    assert len(read(tmp_path / "SHIPS.GPKG")) == 1


def test_impossible_places_are_refused_before_and_while_writing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.gpkg").mkdir()
    places = {
        "missing/ships.gpkg": "does not exist; make it",
        "file/ships.gpkg": "should be a folder",
        "folder.gpkg": "is a folder; give the name of a file",
    }
    for place, reason in places.items():
        for refuse in (check_output, lambda path: write_detections(georeference(hulls(1), UTM, TAGS), path)):
            with pytest.raises(OutputError, match=reason):
                refuse(tmp_path / place)
    assert names_in(tmp_path) == ["file", "folder.gpkg"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    for attempt in (check_output, lambda path: write_detections(georeference(hulls(1), UTM, TAGS), path)):
        with pytest.raises(OutputError, match=r"cannot write in .* \(Permission denied\)"):
            attempt(tmp_path / "ships.gpkg")


def test_checking_leaves_nothing_behind_and_an_older_output_alone(tmp_path: Path) -> None:
    (tmp_path / "ships.gpkg").write_bytes(b"older")
    check_output(tmp_path / "ships.gpkg")
    assert names_in(tmp_path) == ["ships.gpkg"]
    assert (tmp_path / "ships.gpkg").read_bytes() == b"older"


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("missing_bytes", [1, 1000])
def test_a_full_disk_leaves_the_older_output(ending: str, missing_bytes: int, tmp_path: Path) -> None:
    detections = georeference(hulls(50), UTM, TAGS)
    path = tmp_path / f"ships{ending}"
    write_detections(detections, path)
    size = path.stat().st_size
    path.write_bytes(b"older")
    (tmp_path / f"ships{ending}-wal").write_bytes(b"its journal")
    with files_limited_to(size - missing_bytes), pytest.raises(OutputError, match=f"could not write .*ships{ending}"):
        write_detections(detections, path)
    assert path.read_bytes() == b"older"
    assert names_in(tmp_path) == [path.name, f"{path.name}-wal"]


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Writing past `size` bytes of a file fails, as it does on a full disk."""
    resource = pytest.importorskip("resource", reason="limits on file sizes are known to POSIX systems only")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_gdal_refuses_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise pyogrio.errors.DataSourceError("no such\n driver")

    monkeypatch.setattr(gpd.GeoDataFrame, "to_file", fail)
    with pytest.raises(OutputError, match=r"could not write .*ships\.gpkg \(GDAL: no such driver\)"):
        write_detections(georeference(hulls(1), UTM, TAGS), tmp_path / "ships.gpkg")
    assert names_in(tmp_path) == []
