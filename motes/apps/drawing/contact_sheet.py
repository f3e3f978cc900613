"""Contact sheets of a data set: pictures with their ground truth drawn over them, and a clip as a row of
frames."""

from dataclasses import dataclass
from pathlib import Path

import torch.nn.functional as F
from jaxtyping import Bool, Float
from PIL import Image, ImageDraw
from torch import Tensor

from motes.apps.drawing.marks import COLOURS, Colour, laid_over, sheet, to_picture
from motes.apps.drawing.save import save_picture
from motes.data.base import Dataset, Split
from motes.training.recipe import Recipe
from motes.types.truth import Truth

# pixels of a picture's longer side, about; pictures in a row of the sheet
SIDE = 256
COLUMNS = 6
# frames that are shown of a clip; from one of them to the next, at most
FRAMES = 8
STRIDE = 12
# on a sheet, where no count is given
PICTURES = 24
CLIPS = 6
# frames before, in which a centre's path is drawn
TRAIL = 5
# lines are drawn this much larger and shrunk
FINE = 2
LIGHT: Colour = (255, 255, 255)
DARK: Colour = (20, 20, 20)
POINT: Colour = (255, 193, 7)
PARTS = {"centres": "centres", "boxes": "boxes", "masks": "masks", "whole": "whole masks", "points": "points"}


@dataclass(frozen=True)
class Pen:
    """The pen that draws a line along the edge of a mask; `width` goes to each side, in enlarged pixels."""

    width: float
    colour: Colour
    # 1 covers what is below
    strength: float


def show(recipe: Recipe, out: Path, count: int | None = None, split: Split = "train") -> None:
    """Write the contact sheet of a recipe's data to the file `out`, and print where it is."""
    data = recipe.data.open(split)
    count = count or usual_count(data)
    save_picture(contact_sheet(data, count), out)
    print(f"{described(data, count)} of {recipe.data.name} ({split}); {facts(data)}: {out}")


def usual_count(data: Dataset) -> int:
    return PICTURES if data.frames == 1 else CLIPS


def described(data: Dataset, count: int) -> str:
    """How many pictures or clips of how many a sheet shows."""
    total = len(data) // data.frames
    kind = "clips" if data.frames > 1 else "pictures"
    return f"{min(count, total)} of {total:,} {kind}"


def contact_sheet(data: Dataset, count: int) -> Image.Image:
    """A sheet with `count` pictures or clips from all over the data."""
    firsts = data.spread(count * data.frames)[:: data.frames]
    if data.frames == 1:
        return in_rows(drawn_rows(data, firsts))
    stride = max(min(STRIDE, data.frames // FRAMES), 1)
    times = range(0, min(data.frames, FRAMES * stride), stride)
    return sheet([drawn_rows(data, [first + time for time in times]) for first in firsts])


def in_rows(pictures: list[Image.Image]) -> Image.Image:
    return sheet([pictures[start : start + COLUMNS] for start in range(0, len(pictures), COLUMNS)])


def drawn_rows(data: Dataset, rows: list[int]) -> list[Image.Image]:
    """The pictures of these rows, enlarged, with their truth drawn over them.

    In a clip, the recent paths of the centres are drawn too.
    """
    images = data.batch(rows).image
    truth = data.truth(rows)
    pictures = [to_picture(image, SIDE) for image in images]
    if truth is None:
        return pictures
    zoom = pictures[0].width // images.shape[-1]
    return [
        _with_truth(picture, truth, n, zoom, _trails(data, rows[n])) for n, picture in enumerate(pictures)
    ]


def facts(data: Dataset) -> str:
    truth = data.truth([0])
    if truth is None:
        return "nothing else is known of them"
    parts = [words for name, words in PARTS.items() if getattr(truth, name) is not None]
    return f"known: {', '.join(['presence', *parts, *truth.factors, *truth.scene])}"


def _trails(data: Dataset, row: int) -> list[tuple[int, Float[Tensor, "T 2"]]]:
    """The recent path of each thing, as (number of the thing, its centres in the frames up to `row`).

    Only things that are present in all of these frames are listed.
    """
    first = max(row - TRAIL, row - row % data.frames)
    if first == row:
        return []
    truth = data.truth(range(first, row + 1))
    if truth is None or truth.centres is None:
        return []
    return [(k, truth.centres[:, k]) for k in truth.present.all(0).nonzero()[:, 0].tolist()]


def _with_truth(
    picture: Image.Image, truth: Truth, n: int, zoom: int, trails: list[tuple[int, Tensor]]
) -> Image.Image:
    """The picture with the n-th entry of the truth drawn over it.

    Masks are lowest; over them are paths, boxes, centres and points. `zoom` is the picture's enlargement.
    """
    present = truth.present[n].nonzero()[:, 0].tolist()
    _outline_all(picture, truth, n, zoom, present)
    layer = Image.new("RGBA", (picture.width * FINE, picture.height * FINE))
    pen = ImageDraw.Draw(layer)
    for k, centres in trails:
        _path(pen, [_pixel(centre, layer.size, zoom) for centre in centres.tolist()], _colour(k))
    if truth.boxes is not None:
        for k in present:
            brackets(pen, truth.boxes[n, k].tolist(), zoom * FINE)
    if truth.centres is not None:
        for k in present:
            _dot(pen, _pixel(truth.centres[n, k].tolist(), layer.size, zoom), 2.6 * FINE, _colour(k))
    if truth.points is not None:
        for point in truth.points[n].tolist():
            _dot(pen, _pixel(point, layer.size, zoom), 1.7 * FINE, POINT)
    return laid_over(picture, layer)


def _colour(thing: int) -> Colour:
    return COLOURS[thing % len(COLOURS)]


def _outline_all(picture: Image.Image, truth: Truth, n: int, zoom: int, present: list[int]) -> None:
    """Draw the outlines of the visible masks into the picture, and thin outlines of the parts that are
    hidden."""
    if truth.masks is None:
        return
    if truth.whole is not None:
        for k in present:
            mask = truth.whole[n, k]
            visible = truth.masks[n, k]
            if (mask != visible).any():
                _outline(picture, mask, zoom, [Pen(1.2, _colour(k), 0.7)], visible)
    for k in present:
        _outline(picture, truth.masks[n, k], zoom, [Pen(2.6, LIGHT, 0.9), Pen(1.6, _colour(k), 1.0)])


def _outline(
    picture: Image.Image, mask: Bool[Tensor, "H W"], zoom: int, pens: list[Pen], outside: Tensor | None = None
) -> None:
    """Draw lines along the edge of the mask into the picture, one per pen; none inside the mask `outside`."""
    rows, columns = _window(mask)
    inside = _smoothed(mask[rows, columns], zoom)
    for pen in pens:
        ink = _edge(inside, pen.width)
        if outside is not None:
            ink = ink * (1 - F.avg_pool2d(_smoothed(outside[rows, columns], zoom), FINE)[0, 0])
        # `_smoothed` adds a pixel on each side
        stencil = (ink[zoom:-zoom, zoom:-zoom] * (255 * pen.strength)).round().byte().numpy()
        picture.paste(pen.colour, (columns.start * zoom, rows.start * zoom), Image.fromarray(stencil))


def _window(mask: Bool[Tensor, "H W"]) -> tuple[slice, slice]:
    """The span of rows and the span of columns that the mask occupies, with three more on each side."""
    return _wider_span(mask.any(1)), _wider_span(mask.any(0))


def _wider_span(occupied: Bool[Tensor, "n"]) -> slice:
    places = occupied.nonzero()[:, 0]
    return slice(max(int(places[0]) - 3, 0), int(places[-1]) + 4)


def _edge(inside: Float[Tensor, "1 1 h w"], width: float) -> Float[Tensor, "y x"]:
    """How much of each pixel lies within `width` of the edge of `inside`, from 0 to 1."""
    reach = 2 * round(width * FINE / 2) + 1
    spread = _widest(inside, reach)
    shrunk = -_widest(-inside, reach)
    return F.avg_pool2d(spread - shrunk, FINE)[0, 0]


def _widest(values: Tensor, reach: int) -> Tensor:
    return F.max_pool2d(F.max_pool2d(values, (reach, 1), 1, (reach // 2, 0)), (1, reach), 1, (0, reach // 2))


def _smoothed(mask: Bool[Tensor, "H W"], zoom: int) -> Float[Tensor, "1 1 h w"]:
    """The mask and one pixel around it, enlarged, with the steps of its edge rounded off."""
    padded = F.pad(mask[None, None].float(), (1, 1, 1, 1), "replicate")
    large = F.interpolate(padded, scale_factor=zoom * FINE, mode="bilinear")
    side = 2 * (zoom * FINE // 2) + 1
    for _ in range(2):
        for kernel, margin in (((side, 1), (side // 2, 0)), ((1, side), (0, side // 2))):
            large = F.avg_pool2d(large, kernel, 1, margin, count_include_pad=False)
    return (large > 0.48).float()


def _path(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: Colour) -> None:
    pen.line(points, fill=(*LIGHT, 200), width=2 * FINE, joint="curve")
    pen.line(points, fill=(*colour, 255), width=FINE, joint="curve")


def brackets(pen: ImageDraw.ImageDraw, box: list[float], zoom: int) -> None:
    """Draw the four corners of a box, slightly outside it, in a layer that is enlarged by `FINE`."""
    margin = 1.5 * FINE
    top = box[0] * zoom - margin
    left = box[1] * zoom - margin
    bottom = (box[2] + 1) * zoom + margin
    right = (box[3] + 1) * zoom + margin
    arm = 0.22 * min(bottom - top, right - left)
    for row, down in ((top, arm), (bottom, -arm)):
        for column, across in ((left, arm), (right, -arm)):
            corner = [(column, row + down), (column, row), (column + across, row)]
            pen.line(corner, fill=(*DARK, 150), width=2 * FINE + 1)
            pen.line(corner, fill=(*LIGHT, 255), width=FINE + 1)


def _dot(pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    x, y = centre
    for size, ink in ((radius + FINE, LIGHT), (radius, colour)):
        pen.ellipse([x - size, y - size, x + size, y + size], fill=(*ink, 255))


def _pixel(point: list[float], size: tuple[int, int], zoom: int) -> tuple[float, float]:
    """The place (x, y) in a layer of this `size`, in pixels, of a point (row, column) in [-1, 1].

    -1 and 1 are the middles of the outermost pixels.
    """
    margin = zoom * FINE
    row, column = ((coordinate + 1) / 2 for coordinate in point)
    return margin / 2 + column * (size[0] - margin), margin / 2 + row * (size[1] - margin)
