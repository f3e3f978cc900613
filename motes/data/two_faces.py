"""Generated faces of two people with the same expressions: what a model that moves an expression from one to the other learns from.

Rows are of the one and the other by turns, each with an expression of its own: no expression is seen on both. What a true swap shows is
known: the same data with `exchanged` have each row's expression on the other person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from motes.data.base import SPLITS, Split, Truth
from motes.data.face_anatomy import Look
from motes.data.face_sampling import backgrounds, moments, people
from motes.data.faces import CROWD, Faces

ONCE = 2  # a seed's part that makes people, who are the same in all splits
ROLL = 0.25  # of the roll that faces have elsewhere
LIGHT = ("light_turn", "light_x", "light_y", "light_z", "soft", "bright", "warmth", "lamp", "dim")  # one for all pictures
CLOTHES = ("cloth_hue", "cloth_grey", "cloth_value", "cloth_stripes", "collar", "cloth")  # of a person


@dataclass(frozen=True)
class Config:
    """Two people before one grey ground, in one light."""

    views: ClassVar[int] = 2  # of an expression's row and the next: one of each person
    image_size: tuple[int, int] = (64, 64)  # rows, columns
    channels: int = 3  # 1: grey
    count: int = 3000  # training pictures, of both together
    held_out: int = 200  # pictures of the validation split, and of the test split
    landmarks: int = 5  # 5: pupils, tip of the nose, corners of the mouth; 68: the usual order of face tools
    turn: float = 20.0  # degrees that a head turns to a side at most
    shift: float = 0.0  # how far off the middle a face may be, in parts of the picture's side
    face: float = 0.4  # from the eyes to the mouth, in parts of the picture's side: faces are cut out and aligned by them, as such tools do
    exchanged: bool = False  # every row's expression on the other person: the truth of a swap
    seed: int = 0  # another seed, other people


class TwoFaces(Faces):
    """`scene` has the domain, 0 or 1: who it is."""

    Config = Config

    def __init__(self, config: Config, split: Split = "train"):
        super().__init__(config, split)
        who = np.random.default_rng(np.random.SeedSequence([config.seed, ONCE]))
        worn = moments(who, 2, config.image_size, config.turn, config.shift)
        plain = {"back_kind": np.zeros(2), "back_first": np.full((2, 3), 0.75), "back_second": np.full((2, 3), 0.75)}
        self._people = people(who, 2) | {name: worn[name] for name in CLOTHES} | backgrounds(who, 2) | plain

    def truth(self, rows: Sequence[int]) -> Truth:
        truth = super().truth(rows)
        return replace(truth, scene={**truth.scene, "domain": truth.scene["identity"]})

    def _crowd(self, number: int) -> Look:
        if number not in self._looks:
            config, count = self.config, CROWD * self.config.views
            when = np.random.default_rng(np.random.SeedSequence([config.seed, ONCE + 1, SPLITS.index(self.split), number]))
            look = moments(when, count, config.image_size, config.turn, config.shift)
            still = moments(np.random.default_rng(ONCE), 1, config.image_size, config.turn, config.shift)
            look |= {name: np.repeat(still[name], count, 0) for name in LIGHT}
            domain = (np.arange(count) + config.exchanged) % 2
            look |= {name: value[domain] for name, value in self._people.items()}
            eyes, mouth = look["eye_y"], look["mouth_y"]
            look["scale"], look["roll"] = config.face * min(config.image_size) / (mouth - eyes), look["roll"] * ROLL
            look["row"] -= look["scale"] * (eyes + mouth) / 2
            self._looks[number] = look | {"identity": domain}
        return self._looks[number]
