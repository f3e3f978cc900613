"""Each way to share out things among slots has its own score."""

import pytest
import torch

from motes.evaluation.question import Evidence
from motes.evaluation.slots.ownership import QUESTION
from motes.types.truth import Truth

# owner of each of three things' left and right half: slots from 1, the background 0
CASES = {
    "one each": ([[1, 1], [2, 2], [3, 3]], {}),
    "split": ([[1, 4], [2, 2], [3, 3]], {"split": 1 / 3}),
    "merged": ([[1, 1], [1, 1], [3, 3]], {"merged": 2 / 3, "unused": 1}),
    "lost": ([[0, 0], [2, 2], [3, 3]], {"lost": 1 / 3, "unused": 1}),
    "all in one": ([[1, 1], [1, 1], [1, 1]], {"merged": 1, "unused": 2}),
}


@pytest.fixture
def scored(see, make_particles):
    return lambda owners: scores(see, make_particles(torch.zeros(1, 4, 2)), owners)


def scores(see, latent, owners):
    halves = torch.tensor(owners).flatten()
    picture = halves.repeat_interleave(5).view(1, 3, 10)
    masks = torch.zeros(1, 3, 3, 10, dtype=torch.bool)
    masks[0, range(3), range(3)] = True
    truth = Truth(torch.ones(1, 3, dtype=torch.bool), masks=masks)
    encoded = see(latent, truth, size=(3, 10))
    # slot 4 is believed in only where a case gives it pixels
    believed = torch.tensor([[True, True, True, bool((halves == 4).any())]])
    encoded.__dict__.update(owners=picture, believed=believed)
    statistics = QUESTION.score(Evidence(QUESTION.measure(encoded)))
    return {name: statistic(torch.ones(1, 1)).item() for name, statistic in statistics.items()}


@pytest.mark.parametrize("name", CASES)
def test_each_failure_has_its_score(name, scored):
    owners, expected = CASES[name]
    got = scored(owners)
    assert got == {
        f"slots/{score}": pytest.approx(expected.get(score, 0))
        for score in ("unused", "split", "merged", "lost")
    }
