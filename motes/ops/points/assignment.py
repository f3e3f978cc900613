"""One-to-one assignment at the least cost: the Hungarian method for a batch of problems at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def assign(cost: Float[Tensor, "B N K"], allowed: Bool[Tensor, "B N K"]) -> Int[Tensor, "B N"]:
    """The column assigned to each row, or -1: as many allowed pairs as possible, at the least total cost.

    A cost that is not a finite number is not allowed. The method is shortest augmenting paths (Jonker &
    Volgenant 1987, https://doi.org/10.1007/BF02278710), each step for all problems together.
    """
    batch, rows, columns = cost.shape
    allowed = allowed & cost.isfinite()
    if rows > columns:
        return _inverted(assign(cost.mT, allowed.mT), rows)
    if rows == 0 or batch == 0:
        return torch.full((batch, rows), -1, device=cost.device)
    column = _inverted(_cheapest(_with_price(cost, allowed)), rows)
    fits = allowed.gather(2, column[..., None])[..., 0]
    return torch.where(fits, column, -1)


def times_taken(column: Int[Tensor, "B N"], count: int) -> Int[Tensor, "B K"]:
    """How many rows have each of `count` columns; -1 is none."""
    times = column.new_zeros(len(column), count + 1)
    times.scatter_add_(1, torch.where(column < 0, count, column), torch.ones_like(column))
    return times[:, :count]


def taken(column: Int[Tensor, "B N"], count: int) -> Bool[Tensor, "B K"]:
    """Whether any row has each of `count` columns."""
    return times_taken(column, count) > 0


def _inverted(owner: Int[Tensor, "B K"], rows: int) -> Int[Tensor, "B N"]:
    """The column of each row, computed from the row of each column; -1 for a row without a column."""
    columns = torch.arange(owner.shape[1], device=owner.device).expand(len(owner), -1)
    column = torch.full((len(owner), rows + 1), -1, device=owner.device)
    column.scatter_(1, torch.where(owner < 0, rows, owner), columns)
    return column[:, :rows]


def _with_price(cost: Tensor, allowed: Tensor) -> Float[Tensor, "B N K"]:
    """The costs, with a price for pairs that are not allowed, larger than all allowed ones together can save.

    So the assignment never has one more of them than necessary.
    """
    cost = torch.where(allowed, cost, 0).double()
    low = cost.amin((1, 2), keepdim=True)
    high = cost.amax((1, 2), keepdim=True)
    price = (high - low + 1) * (cost.shape[1] + 1)
    return torch.where(allowed, cost - low, price)


@dataclass(frozen=True)
class _Prices:
    """The prices (dual variables) of rows and columns, updated in place."""

    row: Float[Tensor, "B N"]
    column: Float[Tensor, "B k"]

    def reduced(self, cost: Tensor, picture: Tensor, row: Int[Tensor, "B"]) -> Float[Tensor, "B K"]:
        """The costs of the row, less the prices of the row and of each column."""
        return cost[picture, row] - self.row[picture, row][:, None] - self.column[:, : cost.shape[2]]

    def pay(self, owner: Int[Tensor, "B k"], paying: Bool[Tensor, "B k"], step: Float[Tensor, "B 1"]) -> None:
        """Raise the prices of the rows assigned to the paying columns, and lower the columns' prices by as
        much."""
        amount = torch.where(paying, step, 0)
        self.row.scatter_add_(1, owner.clamp_min(0), amount)
        self.column.sub_(amount)


def _cheapest(cost: Float[Tensor, "B N K"]) -> Int[Tensor, "B K"]:
    """The row assigned to each column, or -1; N <= K.

    Column K is where a path starts: it holds the row that has no column yet.
    """
    batch, rows, columns = cost.shape
    owner = torch.full((batch, columns + 1), -1, device=cost.device)
    prices = _Prices(cost.new_zeros(batch, rows), cost.new_zeros(batch, columns + 1))
    for row in range(rows):
        owner[:, columns] = row
        before, end = _search(cost, owner, prices)
        _augment(owner, before, end)
    return owner[:, :columns]


def _augment(owner: Int[Tensor, "B k"], before: Int[Tensor, "B k"], column: Int[Tensor, "B"]) -> None:
    """Follow each path back: every column takes the row of the column before it. `owner` changes in place."""
    picture = torch.arange(len(owner), device=owner.device)
    start = owner.shape[1] - 1
    while bool((column != start).any()):
        earlier = before.gather(1, column[:, None])[:, 0]
        earlier = torch.where(column != start, earlier, column)
        owner[picture, column] = owner[picture, earlier]
        column = earlier


def _search(cost: Tensor, owner: Tensor, prices: _Prices) -> tuple[Int[Tensor, "B k"], Int[Tensor, "B"]]:
    """The cheapest path from column K to a free column: the column before each column, and the last
    column."""
    batch, _, columns = cost.shape
    picture = torch.arange(batch, device=cost.device)
    slack = cost.new_full((batch, columns + 1), torch.inf)
    before = torch.full((batch, columns + 1), columns, device=cost.device)
    used = torch.zeros(batch, columns + 1, dtype=torch.bool, device=cost.device)
    column = torch.full((batch,), columns, device=cost.device)
    going = torch.ones(batch, dtype=torch.bool, device=cost.device)
    while bool(going.any()):
        used[picture, column] |= going
        reach = prices.reduced(cost, picture, owner[picture, column].clamp_min(0))
        _shorten(slack, before, reach, going[:, None] & ~used[:, :columns], column)
        least, nearest = slack[:, :columns].masked_fill(used[:, :columns], torch.inf).min(1)
        step = torch.where(going, least, 0)[:, None]
        paying = used & going[:, None]
        prices.pay(owner, paying, step)
        slack = torch.where(paying, slack, slack - step)
        column = torch.where(going, nearest, column)
        going = going & (owner[picture, column] >= 0)
    return before, column


def _shorten(slack: Tensor, before: Tensor, reach: Tensor, open_columns: Tensor, column: Tensor) -> None:
    """Update the columns that are cheaper to reach through `column`; `slack` and `before` change in place."""
    columns = reach.shape[1]
    better = open_columns & (reach < slack[:, :columns])
    slack[:, :columns] = torch.where(better, reach, slack[:, :columns])
    before[:, :columns] = torch.where(better, column[:, None], before[:, :columns])
