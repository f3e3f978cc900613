"""Small read-outs that learn numbers or classes from a table, by a linear map or a small network.

A network is trained for as long as its loss on held-out examples falls. The result is the same every time.
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
class Examples:
    """Inputs and targets, one row per example; targets are numbers (n Q, floating) or classes (n,
    integers)."""

    x: Float[Tensor, "n P"]
    y: Tensor


def learn_readout(learn: Examples, choose: Examples, classes: int = 0, hidden: int = HIDDEN) -> "Readout":
    """A read-out trained on `learn`; training stops when the loss on `choose` no longer falls.

    `classes` is 0 if targets are numbers. `hidden` 0 gives a linear map, which for classes is logistic
    regression.
    """
    middle = learn.x.mean(0)
    spread = learn.x.std(0, correction=0)
    spread = torch.where(spread > 1e-6, spread, 1)
    target = (learn.y.mean(0), learn.y.std(0, correction=0).clamp_min(1e-6)) if not classes else None
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        net = _layers(learn.x.shape[1], hidden, classes or learn.y.shape[1]).to(learn.x.device)
        return _trained(Readout(net, middle, spread, target), learn, choose)


class Readout:
    """A learnt read-out: it maps rows of inputs to numbers, or to one score for each class."""

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

    def loss(self, examples: Examples) -> Float[Tensor, ""]:
        out = self.raw(examples.x)
        if self.target is None:
            return F.cross_entropy(out, examples.y)
        return (out - (examples.y - self.target[0]) / self.target[1]).square().mean()


def _layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    if not hidden:
        return nn.Sequential(nn.Linear(inputs, outputs))
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def _trained(readout: Readout, learn: Examples, choose: Examples) -> Readout:
    """The read-out with the weights that had the least loss on `choose`."""
    optimizer = torch.optim.Adam(readout.net.parameters(), lr=RATE, fused=True)
    held_out = choose if len(choose.x) else learn
    least = torch.inf
    best = deepcopy(readout.net.state_dict())
    waited = 0
    for step in range(STEPS + 1):
        if step % CHECK_EVERY == 0:
            with torch.no_grad():
                loss = readout.loss(held_out).item()
            waited = 0 if loss < least else waited + 1
            if loss < least:
                least = loss
                best = deepcopy(readout.net.state_dict())
            if waited >= PATIENCE:
                break
        _step(readout, learn, optimizer)
    readout.net.load_state_dict(best)
    return readout


def _step(readout: Readout, learn: Examples, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    rows = torch.randint(len(learn.x), (min(ROWS, len(learn.x)),)).to(learn.x.device)
    readout.loss(Examples(learn.x[rows], learn.y[rows])).backward()
    optimizer.step()
