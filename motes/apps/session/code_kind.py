"""Edits of latents that are one vector per picture."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from motes.apps.session.edits import Edits, Look
from motes.apps.session.kind import Kind, Reads, refuse_beyond
from motes.models.abilities import HasCode
from motes.ops.points.interpolation import blend
from motes.types.rows import Rows


class CodeKind(Kind):
    """Latents of one code per picture; edits set single numbers of the code."""

    name = "code"
    files = "codes"
    editable = ("code",)

    def fits(self, latent: Any) -> bool:
        return isinstance(latent, Rows) and isinstance(latent, HasCode)

    def numbers(self, latent: HasCode) -> dict[str, Tensor]:
        return {"code": latent.code[0]}

    def edited(self, edits: Edits, latent: HasCode, look: Look) -> HasCode:
        code = latent.code.clone()
        for dimension, value in edits.code.items():
            refuse_beyond(dimension, code.shape[1], "a code of this model")
            code[0, dimension] = value
        return latent.with_code(code)

    def between(self, latent: Any, target: Any, share: float) -> Any:
        return blend(latent, target, share)

    def lines(self, edits: Edits, latent: HasCode, reads: Reads) -> list[str]:
        if not edits.code:
            return []
        numbers = [f"code[0, {dimension}] = {value!r}" for dimension, value in sorted(edits.code.items())]
        return ["code = latent.code.clone()", *numbers, "latent = latent.with_code(code)"]

    def vectors(self, latent: HasCode) -> Float[Tensor, "M F"]:
        return latent.code
