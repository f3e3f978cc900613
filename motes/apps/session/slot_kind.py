"""Edits of slots: of their presences, codes and order."""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from motes.apps.session.edits import Edits, Look, Touch
from motes.apps.session.kind import Kind, Reads, in_order, refuse_beyond
from motes.errors import UserError
from motes.ops.rendering.footprints import VisibleBoxes
from motes.types.slots import Slots


class SlotKind(Kind):
    """Latents that describe a picture as slots that share its pixels.

    Of a `Touch`, only the presence and the features are edited; the features are the slot's code.
    """

    name = "slots"
    files = "slots"
    editable = ("particles", "order")

    def fits(self, latent: Any) -> bool:
        return isinstance(latent, Slots)

    def numbers(self, latent: Slots) -> dict[str, Tensor]:
        return {"presence": latent.presence[0], "features": latent.codes[0]}

    def edited(self, edits: Edits, latent: Slots, look: Look) -> Slots:
        for slot, touch in sorted(edits.particles.items()):
            if slot >= latent.count:
                raise UserError(f"there is no slot {slot}; this picture has {latent.count}")
            latent = _touched(latent, slot, touch)
        return in_order(latent, edits.order, "slots")

    def lines(self, edits: Edits, latent: Slots, reads: Reads) -> list[str]:
        lines = []
        for slot, touch in sorted(edits.particles.items()):
            for dimension, value in sorted(touch.features.items()):
                lines.append(f"latent = latent.traversed({slot}, {dimension}, {value!r})")
            if touch.presence is not None:
                lines.append(f"latent = latent.with_presence({slot}, {touch.presence!r})")
        if edits.order:
            lines.append(f"latent = latent.restacked({list(edits.order)})")
        return lines

    def vectors(self, latent: Slots) -> Float[Tensor, "M F"]:
        return latent.codes.flatten(0, 1)

    def rows(
        self,
        latent: Slots,
        picture: int,
        boxes: VisibleBoxes | None = None,
        middles: Float[Tensor, "B K 2"] | None = None,
    ) -> list[dict[str, Any]]:
        return [_row(latent, picture, slot) for slot in range(latent.count)]

    def columns(self, latent: Slots) -> dict[str, Tensor]:
        """The codes, and the share and the centre of each mask; layers, which are large, are drawn from codes."""
        layers = ("mask_logits", "colours", "ground", "fits")
        columns = {name: tensor for name, tensor in latent.tensors().items() if name not in layers}
        if latent.mask_logits is None:
            return columns
        masks = latent.masks
        return {**columns, "share": masks.mean((-2, -1)), "centre": _centres(masks)}

    def with_presence(self, latent: Slots, presence: float) -> Slots:
        return replace(latent, presence=torch.full_like(latent.presence, presence))


def _touched(latent: Slots, slot: int, touch: Touch) -> Slots:
    if any(part is not None for part in (touch.position, touch.scale, touch.look, touch.copy_of)):
        raise UserError("a slot has a presence and a code; it cannot be moved, resized or copied here")
    for dimension, value in touch.features.items():
        refuse_beyond(dimension, latent.codes.shape[-1], "a slot's code")
        latent = latent.traversed(slot, dimension, value)
    return latent if touch.presence is None else latent.with_presence(slot, touch.presence)


def _row(latent: Slots, picture: int, slot: int) -> dict[str, Any]:
    """A table row of one slot of a picture.

    If the slots have layers, the row also holds the slot's share of the picture, and the centre of its mask
    in [-1, 1].
    """
    row: dict[str, Any] = {"slot": slot, "presence": latent.presence[picture, slot].item()}
    if latent.mask_logits is not None:
        mask = latent.masks[picture, slot]
        centre = _centres(mask).tolist()
        row |= {"share": mask.mean().item(), "row": centre[0], "column": centre[1]}
    numbers = latent.codes[picture, slot].tolist()
    return row | {f"code_{number}": value for number, value in enumerate(numbers)}


def _centres(mask: Float[Tensor, "*B H W"]) -> Float[Tensor, "*B 2"]:
    """The centre of each mask, (row, column) in [-1, 1]."""
    height, width = mask.shape[-2:]
    rows = torch.linspace(-1, 1, height, device=mask.device)
    columns = torch.linspace(-1, 1, width, device=mask.device)
    moments = torch.stack([(mask.sum(-1) * rows).sum(-1), (mask.sum(-2) * columns).sum(-1)], -1)
    return moments / mask.sum((-2, -1)).clamp_min(1e-9)[..., None]
