"""A convolution that doubles is one of the doubled picture."""

import torch
import torch.nn.functional as F

from motes.nn.blocks.upward import DoublingConvolution


def test_a_doubling_convolution_is_one_of_the_doubled_picture():
    layer, x = DoublingConvolution(5, 4).double(), torch.randn(2, 5, 3, 4).double()
    plain = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), layer.weight, padding=1)
    torch.testing.assert_close(layer(x), plain)
