"""Land beside a picture or a scene, by which ships inshore are told from those in open water."""

import os
from pathlib import Path

import shapely

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame
from shipdet.labels.vector import read_area

ENDING = ".land.geojson"
"""Of `NAME.land.geojson` beside `NAME.jpg` or `NAME.tif`."""


def land_beside(picture: str | Path, frame: Frame | None = None) -> shapely.Geometry | None:
    """What is not water, in pixels; None where no file beside the picture tells.

    Args:
        picture: its path; of a URL nothing lies beside.
        frame: of a scene, whose land lies on Earth where the scene does; else land is given in pixels.

    Raises:
        LabelsError: the file beside it does not hold polygons; or they lie elsewhere than the scene, or partly where
            its CRS has no places.
    """
    path = Path(picture).with_suffix(ENDING)
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a URL is too long for a name
        return None
    return _in_pixels(path) if frame is None or frame.grid.crs is None else read_area(path, frame)


def _in_pixels(path: Path) -> shapely.Geometry:
    try:
        land = shapely.from_geojson(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, shapely.errors.ShapelyError) as error:
        raise LabelsError(f"{path}: expected GeoJSON polygons in pixels, got {error}") from error
    return shapely.make_valid(land)
