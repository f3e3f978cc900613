"""Random numbers of a global batch, drawn alike however many processes share it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_rank = 0
_world = 1


@contextmanager
def sharded(rank: int, world: int) -> Iterator[None]:
    """A context in which this process holds rows rank*B .. (rank+1)*B of a batch of world*B.

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
    """Standard normal noise of the tensor's shape, type and device, batch first."""
    return _draw(torch.randn, tensor)


def uniform_like(tensor: Tensor) -> Tensor:
    """Noise in [0, 1) of the tensor's shape, type and device, batch first."""
    return _draw(torch.rand, tensor)


def _draw(draw, tensor: Tensor) -> Tensor:
    rows = len(tensor)
    noise = draw(_world * rows, *tensor.shape[1:], dtype=tensor.dtype, device=tensor.device)
    return noise[_rank * rows : (_rank + 1) * rows]
