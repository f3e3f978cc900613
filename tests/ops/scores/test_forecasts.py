"""Scores of samples: least for the right distribution, and known values by hand."""

import torch

from motes.ops.scores.forecasts import diversity, energy_score, inside_hull, last_inside, ways_taken


def test_of_equal_samples_the_energy_score_is_the_error():
    samples = torch.tensor([[3.0, 4.0]] * 5)
    assert energy_score(samples, torch.zeros(2)).item() == 5
    assert diversity(samples).item() == 0


def test_of_two_samples_by_hand():
    samples = torch.tensor([[0.0, 1.0], [0.0, -3.0]])
    assert diversity(samples).item() == 4
    assert energy_score(samples, torch.zeros(2)).item() == 2 - 2


def test_samples_as_wide_as_the_truth_score_best():
    random = torch.Generator().manual_seed(0)
    truth = torch.randn(4000, 2, generator=random)
    samples = torch.randn(4000, 8, 2, generator=random)
    scores = {width: energy_score(width * samples, truth).mean().item() for width in (0.0, 0.5, 1.0, 2.0)}
    assert scores[1.0] == min(scores.values())


def test_a_hull_holds_its_middle_and_nothing_beyond_its_corners():
    square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]])
    points = torch.tensor([[0.4, 0.6], [0.01, 0.5], [-0.01, 0.5], [1.1, 1.1], [0.5, 3.0]])
    assert inside_hull(square.expand(5, 5, 2), points).tolist() == [True, True, False, False, False]


def test_two_samples_have_no_inside():
    line = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    assert not inside_hull(line, torch.tensor([0.2, 0.3]))


def test_a_way_is_taken_by_what_is_near_to_it_alone():
    straight = torch.stack([torch.zeros(9), torch.arange(9.0)], -1)
    aside = torch.stack([torch.arange(9.0), torch.arange(9.0)], -1)
    unknown = torch.full((9, 2), torch.nan)
    ends = torch.tensor([[0.0, 8.0], [8.0, 8.0], [0.0, 0.0], [4.0, -4.0]])
    taken = ways_taken(ends, torch.stack([straight, aside, unknown]), torch.tensor(1.5))
    # where ways have not parted none is taken, nor far from both
    assert taken.tolist() == [[True, False, False], [False, True, False], [False] * 3, [False] * 3]


def test_the_last_place_in_the_picture():
    path = torch.tensor([[3.0, 3.0], [3.0, 9.0], [3.0, 9.6], [3.0, 20.0]])
    assert last_inside(path, (10, 10)).tolist() == [3.0, 9.0]
    assert last_inside(path + 50, (10, 10)).tolist() == [53.0, 53.0]
