"""What apps do with one kind of latent: edit it, blend it, tell it in numbers and in lines of Python."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor

from motes.apps.session.edits import Edits, Look
from motes.errors import UserError

Reads = Callable[[str], str]  # a picture's name -> the Python expression that reads it


class Kind(ABC):
    """What apps do with the latents of one kind. Methods are given latents that `fits` accepted."""

    name: str  # as pages and exports call it

    @abstractmethod
    def fits(self, latent: Any) -> bool: ...

    @abstractmethod
    def numbers(self, latent: Any) -> dict[str, Tensor]:
        """The latent of one picture in numbers, by name, without the picture's axis."""

    def edited(self, edits: Edits, latent: Any, look: Look) -> Any:
        """The latent of one picture after the edits; `look` finds the latents of other pictures that they name."""
        if edits != Edits():
            raise UserError(
                f"a latent of the kind {type(latent).__name__} cannot be edited here; it has no edits"
            )
        return latent

    def between(self, latent: Any, other: Any, share: float) -> Any:
        """The latent on the way to that of another picture, 0 to 1."""
        raise UserError(f"there is no way between latents of the kind {type(latent).__name__}")

    def lines(self, edits: Edits, latent: Any, reads: Reads) -> list[str]:
        """Lines of Python that do to `latent` what the edits do, but for the way to another picture."""
        return []

    def vectors(self, latent: Any) -> Float[Tensor, "M F"] | None:
        """The vectors over whose spread sliders range; None where nothing is edited by sliders."""
        return None

    def rows(self, latent: Any, picture: int) -> list[dict[str, Any]]:
        """What `motes encode` writes of a picture, one table row a thing; none where the latent has no things."""
        return []
