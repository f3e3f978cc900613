"""Clips of particles: frames, windows, joins and edits touch what they say and nothing else."""

from dataclasses import replace

import torch

from motes.types.clips import ParticleClip
from motes.types.latents import Particles


def clips(count=2, frames=4, slots=3, start=0.0):
    """Clips in which every number tells where it stands."""
    rows = count * frames
    number = start + torch.arange(rows * slots).reshape(rows, slots).float()
    return ParticleClip.of_slots(
        Particles(
            position=torch.stack([number, -number], -1),
            log_variance=torch.zeros(rows, slots, 2),
            features=number[..., None],
            feature_log_variance=torch.zeros(rows, slots, 1),
            presence=torch.ones(rows, slots),
            background=torch.zeros(rows, 1),
        ),
        frames,
    )


def test_at_gives_one_frame_of_every_clip():
    clip = clips()
    assert clip.at(1).features[..., 0].tolist() == [[3, 4, 5], [15, 16, 17]]
    assert torch.equal(clip.at(-1).features, clip.at(3).features)


def test_windows_joined_again_are_the_whole():
    clip = clips()
    joined = clip.window(0, 1).joined(clip.window(1, 2), clip.window(3, 1))
    assert joined.frames == 4
    assert all(torch.equal(value, clip.tensors()[name]) for name, value in joined.tensors().items())


def test_joining_fills_missing_slots_with_nothing():
    joined = clips(slots=2).joined(clips(slots=3, start=100))
    assert joined.frames == 8 and joined.particles.count == 3
    early = joined.by_clip(joined.track)[:, :4, 2]
    assert (early == -1).all() and not joined.by_clip(joined.seen)[:, :4, 2].any()
    assert (joined.by_clip(joined.particles.presence)[:, :4, 2] == 0).all()


def test_an_edit_changes_one_frame_of_every_clip_and_leaves_the_original():
    clip = clips()
    before = clip.particles.position.clone()
    edited = clip.edited(2, clip.at(2).moved(1, (0.5, 0.0), picture=1))
    changed = (edited.particles.position != before).any(-1).nonzero().tolist()
    assert changed == [[6, 1]]
    assert torch.equal(clip.particles.position, before)


def test_rows_are_clips_of_one_frame():
    assert clips()[3:5].frames == 1 and len(clips()[3]) == 1


def test_an_absent_particle_is_in_no_slot():
    clip = clips()
    absent = ParticleClip.of_slots(clip.particles.without(1, picture=2), 4)
    assert absent.track[2].tolist() == [0, -1, 2] and absent.seen[2].tolist() == [True, False, True]


def test_clips_with_and_without_pieces_are_joined():
    plain = clips(count=1, frames=2, slots=2)
    with_pieces = replace(plain, whole=torch.zeros(2, 2, dtype=torch.int64))
    assert with_pieces.joined(plain).things.tolist() == [[0, 0], [0, 0], [0, 1], [0, 1]]
    assert (with_pieces.of_things().track >= 0).sum(1).tolist() == [1, 1]
