"""Generated faces of two people, for models that transfer an expression from one person to the other.

Rows alternate between the two people, and each row has an expression of its own, so that no expression occurs
with both people. The truth of a swap is known: the same data with the option `exchanged` have each row's
expression on the other person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from motes.data.base import SPLITS, Split
from motes.data.worlds.faces.faces import CROWD, Faces
from motes.data.worlds.faces.geometry import Look
from motes.data.worlds.faces.sampling import backgrounds, people, picture_looks
from motes.types.truth import Truth

ONCE = 2  # a seed's part that makes people, who are the same in all splits
ROLL = 0.25  # of the roll that faces have elsewhere
# one for all pictures
LIGHT = ("light_turn", "light_x", "light_y", "light_z", "soft", "bright", "warmth", "lamp", "dim")
# of a person
CLOTHES = ("cloth_hue", "cloth_grey", "cloth_value", "cloth_stripes", "collar", "cloth")


@dataclass(frozen=True)
class TwoFacesConfig:
    """Two people before the same grey background, under the same light."""

    # rows alternate: one of each person
    views: ClassVar[int] = 2
    wild: ClassVar[bool] = False
    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures of both people together
    count: int = 3000
    # pictures of the validation split, and of the test split
    held_out: int = 200
    # 5: pupils, tip of the nose, corners of the mouth; 68: the usual order of face tools
    landmarks: int = 5
    # degrees that a head turns to a side at most
    turn: float = 20.0
    # how far off the middle a face may be, as a share of the picture's side
    shift: float = 0.0
    # distance from the eyes to the mouth, as a share of the picture's side: faces are aligned by them, as
    # face tools do
    face: float = 0.4
    # show every row's expression on the other person: the truth of a swap
    exchanged: bool = False
    # another seed, other people
    seed: int = 0


class TwoFaces(Faces):
    """Pictures of two people. `scene` has the domain, 0 or 1: which of the two it is."""

    Config = TwoFacesConfig

    def __init__(self, config: TwoFacesConfig, split: Split = "train"):
        super().__init__(config, split)
        random = np.random.default_rng(np.random.SeedSequence([config.seed, ONCE]))
        clothes = picture_looks(random, 2, config.image_size, config.turn, config.shift)
        look = people(random, 2) | {name: clothes[name] for name in CLOTHES} | backgrounds(random, 2)
        grey = np.full((2, 3), 0.75)
        self._people = look | {"back_kind": np.zeros(2), "back_first": grey, "back_second": grey}

    def truth(self, rows: Sequence[int]) -> Truth:
        truth = super().truth(rows)
        return replace(truth, scene={**truth.scene, "domain": truth.scene["identity"]})

    def _drawn_crowd(self, number: int) -> Look:
        config = self.config
        count = CROWD * config.views
        look = self._pictures(number, count)
        domain = (np.arange(count) + config.exchanged) % 2
        look |= {name: value[domain] for name, value in self._people.items()}
        eyes = look["eye_y"]
        mouth = look["mouth_y"]
        look["scale"] = config.face * min(config.image_size) / (mouth - eyes)
        look["roll"] = look["roll"] * ROLL
        look["row"] -= look["scale"] * (eyes + mouth) / 2
        return look | {"identity": domain}

    def _pictures(self, number: int, count: int) -> Look:
        """The poses and expressions of the pictures of a block, all under the same light."""
        config = self.config
        entropy = [config.seed, ONCE + 1, SPLITS.index(self.split), number]
        random = np.random.default_rng(np.random.SeedSequence(entropy))
        look = picture_looks(random, count, config.image_size, config.turn, config.shift)
        constant = np.random.default_rng(ONCE)
        light = picture_looks(constant, 1, config.image_size, config.turn, config.shift)
        return look | {name: np.repeat(light[name], count, 0) for name in LIGHT}
