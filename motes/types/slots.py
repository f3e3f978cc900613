"""`Slots`: a latent that describes a picture as K layers, among which masks divide its pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.types.rows import Rows


@dataclass(frozen=True)
class Slots(Rows):
    """A picture as K slots.

    Each slot has a code, the log-variance of this code, a presence, and for every pixel a colour and a mask
    logit. A slot of presence 0 is left out, as if there were one slot less.

    The layers (mask logits and colours) are what the model drew from the codes. They are None when a code was
    changed and nothing has been drawn since. Behind the slots there may be a ground, which has no code; its logit
    is 0. Edits return new objects and change one slot of one picture; `picture` is its number in the batch.

    >>> slots = Slots(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), torch.ones(1, 2),
    ...     torch.zeros(1, 2, 4, 4), torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)])[None])
    >>> slots.mixed().mean().item(), slots.without(0).mixed().mean().item()
    (0.5, 1.0)
    """

    codes: Float[Tensor, "B K F"]
    # of each number of a code; small = certain
    log_variance: Float[Tensor, "B K F"]
    # from 0, left out, to 1, present
    presence: Float[Tensor, "B K"]
    mask_logits: Float[Tensor, "B K H W"] | None = None
    colours: Float[Tensor, "B K C H W"] | None = None
    # lower bound of the picture's log-likelihood, in nats
    bound: Float[Tensor, "B"] | None = None
    # colour of each pixel of the ground
    ground: Float[Tensor, "B C H W"] | None = None
    # log-likelihood of each pixel of the picture that was encoded, given the slot's colour; beside the ground's,
    # where there is a ground
    fits: Float[Tensor, "B K H W"] | None = None

    @property
    def count(self) -> int:
        """K, the number of slots of each picture."""
        return self.codes.shape[1]

    @property
    def believed(self) -> Bool[Tensor, "B K"]:
        """Whether each slot takes part in its picture."""
        return self.presence > 0.5

    @property
    def masks(self) -> Float[Tensor, "B K H W"]:
        """Each slot's share of each pixel: presence * exp(logit), divided by the sum of this over all slots.

        A ground adds 1 to that sum. The shares are 0 where no slot is present.
        """
        assert self.mask_logits is not None, "the layers of changed codes have not been drawn"
        return self._shared(self.mask_logits)[:, 1:]

    @property
    def shares(self) -> Float[Tensor, "B A H W"]:
        """Whose each pixel is: the share of the ground, or of nobody, then those of the slots.

        Where it is known how well each slot's colour fits the picture, a mask is weighed by that. So a pixel that
        two slots would paint belongs to the one that is right.
        """
        assert self.mask_logits is not None, "the layers of changed codes have not been drawn"
        return self._shared(self.mask_logits if self.fits is None else self.mask_logits + self.fits)

    def mixed(self) -> Float[Tensor, "B C H W"]:
        """The picture that the slots make: their colours, weighted by their masks, and what is left of the
        ground."""
        assert self.colours is not None, "the layers of changed codes have not been drawn"
        masks = self.masks
        painted = (masks[:, :, None] * self.colours).sum(1)
        return painted if self.ground is None else painted + (1 - masks.sum(1, keepdim=True)) * self.ground

    def with_presence(self, slot: int, presence: float, picture: int = 0) -> "Slots":
        """The same slots, with another presence for one of them."""
        changed = self.presence.clone()
        changed[picture, slot] = presence
        return replace(self, presence=changed)

    def without(self, slot: int, picture: int = 0) -> "Slots":
        """The same slots, with one left out (presence 0).

        The other slots share its pixels according to their logits.
        """
        return self.with_presence(slot, 0.0, picture)

    def with_code(self, slot: int, code: Float[Tensor, " F"], picture: int = 0) -> "Slots":
        """The same slots, with another code for one of them.

        The layers are None until the model draws them again.
        """
        codes = self.codes.clone()
        codes[picture, slot] = code
        return replace(self, codes=codes, mask_logits=None, colours=None, fits=None)

    def traversed(self, slot: int, dimension: int, value: float, picture: int = 0) -> "Slots":
        """The same slots, with the number `dimension` of one slot's code set to `value`."""
        code = self.codes[picture, slot].clone()
        code[dimension] = value
        return self.with_code(slot, code, picture)

    def with_slot_of(
        self, other: "Slots", source: int, target: int, picture: int = 0, other_picture: int = 0
    ) -> "Slots":
        """The same slots, with `target` replaced by `source`, a slot of another picture, layers included."""
        changed: dict[str, Tensor] = {}
        for name, value in self.per_slot(other).items():
            changed[name] = value.clone()
            changed[name][picture, target] = getattr(other, name)[other_picture, source]
        return self._with_parts(changed)

    def swapped(self, first: int, second: int, picture: int = 0, other_picture: int | None = None) -> "Slots":
        """The slots with two of them exchanged.

        Both are slots of one picture or, with `other_picture`, slot `first` is of `picture` and slot `second`
        of the other.
        """
        target = picture if other_picture is None else other_picture
        swapped = self.with_slot_of(self, second, first, picture, target)
        return swapped.with_slot_of(self, first, second, target, picture)

    def joined(self, other: "Slots", slot: int, other_picture: int = 0) -> "Slots":
        """The slots and one more, for a batch of one picture.

        The new one is a copy of `slot` of the picture `other_picture` of `other`.
        """
        copied = (slice(other_picture, other_picture + 1), slice(slot, slot + 1))
        parts = self.per_slot(other)
        return self._with_parts(
            {name: torch.cat([value, getattr(other, name)[copied]], 1) for name, value in parts.items()}
        )

    def restacked(self, order: Sequence[int]) -> "Slots":
        """The same slots in another order, given by their numbers; this changes no pixel."""
        rows = torch.as_tensor(order, device=self.codes.device)
        return self._with_parts({name: value[:, rows] for name, value in self.per_slot().items()})

    def per_slot(self, other: "Slots | None" = None) -> dict[str, Tensor]:
        """The tensors of the slots (B K ...), by name; fields that are None here (or in `other`) are left out.

        So are the fits beside another picture's slots, which say nothing of this picture.
        """
        names = ("codes", "log_variance", "presence", "mask_logits", "colours", "fits")
        parts = {name: getattr(self, name) for name in names}
        missing = {name for name in names if other is not None and getattr(other, name) is None}
        missing |= set() if other is None else {"fits"}
        return {name: value for name, value in parts.items() if value is not None and name not in missing}

    def _with_parts(self, parts: dict[str, Tensor]) -> "Slots":
        """The slots with these tensors.

        Layers not among them become None, and so does the bound, which belonged to the earlier slots.
        """
        return replace(self, **{"mask_logits": None, "colours": None, "fits": None, "bound": None, **parts})

    def _shared(self, logits: Float[Tensor, "B K H W"]) -> Float[Tensor, "B A H W"]:
        """The shares of the ground, or of nobody, and of the slots, from logits beside the ground's."""
        logits = logits + self.presence.log()[..., None, None]
        back = torch.full_like(logits[:, :1], -math.inf if self.ground is None else 0.0)
        shares = torch.cat([back, logits], 1).softmax(1)
        nobody = torch.zeros_like(shares)
        nobody[:, 0] = 1
        anybody = self.presence.any(1)[:, None, None, None]
        return shares if self.ground is not None else torch.where(anybody, shares, nobody)
