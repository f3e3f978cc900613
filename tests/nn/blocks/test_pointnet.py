"""PointNet's split layer is the plain one over all edges."""

import torch
import torch.nn.functional as F

from motes.nn.blocks.pointnet import EdgeLayer, nearest_neighbours


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
