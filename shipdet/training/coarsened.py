"""Sharp pictures, real or drawn, made as coarse as Sentinel-2 sees: ships and harbours that few ports cannot show.

A picture of about a metre is averaged down to `SEEN_M`, which is what a coarser instrument integrates, and from
there on is a port like any other, without near infrared and with the ships' ends in no order.
"""

from dataclasses import replace

import cv2
import numpy as np

from shipdet.raster.reader import FILL
from shipdet.training.augmentation import COMPLETE
from shipdet.training.pictures import Picture, decode, render_pictures
from shipdet.training.ports import PORT_BANDS, PORT_GSD_M, Port
from shipdet.training.synthetic_scenes import SceneOptions

SEEN_M = 10.0
SHORTEST_M = 50.0
"""Shorter ships are too small to be asked for, or against."""
BLUR = 0.4
"""Standard deviation of the instrument's blur, in its pixels."""

DRAWN_GSD_M, DRAWN_SIDE = 2.5, 1024
"""Drawn harbours are 2.5 km wide, and sharp enough for what a coarse pixel averages."""


def coarse_harbours(count: int, seed: int) -> list[Port]:
    """Drawn harbours as if seen at 10 m; each is made coarse before the next is drawn, to save memory."""
    options = SceneOptions(gsd_m=(DRAWN_GSD_M, DRAWN_GSD_M))
    return [coarsen(picture, DRAWN_GSD_M) for picture in render_pictures(count, DRAWN_SIDE, options, seed)]


def coarsen(picture: Picture, gsd_m: float) -> Port:
    """A picture as if a pixel of it covered 10 m.

    Args:
        picture: as it is learnt from at full sharpness.
        gsd_m: what a pixel of it covers, in metres.
    """
    factor = gsd_m / SEEN_M
    height, width = (max(1, round(side * factor)) for side in picture.mask.shape)
    averaged = cv2.resize(decode(picture.pixels), (width, height), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(averaged, (0, 0), BLUR)
    missing = np.full((height, width, len(PORT_BANDS) - 3), FILL, np.float32)
    known = cv2.resize((picture.mask == COMPLETE).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    stretch = np.array([width / picture.mask.shape[1], height / picture.mask.shape[0]])
    labels = replace(
        picture.labels,
        bow=picture.labels.bow * stretch,
        stern=picture.labels.stern * stretch,
        beam=picture.labels.beam * factor,
        bow_known=np.zeros(len(picture.labels), bool),
        difficult=picture.labels.difficult | (picture.labels.length * gsd_m < SHORTEST_M),
        regions=np.zeros((0, 4)),
        ignore=(),
    )
    valid = np.ones((height, width), np.uint8)
    pixels = np.ascontiguousarray(np.concatenate([blurred, missing], axis=2), np.float32)
    return Port(picture.name, pixels, valid, SEEN_M / PORT_GSD_M, labels, (), np.asarray(known, np.uint8))
