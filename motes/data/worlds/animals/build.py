"""How an individual is built and what its coat looks like: lengths in those of its back, brightness from 0 to 1."""

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import Array

# of an individual, B each
Build = dict[str, Array]

LENGTHS = {
    # radii
    "belly": (0.15, 0.27),
    "neck": (0.09, 0.15),
    "skull": (0.12, 0.18),
    "muzzle": (0.035, 0.065),
    "thigh": (0.07, 0.11),
    "leg": (0.035, 0.06),
    "paw": (0.04, 0.06),
    "tail root": (0.035, 0.065),
    "tail tip": (0.012, 0.03),
    "ear": (0.05, 0.11),
    "eye": (0.022, 0.035),
    # lengths
    "neck length": (0.2, 0.32),
    "head": (0.34, 0.5),
    "tail": (0.5, 1.05),
    # between the belly and the ground
    "clearance": (0.03, 0.25),
    "foot": (0.08, 0.16),
    "splay": (0.06, 0.16),
}
# of the belly's radius
GIRTHS = {"chest": (0.75, 0.95), "hip": (0.85, 1.1)}
REGIONS = ("head", "chest", "rump", "leg", "paw", "tail", "ear", "mark")
# how far the brightness of a region is from that of the coat, at most
MARKS = 0.3
# share of individuals whose regions differ as much as that; the others' differ little
MARKED = 0.5
PLAIN = 0.2
# of bright coats, which stand on darker grounds; dark ones are as far from white as these are from black
COAT = (0.4, 0.95)
DARK = 0.1


def builds(dice: Dice) -> Build:
    """The build of each individual: radii, lengths, and the brightness of the regions of its coat."""
    build = {name: dice.bell(f"individual {name}", *limits) for name, limits in LENGTHS.items()}
    for name, limits in GIRTHS.items():
        build[name] = build["belly"] * dice.bell(f"individual {name}", *limits)
    return build | {f"{name} coat": value for name, value in _coat(dice).items()}


def are_dark(dice: Dice) -> Array:
    """Which individuals have a dark coat, B."""
    return dice.uniform("individual dark") < DARK


def _coat(dice: Dice) -> Build:
    bright = dice.between("individual coat", *COAT)
    coat = np.where(are_dark(dice), 1 - bright, bright)
    strength = (PLAIN + (1 - PLAIN) * (dice.uniform("individual marked") < MARKED)) * MARKS
    regions = {
        name: (coat + strength * dice.between(f"individual {name} coat", -1.0, 1.0)).clip(0.04, 0.98)
        for name in REGIONS
    }
    return regions | {"eye": 0 * coat + 0.03, "nose": dice.between("individual nose coat", 0.05, 0.7)}
