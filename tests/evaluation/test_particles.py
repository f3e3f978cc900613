"""Scores count what they say."""

import pytest
import torch

from motes.evaluation.particles import particle_counts, particle_scores
from motes.ops.types import Particles


def particles(position, presence, certainty=None):
    shape = torch.tensor(position)
    zeros = torch.zeros_like(shape)
    return Particles(shape, zeros, zeros, zeros, torch.tensor(presence), torch.zeros(len(shape), 2), None, certainty)


def truth(centres, present):
    return torch.tensor(centres), torch.tensor(present)


def test_found_clean_distance_and_count():
    found = particles([[[0.0, 0.0], [0.9, 0.9], [-0.5, 0.5]]], [[1.0, 1.0, 0.2]])
    scores = particle_scores(particle_counts(found, *truth([[[0.1, 0.0], [-0.5, 0.5], [0.9, 0.9]]], [[True, True, False]])))
    assert scores["found"] == 0.5  # the second object's particle is absent, the third object is
    assert scores["clean"] == 0.5
    assert scores["distance"] == pytest.approx(0.05)
    assert scores["count_error"] == 0


def test_doubted_particles_do_not_count():
    sure = torch.tensor([[0.9, 0.1]])
    found = particles([[[0.0, 0.0], [0.5, 0.5]]], [[1.0, 1.0]], sure)
    counts = particle_counts(found, *truth([[[0.0, 0.0]]], [[True]]))
    assert counts["particles"].tolist() == [1] and particle_scores(counts)["clean"] == 1


def test_nothing_there_scores_nothing_and_does_not_divide_by_zero():
    scores = particle_scores(particle_counts(particles([[[0.0, 0.0]]], [[0.0]]), *truth([[[0.0, 0.0]]], [[True]])))
    assert scores["found"] == 0 and scores["clean"] == 0 and scores["count_error"] == 1
