"""CodeTable: one vector for each of many pictures, and an optimiser that updates only the vectors of a
batch."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from motes.nn.blocks.normalisation import processes

AT_ONCE = 65536  # rows
FLOOR = 1e-8  # added to the root of the mean square, as torch does

Zeros = Callable[[tuple[int, ...]], Tensor]


class CodeTable(nn.Module):
    """A table of `rows` vectors, zeros at first; `zeros` allocates them in memory or in a file.

    With `stays_on_host` the table stays in host memory wherever the model computes, so that a table in a file
    needs memory only for the rows in use. `RowRMSprop` gets sparse gradients of the rows that were read;
    other optimisers get gradients as large as the table. In several processes, each has the gradients of its
    own rows, and `RowRMSprop` joins them.
    """

    def __init__(self, rows: int, numbers: int, zeros: Zeros = torch.zeros, stays_on_host: bool = False):
        super().__init__()
        self.zeros = zeros
        self.stays_on_host = stays_on_host
        self.sparse = False
        self.values = nn.Parameter(zeros((rows, numbers)))

    def forward(self, index: Int[Tensor, "B"]) -> Float[Tensor, "B F"]:
        return F.embedding(index.to(self.values.device), self.values, sparse=self.sparse).to(index.device)

    @torch.no_grad()
    def change(self, rule: Callable[[Tensor], Tensor], index: Int[Tensor, "B"] | None = None) -> None:
        """Replace each row by `rule` of that row: all rows, or only those that `index` names.

        Rows in `index` must get the same result in all processes, because they change in all of them.
        """
        if index is None:
            for part in self.values.split(AT_ONCE):
                part.copy_(rule(part))
        else:
            rows = of_all_processes(index).to(self.values.device)
            self.values[rows] = rule(self.values[rows])

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "CodeTable":
        return self if self.stays_on_host else super()._apply(fn, recurse)


class RowRMSprop(torch.optim.RMSprop):
    """RMSprop, v <- a v + (1 - a) g^2, x <- x - rate g / sqrt(v), with sparse updates of a table's rows.

    Other parameters are updated by torch's RMSprop. A step costs as much as the rows that have a gradient.
    The decay of v in the steps since a row's last update is applied when the row is next updated. There is no
    momentum, because it would move the codes of pictures that are not in the batch.
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
        # torch's RMSprop refuses sparse gradients
        gradients = self.table.values.grad
        self.table.values.grad = None
        super().step(closure)
        if gradients is not None:
            self._move_rows(gradients, self.param_groups[1]["lr"])

    def _move_rows(self, gradients: Tensor, rate: float) -> None:
        values = self.table.values
        memory = self._memory()
        memory["step"] += 1
        rows, gradient = self._row_gradients(gradients)
        since = memory["step"].to(values.device) - memory["seen"][rows]
        decayed = memory["squares"][rows] * (self.decay**since)[:, None]
        squares = decayed + (1 - self.decay) * gradient.square()
        values[rows] -= rate * gradient / squares.sqrt().add_(FLOOR)
        memory["squares"][rows] = squares
        memory["seen"][rows] = memory["step"].to(values.device)

    def _memory(self) -> dict[str, Tensor]:
        """The mean squares of the table, the step at which each row was last in a batch, and the number of
        the step."""
        values = self.table.values
        memory = self.state[values]
        if not memory:
            memory["squares"] = self.table.zeros(tuple(values.shape))
            memory["seen"] = torch.zeros(len(values), device=values.device)
            memory["step"] = torch.tensor(0.0)
        return memory

    def _row_gradients(self, gradients: Tensor) -> tuple[Int[Tensor, "m"], Float[Tensor, "m F"]]:
        """The rows that any process has read, each listed once, and the sum of each row's gradients."""
        rows, group = of_all_processes(gradients._indices()[0]).unique(return_inverse=True)
        parts = of_all_processes(gradients._values()) / processes()
        empty = self.table.values.new_zeros(len(rows), self.table.values.shape[1])
        return rows, empty.index_add(0, group, parts)

    def load_state_dict(self, state_dict: dict) -> None:
        super().load_state_dict(state_dict)
        memory = self.state[self.table.values]
        if memory:
            empty = self.table.zeros(tuple(memory["squares"].shape)).to(self.table.values.device)
            memory["squares"] = empty.copy_(memory["squares"])


def of_all_processes(values: Tensor) -> Tensor:
    """The rows of all processes, concatenated in the order of the processes; each has equally many rows."""
    if processes() == 1:
        return values
    local = values.to("cuda" if dist.get_backend() == "nccl" else "cpu")
    parts = [torch.empty_like(local) for _ in range(processes())]
    dist.all_gather(parts, local.contiguous())
    return torch.cat(parts).to(values.device)
