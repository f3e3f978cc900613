"""Arms: links keep their lengths, joints lie on the arm, bends stay within reach, noise is as strong as asked."""

import pytest
import torch

from motes.data.worlds.solid.arm import REACH, Arm, ArmConfig
from motes.errors import UserError


def test_links_keep_their_lengths_and_the_arm_stays_in_the_picture():
    points = Arm(ArmConfig(links=4)).truth(range(300)).points
    assert points.shape == (300, 5, 2) and points.abs().max() < 1
    lengths = points.diff(dim=1).norm(dim=2)
    torch.testing.assert_close(lengths, lengths[:1].expand(300, -1))
    torch.testing.assert_close(lengths[0].sum(), torch.tensor(REACH))
    assert (lengths[0].diff() < 0).all(), "the arm tapers"


def test_bends_are_anything_up_to_the_sharpest():
    way = torch.nn.functional.normalize(Arm(ArmConfig()).truth(range(500)).points.diff(dim=1), dim=2)
    cosine = (way[:, 1:] * way[:, :-1]).sum(2)
    assert cosine.max() > 0.99 and -0.34 < cosine.min() < -0.25
    assert way[:, 0].mean(0).abs().max() < 0.15, "the upper arm points anywhere"


def test_joints_lie_on_the_arm_and_the_arm_is_near():
    data = Arm(ArmConfig(noise=0.0))
    truth, image = data.truth(range(50)), data.batch(range(50)).image[:, 0]
    pixel = ((truth.points + 1) / 2 * 31).round().long()
    assert truth.masks[torch.arange(50)[:, None], 0, pixel[..., 0], pixel[..., 1]].float().mean() > 0.98
    assert image[truth.masks[:, 0]].min() > 0.3 and image[~truth.masks[:, 0]].median() < 0.11


def test_noise_has_the_deviation_asked_for():
    clean, noisy = (Arm(ArmConfig(noise=noise)).batch(range(50)).image for noise in (0.0, 0.03))
    assert (noisy - clean).std().item() == pytest.approx(0.03, rel=0.05)


def test_colour_and_arms_that_cannot_be():
    assert Arm(ArmConfig(channels=3, image_size=(24, 40))).pixels([0]).shape == (1, 3, 24, 40)
    with pytest.raises(UserError, match="links"):
        Arm(ArmConfig(links=0))
    with pytest.raises(UserError, match="noise"):
        Arm(ArmConfig(noise=-0.1))
