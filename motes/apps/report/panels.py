"""Panels of a report, and the preview of an unfinished run.

They show held-out pictures, with their latents and reconstructions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image as Pictures
from torch import Tensor

from motes.apps.drawing import marks as draw
from motes.apps.drawing import svg
from motes.apps.session.kinds import kind_of
from motes.models.abilities import Encloses, Glimpses, Proposes, Samples
from motes.models.base import Model
from motes.models.middles import particle_middles
from motes.ops.rendering.footprints import VisibleBoxes
from motes.types.latents import Image
from motes.types.slots import Slots

# pictures whose glimpses or slots are shown one by one
WITH_PARTS = 4
# side of a picture in the preview, in pixels, about
PREVIEW_SIDE = 128


@dataclass(frozen=True)
class Panel:
    """A part of the page: its title, a sentence about it, and its drawing as HTML."""

    title: str
    sentence: str
    drawing: str

    def html(self) -> str:
        return f"<h2>{self.title}</h2><p>{self.sentence}</p>{self.drawing}"


@dataclass(frozen=True)
class Shown:
    """The pictures of a report, their latents, and the pictures that the model draws from these latents."""

    model: Model
    image: Image
    latent: Any
    drawn: Image
    # around what is visible of each thing, if the model knows
    boxes: VisibleBoxes | None
    # of what each particle draws; None where there are no particles
    middles: Float[Tensor, "B K 2"] | None

    @classmethod
    def of(cls, model: Model, image: Image, frames: int = 1) -> "Shown":
        """Encode the pictures, and draw them again.

        The pictures are whole clips of `frames` frames each.
        """
        with torch.no_grad():
            latent = model.encode_clips(image, frames)
            boxes = model.boxes(latent) if isinstance(model, Encloses) else None
            middles = particle_middles(model, latent)
            return cls(model, image, latent, model.decode(latent), boxes, middles)

    @property
    def kind(self) -> str:
        return kind_of(self.latent).name

    @property
    def with_parts(self) -> range:
        """The numbers of the pictures whose glimpses or slots are drawn one by one."""
        return range(min(WITH_PARTS, len(self.image)))


def panels(shown: Shown) -> list[Panel]:
    """The panels for this kind of latent and these abilities of the model."""
    with torch.no_grad():
        return [panel for make in PANELS for panel in make(shown)]


def preview(model: Model, image: Image) -> Pictures.Image:
    """One picture with the originals above their reconstructions.

    For models with particles, a row between them shows the particles.
    """
    shown = Shown.of(model, image)
    rows = [
        [draw.to_picture(pixels, PREVIEW_SIDE) for pixels in pictures] for pictures in (image, shown.drawn)
    ]
    if shown.kind == "particles":
        marked = [
            draw.with_particles(pixels, shown.latent, number, PREVIEW_SIDE, shown.boxes, shown.middles)
            for number, pixels in enumerate(image)
        ]
        rows.insert(1, marked)
    return draw.sheet(rows)


def _originals(shown: Shown) -> Iterator[Panel]:
    yield Panel("Originals", "Pictures that training never saw.", _strip(shown.image))


def _particles(shown: Shown) -> Iterator[Panel]:
    if shown.kind != "particles":
        return
    size = shown.image.shape[2:]
    rings = [
        svg.rings(draw.marks(shown.latent, number, shown.boxes, shown.middles), number, *size)
        for number in range(len(shown.image))
    ]
    yield Panel(
        "Particles",
        "A ring where the model is sure that something is: the larger, the surer of its place. "
        f"{'A box around what is visible of it. ' if shown.boxes else ''}Faint dots: it doubts. Point at one.",
        _strip(shown.image, rings),
    )


def _reconstructions(shown: Shown) -> Iterator[Panel]:
    error = (shown.drawn - shown.image).abs().mean(1, keepdim=True)
    yield Panel(
        "Reconstructions",
        "Drawn from the latent alone; below, where that is off (black: not at all, white: by everything).",
        _strip(shown.drawn) + _strip(error),
    )


def _proposals(shown: Shown) -> Iterator[Panel]:
    if not isinstance(shown.model, Proposes):
        return
    size = shown.image.shape[2:]
    dots = [svg.dots(points.tolist(), *size) for points in shown.model.proposals(shown.image)]
    yield Panel(
        "Proposals",
        "Points that the prior proposes, patch by patch; the particles are drawn to them.",
        _strip(shown.image, dots),
    )


def _glimpses(shown: Shown) -> Iterator[Panel]:
    if not isinstance(shown.model, Glimpses) or shown.kind != "particles":
        return
    glimpses = shown.model.glimpses(shown.latent)
    rows = [_glimpse_row(shown, glimpses[number], number) for number in shown.with_parts]
    yield Panel(
        "Glimpses",
        "Each particle drawn alone, over chequers where it is transparent; faint where the model doubts it. "
        "The front comes first.",
        "".join(rows),
    )


def _slots(shown: Shown) -> Iterator[Panel]:
    if shown.kind != "slots" or shown.latent.mask_logits is None or shown.latent.colours is None:
        return
    rows = [_slot_row(shown.image[number], shown.latent, number) for number in shown.with_parts]
    yield Panel(
        "Slots",
        "Each slot drawn alone, over chequers where other slots have the pixels; faint where it is left out.",
        "".join(rows),
    )


def _new_pictures(shown: Shown) -> Iterator[Panel]:
    if not isinstance(shown.model, Samples):
        return
    torch.manual_seed(0)
    drawn = shown.model.decode(shown.model.sample(len(shown.image)))
    yield Panel("New pictures", "Drawn from codes that belong to no picture.", _strip(drawn))


# in the order of the page
PANELS = (_originals, _particles, _reconstructions, _proposals, _glimpses, _slots, _new_pictures)


def _strip(images: Tensor, overlays: list[str] | None = None) -> str:
    """The HTML of pictures side by side; `overlays` are SVG drawings, one to lie over each picture."""
    overlays = overlays or [""] * len(images)
    cells = [cell(pixels, overlay) for pixels, overlay in zip(images, overlays, strict=True)]
    return f'<div class="strip">{"".join(cells)}</div>'


def cell(pixels: Tensor, overlay: str = "") -> str:
    """The HTML of a picture, with an SVG drawing over it."""
    return f'<figure class="cell">{_img(draw.to_picture(pixels))}{overlay}</figure>'


def _img(picture: Pictures.Image) -> str:
    return f'<img alt="" src="{draw.as_data_uri(picture)}">'


def _glimpse_row(shown: Shown, windows: Tensor, picture: int) -> str:
    """The HTML of a picture with its particles, followed by each particle's glimpse."""
    image = shown.image[picture]
    marks = draw.marks(shown.latent, picture, shown.boxes, shown.middles)
    cells = [cell(image, svg.rings(marks, picture, *image.shape[1:]))]
    for mark in sorted(marks, key=lambda mark: mark.number):
        attributes = (
            f'data-mote="{picture}-{mark.number}" style="--c:rgb{mark.colour}" title="{escape(mark.label)}"'
        )
        cells.append(_part(windows[mark.number], mark.number, mark.sure, attributes))
    return _in_a_row(cells)


def _slot_row(image: Tensor, latent: Slots, picture: int) -> str:
    """The HTML of a picture, followed by each slot: its colours, shown where its mask is."""
    assert latent.colours is not None
    layers = torch.cat([latent.masks[picture][:, None], latent.colours[picture]], 1)
    cells = [cell(image)]
    for slot, layer in enumerate(layers):
        colour = draw.COLOURS[slot % len(draw.COLOURS)]
        attributes = f'style="--c:rgb{colour}" title="slot {slot}"'
        cells.append(_part(layer, slot, bool(latent.believed[picture, slot]), attributes))
    return _in_a_row(cells)


def _in_a_row(cells: list[str]) -> str:
    return f'<div class="glimpses">{"".join(cells)}</div>'


def _part(layer: Tensor, number: int, present: bool, attributes: str) -> str:
    """The HTML of one particle or slot drawn alone.

    `layer` is its alpha, then its colours; it is drawn faint if not `present`.
    """
    doubted = "" if present else " doubted"
    return (
        f'<figure class="glimpse{doubted}" {attributes}>{_img(draw.cutout(layer))}'
        f"<figcaption>{number}</figcaption></figure>"
    )
