"""COCO's classes, and the objects that packaged pictures without boxes show."""

from __future__ import annotations

from assay.errors import InvalidInputError, nearest

COCO = (
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign parking_meter "
    "bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis "
    "snowboard sports_ball kite baseball_bat baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup "
    "fork knife spoon bowl banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch "
    "potted_plant bed dining_table toilet tv laptop mouse remote keyboard cell_phone microwave oven toaster sink "
    "refrigerator book clock vase scissors teddy_bear hair_drier toothbrush"
)
"""Names of the 80 classes in the order of ``instances_val2017.json``."""

_GAPS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""Ids up to 90 that COCO 2017 does not use."""


def coco_categories() -> tuple[tuple[int, str], ...]:
    """Id and name of COCO's 80 categories."""
    ids = [number for number in range(1, 91) if number not in _GAPS]
    return tuple((number, name.replace("_", " ")) for number, name in zip(ids, COCO.split(), strict=True))


# Seen by eye; only what fills a good part of the picture. Nothing else about these pictures is claimed.
PACKAGED = {
    "astronaut.png": ("person",),
    "chelsea.png": ("cat",),
    "coffee.png": ("cup", "dining table", "spoon"),
    "motorcycle_left.png": ("motorcycle",),
    "motorcycle_right.png": ("motorcycle",),
}
"""Objects that pictures in the wheel of scikit-image show, by file name."""


def category_id(name: str, where: str) -> int:
    """The id of a COCO class.

    Raises:
        InvalidInputError: for a name that is none, with the closest ones.
    """
    known = {each: number for number, each in coco_categories()}
    if name not in known:
        raise InvalidInputError(
            f"COCO has no class {name!r}", where=where, expected=" or ".join(nearest(name, list(known))) or None
        )
    return known[name]
