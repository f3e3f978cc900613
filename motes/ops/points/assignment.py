"""Who belongs to whom, one to one, at the least cost: the Hungarian method for a batch of problems at
once."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def assign(cost: Float[Tensor, "B N K"], allowed: Bool[Tensor, "B N K"]) -> Int[Tensor, "B N"]:
    """The column of each row, -1 where it has none: as many allowed pairs as there can be, and of those
    choices the cheapest.

    A cost that is no finite number allows nothing. Shortest augmenting paths (Jonker & Volgenant 1987,
    https://doi.org/10.1007/BF02278710), each step for all problems together.
    """
    batch, rows, columns = cost.shape
    allowed = allowed & cost.isfinite()
    if rows > columns:
        return _turned(assign(cost.mT, allowed.mT), rows)
    if rows == 0 or batch == 0:
        return torch.full((batch, rows), -1, device=cost.device)
    found = _turned(_cheapest(_with_price(cost, allowed)), rows)
    fits = allowed.gather(2, found[..., None])[..., 0]
    return torch.where(fits, found, -1)


def _turned(owner: Int[Tensor, "B K"], rows: int) -> Int[Tensor, "B N"]:
    """The column of each row, by the row of each column; -1 where there is none."""
    found = torch.full((len(owner), rows + 1), -1, device=owner.device)
    found.scatter_(
        1,
        torch.where(owner < 0, rows, owner),
        torch.arange(owner.shape[1], device=owner.device).expand(len(owner), -1),
    )
    return found[:, :rows]


def _with_price(cost: Tensor, allowed: Tensor) -> Float[Tensor, "B N K"]:
    """A pair that is not allowed costs more than all allowed ones together can save, so there is never one
    too many of them."""
    cost = torch.where(allowed, cost, 0).double()
    low = cost.amin((1, 2), keepdim=True)
    high = cost.amax((1, 2), keepdim=True)
    price = (high - low + 1) * (cost.shape[1] + 1)
    return torch.where(allowed, cost - low, price)


def _cheapest(cost: Float[Tensor, "B N K"]) -> Int[Tensor, "B K"]:
    """The row of each column, -1 where it has none; N <= K. Column K is where a path starts: it holds the
    row that has no column yet."""
    batch, rows, columns = cost.shape
    picture = torch.arange(batch, device=cost.device)
    owner = torch.full((batch, columns + 1), -1, device=cost.device)
    of_row = cost.new_zeros(batch, rows)
    of_column = cost.new_zeros(batch, columns + 1)
    for row in range(rows):
        owner[:, columns] = row
        before = _search(cost, owner, of_row, of_column)
        column = before.pop("end")
        while bool(
            (column != columns).any()
        ):  # the path is walked back, each column taking the row of the one before it
            earlier = before["way"].gather(1, column[:, None])[:, 0]
            going = column != columns
            earlier = torch.where(going, earlier, column)
            owner[picture, column] = owner[picture, earlier]
            column = earlier
    return owner[:, :columns]


def _search(cost: Tensor, owner: Tensor, of_row: Tensor, of_column: Tensor) -> dict[str, Tensor]:
    """The cheapest path from column K to a free column; the prices `of_row` and `of_column` are brought up
    to date."""
    batch, _, columns = cost.shape
    picture = torch.arange(batch, device=cost.device)
    slack = cost.new_full((batch, columns + 1), torch.inf)
    way = torch.full((batch, columns + 1), columns, device=cost.device)
    used = torch.zeros(batch, columns + 1, dtype=torch.bool, device=cost.device)
    here = torch.full((batch,), columns, device=cost.device)
    going = torch.ones(batch, dtype=torch.bool, device=cost.device)
    while bool(going.any()):
        used[picture, here] |= going
        row = owner[picture, here].clamp_min(0)
        reach = cost[picture, row] - of_row[picture, row][:, None] - of_column[:, :columns]
        better = going[:, None] & ~used[:, :columns] & (reach < slack[:, :columns])
        slack[:, :columns] = torch.where(better, reach, slack[:, :columns])
        way[:, :columns] = torch.where(better, here[:, None], way[:, :columns])
        least, nearest = slack[:, :columns].masked_fill(used[:, :columns], torch.inf).min(1)
        step = torch.where(going, least, 0)[:, None]
        paid = used & going[:, None]
        of_row.scatter_add_(1, owner.clamp_min(0), torch.where(paid, step, 0))
        of_column -= torch.where(paid, step, 0)
        slack = torch.where(paid, slack, slack - step)
        here = torch.where(going, nearest, here)
        going = going & (owner[picture, here] >= 0)
    return {"way": way, "end": here}
