"""Footprints: owners are the argmax of shares on whole canvases; boxes stand around what is seen."""

import torch

from motes.ops.rendering import canvas
from motes.ops.rendering.footprints import Footprints, middles_of_masks, windows_of_masks
from motes.ops.rendering.glimpse import place_glimpses
from motes.ops.scores.shares import boxes_of_shares, owners_of

SIZE = (20, 26)


def scene():
    random = torch.Generator().manual_seed(0)
    glimpses, position = (
        torch.rand(5, 6, 1, 7, 7, generator=random),
        torch.rand(5, 6, 2, generator=random) * 2.2 - 1.1,
    )
    return glimpses, position, torch.rand(5, 6, generator=random)


def shares_on_canvas(glimpses, position, presence):
    alpha = presence[:, :, None, None] * canvas.paste(glimpses, position, SIZE)[:, :, 0]
    total = alpha.cumsum(1).clamp_max(1)
    return total.diff(dim=1, prepend=torch.zeros_like(total[:, :1]))


def drawn_shares(glimpses, position, presence):
    return Footprints.of(place_glimpses(glimpses, position, SIZE), presence, SIZE).on_canvas()


def test_owner_of_a_pixel_has_its_largest_share():
    glimpses, position, presence = scene()
    counts = torch.rand(5, 6, generator=torch.Generator().manual_seed(1)) > 0.2
    owners = owners_of(drawn_shares(glimpses, position, presence), counts)
    share = shares_on_canvas(glimpses, position, presence) * counts[:, :, None, None]
    everyone = torch.cat([1 - share.sum(1, keepdim=True), share], 1)
    first, second = everyone.topk(2, 1).values.unbind(1)
    clear = first - second > 1e-4
    assert (owners == everyone.argmax(1))[clear].all() and clear.float().mean() > 0.9
    assert owners.unique().numel() > 4


def test_boxes_stand_around_the_visible_part():
    block = torch.zeros(1, 3, 1, 8, 8)
    block[:, :, :, 2:5, 1:7] = torch.tensor([1.0, 1.0, 0.3]).view(1, 3, 1, 1, 1)
    position = torch.tensor([[[0.0, 0.0], [0.0, 2 * 3 / 26], [-1.0, -1.0]]])
    boxes, seen = boxes_of_shares(drawn_shares(block, position, torch.ones(1, 3)))
    assert boxes[0].tolist() == [
        [8, 10, 11, 16],
        [8, 16, 11, 19],
        [0, 0, 1, 3],
    ]  # the second is half hidden, the third half outside
    assert seen.tolist() == [[True, True, True]]
    gone, seen = boxes_of_shares(drawn_shares(block, position, torch.tensor([[1.0, 0.0, 0.1]])))
    assert seen.tolist() == [[True, False, False]] and gone[0, 1].tolist() == [0, 0, 0, 0]


def test_boxes_and_middles_of_masks():
    masks = torch.zeros(1, 2, 6, 9, dtype=torch.bool)
    masks[0, 0, 1:4, 5:9] = True
    assert windows_of_masks(masks).tolist() == [[[1, 5, 4, 9], [0, 0, 0, 0]]]
    assert middles_of_masks(masks)[0, 0].tolist() == [2, 6.5]
