"""Generated faces of two people with the same expressions: what a model that moves an expression from one to
the other learns from.

Rows are of the one and the other by turns, each with an expression of its own: no expression is seen on
both. What a true swap shows is known: the same data with `exchanged` have each row's expression on the other
person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from motes.data.base import SPLITS, Split
from motes.data.worlds.faces.anatomy import Look
from motes.data.worlds.faces.faces import CROWD, Faces
from motes.data.worlds.faces.sampling import backgrounds, moments, people
from motes.types.truth import Truth

ONCE = 2  # a seed's part that makes people, who are the same in all splits
ROLL = 0.25  # of the roll that faces have elsewhere
LIGHT = (
    "light_turn",
    "light_x",
    "light_y",
    "light_z",
    "soft",
    "bright",
    "warmth",
    "lamp",
    "dim",
)  # one for all pictures
CLOTHES = ("cloth_hue", "cloth_grey", "cloth_value", "cloth_stripes", "collar", "cloth")  # of a person


@dataclass(frozen=True)
class TwoFacesConfig:
    """Two people before one grey ground, in one light."""

    # of an expression's row and the next: one of each person
    views: ClassVar[int] = 2
    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training pictures, of both together
    count: int = 3000
    # pictures of the validation split, and of the test split
    held_out: int = 200
    # 5: pupils, tip of the nose, corners of the mouth; 68: the usual order of face tools
    landmarks: int = 5
    # degrees that a head turns to a side at most
    turn: float = 20.0
    # how far off the middle a face may be, in parts of the picture's side
    shift: float = 0.0
    # from the eyes to the mouth, in parts of the picture's side: faces are cut out and aligned by them, as
    # such tools do
    face: float = 0.4
    # every row's expression on the other person: the truth of a swap
    exchanged: bool = False
    # another seed, other people
    seed: int = 0


class TwoFaces(Faces):
    """`scene` has the domain, 0 or 1: who it is."""

    Config = TwoFacesConfig

    def __init__(self, config: TwoFacesConfig, split: Split = "train"):
        super().__init__(config, split)
        who = np.random.default_rng(np.random.SeedSequence([config.seed, ONCE]))
        worn = moments(who, 2, config.image_size, config.turn, config.shift)
        plain = {
            "back_kind": np.zeros(2),
            "back_first": np.full((2, 3), 0.75),
            "back_second": np.full((2, 3), 0.75),
        }
        self._people = people(who, 2) | {name: worn[name] for name in CLOTHES} | backgrounds(who, 2) | plain

    def truth(self, rows: Sequence[int]) -> Truth:
        truth = super().truth(rows)
        return replace(truth, scene={**truth.scene, "domain": truth.scene["identity"]})

    def _crowd(self, number: int) -> Look:
        if number not in self._looks:
            config = self.config
            count = CROWD * self.config.views
            when = np.random.default_rng(
                np.random.SeedSequence([config.seed, ONCE + 1, SPLITS.index(self.split), number])
            )
            look = moments(when, count, config.image_size, config.turn, config.shift)
            still = moments(np.random.default_rng(ONCE), 1, config.image_size, config.turn, config.shift)
            look |= {name: np.repeat(still[name], count, 0) for name in LIGHT}
            domain = (np.arange(count) + config.exchanged) % 2
            look |= {name: value[domain] for name, value in self._people.items()}
            eyes = look["eye_y"]
            mouth = look["mouth_y"]
            look["scale"] = config.face * min(config.image_size) / (mouth - eyes)
            look["roll"] = look["roll"] * ROLL
            look["row"] -= look["scale"] * (eyes + mouth) / 2
            self._looks[number] = look | {"identity": domain}
        return self._looks[number]
