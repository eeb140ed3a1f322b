"""What a format has no words for, counted before it is lost."""

from typing import Literal

import numpy as np

from shipdet.labels.outline import SUPPOSED_BEAM
from shipdet.labels.types import Labels, Note

Part = Literal["bow", "beam", "type", "difficult", "polygon", "ignore", "regions"]


def not_carried(labels: Labels, *parts: Part) -> tuple[Note, ...]:
    """Notes on the parts that a format cannot hold, as far as these labels have them."""
    counts: dict[Part, tuple[str, int]] = {
        "bow": ("not carried, which end is the bow", int(labels.bow_known.sum())),
        "beam": (
            f"written with a beam of {SUPPOSED_BEAM:g} lengths, for nobody measured it",
            int(np.isnan(labels.beam).sum()),
        ),
        "type": ("not carried, the ship's type", sum(kind != "unknown" for kind in labels.type)),
        "difficult": ("not carried, that the ship is difficult", int(labels.difficult.sum())),
        "polygon": ("not carried, the drawn outline", sum(outline is not None for outline in labels.polygon)),
        "ignore": ("not carried, places to ignore: ships there would count as water", len(labels.ignore)),
        "regions": (
            "not carried, that labelling is incomplete: what is unlabelled will count as water",
            max(len(labels.regions), int(not labels.complete)),
        ),
    }
    return tuple(Note(*counts[part]) for part in parts if counts[part][1])
