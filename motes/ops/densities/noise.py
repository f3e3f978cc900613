"""Random numbers for a batch that several processes share: the same numbers for any number of processes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_rank = 0
_world = 1


@contextmanager
def sharded(rank: int, world: int) -> Iterator[None]:
    """A context in which this process holds rows rank*B .. (rank+1)*B of a batch of world*B rows.

    Noise is drawn for the whole batch, and the process keeps its own rows.
    """
    global _rank, _world
    before = _rank, _world
    _rank = rank
    _world = world
    try:
        yield
    finally:
        _rank, _world = before


def normal_like(tensor: Tensor) -> Tensor:
    """Standard normal noise of the tensor's shape, type and device; the first axis is the batch."""
    return _draw(torch.randn, tensor)


def uniform_like(tensor: Tensor) -> Tensor:
    """Uniform noise in [0, 1) of the tensor's shape, type and device; the first axis is the batch."""
    return _draw(torch.rand, tensor)


def gamma_like(shape: Tensor) -> Tensor:
    """Samples of the gamma distributions with these shapes and scale 1, differentiable in the shapes.

    The first axis is the batch. How many random numbers a row takes depends on its shapes, since they are drawn by
    rejection: each row of the whole batch has a generator of its own, on the CPU.
    """
    first = int(torch.randint(2**62, ())) + _rank * len(shape)
    rows = [
        torch._standard_gamma(row, torch.Generator().manual_seed(first + number))  # pyright: ignore[reportPrivateImportUsage]
        for number, row in enumerate(shape.cpu())
    ]
    return torch.stack(rows).to(shape.device)


def _draw(draw, tensor: Tensor) -> Tensor:
    rows = len(tensor)
    noise = draw(_world * rows, *tensor.shape[1:], dtype=tensor.dtype, device=tensor.device)
    return noise[_rank * rows : (_rank + 1) * rows]
