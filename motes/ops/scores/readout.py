"""Small read-outs that are learnt: numbers or classes from a table, by a straight map or a small network;
the same every time.

A network is trained for as long as a second table, which it does not learn from, gets better.
"""

from copy import deepcopy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

STEPS = 1500
ROWS = 512  # a step
RATE = 5e-3
CHECK_EVERY = 50
PATIENCE = 5  # checks without a better one
HIDDEN = 128


@dataclass(frozen=True)
class Table:
    """Rows of what is read and of what should come out: numbers (n Q, floating), or classes (n, whole)."""

    x: Float[Tensor, "n P"]
    y: Tensor


def network(learn: Table, choose: Table, classes: int = 0, hidden: int = HIDDEN) -> "Readout":
    """`classes`: 0 for numbers. `hidden`: 0 for a straight map, which for classes is logistic regression."""
    middle = learn.x.mean(0)
    spread = learn.x.std(0, correction=0)
    spread = torch.where(spread > 1e-6, spread, 1)
    target = (learn.y.mean(0), learn.y.std(0, correction=0).clamp_min(1e-6)) if not classes else None
    width = classes or learn.y.shape[1]
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        inner = (
            [nn.Linear(learn.x.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, width)]
            if hidden
            else [nn.Linear(learn.x.shape[1], width)]
        )
        net = nn.Sequential(*inner).to(learn.x.device)
        return _trained(Readout(net, middle, spread, target), learn, choose)


class Readout:
    """From a table to numbers, or to one score a class."""

    def __init__(self, net: nn.Module, middle: Tensor, spread: Tensor, target: tuple[Tensor, Tensor] | None):
        self.net = net
        self.middle = middle
        self.spread = spread
        self.target = target

    def __call__(self, x: Float[Tensor, "n P"]) -> Float[Tensor, "n Q"]:
        with torch.no_grad():
            out = self.raw(x)
        return out if self.target is None else out * self.target[1] + self.target[0]

    def raw(self, x: Float[Tensor, "n P"]) -> Float[Tensor, "n Q"]:
        return self.net((x - self.middle) / self.spread)

    def loss(self, table: Table) -> Float[Tensor, ""]:
        out = self.raw(table.x)
        return (
            F.cross_entropy(out, table.y)
            if self.target is None
            else (out - (table.y - self.target[0]) / self.target[1]).square().mean()
        )


def _trained(readout: Readout, learn: Table, choose: Table) -> Readout:
    optimizer = torch.optim.Adam(readout.net.parameters(), lr=RATE, fused=True)
    best = torch.inf
    kept = deepcopy(readout.net.state_dict())
    waited = 0
    for step in range(STEPS + 1):
        if step % CHECK_EVERY == 0:
            with torch.no_grad():
                now = readout.loss(choose if len(choose.x) else learn).item()
            waited = 0 if now < best else waited + 1
            if now < best:
                best = now
                kept = deepcopy(readout.net.state_dict())
            if waited >= PATIENCE:
                break
        optimizer.zero_grad()
        rows = torch.randint(len(learn.x), (min(ROWS, len(learn.x)),)).to(learn.x.device)
        readout.loss(Table(learn.x[rows], learn.y[rows])).backward()
        optimizer.step()
    readout.net.load_state_dict(kept)
    return readout
