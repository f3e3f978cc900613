"""Boxes: particles that stand on the things are right; what is suppressed, doubted or beside the things is told apart."""

import math
from dataclasses import replace

import pytest
import torch

from motes.evaluation.boxes import EXPLAINS_BOXES, measure_boxes, score_boxes
from motes.evaluation.question import Question
from motes.types.truth import Truth

QUESTION = Question((), measure_boxes, lambda evidence: score_boxes(evidence.test), EXPLAINS_BOXES)

PLACES = (
    torch.tensor([[[-7.5, -7.5], [7.5, 7.5], [7.5, -6.5]], [[-7.5, 7.5], [6.5, 6.5], [-0.5, -2.5]]]) / 16
)  # whole pixels


@pytest.fixture
def truth(see, make_particles):
    boxes = see(make_particles(PLACES), None).thing_boxes.box
    return Truth(
        torch.ones(2, 3, dtype=torch.bool), boxes=boxes - torch.tensor([0, 0, 1, 1])
    )  # the truth names the last row itself


def test_particles_on_things_are_right(numbers, make_particles, truth):
    got = numbers(QUESTION, make_particles(PLACES[:, [2, 0, 1]]), truth)
    assert got == pytest.approx(dict.fromkeys(got, 1)) and set(got) == {
        "box_precision",
        "box_recall",
        "ap",
        "ap50",
        "ap75",
        "ar",
    }


def test_a_doubted_wrong_box_costs_precision_only_where_it_is_ranked_high(numbers, make_particles, truth):
    places = torch.cat([PLACES, torch.tensor([[[-0.5, 0.7]], [[0.7, -0.7]]])], 1)
    sure = torch.tensor([[0.9, 0.8, 0.7, 0.2]] * 2)
    low = numbers(QUESTION, make_particles(places, certainty=sure), truth)
    assert low["ap50"] == 1 and low["box_precision"] == 1 and low["box_recall"] == 1
    high = numbers(QUESTION, make_particles(places, certainty=sure.flip(1) + 0.4), truth)
    assert high["ap50"] < 1 and high["box_precision"] == pytest.approx(3 / 4) and high["box_recall"] == 1


def test_twice_the_same_box_is_suppressed(see, numbers, make_particles, truth):
    twice = make_particles(torch.cat([PLACES, PLACES[:, :1]], 1))
    assert numbers(QUESTION, twice, truth)["box_precision"] == 1
    assert (measure_boxes(see(twice, truth))["confidence"] > -torch.inf).sum() == 6


def test_a_box_beside_its_thing_is_right_only_for_the_lenient(numbers, make_particles, truth):
    got = numbers(QUESTION, make_particles(PLACES + 2 * 2 / 32), truth)
    assert got["ap50"] == 0 and got["ap"] == 0, "two pixels aside in both directions: 49 of 113"
    near = numbers(QUESTION, make_particles(PLACES + torch.tensor([2 * 2 / 32, 0])), truth)
    assert near["ap50"] == 1 and near["ap75"] == 0 and near["ap"] == pytest.approx(0.3) == near["ar"], (
        "63 of 99, right at 0.5, 0.55 and 0.6"
    )


def test_no_thing_and_no_particle(numbers, make_particles, truth):
    nothing = numbers(
        QUESTION, make_particles(PLACES), replace(truth, present=torch.zeros(2, 3, dtype=torch.bool))
    )
    assert math.isnan(nothing["ap"]) and nothing["box_precision"] == 0 and math.isnan(nothing["box_recall"])
    nobody = numbers(QUESTION, make_particles(PLACES, presence=torch.zeros(2, 3)), truth)
    assert nobody["ap"] == 0 and nobody["box_recall"] == 0 and nobody["box_precision"] == 0
