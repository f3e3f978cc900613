"""Contact sheets of data: pictures with what is known of them drawn over, a clip as a row of frames."""

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

# of a picture; of the sheet; shown of a clip; from one of them to the next, at most
SIDE = 256
COLUMNS = 6
FRAMES = 8
STRIDE = 12
# on a sheet, if not told
PICTURES = 24
CLIPS = 6
TRAIL = 5  # frames of the way that a centre came
FINE = 2  # lines are drawn so much larger and shrunk
LIGHT = (255, 255, 255)
DARK = (20, 20, 20)
POINT = (255, 193, 7)
PARTS = {"centres": "centres", "boxes": "boxes", "masks": "masks", "whole": "whole masks", "points": "points"}


def show(recipe: Recipe, out: Path, count: int | None = None, split: Split = "train") -> None:
    """Write the sheet, and say where."""
    data = recipe.source.open(split)
    count = count or (PICTURES if data.frames == 1 else CLIPS)
    picture = contact_sheet(data, count)
    save_picture(picture, out)
    shown = min(count, len(data) // data.frames)
    kind = "clips" if data.frames > 1 else "pictures"
    known = data.truth([0])
    facts = "nothing else is known of them" if known is None else f"known: {', '.join(_known(known))}"
    print(f"{shown} of {len(data) // data.frames:,} {kind} of {recipe.data} ({split}); {facts}: {out}")


def contact_sheet(data: Dataset, count: int) -> Image.Image:
    """The first `count` pictures or clips."""
    count = min(count, len(data) // data.frames)
    if data.frames == 1:
        drawn = drawn_rows(data, list(range(count)))
        return sheet([drawn[start : start + COLUMNS] for start in range(0, count, COLUMNS)])
    stride = max(min(STRIDE, data.frames // FRAMES), 1)
    times = range(0, min(data.frames, FRAMES * stride), stride)
    return sheet([drawn_rows(data, [clip * data.frames + time for time in times]) for clip in range(count)])


def drawn_rows(data: Dataset, rows: list[int]) -> list[Image.Image]:
    """Each row of the data enlarged, with its truth; in a clip, also the ways that centres just came."""
    image = data.batch(rows).image
    truth = data.truth(rows)
    pictures = [to_picture(one, SIDE) for one in image]
    if truth is None:
        return pictures
    zoom = pictures[0].width // image.shape[-1]
    return [
        _with_truth(picture, truth, n, zoom, _trails(data, rows[n])) for n, picture in enumerate(pictures)
    ]


def _known(truth: Truth) -> list[str]:
    parts = [words for name, words in PARTS.items() if getattr(truth, name) is not None]
    return ["presence", *parts, *truth.factors, *truth.scene]


def _with_truth(
    picture: Image.Image, truth: Truth, n: int, zoom: int, trails: list[tuple[int, Tensor]]
) -> Image.Image:
    there = truth.present[n].nonzero()[:, 0].tolist()
    for k in there:
        if (
            truth.whole is not None
            and truth.masks is not None
            and (truth.whole[n, k] != truth.masks[n, k]).any()
        ):
            _outlined(
                picture, truth.whole[n, k], zoom, [(1.2, COLOURS[k % len(COLOURS)], 0.7)], truth.masks[n, k]
            )
    for k in there:
        if truth.masks is not None:
            _outlined(
                picture, truth.masks[n, k], zoom, [(2.6, LIGHT, 0.9), (1.6, COLOURS[k % len(COLOURS)], 1.0)]
            )
    layer = Image.new("RGBA", (picture.width * FINE, picture.height * FINE))
    pen = ImageDraw.Draw(layer)
    for k, way in trails:
        pen.line(
            [_place(at, layer.size, zoom) for at in way.tolist()],
            fill=(*LIGHT, 200),
            width=2 * FINE,
            joint="curve",
        )
        pen.line(
            [_place(at, layer.size, zoom) for at in way.tolist()],
            fill=(*COLOURS[k % len(COLOURS)], 255),
            width=FINE,
            joint="curve",
        )
    for k in there:
        if truth.boxes is not None:
            _brackets(pen, truth.boxes[n, k].tolist(), zoom * FINE, COLOURS[k % len(COLOURS)])
    for k in there:
        if truth.centres is not None:
            _dot(
                pen,
                _place(truth.centres[n, k].tolist(), layer.size, zoom),
                2.6 * FINE,
                COLOURS[k % len(COLOURS)],
            )
    for at in truth.points[n].tolist() if truth.points is not None else []:
        _dot(pen, _place(at, layer.size, zoom), 1.7 * FINE, POINT)
    return laid_over(picture, layer)


def _trails(data: Dataset, row: int) -> list[tuple[int, Float[Tensor, "T 2"]]]:
    """Of each thing that was there all the while, its centres in the last frames."""
    first = max(row - TRAIL, row - row % data.frames)
    if first == row or (truth := data.truth(range(first, row + 1))) is None or truth.centres is None:
        return []
    return [(k, truth.centres[:, k]) for k in truth.present.all(0).nonzero()[:, 0].tolist()]


def _outlined(
    picture: Image.Image,
    mask: Bool[Tensor, "H W"],
    zoom: int,
    pens: list[tuple[float, Colour, float]],
    but: Tensor | None = None,
) -> None:
    """Lines along the edge of the mask: width to each side in enlarged pixels, colour, strength; none inside
    `but`."""
    rows = mask.any(1).nonzero()[:, 0]
    columns = mask.any(0).nonzero()[:, 0]
    top = max(int(rows[0]) - 3, 0)
    left = max(int(columns[0]) - 3, 0)
    window = slice(top, int(rows[-1]) + 4), slice(left, int(columns[-1]) + 4)
    inside = _smoothed(mask[window], zoom)
    for width, colour, strength in pens:
        reach = 2 * round(width * FINE / 2) + 1
        spread = _widest(inside, reach)
        shrunk = -_widest(-inside, reach)
        ink = F.avg_pool2d(spread - shrunk, FINE)[0, 0]
        if but is not None:
            ink = ink * (1 - F.avg_pool2d(_smoothed(but[window], zoom), FINE)[0, 0])
        stencil = (ink[zoom:-zoom, zoom:-zoom] * (255 * strength)).round().byte().numpy()
        picture.paste(colour, (left * zoom, top * zoom), Image.fromarray(stencil))


def _widest(values: Tensor, reach: int) -> Tensor:
    return F.max_pool2d(F.max_pool2d(values, (reach, 1), 1, (reach // 2, 0)), (1, reach), 1, (0, reach // 2))


def _smoothed(mask: Bool[Tensor, "H W"], zoom: int) -> Float[Tensor, "1 1 h w"]:
    """The mask and a pixel around it, enlarged, the steps of its edge rounded off."""
    large = F.interpolate(
        F.pad(mask[None, None].float(), (1, 1, 1, 1), "replicate"), scale_factor=zoom * FINE, mode="bilinear"
    )
    side = 2 * (zoom * FINE // 2) + 1
    for _ in range(2):
        for kernel, margin in (((side, 1), (side // 2, 0)), ((1, side), (0, side // 2))):
            large = F.avg_pool2d(large, kernel, 1, margin, count_include_pad=False)
    return (large > 0.48).float()


def _brackets(pen: ImageDraw.ImageDraw, box: list[float], zoom: int, colour: Colour) -> None:
    """The corners of a box, a little outside it."""
    top, left, bottom, right = (
        edge * zoom + way * 1.5 * FINE
        for edge, way in zip((*box[:2], box[2] + 1, box[3] + 1), (-1, -1, 1, 1), strict=True)
    )
    arm = 0.22 * min(bottom - top, right - left)
    for row, down in ((top, arm), (bottom, -arm)):
        for column, across in ((left, arm), (right, -arm)):
            path = [(column, row + down), (column, row), (column + across, row)]
            pen.line(path, fill=(*DARK, 150), width=2 * FINE + 1)
            pen.line(path, fill=(*LIGHT, 255), width=FINE + 1)


def _dot(pen: ImageDraw.ImageDraw, at: tuple[float, float], radius: float, colour: Colour) -> None:
    for size, ink in ((radius + FINE, LIGHT), (radius, colour)):
        pen.ellipse([at[0] - size, at[1] - size, at[0] + size, at[1] + size], fill=(*ink, 255))


def _place(at: list[float], size: tuple[int, int], zoom: int) -> tuple[float, float]:
    """(row, column) in [-1, 1] between the middles of the outer pixels, to x and y."""
    margin = zoom * FINE
    row, column = ((one + 1) / 2 for one in at)
    return margin / 2 + column * (size[0] - margin), margin / 2 + row * (size[1] - margin)
