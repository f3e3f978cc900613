"""The broadcast decoder is the published network, computed with less work; fewer cells draw blocks of pixels."""

import pytest
import torch
import torch.nn.functional as F

from motes.errors import UserError
from motes.nn.blocks.broadcast import BroadcastDecoder, BroadcastSize, coordinates_of


def drawn_plainly(decoder, code):
    """The published network, layer by layer, on the repeated code."""
    grid = decoder.size.grid
    tiled = code[:, :, None, None].expand(-1, -1, *grid)
    places = coordinates_of(grid).to(code).expand(len(code), -1, -1, -1)
    x = F.elu(decoder.first(torch.cat([tiled, places], 1)))
    for layer in decoder.inner:
        x = F.elu(layer(x))
    return decoder.last(x)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_the_first_layer_is_the_convolution_of_the_repeated_code(kernel):
    torch.manual_seed(0)
    decoder = BroadcastDecoder(6, 4, BroadcastSize((11, 13), width=8, layers=3, kernel=kernel)).double()
    decoder.coordinates = coordinates_of((11, 13)).double()
    code = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    quick, plain = decoder(code), drawn_plainly(decoder, code)
    torch.testing.assert_close(quick, plain, rtol=0, atol=1e-13)
    weights = torch.randn_like(plain)
    inputs = [code, *decoder.parameters()]
    gradients = torch.autograd.grad((quick * weights).sum(), inputs)
    expected = torch.autograd.grad((plain * weights).sum(), inputs)
    for gradient, exact in zip(gradients, expected, strict=True):
        assert (gradient - exact).abs().max() <= 1e-12 * exact.abs().max()


def test_with_fewer_cells_each_draws_a_block_of_pixels():
    torch.manual_seed(0)
    decoder = BroadcastDecoder(6, 4, BroadcastSize((35, 40), side=9, width=8, layers=3, kernel=3))
    code = torch.randn(2, 6)
    cells = drawn_plainly(decoder, code)
    assert decoder.size.grid == (9, 10) and cells.shape == (2, 4 * 16, 9, 10)
    shuffled = F.pixel_shuffle(cells, 4)
    torch.testing.assert_close(decoder(code), shuffled[..., :35, :], rtol=0, atol=1e-6)
    assert decoder(code).shape == (2, 4, 35, 40)


def test_what_reaches_over_the_edges_is_cropped_on_both_sides():
    decoder = BroadcastDecoder(2, 1, BroadcastSize((10, 10), side=3, width=4, layers=1))
    whole = F.pixel_shuffle(drawn_plainly(decoder, torch.ones(1, 2)), 4)
    torch.testing.assert_close(decoder(torch.ones(1, 2)), whole[..., 1:11, 1:11], rtol=0, atol=1e-6)


def test_sizes_that_cannot_be_are_refused():
    for size in (
        BroadcastSize((8, 8), kernel=4),
        BroadcastSize((8, 8), side=9),
        BroadcastSize((8, 8), layers=0),
        BroadcastSize((3, 8), kernel=5),
    ):
        with pytest.raises(UserError):
            BroadcastDecoder(2, 4, size)
