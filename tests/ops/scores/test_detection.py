"""Boxes: suppression agrees with that of one picture, average precision with pycocotools and with the definition written out."""

import contextlib
import io

import pytest
import torch

from motes.ops.points.matching import non_maximum_suppression, overlap
from motes.ops.points.matching import overlap as overlaps
from motes.ops.scores.detection import average_precision, hits

LEAST = torch.linspace(0.5, 0.95, 10, dtype=torch.float64)


def scene(pictures=30, found=12, true=5):
    """True boxes and guesses near them; among the pictures some without truth, without guesses, without both."""
    random = torch.Generator().manual_seed(0)
    first = torch.rand(pictures, true, 2, generator=random, dtype=torch.float64) * 40
    boxes = torch.cat(
        [first, first + 6 + 10 * torch.rand(pictures, true, 2, generator=random, dtype=torch.float64)], 2
    )
    guesses = boxes[:, torch.arange(found) % true] + 2 * torch.randn(
        pictures, found, 4, generator=random, dtype=torch.float64
    )
    present, there = (
        torch.rand(pictures, true, generator=random) > 0.3,
        torch.rand(pictures, found, generator=random) > 0.3,
    )
    present[:3], there[2:5] = False, False
    return boxes, guesses, torch.rand(pictures, found, generator=random, dtype=torch.float64), present, there


def joined(boxes, guesses, confidence, present, there):
    """Average precision at every overlap, each picture once."""
    right = hits(overlaps(guesses, boxes), confidence, there, present, LEAST)
    order = confidence[there].argsort(descending=True)
    return average_precision(
        right[there][order], torch.ones(1, len(order)).double(), present.sum().double()[None]
    )[0]


def test_suppression_of_a_batch_is_that_of_each_picture():
    _, guesses, confidence, _, there = scene()
    kept = non_maximum_suppression(guesses, confidence, there, 0.2)
    for n in range(len(there)):
        rows = there[n].nonzero()[:, 0]
        alone = non_maximum_suppression(
            guesses[n, rows][None], confidence[n, rows][None], there[n, rows][None], 0.2
        )
        assert kept[n].nonzero()[:, 0].tolist() == rows[alone[0]].tolist()
    torch.testing.assert_close(overlaps(guesses, guesses)[7], overlap(guesses[7], guesses[7]))


def test_average_precision_agrees_with_pycocotools():
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    evaluation = pytest.importorskip("pycocotools.cocoeval", reason="pycocotools is not installed")
    boxes, guesses, confidence, present, there = scene()

    def as_coco(box):
        return [box[1], box[0], box[3] - box[1], box[2] - box[0]]

    true = [
        {
            "id": n * 100 + i + 1,
            "image_id": n + 1,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": as_coco(box),
            "area": 50,
        }
        for n in range(len(boxes))
        for i, box in enumerate(boxes[n].tolist())
        if present[n, i]
    ]
    found = [
        {"image_id": n + 1, "category_id": 1, "bbox": as_coco(box), "score": confidence[n, k].item()}
        for n in range(len(boxes))
        for k, box in enumerate(guesses[n].tolist())
        if there[n, k]
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = {
            "images": [{"id": n + 1} for n in range(len(boxes))],
            "categories": [{"id": 1}],
            "annotations": true,
        }
        known.createIndex()
        judge = evaluation.COCOeval(known, known.loadRes(found), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    ours = joined(boxes, guesses, confidence, present, there)
    assert ours.mean().item() == pytest.approx(judge.stats[0], abs=1e-6) and 0.05 < judge.stats[0] < 0.9
    assert ours[0].item() == pytest.approx(judge.stats[1], abs=1e-6)
    assert ours[5].item() == pytest.approx(judge.stats[2], abs=1e-6)


def test_drawing_a_picture_twice_is_having_it_twice():
    boxes, guesses, confidence, present, there = scene()
    right = hits(overlaps(guesses, boxes), confidence, there, present, LEAST)
    picture = torch.arange(len(there))[:, None].expand_as(there)[there]
    order = confidence[there].argsort(descending=True)
    times = torch.randint(0, 3, (1, len(there)), generator=torch.Generator().manual_seed(1)).double()
    weighted = average_precision(
        right[there][order], times[:, picture[order]], times @ present.sum(1).double()
    )[0]
    rows = torch.repeat_interleave(torch.arange(len(there)), times[0].long())
    torch.testing.assert_close(
        weighted,
        joined(boxes[rows], guesses[rows], confidence[rows], present[rows], there[rows]),
        atol=2e-3,
        rtol=0,
    )


def test_perfect_empty_and_nothing_to_find():
    boxes, _, _, present, _ = scene()
    sure = torch.rand(present.shape).double()
    assert joined(boxes, boxes, sure, present, present).tolist() == pytest.approx([1] * 10)
    assert joined(boxes, boxes, sure, present, torch.zeros_like(present)).tolist() == [0] * 10
    assert joined(boxes, boxes, sure, torch.zeros_like(present), present).isnan().all()
    assert (
        hits(
            torch.zeros(2, 3, 0),
            torch.zeros(2, 3),
            torch.ones(2, 3, dtype=torch.bool),
            torch.zeros(2, 0, dtype=torch.bool),
            LEAST,
        ).sum()
        == 0
    )


def test_a_second_box_on_the_same_thing_is_wrong():
    thing = torch.tensor([[[0.0, 0.0, 10.0, 10.0]]])
    guesses = torch.tensor([[[0.0, 0.0, 10.0, 9.0], [0.0, 0.0, 10.0, 10.0]]])
    there, one = torch.ones(1, 2, dtype=torch.bool), torch.ones(1, 1, dtype=torch.bool)
    surest_first = hits(
        overlaps(guesses, thing), torch.tensor([[0.9, 0.2]]), there, one, torch.tensor([0.5, 0.95])
    )
    assert surest_first[0].tolist() == [[True, False], [False, True]]
