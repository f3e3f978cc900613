"""A convolution that doubles is one of the doubled picture; the last one is followed by a pixel shuffle."""

import torch
import torch.nn.functional as F

from motes.nn.blocks.upward import DoublingConvolution, UpwardNetwork


def test_a_doubling_convolution_is_one_of_the_doubled_picture():
    layer, x = DoublingConvolution(5, 4).double(), torch.randn(2, 5, 3, 4).double()
    plain = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), layer.weight, padding=1)
    torch.testing.assert_close(layer(x), plain)


def test_the_picture_is_the_pixel_shuffle_of_the_last_convolution():
    network = UpwardNetwork(5, (13, 16), 3, width=16)
    grid = torch.randn(2, 16, 4, 4)
    torch.testing.assert_close(network._coloured(grid), F.pixel_shuffle(network.colour(grid), 2))
    assert network(torch.randn(2, 5)).shape == (2, 3, 13, 16)
