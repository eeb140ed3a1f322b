"""Ships in satellite imagery: georeferenced, oriented, bow from stern."""

__version__ = "0.1.0"
