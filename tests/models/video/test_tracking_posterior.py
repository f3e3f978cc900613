"""The posterior that tracks: slots stay with their things through contact, behind others, and beside what is new.

Networks that learnt nothing read each thing where its anchor is, so that the anchors alone are tested.
"""

import pytest
import torch

from motes.errors import UserError
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.particles.dlp_config import DlpConfig
from motes.models.video.anchors import tracked_anchors
from motes.models.video.posterior_stream import film_by_posterior
from motes.models.video.tracking_posterior import clip_by_posterior, networks_of
from motes.ops.points.boxes_of_things import Boxes, Foreground, Things, colours_in, moved_things, without
from motes.ops.points.pixels import pixels_of_positions, positions_of_pixels

SIZE = (64, 64)
RED, GREEN, BLUE = (0.9, 0.1, 0.1), (0.1, 0.8, 0.1), (0.2, 0.2, 0.9)
RADIUS = 6.0


def film(paths, colours):
    """Discs on black, the last one in front; a path is a list of (row, column), or None where nothing is there."""
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    frames = []
    for places in zip(*paths, strict=True):
        picture = torch.zeros(3, *SIZE)
        for place, colour in zip(places, colours, strict=True):
            if place is not None:
                inside = (rows - place[0]).square() + (columns - place[1]).square() < RADIUS**2
                picture = torch.where(inside, torch.tensor(colour)[:, None, None], picture)
        frames.append(picture)
    return torch.stack(frames)


def line(start, step, frames):
    return [(start[0] + t * step[0], start[1] + t * step[1]) for t in range(frames)]


def model_for(image):
    torch.manual_seed(0)
    model = DeepLatentParticles(DlpConfig(SIZE, num_particles=4, num_proposals=8, glimpse_size=16)).eval()
    # the background is black
    model.decoder.start(torch.cat([image, torch.zeros(4 * len(image), 3, *SIZE)]))
    # the model believes in what it sees
    model.evidence_threshold.fill_(-100)
    return model


def slot_at(clip, frame, place):
    """The slot of the thing that is seen nearest to this place, which is near."""
    particles = clip.at(frame)
    seen = clip.by_clip(clip.seen)[0, frame]
    distance = (pixels_of_positions(particles.position[0], SIZE) - torch.tensor(place)).norm(dim=-1)
    distance = distance.where(seen, torch.inf)
    assert distance.min() < 1.5, f"nothing is seen at {place} in frame {frame}"
    return int(distance.argmin())


def test_two_that_touch_and_part_keep_their_slots():
    """They are of one colour, and turn round where they meet."""
    frames = 12
    way = [abs(5.5 - t) for t in range(frames)]
    paths = [[(32.0, 32 - RADIUS - 2 * w) for w in way], [(32.0, 32 + RADIUS + 2 * w) for w in way]]
    image = film(paths, [RED, RED])
    clip = clip_by_posterior(model_for(image), image, frames)
    slots = [[slot_at(clip, t, path[t]) for t in range(frames)] for path in paths]
    assert len(set(slots[0])) == len(set(slots[1])) == 1 and slots[0][0] != slots[1][0]
    assert clip.track.max() == 1, "nothing is found between them"


def test_what_comes_later_takes_a_free_slot_and_those_there_keep_theirs():
    frames = 8
    first = line((20.0, 10.0), (0.0, 3.0), frames)
    later = [None] * 3 + line((50.0, 40.0), (-2.0, 0.0), frames - 3)
    image = film([first, later], [GREEN, BLUE])
    clip = clip_by_posterior(model_for(image), image, frames)
    slots = {slot_at(clip, t, first[t]) for t in range(frames)}
    slots_later = {slot_at(clip, t, later[t]) for t in range(3, frames)}
    assert len(slots) == len(slots_later) == 1 and slots != slots_later
    track = clip.by_clip(clip.track)[0, :, slots_later.pop()]
    assert track.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1], "the number of the oldest is the smallest"


def test_a_thing_comes_back_from_behind_another_one():
    frames = 16
    passing = line((32.0, 8.0), (0.0, 3.0), frames)
    standing = [(32.0, 32.0)] * frames
    image = film([passing, standing], [GREEN, RED])
    clip = clip_by_posterior(model_for(image), image, frames)
    assert slot_at(clip, 1, passing[1]) == slot_at(clip, 15, passing[15])
    slot = slot_at(clip, 1, passing[1])
    behind = clip.by_clip(clip.seen)[0, 8, slot], clip.by_clip(clip.particles.presence)[0, 8, slot]
    assert not behind[0] and behind[1] == 1, "it is expected there, and still present"


def test_a_thing_that_vanishes_fades_and_is_forgotten():
    frames = 12
    path = [*line((20.0, 20.0), (1.0, 1.0), 4), *[None] * 8]
    image = film([path, [(50.0, 50.0)] * frames], [GREEN, RED])
    clip = clip_by_posterior(model_for(image), image, frames)
    slot = slot_at(clip, 0, path[0])
    presence = clip.by_clip(clip.particles.presence)[0, :, slot]
    assert presence[4:9].tolist() == [0.75, 0.5, 0.25, 0, 0]
    assert clip.by_clip(clip.track)[0, -1, slot] == -1


def test_clips_in_a_batch_are_followed_as_each_alone():
    frames = 6
    one = film([line((20.0, 20.0), (2.0, 1.0), frames)], [GREEN])
    two = film([line((40.0, 50.0), (0.0, -3.0), frames), line((12.0, 12.0), (0.0, 2.0), frames)], [RED, BLUE])
    model = model_for(torch.cat([one, two]))
    together = clip_by_posterior(model, torch.cat([one, two]), frames)
    alone = clip_by_posterior(model, two, frames)
    slots = [slot_at(alone, 0, place) for place in ((40.0, 50.0), (12.0, 12.0))]
    of_second = together.particles.position[frames:]
    torch.testing.assert_close(of_second[:, slots], alone.particles.position[:, slots])


def test_following_changes_no_statistics_of_a_model_that_trains():
    image = film([line((20.0, 20.0), (2.0, 1.0), 4)], [GREEN])
    model = model_for(image).train()
    encoder, decoder = networks_of(model)
    view = encoder.view(image, decoder)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tracked_anchors(encoder, decoder, view, 4)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert encoder.training and decoder.training


def test_other_networks_and_broken_clips_are_refused():
    image = film([line((20.0, 20.0), (2.0, 1.0), 4)], [GREEN])
    anchored = DeepLatentParticles(DlpConfig(SIZE, architecture="anchored"))
    with pytest.raises(UserError, match="anchors that follow things need"):
        clip_by_posterior(anchored, image, 4)
    with pytest.raises(UserError, match="no whole clips of 3 frames"):
        clip_by_posterior(model_for(image), image, 3)


def foreground_of(image):
    return Foreground((image.amax(1, keepdim=True) > 0).float(), 3 * image)


def test_boxes_move_with_their_things_and_take_their_sizes():
    """Two of one colour that touch: each takes the pixels that are nearer to where it should be."""
    before = torch.tensor([[[30.0, 24.0], [30.0, 38.0]]])
    now = [(31.0, 26.0), (31.0, 38.0)]
    foreground = foreground_of(film([[place] for place in now], [RED, RED]))
    boxes = Boxes(positions_of_pixels(before, SIZE), torch.ones(1, 2, 2))
    colour = colours_in(foreground, boxes, side=2 * RADIUS)
    things = Things(boxes, colour, torch.ones(1, 2, dtype=torch.bool))
    tracked = moved_things(foreground, things, side=2 * RADIUS)
    torch.testing.assert_close(
        pixels_of_positions(tracked.boxes.positions[0], SIZE), torch.tensor(now), atol=0.6, rtol=0
    )
    torch.testing.assert_close(tracked.boxes.sides[0], torch.ones(2, 2), atol=0.12, rtol=0)
    assert (tracked.filled > 0.6).all()


def test_things_that_are_known_are_cleared_by_their_colour():
    foreground = foreground_of(film([[(30.0, 24.0)], [(30.0, 32.0)]], [RED, GREEN]))
    boxes = Boxes(positions_of_pixels(torch.tensor([[[30.0, 24.0]]]), SIZE), torch.ones(1, 1, 2))
    things = Things(boxes, 3 * torch.tensor([[RED]]), torch.ones(1, 1, dtype=torch.bool))
    left = without(foreground, things, side=2 * RADIUS).amount[0, 0]
    assert left[30, 20] < 0.1 and left[30, 32] > 0.9


def test_a_film_is_the_same_in_whatever_pieces_it_comes():
    """One thing hides another while a piece ends; a third comes later."""
    frames = 16
    passing = line((32.0, 8.0), (0.0, 3.0), frames)
    later = [None] * 5 + line((56.0, 50.0), (-1.0, 0.0), frames - 5)
    image = film([passing, later, [(32.0, 32.0)] * frames], [GREEN, BLUE, RED])
    model = model_for(image)
    whole = clip_by_posterior(model, image, frames)
    first, *more = film_by_posterior(model, image.split([1, 6, 2, 7]))
    pieces = first.joined(*more).without_empty_slots()
    assert torch.equal(pieces.track, whole.track) and torch.equal(pieces.seen, whole.seen)
    for name, value in whole.particles.per_particle().items():
        alike = pieces.particles.per_particle()[name]
        there = whole.track >= 0
        torch.testing.assert_close(alike[there], value[there], atol=1e-4, rtol=1e-4)


def test_a_thing_that_shows_by_a_sliver_is_where_its_outline_is():
    frames = 14
    passing = line((32.0, 8.0), (0.0, 3.0), frames)
    image = film([passing, [(32.0, 32.0)] * frames], [GREEN, RED])
    clip = clip_by_posterior(model_for(image), image, frames)
    slot = slot_at(clip, 1, passing[1])
    place = pixels_of_positions(clip.by_clip(clip.particles.position)[0, :, slot], SIZE)
    # half of it and a sixth of it are in sight
    for frame in (6, 7):
        assert (place[frame] - torch.tensor(passing[frame])).norm() < RADIUS / 3
    assert clip.by_clip(clip.seen)[0, [6, 10], slot].all()


def test_things_are_followed_where_they_are_of_about_one_size_and_matched_elsewhere():
    image = film([line((20.0, 20.0), (2.0, 1.0), 6)], [GREEN])
    model = model_for(image)
    model.decoder.sides.copy_(torch.tensor([8.0, 20.0]))
    by_posterior = clip_by_posterior(model, image, 6)
    assert torch.equal(model.track(image, 6).particles.position, by_posterior.particles.position)
    model.decoder.sides.copy_(torch.tensor([4.0, 20.0]))
    assert model.follower is None and model.track(image, 6).particles.count > 0
