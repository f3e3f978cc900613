"""The rows of the tables that commands write, and the names of the drawings beside them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from motes.apps.session.kinds import kind_of
from motes.apps.session.session import Encoded
from motes.ops.rendering.footprints import VisibleBoxes


def rows_of(
    encoded: Encoded,
    boxes: VisibleBoxes | None = None,
    middles: Float[Tensor, "B K 2"] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields one table row for each thing of each picture; none where the latent does not consist of things.

    `boxes` and `middles` are those of the things (`Session.boxes`, `Session.middles`).
    """
    latent = encoded.latent.to("cpu")
    boxes = None if boxes is None else boxes.to("cpu")
    middles = None if middles is None else middles.cpu()
    kind = kind_of(latent)
    for number, path in enumerate(encoded.paths):
        for row in kind.rows(latent, number, boxes, middles):
            yield {"picture": str(path), **row}


def older_pictures(out: Path, kind: str) -> Iterator[Path]:
    """The drawings of this kind that an earlier call of the command left in the folder."""
    return out.glob(f"[0-9][0-9][0-9][0-9][0-9]-*-{kind}.*")


def picture_name(path: Path, number: int, kind: str, ending: str = ".png") -> str:
    return f"{number:05d}-{path.stem}-{kind}{ending}"
