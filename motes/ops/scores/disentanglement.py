"""Disentanglement and completeness of a code, from how important each of its numbers is for each factor.

Eastwood & Williams 2018, https://openreview.net/forum?id=By-7dz-AZ.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def disentanglement(importance: Float[Tensor, "P F"]) -> float:
    """1 if each number of the code tells of one factor only, 0 if each tells of all alike.

    It is 1 minus the entropy of a number's importances (in units of log F), numbers counting by their importance.
    NaN if there are fewer than two factors, or if no number is important.
    """
    weight = importance.sum(1)
    return float((_purity(importance) * weight).sum() / weight.sum())


def completeness(importance: Float[Tensor, "P F"]) -> float:
    """1 if each factor is told by one number of the code only, 0 if by all alike; factors count the same.

    NaN if there are fewer than two numbers, or no factors that any number tells of.
    """
    informative = importance[:, importance.sum(0) > 0]
    return float(_purity(informative.mT).mean())


def _purity(importance: Float[Tensor, "n m"]) -> Float[Tensor, "n"]:
    """1 minus the entropy of each row, in units of log m; 0 for a row of zeros."""
    columns = importance.shape[1]
    if columns < 2:
        return importance.new_full((len(importance),), math.nan)
    share = importance / importance.sum(1, keepdim=True).clamp_min(1e-12)
    entropy = -torch.xlogy(share, share).sum(1) / math.log(columns)
    return torch.where(importance.sum(1) > 0, 1 - entropy, 0.0)
