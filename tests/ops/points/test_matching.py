"""Matching: the nearest, overlaps, and what remains of boxes that overlap."""

import torch

from motes.ops.points.matching import (
    boxes_around,
    nearest_distance,
    nearest_index,
    non_maximum_suppression,
    overlap,
)


def test_nearest_looks_only_at_what_is_there():
    points = torch.tensor([[[0.0, 0.0], [0.9, 0.9]]])
    others = torch.tensor([[[0.1, 0.0], [0.5, 0.5], [0.0, 0.0]]])
    present = torch.tensor([[True, True, False]])
    assert nearest_index(points, others, present).tolist() == [[0, 1]]
    torch.testing.assert_close(nearest_distance(points, others, present), torch.tensor([[0.1, 0.4 * 2**0.5]]))
    nobody = torch.zeros(1, 3, dtype=torch.bool)
    assert nearest_index(points, others, nobody).tolist() == [[-1, -1]]
    assert nearest_distance(points, others, nobody).isinf().all()


def test_boxes_stand_around_their_particles_and_stay_inside():
    boxes = boxes_around(torch.tensor([[0.0, 0.0], [-1.0, 1.0]]), 8, (32, 64))
    assert boxes.tolist() == [[12, 28, 20, 36], [0, 60, 4, 64]]


def test_overlap_is_shared_area():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0], [5.0, 5.0, 6.0, 6.0]])
    torch.testing.assert_close(
        overlap(boxes, boxes), torch.tensor([[1, 1 / 7, 0], [1 / 7, 1, 0], [0, 0, 1.0]])
    )


def remaining(boxes, scores):
    present = torch.ones(1, len(boxes), dtype=torch.bool)
    return non_maximum_suppression(boxes[None], scores[None], present, 0.2)[0].nonzero()[:, 0]


def test_suppression_keeps_the_best_of_each_clash():
    random = torch.Generator().manual_seed(0)
    first = torch.rand(40, 2, generator=random) * 20
    boxes, scores = torch.cat([first, first + 6], 1), torch.rand(40, generator=random)
    kept = remaining(boxes, scores)
    among = overlap(boxes[kept], boxes[kept])
    assert (among - torch.eye(len(kept)) <= 0.2).all(), "no two clash"
    for lost in set(range(40)) - set(kept.tolist()):
        clash = overlap(boxes[[lost]], boxes[kept])[0] > 0.2
        assert clash.any() and scores[kept][clash].max() >= scores[lost], (
            "each that went clashes with a better one that stayed"
        )
    assert remaining(boxes[:0], scores[:0]).tolist() == []
