"""KINDS: what apps do with a latent, by its kind.

A kind serves latents by what they are or can do. The first of the table that fits serves a latent. A latent of no other
kind is shown as a picture, and edits of it are refused in a sentence: nothing is taken for what it is not.
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
    """Latents that nobody here knows: they are drawn, kept and scored, and not edited."""

    name = "other"

    def fits(self, latent: Any) -> bool:
        return isinstance(latent, Rows)

    def numbers(self, latent: Rows) -> dict[str, Tensor]:
        return {}


KINDS: tuple[Kind, ...] = (
    ParticleKind(),
    SlotKind(),
    CodeKind(),
    OtherKind(),  # the last, for it fits all
)


def kind_of(latent: Any) -> Kind:
    """The kind that serves a latent."""
    for kind in KINDS:
        if kind.fits(latent):
            return kind
    raise UserError(
        f"this model's latent is a {type(latent).__name__}; it should be a record of motes.types.rows.Rows"
    )


def on_the_way(latent: Any, other: Any, share: float) -> Any:
    """From one picture's latent to another's: particles to those that match them, a code along the straight line."""
    return kind_of(latent).between(latent, other, share)


def apply(edits: Edits, latent: Any, look: Look) -> Any:
    """The latent of one picture after the edits; `look` finds the latents of other pictures that they name."""
    name, share = edits.towards
    changed = kind_of(latent).edited(edits.still(), latent, look)
    return changed if not name or share == 0 else on_the_way(changed, look(name), share)
