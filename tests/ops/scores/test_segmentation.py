"""Segmentation scores agree with scikit-learn and with the definitions written out for one picture, on odd pictures too."""

import numpy as np
import pytest
import torch

from motes.ops.scores import segmentation
from motes.ops.scores.segmentation import (
    adjusted_rand,
    best_overlap,
    covering,
    matched_overlap,
    shared_pixels,
)

THINGS, FOUND = 4, 6


def pictures():
    """True and predicted labels of 40 pictures of 12 x 9 pixels, among them: nothing true, nothing predicted, one segment each, the same."""
    random = np.random.default_rng(0)
    true, found = random.integers(0, THINGS + 1, (40, 12, 9)), random.integers(0, FOUND + 1, (40, 12, 9))
    for n in range(20):  # smoother ones
        true[n] = true[n, 0, 0] * (np.add.outer(np.arange(12), np.arange(9)) > 9) + true[n, 0, 1] * (
            np.arange(9) < 3
        )
        true[n] = true[n].clip(0, THINGS)
        found[n] = np.where(random.random((12, 9)) < 0.7, true[n], found[n])
    true[0], found[1], true[2:4], found[3:5], true[5] = 0, 0, 1, 2, found[5].clip(0, THINGS)
    found[5] = true[5]
    return true, found


def table_of(true, found):
    masks = torch.from_numpy(true)[:, None] == torch.arange(1, THINGS + 1).view(1, -1, 1, 1)
    return shared_pixels(masks, torch.from_numpy(found), FOUND)


def overlap(one, other):
    return (one & other).sum() / max((one | other).sum(), 1)


def test_rand_index_agrees_with_scikit_learn():
    oracle = pytest.importorskip(
        "sklearn.metrics", reason="scikit-learn is not installed"
    ).adjusted_rand_score
    true, found = pictures()
    table = table_of(true, found)
    everywhere, front = adjusted_rand(table), adjusted_rand(table[:, 1:])
    for n in range(40):
        assert everywhere[n].item() == pytest.approx(oracle(true[n].ravel(), found[n].ravel()), abs=1e-9)
        inside = true[n] > 0
        if inside.any():
            assert front[n].item() == pytest.approx(oracle(true[n][inside], found[n][inside]), abs=1e-9)
        else:
            assert front[n].isnan()


@pytest.mark.slow
def test_rand_index_agrees_with_torchmetrics():
    clustering = pytest.importorskip(
        "torchmetrics.functional.clustering", reason="torchmetrics is not installed"
    )
    true, found = pictures()
    for n, ours in enumerate(adjusted_rand(table_of(true, found))[6:], 6):
        theirs = clustering.adjusted_rand_score(
            torch.from_numpy(found[n]).flatten(), torch.from_numpy(true[n]).flatten()
        )
        assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)


def test_rand_index_over_time_is_that_of_one_tall_picture():
    oracle = pytest.importorskip(
        "sklearn.metrics", reason="scikit-learn is not installed"
    ).adjusted_rand_score
    true, found = pictures()
    clip = table_of(true, found)[10:18].sum(0, keepdim=True)
    assert adjusted_rand(clip).item() == pytest.approx(
        oracle(true[10:18].ravel(), found[10:18].ravel()), abs=1e-9
    )


def test_best_and_matched_overlaps_follow_their_definitions():
    optimize = pytest.importorskip("scipy.optimize", reason="scipy is not installed")
    true, found = pictures()
    table = table_of(true, found)
    best, matched = best_overlap(table), matched_overlap(table)
    for n in range(40):
        things = [true[n] == i for i in range(1, THINGS + 1) if (true[n] == i).any()]
        guesses = [found[n] == i for i in range(1, FOUND + 1) if (found[n] == i).any()]
        if not things:
            assert best[n].isnan() and matched[n].isnan()
            continue
        overlaps = np.array([[overlap(thing, guess) for guess in guesses] for thing in things]).reshape(
            len(things), len(guesses)
        )
        rows, columns = optimize.linear_sum_assignment(-overlaps)
        assert best[n].item() == pytest.approx(overlaps.max(1).mean() if guesses else 0, abs=1e-9)
        assert matched[n].item() == pytest.approx(overlaps[rows, columns].sum() / len(things), abs=1e-9)


def test_covering_follows_its_definition():
    true, found = pictures()
    table = table_of(true, found)
    weighted, alike = covering(table, weighted=True), covering(table, weighted=False)
    for n in range(40):
        parts = [true[n] == i for i in np.unique(true[n])]
        best = [max(overlap(part, found[n] == j) for j in np.unique(found[n])) for part in parts]
        assert alike[n].item() == pytest.approx(np.mean(best), abs=1e-9)
        assert weighted[n].item() == pytest.approx(
            np.average(best, weights=[part.sum() for part in parts]), abs=1e-9
        )


def test_order_of_labels_does_not_matter_and_a_perfect_cut_is_one():
    true, found = pictures()
    turn = np.array([0, 3, 1, 6, 2, 5, 4])
    for score in (adjusted_rand, best_overlap, matched_overlap, lambda table: covering(table, True)):
        torch.testing.assert_close(
            score(table_of(true, found)), score(table_of(true, turn[found])), equal_nan=True
        )
        perfect = score(table_of(true, turn[true]))
        assert (perfect[~perfect.isnan()] == 1).all()


def test_no_thing_and_no_prediction_at_all():
    masks, found = torch.zeros(2, 0, 4, 4, dtype=torch.bool), torch.zeros(2, 4, 4, dtype=torch.int64)
    table = shared_pixels(masks, found, 0)
    assert adjusted_rand(table).tolist() == [1, 1] and covering(table, True).tolist() == [1, 1]
    assert best_overlap(table).isnan().all() and matched_overlap(table).isnan().all()
    seen = shared_pixels(torch.ones(1, 1, 4, 4, dtype=torch.bool), found[:1], 0)
    assert best_overlap(seen).tolist() == [0] and matched_overlap(seen).tolist() == [0]
    assert segmentation.segment_overlaps(table).shape == (2, 1, 1)
