"""Evidence: what paints nothing explains nothing, and a sample in two parts is cut between them."""

import torch

from motes.ops.rendering.contrast import evidence_threshold, visible_contrast
from motes.ops.rendering.glimpse import place_glimpses


def test_hidden_absent_transparent_and_camouflaged_particles_explain_less():
    glimpses = torch.ones(1, 5, 4, 8, 8)
    glimpses[0, 3, 0] = 0  # transparent
    background = torch.zeros(1, 3, 64, 64)
    glimpses[0, 4, 1:] = 0  # painted like the background
    position = torch.tensor(
        [[[-0.5, -0.5], [-0.5, -0.5], [0.5, 0.5], [0.0, 0.0], [0.5, -0.5]]]
    )  # 1 hides behind 0
    presence = torch.tensor([[1.0, 1.0, 0.0, 1.0, 1.0]])
    evidence = visible_contrast(
        place_glimpses(glimpses, position, (64, 64)), presence, torch.full((1, 5, 2), -9.0), background
    )
    assert (evidence[0, 0] > evidence[0, 1:] + 5).all()


def test_a_vague_particle_explains_less():
    glimpses, position = torch.ones(1, 2, 4, 8, 8), torch.tensor([[[-0.5, -0.5], [0.5, 0.5]]])
    log_variance = torch.tensor([[[-8.0, -8.0], [0.0, 0.0]]])
    sure, vague = visible_contrast(
        place_glimpses(glimpses, position, (64, 64)),
        torch.ones(1, 2),
        log_variance,
        torch.zeros(1, 3, 64, 64),
    )[0]
    assert sure > vague


def test_two_groups_are_parted_and_one_group_is_left_whole():
    torch.manual_seed(0)
    two = torch.cat([torch.randn(300) * 0.3 - 3, torch.randn(200) * 0.3 + 3])
    assert -2 < evidence_threshold(two) < 2
    one = torch.randn(500)
    assert evidence_threshold(one) <= one.min()
