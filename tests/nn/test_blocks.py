"""Blocks: losses of pictures prefer what they should, PointNet's split layer is the plain one, normalisation is torch's."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from motes.nn.blocks.conv import ConvBlock, through
from motes.nn.blocks.normalisation import BatchNorm
from motes.nn.blocks.pointnet import EdgeLayer, nearest_neighbours
from motes.nn.blocks.upward import DoublingConvolution
from motes.nn.losses.perceptual import PyramidLoss, SquaredError
from motes.ops.pictures.image_loss import laplacian_error, squared_error


def test_edge_layer_is_the_maximum_over_plain_edges():
    torch.manual_seed(0)
    layer, nodes, places = EdgeLayer(5, 7).eval(), torch.randn(2, 6, 5), torch.randn(2, 6, 2)
    near = nearest_neighbours(places, 3)
    assert (near == torch.arange(6)[None, :, None]).any(2).all(), "itself is among the nearest"
    found = layer(nodes, places, near)
    for b, i in ((0, 0), (1, 4)):
        edges = torch.stack([torch.cat([nodes[b, j], places[b, j] - places[b, i]]) for j in near[b, i]])
        plain = layer.second_norm(layer.second(F.relu(layer.first_norm(layer.first(edges))))).amax(0)
        torch.testing.assert_close(found[b, i], plain, atol=1e-5, rtol=1e-5)


def test_a_doubling_convolution_is_one_of_the_doubled_picture():
    layer, x = DoublingConvolution(5, 4).double(), torch.randn(2, 5, 3, 4).double()
    plain = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), layer.weight, padding=1)
    torch.testing.assert_close(layer(x), plain)


def test_normalisation_is_torchs():
    torch.manual_seed(0)
    ours, theirs, x = BatchNorm(4), torch.nn.BatchNorm2d(4), torch.randn(3, 4, 5, 5)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_var, theirs.running_var)


@pytest.mark.parametrize("build", [SquaredError, PyramidLoss])
def test_losses_are_zero_on_the_same_picture_and_one_number_each(build):
    loss, picture = build(), torch.rand(3, 3, 20, 28)
    assert loss(picture, picture).tolist() == [0, 0, 0]
    other = picture.clone()
    other[1] += 0.1
    assert (loss(other, picture) > 0).tolist() == [False, True, False]


def test_pyramid_prefers_a_shifted_edge_to_a_blur_where_squares_do_not():
    edge = torch.zeros(1, 1, 32, 32)
    edge[..., 16:] = 1
    shifted = edge.roll(2, -1)
    shifted[..., :2] = 0
    blurred = F.avg_pool2d(F.pad(edge, (4,) * 4, mode="replicate"), 9, 1)
    assert squared_error(blurred, edge) < squared_error(shifted, edge)
    ratio = laplacian_error(blurred, edge) / laplacian_error(shifted, edge)
    assert ratio > squared_error(blurred, edge) / squared_error(shifted, edge)


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
