"""Blocks that keep less for the gradient are the plain ones."""

import pytest
import torch
from torch import nn

from motes.nn.blocks.conv import ConvBlock, through

STACKS = {
    "contracting": [ConvBlock(3, 5, 7), ConvBlock(5, 4), ConvBlock(4, 6, stride=2)],
    "expanding": [
        ConvBlock(3, 5, leak=0.01),
        ConvBlock(5, 4, leak=0.01, doubling=True),
        ConvBlock(4, 3, leak=0.01, doubling=True),
    ],
    "pointwise": [ConvBlock(3, 4, 1), ConvBlock(4, 2, 1, leak=0.2)],
}


@pytest.mark.parametrize("size", [(9, 8), (1, 2)])
@pytest.mark.parametrize("name", STACKS)
def test_lean_blocks_are_the_plain_ones_in_value_gradient_and_statistics(name, size):
    torch.manual_seed(0)
    blocks = nn.Sequential(*STACKS[name]).double()
    top = nn.Conv2d(blocks[-1].conv.out_channels, 2, 1).double()
    x = torch.randn(4, 3, *size, dtype=torch.double, requires_grad=True)
    found = []
    for way in (lambda x: through(blocks, top, x), lambda x: top(blocks(x))):
        for block in blocks:
            block.norm.reset_running_stats()
        out = way(x)
        weight = torch.cos(torch.arange(out.numel())).view(out.shape)
        gradients = torch.autograd.grad((out * weight).sum(), [x, *blocks.parameters(), *top.parameters()])
        found.append([one.clone() for one in (out, *gradients, *blocks.buffers())])
    for ours, plain in zip(*found, strict=True):
        torch.testing.assert_close(ours, plain)
