"""`survey` looks at a data set and chooses the sizes of a particle model: of windows, patches and pictures.

It looks at pictures from all over the data, shrunk to about 64 pixels a side, and takes no part in training.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from motes.data.base import Dataset, Split
from motes.data.source import Source
from motes.data.survey.choice import Choice, Size, blob_sides, choose, is_varied, quantile
from motes.data.survey.scene import Background, StillScene, read_scene
from motes.errors import UserError
from motes.ops.pictures.blobs import Blobs
from motes.plain.options import spelling

# pictures are looked at at about this many pixels a side
LOOKED_AT_SIDE = 64
# the home of an option that is not the model's
HOMES = {"image_size": "data"}
# pictures read at once
CHUNK = 64
# change of a background's pixel that shows that things stood there
STOOD = 0.05


@dataclass(frozen=True)
class Survey:
    """What was seen of a data set, and the options that follow from it; lengths are pixels of its pictures.

    >>> from motes.data.worlds.flat.shapes import Shapes
    >>> seen = survey(Shapes(Shapes.Config(count=40), "train"))
    >>> seen.background, seen.choice.glimpse_size, seen.varied
    ('a still background', 16, False)
    """

    background: Background
    # the background alone, as small as it was looked at; None where it is not still
    clean: Float[Tensor, "C h w"] | None
    # share of the background's pixels on which things stand in most pictures
    stood: float
    # of the longer side of a thing: what 10, 50 and 90 % of all things stay below; zeros if there are none
    sides: tuple[float, float, float]
    # things of a picture: the median, and what 95 % of the pictures stay below
    things: tuple[int, int]
    # rows and columns of a picture
    size: Size
    # options of the model that follow
    choice: Choice
    # row of a picture that was looked at -> the boxes of its things: first row, column, last row, column
    boxes: Mapping[int, Int[Tensor, "n 4"]]

    @property
    def varied(self) -> bool:
        """Whether the sizes of things differ so much that windows of one size suit few of them."""
        return is_varied(self.sides)

    def explained(self, told: Collection[str] = ()) -> str:
        """What was chosen and why, in two lines, with the options that overrule it.

        `told`: names of options that somebody gave, so that they were not chosen here.
        """
        return f"{self._seen()}\n{self._chosen(told)}"

    def _seen(self) -> str:
        stood = f", {self.stood:.0%} of it covered most of the time" if self.stood >= 0.01 else ""
        background = f"{len(self.boxes)} pictures of {_times(self.size)}: {self.background}{stood}"
        if not self.sides[2]:
            return f"{background}; nothing moves or stands out, so the sizes are only usual ones."
        fewest, most = self.things
        count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        low, _, high = (round(side) for side in self.sides)
        across = f"{low}" if low == high else f"{low} to {high}"
        varied = ", of varied sizes" if self.varied else ""
        return f"{background}; {count} thing{'s' * (most != 1)} each, {across} px long{varied}."

    def _chosen(self, told: Collection[str]) -> str:
        chosen = {
            "glimpse_size": f"windows of {self.choice.glimpse_size} px",
            "num_particles": f"{self.choice.num_particles} particles",
            "patch_size": f"patches of {self.choice.patch_size} px",
            "image_size": f"pictures of {_times(self.choice.image_size)}",
        }
        names = [name for name in chosen if name not in told]
        if not names:
            return "The sizes are as told."
        options = [spelling(HOMES.get(name, "model"), name) for name in names]
        return f"Chosen: {', '.join(chosen[name] for name in names)}; overruled by {', '.join(options)}."


def survey(data: Dataset, count: int = 256) -> Survey:
    """Look at up to `count` pictures from all over the data, always the same ones.

    Arguments:
        data: pictures or clips; of clips, single frames are looked at.
        count: pictures to look at; 256 take about a second of one core at 64 x 64 pixels.

    Raises:
        UserError: the data have no pictures.
    """
    rows = data.sample(count)
    if not rows:
        raise UserError("the training split has no pictures")
    size = (data.image_shape[1], data.image_shape[2])
    factor = max(min(size) // LOOKED_AT_SIDE, 1)
    pictures = _read(data, rows, factor)
    scene = read_scene(pictures)
    blobs = scene.blobs
    boxes = blobs.box * factor + torch.tensor([0, 0, factor - 1, factor - 1])
    sides = blob_sides(blobs, factor) * factor
    return Survey(
        background=scene.background,
        clean=scene.clean,
        stood=_stood(scene),
        sides=(quantile(sides, 0.1), quantile(sides, 0.5), quantile(sides, 0.9)),
        things=_things(blobs, len(rows)),
        size=size,
        choice=choose(blobs, len(rows), size, factor),
        boxes={row: boxes[blobs.picture == number] for number, row in enumerate(rows)},
    )


def open_and_survey(
    source: Source, split: Split = "train", may_enlarge: bool = False
) -> tuple[Source, Dataset, Survey]:
    """Open a split and survey it; also gives the source, which is another one if its pictures were enlarged.

    `may_enlarge`: the pictures may be made larger than the source says if most things in them are small.
    """
    data = source.open(split)
    surveyed = survey(data)
    if may_enlarge and surveyed.choice.image_size != surveyed.size:
        source = source.changed({"image_size": surveyed.choice.image_size})
        data = source.open(split)
        surveyed = survey(data)
    return source, data, surveyed


def _read(data: Dataset, rows: list[int], factor: int) -> Float[Tensor, "N C h w"]:
    """The pictures of these rows, shrunk by a whole factor."""
    chunks = data.chunks(rows, CHUNK)
    return torch.cat([F.avg_pool2d(data.batch(chunk).image, factor) for chunk in chunks])


def _things(blobs: Blobs, pictures: int) -> tuple[int, int]:
    number = torch.bincount(blobs.picture, minlength=pictures).float()
    return round(quantile(number, 0.5)), round(quantile(number, 0.95))


def _stood(scene: StillScene) -> float:
    """The share of the clean background's pixels that the median of all pictures has otherwise."""
    if scene.clean is None:
        return 0.0
    change = (scene.median - scene.clean).abs().amax(0)
    return float((change > STOOD).float().mean())


def _times(size: Size) -> str:
    return f"{size[0]} x {size[1]}"
