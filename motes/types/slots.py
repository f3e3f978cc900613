"""Slots: a picture as layers that share its pixels out between them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.types.rows import Rows


@dataclass(frozen=True)
class Slots(Rows):
    """A picture as K slots. Each has a code, how sure the model is of it, a colour and a mask logit for every
    pixel, and a presence: a slot of presence 0 is left out, as if there had been one less.

    The layers (mask logits and colours) are what the model drew from the codes. They are None when a code was
    changed and nothing has been drawn since. Edits return new objects and touch one slot of one picture
    (`picture` counts within the batch).

    >>> slots = Slots(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), torch.ones(1, 2),
    ...     torch.zeros(1, 2, 4, 4), torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)])[None])
    >>> slots.mixed().mean().item(), slots.without(0).mixed().mean().item()
    (0.5, 1.0)
    """

    codes: Float[Tensor, "B K F"]
    # of each number of a code; small = certain
    log_variance: Float[Tensor, "B K F"]
    # 0 = left out, 1 = there
    presence: Float[Tensor, "B K"]
    mask_logits: Float[Tensor, "B K H W"] | None = None
    colours: Float[Tensor, "B K C H W"] | None = None
    # lower bound of the picture's log-likelihood, in nats
    bound: Float[Tensor, "B"] | None = None

    @property
    def count(self) -> int:
        """K, the number of slots of each picture."""
        return self.codes.shape[1]

    @property
    def believed(self) -> Bool[Tensor, "B K"]:
        """The slots that take part in the picture."""
        return self.presence > 0.5

    @property
    def masks(self) -> Float[Tensor, "B K H W"]:
        """Each slot's share of each pixel, presence * exp(logit) over the sum of all slots; zeros where no
        slot is present."""
        assert self.mask_logits is not None, "the layers of changed codes have not been drawn"
        logits = self.mask_logits + self.presence.log()[..., None, None]
        return torch.where(self.presence.any(1)[:, None, None, None], logits.softmax(1), 0.0)

    def mixed(self) -> Float[Tensor, "B C H W"]:
        """The picture: the slots' colours, weighted by their masks."""
        assert self.colours is not None, "the layers of changed codes have not been drawn"
        return (self.masks[:, :, None] * self.colours).sum(1)

    def with_presence(self, slot: int, presence: float, picture: int = 0) -> "Slots":
        """The same slots, one of them more or less there."""
        changed = self.presence.clone()
        changed[picture, slot] = presence
        return replace(self, presence=changed)

    def without(self, slot: int, picture: int = 0) -> "Slots":
        """The same slots, one of them left out; the others share its pixels as their logits say."""
        return self.with_presence(slot, 0.0, picture)

    def with_code(self, slot: int, code: Float[Tensor, " F"], picture: int = 0) -> "Slots":
        """The same slots, one of them with another code. The layers are gone until the model draws them."""
        codes = self.codes.clone()
        codes[picture, slot] = code
        return replace(self, codes=codes, mask_logits=None, colours=None)

    def traversed(self, slot: int, dimension: int, value: float, picture: int = 0) -> "Slots":
        """The same slots, one number of one code set to a value."""
        code = self.codes[picture, slot].clone()
        code[dimension] = value
        return self.with_code(slot, code, picture)

    def with_slot_of(
        self, other: "Slots", source: int, target: int, picture: int = 0, other_picture: int = 0
    ) -> "Slots":
        """The same slots, `target` replaced by slot `source` of another picture, its layers included."""
        changed: dict[str, Tensor] = {}
        for name, value in self.per_slot(other).items():
            changed[name] = value.clone()
            changed[name][picture, target] = getattr(other, name)[other_picture, source]
        return self._with_parts(changed)

    def swapped(self, first: int, second: int, picture: int = 0, other_picture: int | None = None) -> "Slots":
        """Two slots change places: of one picture, or slot `first` of one and slot `second` of another
        picture."""
        there = picture if other_picture is None else other_picture
        swapped = self.with_slot_of(self, second, first, picture, there)
        return swapped.with_slot_of(self, first, second, there, picture)

    def joined(self, other: "Slots", slot: int, other_picture: int = 0) -> "Slots":
        """One slot more: a copy of `slot` of another picture (or of this one). For a batch of one picture."""
        copied = (slice(other_picture, other_picture + 1), slice(slot, slot + 1))
        parts = self.per_slot(other)
        return self._with_parts(
            {name: torch.cat([value, getattr(other, name)[copied]], 1) for name, value in parts.items()}
        )

    def restacked(self, order: Sequence[int]) -> "Slots":
        """The same slots in another order, which changes no pixel."""
        rows = torch.as_tensor(order, device=self.codes.device)
        return self._with_parts({name: value[:, rows] for name, value in self.per_slot().items()})

    def per_slot(self, other: "Slots | None" = None) -> dict[str, Tensor]:
        """What each slot has, by name, without what is missing here (or in the other)."""
        names = ("codes", "log_variance", "presence", "mask_logits", "colours")
        parts = {name: getattr(self, name) for name in names}
        missing = {name for name in names if other is not None and getattr(other, name) is None}
        return {name: value for name, value in parts.items() if value is not None and name not in missing}

    def _with_parts(self, parts: dict[str, Tensor]) -> "Slots":
        """Layers that are not among the parts are gone; so is the bound, which was of other slots."""
        return replace(self, **{"mask_logits": None, "colours": None, "bound": None, **parts})
