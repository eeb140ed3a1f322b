"""Ships in satellite imagery: georeferenced, oriented, bow from stern."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipdet.api import DetectRequest, detect

__version__ = "0.1.0"
__all__ = ["DetectRequest", "__version__", "detect"]


def __getattr__(name: str) -> Any:
    """`detect` and what it takes, imported when first used: they bring torch with them."""
    if name in {"detect", "DetectRequest"}:
        from shipdet import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module 'shipdet' has no attribute {name!r}")
