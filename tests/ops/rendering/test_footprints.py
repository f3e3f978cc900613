"""Footprints: owners are the argmax of shares on whole canvases; boxes stand around what is seen."""

import torch

from motes.ops.rendering import canvas
from motes.ops.rendering.footprints import (
    HIDDEN,
    Footprints,
    VisibleBoxes,
    middles_of_masks,
    windows_of_masks,
)
from motes.ops.rendering.glimpse import place_glimpses
from motes.ops.rendering.scaled import place_scaled
from motes.ops.scores.shares import owners_of

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


def boxes(glimpses, position, presence):
    return Footprints.of(place_glimpses(glimpses, position, SIZE), presence, SIZE).boxes()


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
    seen = boxes(block, position, torch.ones(1, 3))
    assert seen.box[0].tolist() == [
        [8, 10, 11, 16],
        [8, 16, 11, 19],
        [0, 0, 1, 3],
    ]  # the second is half hidden, the third half outside
    assert seen.visible.tolist() == [[True, True, True]]
    gone = boxes(block, position, torch.tensor([[1.0, 0.0, 0.1]]))
    assert gone.visible.tolist() == [[True, False, False]] and gone.box[0, 1].tolist() == [0, 0, 0, 0]


def test_boxes_read_in_windows_are_those_of_whole_canvases():
    """Windows of one size and of many, inside, over the edges, outside, hidden by others and almost absent."""
    glimpses, position, presence = scene()
    glimpses = glimpses * (glimpses > 0.6)
    position[:, 0] = torch.tensor([[-1.6, 0.1], [1.9, 1.9], [0.99, -1.02], [0.0, 0.0], [-1.0, 1.0]])
    presence[:, 5], presence[0, 4] = 0.0, 0.02
    scale = torch.exp(torch.rand(5, 6, 2, generator=torch.Generator().manual_seed(2)) * 3 - 1.5)
    scale[1, 3] = 6.0
    for windows in (
        place_glimpses(glimpses, position, SIZE),
        place_scaled(glimpses, position, scale, SIZE),
    ):
        footprints = Footprints.of(windows, presence, SIZE)
        found, wanted = footprints.boxes(), VisibleBoxes.of_shares(footprints.on_canvas()[:, 1:])
        assert torch.equal(found.box, wanted.box) and torch.equal(found.visible, wanted.visible)
        assert 0 < found.visible.sum() < found.visible.numel()


def test_a_box_is_that_of_the_shares_of_half_the_largest_written_out():
    share = shares_on_canvas(*scene())
    found = VisibleBoxes.of_shares(share)
    for n in range(5):
        for k in range(6):
            largest = share[n, k].max()
            rows, columns = (share[n, k] >= largest / 2).nonzero().unbind(1)
            ends = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
            assert found.box[n, k].tolist() == [int(end) for end in ends]
            assert found.visible[n, k] == (largest > HIDDEN)


def test_boxes_and_middles_of_masks():
    masks = torch.zeros(1, 2, 6, 9, dtype=torch.bool)
    masks[0, 0, 1:4, 5:9] = True
    assert windows_of_masks(masks).tolist() == [[[1, 5, 4, 9], [0, 0, 0, 0]]]
    assert middles_of_masks(masks)[0, 0].tolist() == [2, 6.5]
