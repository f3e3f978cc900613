"""Means over groups of rows."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def group_means(values: Float[Tensor, "B F"], group: Int[Tensor, "B"]) -> Float[Tensor, "B F"]:
    """For every row, the mean of all rows of its group; `group` holds any integers."""
    _, number, count = torch.unique(group, return_inverse=True, return_counts=True)
    sums = values.new_zeros(len(count), values.shape[1]).index_add(0, number, values)
    return (sums / count[:, None])[number]
