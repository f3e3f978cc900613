"""Presence scores: which things have a particle, and which particles have a thing? They belong to `objects`.

Three rules say whether a particle is on a thing. Near: within a tenth of the picture's side of the thing's
centre, which for small things is far outside of them. In the box: within the visible part's box. In the mask:
the pixel nearest to the particle belongs to the visible part. A thing may have several particles, and a
particle several things.

The chance level of a score is the same score, with the particles of another picture.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.intervals import Statistic, ratio
from motes.evaluation.question import EncodedBatch, Measured
from motes.ops.points.pixels import points_of_pixels

NEAR = 0.1  # of the picture's side
RULES = {
    "_inside_mask": "in a thing's visible mask",
    "_inside_box": "in a thing's visible box",
    "": "within a tenth of the picture's side of a thing's centre: lenient where things are small",
}
FOUND = {f"found{rule}": f"share of the things that have a particle {words}" for rule, words in RULES.items()}
CLEAN = {f"clean{rule}": f"share of the particles that lie {words}" for rule, words in RULES.items()}
EXPLAINS_INSIDE = {
    **{name: words.replace("a thing's", "their") for name, words in FOUND.items()},
    **CLEAN,
    **{f"chance_{name}": f"{name} of the particles of another picture" for name in (*FOUND, *CLEAN)},
    "one_particle": "of the things that have a particle inside, the share that have exactly one",
    "distance": "from a found thing to its nearest particle, in picture sides",
}
RIVALS = {name: f"chance_{name}" for name in (*FOUND, *CLEAN)}


def measure_inside(encoded: EncodedBatch) -> Measured:
    """For each picture, the number of things and particles, and how many of them are on each other.

    What is counted with the particles of another picture is 0 throughout where there is no other picture.
    """
    assert encoded.truth is not None
    present = encoded.truth.present
    distances = _sides_apart(encoded, encoded.places)
    on = _rules(encoded, encoded.places, distances)
    measured = {
        **_counts(on, encoded.believed, present),
        "distance": _distance_of_found(encoded, distances),
        **_held(on, encoded.believed, present),
    }
    others = encoded.others
    elsewhere = encoded.places[others]
    on_others = _rules(encoded, elsewhere, _sides_apart(encoded, elsewhere))
    by_chance = _counts(on_others, encoded.believed[others], present)
    is_other = others != torch.arange(len(others), device=others.device)
    return measured | {f"chance_{name}": count * is_other for name, count in by_chance.items()}


def score_inside(test: Measured) -> dict[str, Statistic]:
    scores: dict[str, Statistic] = {}
    for rule in RULES:
        if f"found{rule}" in test:
            scores |= _score_rule(test, rule, "", if_empty=0.0)
            scores |= _score_rule(test, rule, "chance_", if_empty=torch.nan)
    if "held" in test:
        scores["one_particle"] = ratio(test["held_once"], test["held"])
    return scores | {"distance": ratio(test["distance"], test["found"])}


def _score_rule(test: Measured, rule: str, start: str, if_empty: float) -> dict[str, Statistic]:
    found = ratio(test[f"{start}found{rule}"], test[f"{start}objects"])
    clean = ratio(test[f"{start}clean{rule}"], test[f"{start}particles"], if_empty)
    return {f"{start}found{rule}": found, f"{start}clean{rule}": clean}


def in_boxes(places: Float[Tensor, "B K 2"], boxes: Float[Tensor, "B N 4"]) -> Bool[Tensor, "B N K"]:
    """Whether each place, in pixels, lies in each box, whose ends are exclusive."""
    # the box reaches from the edge of its first pixel to that of its last, half a pixel from their middles
    corner = places[:, None] + 0.5
    return ((corner >= boxes[:, :, None, :2]) & (corner <= boxes[:, :, None, 2:])).all(-1)


def in_masks(places: Float[Tensor, "B K 2"], masks: Bool[Tensor, "B N H W"]) -> Bool[Tensor, "B N K"]:
    """Whether the pixel nearest to each place belongs to each mask."""
    height, width = masks.shape[2:]
    pixel = (places + 0.5).floor().long()
    flat = pixel[..., 0].clamp(0, height - 1) * width + pixel[..., 1].clamp(0, width - 1)
    return masks.flatten(2).gather(2, flat[:, None].expand(-1, masks.shape[1], -1))


def _rules(
    encoded: EncodedBatch, places: Float[Tensor, "B K 2"], apart: Float[Tensor, "B N K"]
) -> dict[str, Bool[Tensor, "B N K"]]:
    """Whether particles at these places, so many sides apart from each thing, are on it, by every rule that the
    truth allows."""
    assert encoded.truth is not None
    on = {"": apart < NEAR}
    if encoded.boxes is not None:
        on["_inside_box"] = in_boxes(places, encoded.boxes)
    if encoded.truth.masks is not None:
        on["_inside_mask"] = in_masks(places, encoded.truth.masks)
    return on


def _sides_apart(encoded: EncodedBatch, places: Float[Tensor, "B K 2"]) -> Float[Tensor, "B N K"]:
    """The distance from each thing's centre to each place, in picture sides."""
    assert encoded.centres is not None
    points = points_of_pixels(places, encoded.size)
    # [-1, 1] is one side
    return (points[:, None] - encoded.centres[:, :, None]).norm(dim=-1) / 2


def _counts(
    on: dict[str, Bool[Tensor, "B N K"]], believed: Bool[Tensor, "B K"], present: Bool[Tensor, "B N"]
) -> Measured:
    counts = {"objects": present.sum(1), "particles": believed.sum(1)}
    for rule, pairs in on.items():
        together = pairs & believed[:, None] & present[:, :, None]
        counts[f"found{rule}"] = together.any(2).sum(1)
        counts[f"clean{rule}"] = together.any(1).sum(1)
    return counts


def _held(
    on: dict[str, Bool[Tensor, "B N K"]], believed: Bool[Tensor, "B K"], present: Bool[Tensor, "B N"]
) -> Measured:
    """How many things have particles inside (in the mask if it is known, else in the box), and exactly
    one."""
    inside = on.get("_inside_mask", on.get("_inside_box"))
    if inside is None:
        return {}
    held = (inside & believed[:, None] & present[:, :, None]).sum(2)
    return {"held": (held > 0).sum(1), "held_once": (held == 1).sum(1)}


def _distance_of_found(encoded: EncodedBatch, apart: Float[Tensor, "B N K"]) -> Float[Tensor, "B"]:
    """For each picture, the sum over the things near a particle of the distance to the nearest one, in
    picture sides."""
    assert encoded.truth is not None
    apart = apart.masked_fill(~encoded.believed[:, None], torch.inf)
    if not apart.shape[2]:
        return apart.new_zeros(len(apart))
    nearest = apart.amin(2)
    return nearest.masked_fill(~((nearest < NEAR) & encoded.truth.present), 0).sum(1)
