"""Scores of tracks agree with py-motmetrics and TrackEval on random clips, and with cases counted by hand."""

import numpy as np
import pytest
import torch

from motes.ops.scores.tracking import THRESHOLDS, clear_mot, hota, identity_pairs, survival

GATE = 0.6


def clips(count=12, frames=20, things=4, tracks=6):
    """Things that wander, and tracks that follow them with errors, gaps and changes of whom they follow."""
    random = torch.Generator().manual_seed(0)
    steps = 0.15 * torch.randn(count, frames, things, 2, generator=random, dtype=torch.float64)
    place = torch.rand(count, 1, things, 2, generator=random, dtype=torch.float64) * 2 + steps.cumsum(1)
    followed = torch.randint(things, (count, 3, tracks), generator=random)
    followed = followed.repeat_interleave(frames // 3 + 1, 1)[:, :frames]
    guess = place.gather(2, followed[..., None].expand(-1, -1, -1, 2))
    guess = guess + 0.1 * torch.randn(guess.shape, generator=random, dtype=torch.float64)
    present = torch.rand(count, frames, things, generator=random) > 0.2
    there = torch.rand(count, frames, tracks, generator=random) > 0.4
    present[0] = False
    there[1] = False
    distance = (place[..., :, None, :] - guess[..., None, :, :]).norm(dim=-1)
    return distance, present, there


def near(distance, present, there):
    return (distance < GATE) & present[..., None] & there[..., None, :]


def test_clear_mot_is_that_of_py_motmetrics():
    motmetrics = pytest.importorskip("motmetrics")
    distance, present, there = clips()
    pairs = clear_mot(distance, near(distance, present, there))
    for clip in range(len(distance)):
        accumulator = motmetrics.MOTAccumulator(auto_id=True)
        for frame in range(distance.shape[1]):
            things = present[clip, frame].nonzero()[:, 0]
            tracks = there[clip, frame].nonzero()[:, 0]
            apart = distance[clip, frame][things][:, tracks]
            accumulator.update(things.numpy(), tracks.numpy(), apart.where(apart < GATE, torch.nan).numpy())
        names = ["num_misses", "num_false_positives", "num_switches", "motp", "idtp", "idf1", "mota"]
        theirs = motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0]
        paired = pairs.track[clip] >= 0
        assert theirs.num_misses == (present[clip] & ~paired).sum()
        assert theirs.num_false_positives == there[clip].sum() - paired.sum()
        assert theirs.num_switches == pairs.switched[clip].sum()
        if paired.any():
            length = distance[clip].gather(2, pairs.track[clip].clamp_min(0)[..., None])[..., 0][paired]
            assert theirs.motp == pytest.approx(length.mean().item())


def data_of(similarity, present, there):
    """One clip as TrackEval takes it: numbers without gaps."""
    things = present.any(0).nonzero()[:, 0]
    tracks = there.any(0).nonzero()[:, 0]
    number = {
        "gt": {int(n): i for i, n in enumerate(things)},
        "tracker": {int(n): i for i, n in enumerate(tracks)},
    }
    data = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for frame in range(len(present)):
        rows = present[frame].nonzero()[:, 0]
        columns = there[frame].nonzero()[:, 0]
        data["gt_ids"].append(np.array([number["gt"][int(n)] for n in rows], int))
        data["tracker_ids"].append(np.array([number["tracker"][int(n)] for n in columns], int))
        data["similarity_scores"].append(similarity[frame][rows][:, columns].numpy())
    return data | {
        "num_gt_dets": int(present.sum()),
        "num_tracker_dets": int(there.sum()),
        "num_gt_ids": len(things),
        "num_tracker_ids": len(tracks),
    }


def test_hota_and_idtp_are_those_of_trackeval():
    trackeval = pytest.importorskip("trackeval")
    from trackeval.metrics.hota import HOTA
    from trackeval.metrics.identity import Identity

    del trackeval
    distance, present, there = clips()
    similarity = (1 - distance).clamp_min(0)
    ours = hota(similarity, present, there)
    allowed = (similarity >= 0.5) & present[..., None] & there[..., None, :]
    idtp = identity_pairs(allowed)
    for clip in range(len(distance)):
        data = data_of(similarity[clip], present[clip], there[clip])
        theirs = HOTA().eval_sequence(data)
        right = ours.right[clip].sum(0)
        np.testing.assert_array_equal(right.numpy(), theirs["HOTA_TP"])
        np.testing.assert_allclose((ours.associated[clip] / right.clamp_min(1)).numpy(), theirs["AssA"])
        assert Identity().eval_sequence(data)["IDTP"] == idtp[clip]


def test_a_perfect_track_has_no_error_and_full_hota():
    present = torch.ones(1, 5, 2, dtype=torch.bool)
    same = torch.eye(2, dtype=torch.bool).expand(1, 5, 2, 2)
    pairs = clear_mot((~same).double(), same)
    assert pairs.track.tolist() == [[[0, 1]] * 5]
    assert not pairs.switched.any()
    assert identity_pairs(same).tolist() == [10]
    counts = hota(same.double(), present, present)
    assert counts.right.sum(1).tolist() == [[10] * THRESHOLDS]
    assert counts.associated.tolist() == [[10.0] * THRESHOLDS]


def test_exchanged_tracks_are_two_switches_and_half_the_identity():
    allowed = torch.eye(2, dtype=torch.bool).repeat(1, 4, 1, 1)
    allowed[0, 2:] = allowed[0, 2:].flip(1)
    pairs = clear_mot((~allowed).double(), allowed)
    assert pairs.switched.sum(2).tolist() == [[0, 0, 2, 0]]
    assert identity_pairs(allowed).tolist() == [4]


def test_a_track_is_kept_though_another_is_nearer():
    distance = torch.tensor([[[[0.1, 0.4]], [[0.4, 0.1]]]])
    pairs = clear_mot(distance, distance < 0.5)
    assert pairs.track.tolist() == [[[0], [0]]]


def test_a_switch_is_counted_after_a_gap():
    allowed = torch.tensor([[[[True, False]], [[False, False]], [[False, True]]]])
    assert clear_mot((~allowed).double(), allowed).switched.tolist() == [[[False], [False], [True]]]


@pytest.mark.parametrize(
    ("track", "hidden", "returned", "survived"),
    [
        ([0, 0, -1, 0], [0, 0, 1, 0], 1, 1),
        ([0, 0, -1, 1], [0, 0, 1, 0], 1, 0),
        # found one frame late
        ([0, 0, -1, -1, 0], [0, 0, 1, 0, 0], 1, 1),
        # lost before it was hidden, found again behind
        ([0, -1, -1, 0], [0, 0, 1, 0], 1, 1),
        # never found again before it is hidden again
        ([0, -1, -1, -1, 0], [0, 1, 0, 1, 0], 2, 1),
        # it was never seen before, and never comes back
        ([-1, 0, 0, -1], [1, 0, 0, 1], 0, 0),
        # nobody followed it
        ([-1, -1, 0], [0, 1, 0], 1, 0),
        # a track that goes on while nothing can be seen counts for nothing
        ([0, 1, 0], [0, 1, 0], 1, 1),
    ],
)
def test_survival_compares_the_tracks_around_an_occlusion(track, hidden, returned, survived):
    counts = survival(torch.tensor(track)[None, :, None], torch.tensor(hidden)[None, :, None].bool())
    assert (int(counts.returned.sum()), int(counts.survived.sum())) == (returned, survived)


@pytest.mark.parametrize(("frames", "things", "tracks"), [(0, 2, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1)])
def test_nothing_to_score_is_no_error(frames, things, tracks):
    distance = torch.ones(2, frames, things, tracks)
    present = torch.ones(2, frames, things, dtype=torch.bool)
    there = torch.ones(2, frames, tracks, dtype=torch.bool)
    pairs = clear_mot(distance, distance > 0)
    assert pairs.track.shape == (2, frames, things)
    assert identity_pairs(distance > 0).shape == (2,)
    assert hota(distance, present, there).right.shape == (2, frames, THRESHOLDS)
    assert survival(pairs.track, pairs.track < 0).returned.shape == (2, frames, things)
