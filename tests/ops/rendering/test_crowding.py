"""What was claimed before: the sum over pairs that the sheet saves."""

import pytest
import torch

from motes.ops.rendering import canvas as canvases
from motes.ops.rendering.crowding import claimed_before, claimed_scaled, yielding, yielding_scaled


def by_pairs(position, side, canvas, width):
    """Every window looks at every earlier particle; bumps are not cut off."""
    half = torch.tensor(canvas) / 2
    steps = torch.arange(side) - (side - 1) / 2
    apart = (
        position[:, :, None] - position[:, None]
    ) * half  # pixels from each earlier particle to each window's middle
    bumps = torch.exp(-((steps + apart[..., None]) / width).square() / 2)
    earlier = torch.ones(position.shape[1], position.shape[1]).tril(-1)
    return torch.einsum("kj,bkjr,bkjc->bkrc", earlier, bumps[..., 0, :], bumps[..., 1, :]).clamp(max=1)


def test_agrees_with_looking_at_all_pairs():
    torch.manual_seed(0)
    position = torch.rand(2, 12, 2) * 1.4 - 0.7
    found = claimed_before(position, 48, (64, 80), 6.0)
    assert found[:, 0].max() == 0, "nobody comes before the first"
    torch.testing.assert_close(found, by_pairs(position, 48, (64, 80), 6.0), atol=0.06, rtol=0)
    assert found.max() > 0.5


def test_later_particles_change_nothing_and_far_ones_neither():
    torch.manual_seed(0)
    position = torch.rand(1, 5, 2) - 0.5
    more = torch.cat([position, torch.tensor([[[1.9, -1.9], [0.9, 0.9]]])], 1)
    assert torch.equal(
        claimed_before(more, 9, (33, 40), 2.0)[:, :5], claimed_before(position, 9, (33, 40), 2.0)
    )
    assert claimed_before(more, 9, (33, 40), 2.0)[:, 6].max() == 0


def test_the_later_of_two_at_one_place_yields():
    position = torch.tensor([[[0.0, 0.0], [0.01, 0.0], [0.5, 0.5], [0.0, 0.01]]])
    presence = torch.tensor([[0.9, 0.8, 0.7, 1.0]], requires_grad=True)
    room = yielding(presence, position, (64, 64), width=3.0)
    found = room.detach()
    assert found[0, 0] == 0.9 and found[0, 2] == pytest.approx(0.7)
    assert found[0, 1] == pytest.approx(0.8 * (1 - 0.9), abs=0.01)
    assert found[0, 3] < 0.05
    room.sum().backward()
    assert presence.grad[0, 0] == 1, "the first is not asked to make room"


def test_nobody_yields_to_the_absent():
    position = torch.zeros(1, 2, 2)
    torch.testing.assert_close(
        yielding(torch.tensor([[0.0, 0.9]]), position, (64, 64), width=3.0), torch.tensor([[0.0, 0.9]])
    )


def scaled_crowd():
    torch.manual_seed(0)
    return torch.rand(2, 8, 2) * 1.6 - 0.8, torch.exp(torch.rand(2, 8, 2) * 1.6 - 0.8)


def test_claims_at_any_scale_agree_with_looking_at_all_pairs():
    """Every window reads the sum of earlier bumps from a whole canvas; bumps are not cut off."""
    position, scale = scaled_crowd()
    pixels = [
        torch.arange(full) - (position[..., axis, None] + 1) * full / 2 + 0.5
        for axis, full in enumerate((48, 60))
    ]
    rows, columns = (
        torch.exp(-(steps / (3.0 * scale[..., axis, None])).square() / 2) for axis, steps in enumerate(pixels)
    )
    bumps = rows[..., :, None] * columns[..., None, :]
    before = (bumps.cumsum(1) - bumps).clamp(max=1)
    read = [canvases.cut_windows_scaled(before[:, k, None], position, scale, 32)[:, k, 0] for k in range(8)]
    found = claimed_scaled(position, scale, 32, (48, 60), 3.0)
    torch.testing.assert_close(found, torch.stack(read, 1).clamp(max=1), atol=0.01, rtol=0)
    assert found[:, 0].max() == 0
    assert 0.5 < found.max() <= 1


def test_claims_at_scale_one_are_those_of_windows_of_one_size():
    position = scaled_crowd()[0] * 0.5
    found = claimed_scaled(position, torch.ones_like(position), 9, (48, 60), 2.0)
    torch.testing.assert_close(found, claimed_before(position, 9, (48, 60), 2.0))
    assert found.max() > 0.5


def test_yielding_at_scale_one_is_that_of_particles_of_one_size():
    position, presence = scaled_crowd()[0], torch.rand(2, 8)
    found = yielding_scaled(presence, position, torch.ones_like(position), (48, 60), 5.0)
    torch.testing.assert_close(found, yielding(presence, position, (48, 60), 5.0))


def test_large_particles_ask_for_room_far_away_and_small_ones_do_not():
    """Along each axis by itself."""
    position = torch.tensor([[[0.0, 0.0], [0.25, 0.0]], [[0.0, 0.0], [0.0, 0.25]]])
    scale = torch.tensor([[[4.0, 0.5], [1.0, 1.0]]]).expand(2, -1, -1)
    presence = torch.ones(2, 2, requires_grad=True)
    found = yielding_scaled(presence, position, scale, (64, 64), width=3.0)
    assert found[0, 1] < 0.25 and found[1, 1] > 0.99
    backwards = yielding_scaled(presence, position.flip(1), scale.flip(1), (64, 64), width=3.0)
    assert backwards[0, 1] > 0.95, "only the scale of the earlier one counts"
    found.sum().backward()
    assert (presence.grad[:, 0] == 1).all(), "the first is not asked to make room"
