"""Things keep their numbers: through crossings, gaps, occlusions and chunks, whatever order particles come in."""

from dataclasses import replace

import pytest
import torch

from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.tracks.stream import Chunk, track
from motes.types.clips import ParticleClip
from motes.types.latents import Extent, Particles

SIZE = (64, 64)


def line(start, step, frames):
    """A thing that moves by `step` pixels a frame, (row, column)."""
    return torch.tensor(start) + torch.arange(frames)[:, None] * torch.tensor(step)


def film(places, looks=None, shown=None, seed=0, certainty=None):
    """Particles at these places, T things 2 in pixels, in another order in every frame."""
    frames, things = places.shape[:2]
    looks = torch.zeros(things, 2) if looks is None else torch.tensor(looks)
    shown = torch.ones(frames, things) if shown is None else shown.float()
    random = torch.Generator().manual_seed(seed)
    order = torch.stack([torch.randperm(things, generator=random) for _ in range(frames)])
    frame = torch.arange(frames)[:, None]
    features = looks.expand(frames, -1, -1)[frame, order]
    particles = Particles(
        position=((places + 0.5) / 32 - 1)[frame, order],
        log_variance=torch.full((frames, things, 2), -8.0),
        features=features,
        feature_log_variance=torch.full_like(features, -8.0),
        presence=shown[frame, order],
        background=torch.zeros(frames, 1),
        certainty=None if certainty is None else certainty[frame, order],
    )
    return particles, order


def followed(particles, **more):
    return track(Chunk(particles, SIZE, len(particles), window=12, **more))


def numbers_of(clip, order, frames):
    """The track of each thing in each frame; -1 where it was not seen."""
    numbers = torch.full(order.shape, -1)
    for frame in range(frames):
        for slot in clip.seen[frame].nonzero()[:, 0].tolist():
            numbers[frame, order[frame, clip.source[frame, slot]]] = clip.track[frame, slot]
    return numbers


def test_things_keep_their_numbers_whatever_the_order():
    places = torch.stack([line((10.0, 5.0), (0.0, 2.0), 20), line((50.0, 60.0), (0.0, -2.0), 20)], 1)
    particles, order = film(places)
    clip = followed(particles)
    numbers = numbers_of(clip, order, 20)
    assert clip.track.shape == (20, 2) and clip.seen.all()
    assert (numbers == numbers[0]).all() and set(numbers[0].tolist()) == {0, 1}
    of_slot = clip.by_clip(clip.particles.position)[0]
    for slot in range(2):
        thing = int((numbers[0] == clip.track[0, slot]).nonzero())
        torch.testing.assert_close((of_slot[:, slot] + 1) * 32 - 0.5, places[:, thing])


def two_sizes(offset, frames=20, leaves=20):
    """A large thing that goes to the right, and a small one at this offset, which goes up from the frame `leaves` on."""
    large = line((30.0, 12.0), (0.0, 1.0), frames)
    away = (torch.arange(frames) - leaves).clamp_min(0)[:, None] * torch.tensor([-2.0, 0.0])
    small = large + torch.tensor(offset) + away
    particles, order = film(torch.stack([large, small], 1))
    sides = torch.tensor([16.0, 8.0]).expand(frames, 2).gather(1, order)
    centre = (particles.position + 1) * 32 - 0.5
    around = torch.cat([centre + 0.5 - sides[..., None] / 2, centre + 0.5 + sides[..., None] / 2], -1)
    zeros = torch.zeros(frames, 2)
    scale = (sides / 12)[..., None].expand(-1, -1, 2)
    extent = Extent(scale, torch.zeros(frames, 2, 2), zeros, zeros)
    boxes = VisibleBoxes(around, particles.presence > 0, SIZE)
    return followed(replace(particles, extent=extent), boxes=boxes)


def test_what_lies_within_a_larger_thing_and_goes_along_is_a_piece_of_it():
    clip = two_sizes(offset=(8.0, 4.0))
    assert ((clip.track >= 0).sum(1) == 2).all() and (clip.whole == clip.whole[:, :1]).all()
    alone = clip.of_things()
    assert ((alone.track >= 0).sum(1) == 1).all() and alone.seen.sum() == 20
    # around both: 16 pixels high, and 4 more of the smaller one
    box = alone.box[alone.seen]
    torch.testing.assert_close(box[:, 2] - box[:, 0], torch.full((20,), 20.0))


@pytest.mark.parametrize("offset", [(12.5, 0.0), (0.0, 20.0)])
def test_what_goes_along_beside_a_thing_is_a_thing_of_its_own(offset):
    clip = two_sizes(offset)
    assert (clip.whole == clip.track).all()


def test_a_piece_that_goes_its_own_way_is_a_thing():
    clip = two_sizes(offset=(-8.0, 4.0), leaves=8)
    assert (clip.whole[:8] == clip.whole[:8, :1]).all()
    assert (clip.whole[14:] == clip.track[14:]).all()


def test_velocity_tells_equal_things_apart_when_they_cross():
    places = torch.stack([line((30.0, 8.0), (0.5, 2.5), 18), line((32.0, 52.0), (0.0, -2.5), 18)], 1)
    particles, order = film(places)
    numbers = numbers_of(followed(particles), order, 18)
    assert (numbers == numbers[0]).all()


def test_looks_tell_things_apart_that_bounce_off_each_other():
    forth, back = line((30.0, 8.0), (0.0, 3.0), 9), line((31.0, 56.0), (0.0, -3.0), 9)
    places = torch.stack([torch.cat([forth, forth.flip(0)]), torch.cat([back, back.flip(0)])], 1)
    particles, order = film(places, looks=[[2.0, 0.0], [-2.0, 0.0]])
    numbers = numbers_of(followed(particles), order, 18)
    assert (numbers == numbers[0]).all()


def test_a_gap_is_bridged_at_constant_velocity_and_marked_as_a_guess():
    places = torch.stack([line((10.0, 5.0), (0.0, 2.0), 20)], 1)
    shown = torch.ones(20, 1)
    shown[8:11] = 0
    particles, _ = film(places, shown=shown)
    clip = followed(particles)
    assert (clip.track == 0).all()
    assert clip.seen[:, 0].tolist() == shown[:, 0].bool().tolist()
    torch.testing.assert_close((clip.particles.position[:, 0] + 1) * 32 - 0.5, places[:, 0])
    assert clip.particles.presence[8:11, 0].tolist() == [0.75, 0.5, 0.25]


def test_a_particle_of_a_moment_is_no_track():
    places = torch.stack([line((10.0, 5.0), (0.0, 2.0), 12), line((40.0, 40.0), (0.0, 0.0), 12)], 1)
    shown = torch.ones(12, 2)
    shown[:, 1] = 0
    shown[5, 1] = 1
    clip = followed(film(places, shown=shown)[0])
    assert clip.track.shape == (12, 1)


@pytest.mark.parametrize("pattern", [[1, 1, 1], [1, 1, 0], [1, 0, 1]])
def test_a_thing_seen_in_two_of_three_frames_is_a_track_from_its_first_frame_on(pattern):
    places = torch.stack([line((10.0, 5.0), (0.0, 2.0), 12), line((40.0, 40.0), (0.0, 1.0), 12)], 1)
    shown = torch.ones(12, 2)
    shown[:4, 1] = 0
    shown[4:7, 1] = torch.tensor(pattern)
    particles, order = film(places, shown=shown)
    numbers = numbers_of(followed(particles), order, 12)
    assert numbers[4, 1] == numbers[11, 1] == 1


def test_a_thing_that_leaves_ends_and_its_slot_is_used_again():
    leaving = line((30.0, 50.0), (0.0, 3.0), 45)
    coming = line((10.0, -80.0), (0.0, 2.0), 45)
    places = torch.stack([leaving, coming], 1)
    shown = ((places > 0) & (places < 63)).all(-1)
    particles, order = film(places, shown=shown, looks=[[3.0, 0.0], [-3.0, 0.0]])
    clip = followed(particles)
    numbers = numbers_of(clip, order, 45)
    assert numbers[0].tolist() == [0, -1] and numbers[44].tolist() == [-1, 1]
    assert clip.track.shape[1] == 1
    ended = clip.track[:, 0] < 0
    assert ended.any() and not clip.particles.presence[ended].any()


def test_what_passes_behind_another_keeps_its_number():
    frames = 24
    places = torch.stack([line((30.0, 30.0), (0.0, 0.0), frames), line((30.0, 5.0), (0.0, 2.0), frames)], 1)
    shown = torch.ones(frames, 2)
    hidden = (places[:, 1, 1] - 30).abs() < 8
    shown[hidden, 1] = 0
    assert 6 < hidden.sum() < 10
    particles, order = film(places, shown=shown, looks=[[1.0, 0.0], [0.0, 1.0]])
    around = torch.cat([particles.position * 32 + 20, particles.position * 32 + 44], -1)
    boxes = VisibleBoxes(around, particles.presence > 0, SIZE)
    clip = followed(particles, boxes=boxes)
    numbers = numbers_of(clip, order, frames)
    assert numbers[0, 1] == numbers[-1, 1]
    slot = int((clip.track[0] == numbers[0, 1]).nonzero())
    # it is believed to be there while it is hidden
    inner = hidden.nonzero()[2:6, 0]
    assert clip.particles.presence[inner, slot].tolist() == [1.0] * len(inner)


def test_a_doubtful_particle_continues_a_track_and_begins_none():
    places = torch.stack([line((10.0, 5.0), (0.0, 2.0), 16), line((40.0, 40.0), (0.0, 1.0), 16)], 1)
    certainty = torch.ones(16, 2)
    certainty[10:12, 0] = 0.3
    certainty[:, 1] = 0.3
    particles, order = film(places, certainty=certainty)
    clip = followed(particles)
    assert clip.track.shape == (16, 1) and clip.seen.all()
    assert (numbers_of(clip, order, 16)[:, 0] == 0).all()


def test_a_lost_thing_is_found_again_by_its_look():
    places = torch.stack([line((20.0, 20.0), (0.0, 0.3), 30), line((45.0, 20.0), (0.0, 0.3), 30)], 1)
    shown = torch.ones(30, 2)
    shown[8:20, 0] = 0
    particles, order = film(places, shown=shown, looks=[[1.0, 0.0], [0.0, 1.0]])
    numbers = numbers_of(followed(particles), order, 30)
    assert numbers[25, 0] == numbers[0, 0]
    # another thing at the same place is another thing
    features = particles.features.clone()
    late = torch.arange(30)[:, None] >= 20
    features[late & (order == 0)] = torch.tensor([-1.0, -1.0])
    particles = particles.with_tensors({"features": features})
    numbers = numbers_of(followed(particles), order, 30)
    assert numbers[25, 0] != numbers[0, 0]


def crowd(frames=40, things=6, seed=1):
    """Things that wander and come and go, with sizes."""
    random = torch.Generator().manual_seed(seed)
    steps = torch.randn(frames, things, 2, generator=random).cumsum(0) * 0.6
    places = torch.rand(things, 2, generator=random) * 60 + steps.cumsum(0) * 0.3
    shown = torch.rand(frames, things, generator=random) > 0.15
    looks = torch.randn(things, 2, generator=random).tolist()
    particles, order = film(places, looks, shown, seed)
    zeros = torch.zeros(frames, things)
    scale = 1 + torch.rand(things, generator=random)
    extent = Extent(scale[order][..., None].expand(-1, -1, 2), torch.zeros(frames, things, 2), zeros, zeros)
    return Particles(**{**vars(particles), "extent": extent})


def same(one, other):
    assert one.frames == other.frames
    for name, value in one.tensors().items():
        torch.testing.assert_close(value, other.tensors()[name], rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("size", [1, 2, 7, 39])
def test_chunks_make_no_difference(size):
    particles = crowd()
    whole = followed(particles)
    parts = [particles[start : start + size] for start in range(0, 40, size)]
    same(whole, track(*(Chunk(part, SIZE, len(part), window=12) for part in parts)))


def test_a_clip_alone_is_as_in_a_batch():
    clips = [crowd(seed=seed) for seed in range(3)]
    batch = track(Chunk(Particles.cat(clips), SIZE, 40, window=12))
    for number, particles in enumerate(clips):
        alone = followed(particles)
        rows = batch[slice(40 * number, 40 * (number + 1))]
        tracks = rows.without_empty_slots()
        assert torch.equal(tracks.track, alone.track) and torch.equal(tracks.source, alone.source)
        torch.testing.assert_close(tracks.particles.position, alone.particles.position)


def test_no_two_slots_share_a_particle_and_a_number_stays_in_its_slot():
    clip = followed(crowd(frames=80, things=9, seed=3))
    slot_of = {}
    for frame in range(80):
        source = clip.source[frame][clip.seen[frame]].tolist()
        assert len(source) == len(set(source))
        for slot in (clip.track[frame] >= 0).nonzero()[:, 0].tolist():
            assert slot_of.setdefault(int(clip.track[frame, slot]), slot) == slot
    assert sorted(slot_of) == list(range(len(slot_of)))
    assert clip.particles.presence[clip.track < 0].eq(0).all()


@pytest.mark.parametrize("things", [0, 3])
def test_films_in_which_nothing_is_seen_have_no_tracks(things):
    places = torch.zeros(5, things, 2)
    clip = followed(film(places, shown=torch.zeros(5, things))[0])
    assert isinstance(clip, ParticleClip) and clip.track.tolist() == [[-1]] * 5
    assert not clip.seen.any() and not clip.particles.presence.any()
