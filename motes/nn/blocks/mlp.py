"""Fully connected layers."""

import itertools

from torch import nn


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of the given widths, with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
