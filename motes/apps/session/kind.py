"""What apps do with latents of one kind.

They edit and blend them, and describe them in numbers and in lines of Python.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from jaxtyping import Float
from torch import Tensor

from motes.apps.session.edits import Edits, Look
from motes.errors import UserError

# from a picture's name to the Python expression that reads it
Reads = Callable[[str], str]

NOTHING = Edits()


class Kind(ABC):
    """What apps do with latents of one kind. All methods but `fits` take latents that `fits` accepts."""

    # the name that pages and exports use
    name: str
    # the name of the files that `motes encode` writes
    files: str = "latents"
    # the fields of `Edits` that `edited` knows, apart from `towards`
    editable: tuple[str, ...] = ()
    # whether its things have positions, at which a page may lay the layers of a picture by itself
    has_positions: bool = False

    @abstractmethod
    def fits(self, latent: Any) -> bool: ...

    @abstractmethod
    def numbers(self, latent: Any) -> dict[str, Tensor]:
        """The latent of one picture in numbers, by name, without the picture's axis."""

    def edited(self, edits: Edits, latent: Any, look: Look) -> Any:
        """The latent of one picture after edits of `editable` fields.

        `look` finds the latents of other pictures that they name.
        """
        return latent

    def between(self, latent: Any, target: Any, share: float) -> Any:
        """The blend of the latent with that of another picture; `share` goes from 0 to 1."""
        raise UserError(f"there is no way between latents of the kind {type(latent).__name__}")

    def lines(self, edits: Edits, latent: Any, reads: Reads) -> list[str]:
        """Lines of Python that do the same edits to `latent`, without the blend towards another picture."""
        return []

    def vectors(self, latent: Any) -> Float[Tensor, "M F"] | None:
        """The vectors over whose spread sliders range; None where no slider edits anything."""
        return None

    def rows(self, latent: Any, picture: int) -> list[dict[str, Any]]:
        """Table rows of a picture, as `motes encode` writes them: one for each thing in it."""
        return []

    def with_one_more(self, latent: Any) -> Any:
        """The latent of one picture with one thing more; None where edits cannot add any."""
        return None

    def with_presence(self, latent: Any, presence: float) -> Any:
        """The latent with this presence of all its things; None where things have no presence."""
        return None

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
    """The latent with its particles or slots in this order; as it is where there is none."""
    if not order:
        return latent
    if sorted(order) != list(range(latent.count)):
        raise UserError(f"order should name each of the {latent.count} {things} once")
    return latent.restacked(order)


def refuse_beyond(dimension: int, count: int, owner: str) -> None:
    if dimension >= count:
        raise UserError(f"{owner} has {count} numbers; there is no number {dimension}")
