"""Comparing partitions of pixels or blocks with each other: which belong together, whatever the parts are called."""

import itertools

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from motes.ops.scores.segmentation import adjusted_rand, shared_pixels


def agreement_of(owners: Int[Tensor, "B R H W"], counted: Bool[Tensor, "B H W"]) -> Float[Tensor, "B"]:
    """The mean adjusted Rand index of all pairs among R partitions of the counted pixels; NaN if none counts."""
    count = int(owners.max()) + 1 if owners.numel() else 0
    parts = torch.arange(count, device=owners.device)[:, None, None]
    pairs = []
    for first, second in itertools.combinations(owners.unbind(1), 2):
        masks = (first[:, None] == parts) & counted[:, None]
        pairs.append(adjusted_rand(shared_pixels(masks, second, count)[:, 1:]))
    return torch.stack(pairs).mean(0)


def tiling_of(owners: Int[Tensor, "B R h w"], tilings: Integer[Tensor, "B M h w"]) -> Int[Tensor, "B R"]:
    """The number of the tiling that each of R partitions of blocks equals; -1 if it is none.

    All tilings of a picture are of the same blocks, numbered from 1; blocks of number 0 do not count. A tiling that is
    0 everywhere does not exist. A partition with a counted block of owner 0 is no tiling.
    """
    pieces = tilings.flatten(2).long()
    exists = (pieces > 0).any(2)
    counted = (pieces > 0).any(1)
    blocks = owners.flatten(2)
    matters = counted[:, None, :, None] & counted[:, None, None]
    together = _together(blocks) & matters
    equal = [
        (together == (_together(pieces[:, number, None]) & matters)).all((2, 3)) & exists[:, number, None]
        for number in range(pieces.shape[1])
    ]
    is_tiling = torch.stack(equal, 2)
    owned = ((blocks > 0) | ~counted[:, None]).all(2)
    return torch.where(is_tiling.any(2) & owned, is_tiling.to(torch.uint8).argmax(2), -1)


def distinct(numbers: Int[Tensor, "B R"], count: int) -> Int[Tensor, "B"]:
    """How many different numbers from 0 to `count` - 1 each row holds; negative numbers do not count."""
    present = torch.zeros(len(numbers), count + 1, dtype=torch.bool, device=numbers.device)
    present.scatter_(1, torch.where(numbers < 0, count, numbers), True)
    return present[:, :count].sum(1)


def _together(owners: Int[Tensor, "B R n"]) -> Bool[Tensor, "B R n n"]:
    return owners[..., :, None] == owners[..., None, :]
