"""Readings of ambiguous pieces: valid ones are counted, different ones too, and the names of slots do not matter."""

import torch

from motes.data.worlds.flat.tetrominoes import Tetrominoes, TetrominoesConfig
from motes.evaluation.question import EncodedBatch, Evidence
from motes.evaluation.slots.draws import DRAWS_OF_AMBIGUOUS, QUESTION
from motes.evaluation.slots.updates import QUESTION as UPDATES
from motes.models.base import Model
from motes.ops.scores.partitions import agreement_of, tiling_of
from motes.types.batch import Batch
from motes.types.slots import Slots

PICTURES = 12


class Reader(Model):
    """Reads ambiguous pieces as told: draw d is `ways(d)`, the pieces of each block."""

    usual_updates = 2

    def __init__(self, ways):
        super().__init__()
        self.ways = ways

    def redraw(self, image, updates=None, draw=0):
        pieces = self.ways(draw).repeat_interleave(5, 1).repeat_interleave(5, 2).long()
        # piece n is slot 4 - n
        logits = 20.0 * torch.nn.functional.one_hot(4 - pieces, 5).permute(0, 3, 1, 2)
        codes = torch.zeros(len(image), 5, 1)
        colours = torch.full((len(image), 5, 3, 35, 35), (updates or 0) / 10)
        bound = torch.full((len(image),), float(-draw))
        return Slots(codes, codes, torch.ones(len(image), 5), logits, colours, bound)

    def loss(self, batch):
        raise NotImplementedError

    def encode(self, image):
        return self.redraw(image)

    def shares(self, latent):
        masks = latent.masks
        return torch.cat([masks[:, 4:], masks[:, :4], torch.zeros_like(masks[:, :1])], 1)

    def decode(self, latent):
        return latent.mixed()


def scores(question, ways):
    data = Tetrominoes(TetrominoesConfig(ambiguous=True))
    truth = data.truth(range(PICTURES))
    image = torch.zeros(PICTURES, 3, 35, 35)
    model = Reader(lambda draw: ways(truth.scene["tilings"], draw))
    encoded = EncodedBatch(model, Batch(image, torch.arange(PICTURES)), None, truth)
    measured = question.measure(encoded)
    statistics = question.score(Evidence(measured))
    return {name: statistic(torch.ones(1, PICTURES)).item() for name, statistic in statistics.items()}


def test_one_valid_reading_every_time():
    got = scores(QUESTION, lambda tilings, draw: tilings[:, 0])
    assert got["draws/valid"] == 1 and got["draws/tilings"] == 1 and got["draws/several"] == 0
    assert got["draws/agreement"] == 1 and got["draws/ari_fg_spread"] == 0


def test_two_readings_in_turn():
    got = scores(QUESTION, lambda tilings, draw: tilings[:, draw % 2])
    assert got["draws/valid"] == 1 and got["draws/tilings"] == 2 and got["draws/several"] == 1
    assert got["draws/agreement"] < 0.8 and got["draws/ari_fg_spread"] > 0


def test_readings_that_merge_or_lose_a_piece_are_not_valid():
    merged = scores(QUESTION, lambda tilings, draw: tilings[:, 0].clamp(max=2))
    lost = scores(QUESTION, lambda tilings, draw: torch.where(tilings[:, 0] == 3, 0, tilings[:, 0]))
    once = scores(QUESTION, lambda tilings, draw: tilings[:, 0].clamp(max=3 if draw == 0 else 2))
    assert merged["draws/valid"] == 0 and merged["draws/tilings"] == 0
    assert lost["draws/valid"] == 0
    assert once["draws/valid"] == 1 / DRAWS_OF_AMBIGUOUS and once["draws/tilings"] == 1


def test_the_best_bound_chooses_the_draw():
    """Draw 0 has the best bound."""
    got = scores(QUESTION, lambda tilings, draw: tilings[:, 0].clamp(max=3 if draw == 0 else 1))
    assert got["draws/ari_fg_best_bound"] > got["draws/ari_fg"]


def test_every_update_is_scored_up_to_twice_the_usual_number():
    got = scores(UPDATES, lambda tilings, draw: tilings[:, 0])
    assert {name.split("/")[1] for name in got} == {"1", "2", "3", "4"}
    for count in range(1, 5):
        torch.testing.assert_close(got[f"updates/{count}/mse"], (count / 10) ** 2, rtol=1e-5, atol=0)
        assert got[f"updates/{count}/bound"] == 0 and 0 < got[f"updates/{count}/ari_fg"] <= 1


def test_agreement_is_the_mean_over_pairs_on_what_counts():
    random = torch.Generator().manual_seed(0)
    first, other = torch.randint(0, 3, (2, 1, 8, 8), generator=random)
    counted = torch.rand(1, 8, 8, generator=random) > 0.3
    renamed = (first + 1) % 3
    assert agreement_of(torch.stack([first, renamed], 1), counted).item() == 1
    pair = agreement_of(torch.stack([first, other], 1), counted)
    three = agreement_of(torch.stack([first, renamed, other], 1), counted)
    torch.testing.assert_close(three, (1 + 2 * pair) / 3)
    hidden = torch.where(counted, first, other)
    assert agreement_of(torch.stack([first, hidden], 1), counted).item() == 1


def test_a_tiling_that_does_not_exist_is_never_found():
    tilings = torch.zeros(1, 2, 2, 4, dtype=torch.uint8)
    tilings[0, 0] = torch.tensor([[1, 1, 2, 2], [1, 1, 2, 2]])
    owners = torch.tensor([[[[5, 5, 3, 3], [5, 5, 3, 3]], [[5, 5, 5, 5], [5, 5, 5, 5]]]])
    assert tiling_of(owners, tilings).tolist() == [[0, -1]]
