"""`Kind`: what apps can do with one kind of latent.

A kind edits latents and blends them, and describes them in numbers and in lines of Python.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from jaxtyping import Float
from torch import Tensor

from motes.apps.session.edits import Edits, Look
from motes.errors import UserError
from motes.ops.rendering.footprints import VisibleBoxes

# from a picture's name to the Python expression for its latent
Reads = Callable[[str], str]

NOTHING = Edits()


class Kind(ABC):
    """What apps can do with one kind of latent. All methods but `fits` take latents that `fits` accepts."""

    # the name that pages and exports use
    name: str
    # the name of the files that `motes encode` writes
    files: str = "latents"
    # the fields of `Edits` that `edited` applies, apart from `towards`
    editable: tuple[str, ...] = ()
    # whether the things of a latent have positions, so that a page can compose a picture from its layers by
    # itself
    has_positions: bool = False

    @abstractmethod
    def fits(self, latent: Any) -> bool: ...

    @abstractmethod
    def numbers(self, latent: Any) -> dict[str, Tensor]:
        """The parts of one picture's latent by name, without the axis that counts pictures."""

    def edited(self, edits: Edits, latent: Any, look: Look) -> Any:
        """The latent of one picture after the edits, of which only `editable` fields may be set.

        `look` finds the latents of other pictures by the names in the edits.
        """
        return latent

    def between(self, latent: Any, target: Any, share: float) -> Any:
        """The blend of the latent with that of another picture; `share` goes from 0 to 1."""
        raise UserError(f"there is no way between latents of the kind {type(latent).__name__}")

    def lines(self, edits: Edits, latent: Any, reads: Reads) -> list[str]:
        """Lines of Python that apply the same edits to a variable `latent`.

        They leave out the blend towards another picture.
        """
        return []

    def vectors(self, latent: Any) -> Float[Tensor, "M F"] | None:
        """The vectors (features or codes) whose spread sets the range of sliders; None where sliders edit
        nothing."""
        return None

    def rows(
        self,
        latent: Any,
        picture: int,
        boxes: VisibleBoxes | None = None,
        middles: Float[Tensor, "B K 2"] | None = None,
    ) -> list[dict[str, Any]]:
        """Table rows of one picture of the latent, as `motes encode` writes them: one for each thing in the
        picture.

        `boxes` are those of the things, and `middles` the middles of what they draw, where they are known.
        """
        return []

    def columns(self, latent: Any) -> dict[str, Tensor]:
        """The columns of a table with one row for each picture, as `motes encode --parts` writes it."""
        return latent.tensors()

    def with_one_more(self, latent: Any) -> Any:
        """The latent of one picture with one more particle or slot; None where edits cannot add one."""
        return None

    def with_presence(self, latent: Any, presence: float) -> Any:
        """The latent with every particle or slot at this presence; None where the latent has no presences."""
        return None

    def has_sizes(self, latent: Any) -> bool:
        """Whether the things of the latent have sizes of their own, which edits may change."""
        return False

    def refuse_other_edits(self, edits: Edits, latent: Any) -> None:
        """Refuse edits of fields that are not `editable`."""
        names = [field.name for field in fields(Edits) if field.name not in (*self.editable, "towards")]
        refused = [name for name in names if getattr(edits, name) != getattr(NOTHING, name)]
        if not refused:
            return
        latent_type = type(latent).__name__
        if not self.editable:
            raise UserError(f"a latent of the kind {latent_type} cannot be edited here")
        raise UserError(
            f"{refused[0]} cannot be edited in a latent of the kind {latent_type}; "
            f"{', '.join(self.editable)} can"
        )


def in_order(latent: Any, order: Sequence[int], things: str) -> Any:
    """The latent with its particles or slots (named by `things`) in this order; unchanged if `order` is
    empty."""
    if not order:
        return latent
    if sorted(order) != list(range(latent.count)):
        raise UserError(f"order should name each of the {latent.count} {things} once")
    return latent.restacked(order)


def refuse_beyond(dimension: int, count: int, owner: str) -> None:
    if dimension >= count:
        raise UserError(f"{owner} has {count} numbers; there is no number {dimension}")
