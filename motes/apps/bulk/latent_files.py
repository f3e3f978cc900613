"""`LatentFiles`: the table and the arrays that `motes encode` writes, while pictures are encoded."""

from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from motes.apps.bulk.tables import Arrays, Table
from motes.apps.session.film_numbers import FilmNumbers
from motes.apps.session.kinds import kind_of
from motes.apps.session.session import Encoded, Session
from motes.apps.session.tables import rows_of
from motes.ops.rendering.footprints import VisibleBoxes
from motes.types.latents import Particles


class LatentFiles:
    """Writes the latents of pictures as particles.csv, particles.npz and (with pyarrow) particles.parquet.

    Other latents have files of their own name. Memory holds the names of the pictures, and the rows of frames whose
    tracks are not certain yet.

    Arguments:
        out: the folder of the files.
        session: of the model.
        follows: whether particles of videos get the numbers of the things that they are, as in `motes track`.
    """

    def __init__(self, out: Path, session: Session, follows: bool):
        self.names: list[str] = []
        # particles that are there; None where a latent has none
        self.there: int | None = None
        self._out = out
        self._follows = follows
        self._tracks = FilmNumbers(session)
        # the rows of pictures that wait for their tracks
        self._waiting: deque[list[dict[str, Any]]] = deque()
        self._open = ExitStack()
        self._table: Table | None = None
        self._arrays: Arrays | None = None

    def add(
        self, encoded: Encoded, boxes: VisibleBoxes | None, middles: Float[Tensor, "B K 2"] | None
    ) -> None:
        """Add some pictures, with the boxes and the middles of their particles if they have any."""
        table, arrays = self._opened(kind_of(encoded.latent).files)
        self.names += map(str, encoded.paths)
        tensors = {
            **encoded.latent.tensors(),
            **({} if boxes is None else boxes.tensors()),
            **({} if middles is None else {"middle": middles}),
        }
        for name, tensor in tensors.items():
            arrays.add(name, tensor.cpu().numpy())
        rows = list(rows_of(encoded, boxes, middles))
        if isinstance(encoded.latent, Particles):
            self.there = (self.there or 0) + sum(row["there"] for row in rows)
            if self._follows:
                self._add_followed(encoded, boxes, rows)
                return
        table.add(rows)

    def finish(self) -> None:
        """Write what is left, when all pictures were added."""
        self._add_certain(self._tracks.rest())
        if self._arrays is not None:
            self._arrays.finish({"pictures": np.array(self.names)})

    def _opened(self, name: str) -> tuple[Table, Arrays]:
        """The table and the arrays, which are opened when the first latent says what they are called."""
        if self._table is None or self._arrays is None:
            self._table = self._open.enter_context(Table(self._out / name, {"track": int}))
            self._arrays = self._open.enter_context(Arrays(self._out / f"{name}.npz"))
        return self._table, self._arrays

    def _add_followed(self, encoded: Encoded, boxes: VisibleBoxes | None, rows: list[dict[str, Any]]) -> None:
        count = encoded.latent.count
        self._waiting += [rows[first : first + count] for first in range(0, len(rows), count)]
        self._tracks.add(encoded, boxes)
        self._add_certain(self._tracks.certain())

    def _add_certain(self, tracks: Iterable[np.ndarray]) -> None:
        """Write the rows of the next pictures with their tracks."""
        for numbers in tracks:
            table, arrays = self._opened("particles")
            rows = self._waiting.popleft()
            for row, track in zip(rows, numbers.tolist(), strict=True):
                row["track"] = None if track < 0 else track
            table.add(rows)
            arrays.add("track", numbers[None])

    def __enter__(self) -> "LatentFiles":
        return self

    def __exit__(self, *problem: Any) -> None:
        self._open.close()
