"""CodeTable: a vector for each of many pictures, of which a step touches its own pictures' alone; in memory,
or in a file."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.blocks.normalisation import processes

AT_ONCE = 65536  # rows


class CodeTable(nn.Module):
    """In a file it stays on the host, wherever its model computes, and needs memory for the rows in use
    alone.

    For any optimiser its slopes are as large as itself; for `RowRMSprop` they are sparse and name the rows
    that were read. In several processes each has those of its own rows, which that optimiser joins.
    """

    def __init__(self, rows: int, numbers: int, place: str = "memory"):
        super().__init__()
        if place not in PLACES:
            raise UserError(f"codes are kept in {' or '.join(PLACES)}, not {place!r}")
        self.place = place
        self.sparse = False
        self.values = nn.Parameter(self.like((rows, numbers)))

    def forward(self, index: Int[Tensor, "B"]) -> Float[Tensor, "B F"]:
        return F.embedding(index.to(self.values.device), self.values, sparse=self.sparse).to(index.device)

    def like(self, shape: tuple[int, ...]) -> Tensor:
        """Zeros in the same place."""
        return PLACES[self.place](shape)

    @torch.no_grad()
    def change(self, rule: Callable[[Tensor], Tensor], index: Int[Tensor, "B"] | None = None) -> None:
        """The rule's result in place of each row, or of those named: then it is the same for all rows that
        any process names."""
        if index is None:
            for part in self.values.split(AT_ONCE):
                part.copy_(rule(part))
        else:
            rows = of_all_processes(index).to(self.values.device)
            self.values[rows] = rule(self.values[rows])

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "CodeTable":
        return self if self.place == "file" else super()._apply(fn, recurse)


class RowRMSprop(torch.optim.RMSprop):
    """RMSprop, v <- a v + (1 - a) g^2, x <- x - rate g / sqrt(v): torch's of all other parameters, and of a
    table's rows at the cost of those that have a slope. What v would have lost in the steps since a row was
    last seen, it loses when it is seen again.

    Without momentum, which would go on moving the codes of pictures that are not in the batch.
    """

    def __init__(
        self,
        others: list[nn.Parameter],
        table: CodeTable,
        rate: float,
        table_rate: float,
        decay: float = 0.99,
    ):
        self.table = table
        self.decay = decay
        table.sparse = True
        super().__init__(
            [{"params": others, "lr": rate}, {"params": [table.values], "lr": table_rate}], alpha=decay
        )

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        # torch's has no way with sparse ones
        slopes = self.table.values.grad
        self.table.values.grad = None
        super().step(closure)
        if slopes is not None:
            self._move_rows(slopes, self.param_groups[1]["lr"])

    def _move_rows(self, slopes: Tensor, rate: float) -> None:
        values = self.table.values
        memory = self.state[self.table.values]
        if not memory:
            memory |= {
                "squares": self.table.like(values.shape),
                "seen": torch.zeros(len(values), device=values.device),
            }
            memory["step"] = torch.tensor(0.0)
        memory["step"] += 1
        rows, place = of_all_processes(slopes._indices()[0]).unique(return_inverse=True)
        slope = values.new_zeros(len(rows), values.shape[1]).index_add(
            0, place, of_all_processes(slopes._values()) / processes()
        )
        since = memory["step"].to(values.device) - memory["seen"][rows]
        squares = memory["squares"][rows] * (self.decay**since)[:, None] + (1 - self.decay) * slope.square()
        values[rows] -= rate * slope / squares.sqrt().add_(1e-8)
        memory["squares"][rows] = squares
        memory["seen"][rows] = memory["step"].to(values.device)

    def load_state_dict(self, state_dict: dict) -> None:
        super().load_state_dict(state_dict)
        memory = self.state[self.table.values]
        if memory:
            memory["squares"] = (
                self.table.like(tuple(memory["squares"].shape))
                .to(self.table.values.device)
                .copy_(memory["squares"])
            )


def of_all_processes(values: Tensor) -> Tensor:
    """Those of every process, which each has as many, in their order."""
    if processes() == 1:
        return values
    here = values.to("cuda" if dist.get_backend() == "nccl" else "cpu")
    found = [torch.empty_like(here) for _ in range(processes())]
    dist.all_gather(found, here.contiguous())
    return torch.cat(found).to(values.device)


def mapped(shape: tuple[int, ...]) -> Tensor:
    """Zeros in a file without a name, which is gone when nobody holds them: TMPDIR says on which disk."""
    numbers = prod(shape)
    try:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            try:
                if hasattr(
                    os, "posix_fallocate"
                ):  # or a full disk would show only when a row is written, and kill the process
                    os.posix_fallocate(file.fileno(), 0, max(4 * numbers, 1))
                else:
                    file.truncate(4 * numbers)
                return torch.from_file(file.name, shared=True, size=numbers, dtype=torch.float32).view(shape)
            finally:
                with suppress(OSError):  # where a mapped file cannot be removed it stays behind
                    Path(file.name).unlink()
    except OSError as problem:
        raise UserError(
            f"{4 * numbers / 2**30:.1f} GiB for codes do not fit into {tempfile.gettempdir()} ({problem.strerror}); "
            "name a folder on another disk by the variable TMPDIR"
        ) from None


PLACES: dict[str, Callable[[tuple[int, ...]], Tensor]] = {"memory": torch.zeros, "file": mapped}
