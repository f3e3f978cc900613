"""Contact sheets of users' own data, with what a survey sees in them and the windows that it chooses."""

from pathlib import Path

from jaxtyping import Int
from PIL import Image, ImageDraw
from torch import Tensor

from motes.apps.drawing.contact_sheet import (
    FINE,
    SIDE,
    brackets,
    contact_sheet,
    described,
    facts,
    in_rows,
    usual_count,
)
from motes.apps.drawing.marks import PROPOSED, laid_over, to_picture
from motes.apps.drawing.save import save_picture
from motes.data.base import Dataset, Split
from motes.data.survey.survey import Survey, open_and_survey
from motes.training.recipe import Recipe


def show_survey(
    recipe: Recipe, out: Path, count: int | None = None, split: Split = "train", may_enlarge: bool = False
) -> None:
    """Write a sheet of a recipe's data to the file `out`, and print where it is and what a survey chooses.

    `may_enlarge`: the pictures may be made larger than the recipe says if most things in them are small.
    """
    source, data, surveyed = open_and_survey(recipe.data, split, may_enlarge)
    count = count or usual_count(data)
    is_drawn = data.frames == 1 and data.truth([0]) is None
    save_picture(survey_sheet(data, surveyed, count) if is_drawn else contact_sheet(data, count), out)
    print(f"{described(data, count)} of {source.name} ({split}); {facts(data)}: {out}")
    print(surveyed.explained(() if may_enlarge else ("image_size",)))


def survey_sheet(data: Dataset, seen: Survey, count: int) -> Image.Image:
    """Pictures that the survey looked at, with the boxes of their things and a window around each.

    Above them is the background alone, if it is still.
    """
    looked_at = list(seen.boxes)
    count = min(count, len(looked_at))
    rows = [looked_at[number * len(looked_at) // count] for number in range(count)]
    pictures = [
        _with_boxes(to_picture(image, SIDE), image.shape[-1], seen.boxes[row], seen.choice.glimpse_size)
        for row, image in zip(rows, data.batch(rows).image, strict=True)
    ]
    if seen.clean is not None:
        pictures.insert(0, to_picture(seen.clean, SIDE))
    return in_rows(pictures)


def _with_boxes(picture: Image.Image, width: int, boxes: Int[Tensor, "n 4"], window: int) -> Image.Image:
    """The picture, once `width` pixels wide, with corners around each box and a square around its middle."""
    zoom = picture.width // width
    layer = Image.new("RGBA", (picture.width * FINE, picture.height * FINE))
    pen = ImageDraw.Draw(layer)
    for box in boxes.float().tolist():
        row = (box[0] + box[2] + 1) / 2
        column = (box[1] + box[3] + 1) / 2
        square = [column - window / 2, row - window / 2, column + window / 2, row + window / 2]
        pen.rectangle([edge * zoom * FINE for edge in square], outline=(*PROPOSED, 255), width=FINE)
    for box in boxes.float().tolist():
        brackets(pen, box, zoom * FINE)
    return laid_over(picture, layer)
