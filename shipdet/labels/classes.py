"""Which classes of things are no ships, whatever format their labels come in."""

OTHERS = frozenset({
    # DOTA (Xia et al., CVPR 2018), with the spellings of DIOR (Li et al., ISPRS 2020)
    "plane", "airplane", "storagetank", "baseballdiamond", "baseballfield", "tenniscourt", "basketballcourt",
    "groundtrackfield", "harbor", "harbour", "bridge", "largevehicle", "smallvehicle", "vehicle", "helicopter",
    "roundabout", "soccerballfield", "swimmingpool", "containercrane", "airport", "helipad",
    # DIOR alone
    "chimney", "dam", "expresswayservicearea", "expresswaytollstation", "golffield", "golfcourse", "overpass",
    "stadium", "trainstation", "windmill",
    # COCO (Lin et al., ECCV 2014), what is seen from above too
    "person", "bicycle", "car", "motorcycle", "bus", "train", "truck",
})  # fmt: skip
"""Classes that are no ships, in lower case without blanks, hyphens and underscores."""


def is_no_ship(name: str) -> bool:
    """Whether a class is known to be something else: "Small_Vehicle" is, "tanker" and "" are not."""
    return "".join(letter for letter in name.lower() if letter not in " -_") in OTHERS
