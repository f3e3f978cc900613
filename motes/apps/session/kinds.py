"""KINDS: the table of kinds of latents, each with what apps can do with such a latent.

A latent is served by the first kind of the table that fits its type and abilities. A latent that fits none is
shown as a picture only, and edits of it are refused with an error of one sentence.
"""

from typing import Any

from torch import Tensor

from motes.apps.session.code_kind import CodeKind
from motes.apps.session.edits import Edits, Look
from motes.apps.session.kind import Kind
from motes.apps.session.particle_kind import ParticleKind
from motes.apps.session.slot_kind import SlotKind
from motes.errors import UserError
from motes.types.rows import Rows


class OtherKind(Kind):
    """Latents that no other kind fits: they are drawn and scored, but cannot be edited."""

    name = "other"

    def fits(self, latent: Any) -> bool:
        return isinstance(latent, Rows)

    def numbers(self, latent: Rows) -> dict[str, Tensor]:
        return {}


KINDS: tuple[Kind, ...] = (
    ParticleKind(),
    SlotKind(),
    CodeKind(),
    # the last, for it fits all
    OtherKind(),
)


def kind_of(latent: Any) -> Kind:
    """The first kind of KINDS that fits the latent."""
    for kind in KINDS:
        if kind.fits(latent):
            return kind
    raise UserError(
        f"this model's latent is a {type(latent).__name__}; it should be a record of motes.types.rows.Rows"
    )


def part_way(latent: Any, target: Any, share: float) -> Any:
    """The blend of the latents of two pictures; `share` goes from 0 (`latent`) to 1 (`target`).

    Particles move to their matches in the other picture; a code moves along a straight line.
    """
    return kind_of(latent).between(latent, target, share)


def apply(edits: Edits, latent: Any, look: Look) -> Any:
    """The latent of one picture after the edits.

    `look` finds the latents of other pictures by the names in the edits.
    """
    kind = kind_of(latent)
    kind.refuse_other_edits(edits, latent)
    edited = kind.edited(edits.without_target(), latent, look)
    target, share = edits.towards
    return edited if not target or share == 0 else part_way(edited, look(target), share)
