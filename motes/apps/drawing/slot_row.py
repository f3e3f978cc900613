"""A picture beside what slots make of it: the drawn picture, whose each pixel is, and every slot alone."""

import torch
from PIL import Image
from torch import Tensor

from motes.apps.drawing.marks import COLOURS, to_picture
from motes.ops.scores.shares import owners_of
from motes.types.slots import Slots

# of pixels that belong to the ground, or to no slot
NOBODY = (40, 40, 40)


def slot_row(image: Tensor, latent: Slots, picture: int, side: int) -> list[Image.Image]:
    """The picture, the drawn picture, whose each pixel is, and each slot that is present, on white."""
    slots = latent[picture]
    assert slots.colours is not None, "the layers of changed codes have not been drawn"
    drawn = [image, slots.mixed()[0], owners_in_colours(slots)]
    masks = slots.masks[0][:, None]
    alone = masks * slots.colours[0] + (1 - masks)
    drawn += [alone[slot] for slot in range(slots.count) if slots.believed[0, slot]]
    return [to_picture(part, side) for part in drawn]


def owners_in_colours(latent: Slots) -> Tensor:
    """A picture of one picture's slots: every pixel in the colour of the slot that it belongs to."""
    owners = owners_of(latent.shares, latent.believed)[0]
    numbers = torch.arange(latent.count) % len(COLOURS)
    palette = torch.tensor([NOBODY, *COLOURS])[torch.cat([torch.zeros(1, dtype=torch.int64), numbers + 1])]
    return palette[owners.cpu()].permute(2, 0, 1) / 255
