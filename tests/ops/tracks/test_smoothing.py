"""Tracks follow exact places closely and noisy ones slowly, and they find out which they have."""

import pytest
import torch

from motes.ops.tracks.memory import TrackMemory
from motes.ops.tracks.pairing import TrackingRules
from motes.ops.tracks.sightings import Sightings
from motes.ops.tracks.smoothing import gains
from motes.ops.tracks.tracker import after_frame


def test_without_errors_a_track_goes_on_as_it_last_went():
    place, velocity = gains(torch.tensor([0.0]))
    assert place.item() == pytest.approx(1, abs=1e-3) and velocity.item() == pytest.approx(1, abs=1e-3)


def test_the_more_error_the_slower():
    place, velocity = gains(torch.linspace(0, 1, 20))
    assert (place.diff() <= 0).all() and (velocity.diff() <= 0).all()
    assert 0.2 < place[-1] < 0.8 and 0.02 < velocity[-1] < 0.4


def memory_after(centres):
    """The memory of a tracker that saw one thing at these places, frames x clips x 2."""
    count = centres.shape[1]
    memory = None
    for frame in centres:
        now = Sightings(
            centre=frame[:, None],
            look=torch.zeros(count, 1, 2),
            look_variance=torch.ones(count, 1, 2),
            size=torch.zeros(count, 1, 2),
            box=torch.cat([frame[:, None] - 5, frame[:, None] + 5], -1),
            sure=torch.ones(count, 1, dtype=torch.bool),
            doubtful=torch.zeros(count, 1, dtype=torch.bool),
            window=20.0,
            canvas=(1000, 1000),
        )
        memory, _ = after_frame(memory or TrackMemory.of_nothing(now), now, TrackingRules())
    return memory


def test_errors_and_changes_of_velocity_are_told_apart():
    random = torch.Generator().manual_seed(0)
    frames = torch.arange(80.0)[:, None, None]
    straight = 200 + frames * torch.tensor([1.0, 0.5])
    noisy = straight + torch.randn(80, 1, 2, generator=random)
    turning = 500 + (0.3 * torch.randn(80, 1, 2, generator=random)).cumsum(0).cumsum(0)
    memory = memory_after(torch.cat([noisy, turning, straight], 1))
    noise = memory.habits.noise
    assert noise[0] > 0.6 and noise[1] < 0.25
    # a step between two places of the noisy one is 2 pixels off (root mean square)
    assert (memory.traits.velocity[0, 0] - torch.tensor([1.0, 0.5])).norm() < 1
    torch.testing.assert_close(memory.traits.velocity[2, 0], torch.tensor([1.0, 0.5]))
