"""`evaluate`: every score that fits, whatever the batches, and the model as it was."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from motes.data.worlds.flat.shapes import Shapes, ShapesConfig
from motes.errors import UserError
from motes.evaluation import Asked, evaluate
from motes.models.base import Model
from motes.ops.points.pixels import pixels_of_points
from motes.types.batch import Losses
from motes.types.latents import Particles

DATA = Shapes(ShapesConfig(count=1, held_out=30), "test")


@dataclass(frozen=True)
class Code:
    image: torch.Tensor


class Copyist(Model):
    """Draws what it sees, a little off; knows nothing of particles."""

    def __init__(self):
        super().__init__()
        self.off = nn.Parameter(torch.tensor(0.1))
        self.frozen = nn.Dropout(0.5).eval()

    def loss(self, batch):
        return Losses(self.off, {})

    def encode(self, image):
        assert not self.training and not torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        return Code(image)

    def decode(self, latent):
        return (latent.image - 0.5) * 0.8 + 0.5 + 0 * self.off


def drawn_at(centres):
    """The positions of particles that lie on these centres."""
    return (
        2 * (pixels_of_points(centres, DATA.config.image_size) + 0.5) / torch.tensor(DATA.config.image_size)
        - 1
    )


class Oracle(Copyist):
    """Knows the truth, but for the first thing of each picture; the next particle is doubted, and one is nowhere near."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def encode(self, image):
        truth = DATA.truth(range(self.seen, self.seen + len(image)))
        self.seen += len(image)
        position, presence = drawn_at(truth.centres), truth.present.float()
        presence[:, 0] = 0
        zeros = torch.zeros_like(position)
        particles = Particles(
            position, zeros, zeros, zeros, presence, torch.zeros(len(image), 2), image.mean(1, keepdim=True)
        )
        return replace(particles, certainty=torch.ones_like(presence).index_fill(1, torch.tensor([1]), 0.2))

    def decode(self, latent):
        return latent.bypass.expand(-1, 3, -1, -1)


def test_only_what_fits_is_scored_and_does_not_depend_on_the_batches():
    scores = evaluate(Copyist(), DATA, batch=30)
    assert set(scores) == {"psnr", "psnr_pooled", "ssim", "mse", "loss"}
    for name, one in evaluate(Copyist(), DATA, batch=7).items():
        assert one.value == pytest.approx(scores[name].value, rel=1e-5)
        assert one.low <= one.value <= one.high
    assert scores["psnr"].value == pytest.approx(20, abs=2)  # errors of at most 0.1


def test_particles_are_held_against_the_truth():
    scores, things = evaluate(Oracle(), DATA, batch=8), DATA.truth(range(30)).present.sum(1)
    assert scores["found"].value == pytest.approx(((things - 2).sum() / things.sum()).item())
    assert scores["clean"].value == 1 and scores["distance"].value < 1e-6
    assert scores["count_error"].value == pytest.approx(2)


def test_limit_and_progress():
    told = []
    evaluate(Copyist(), DATA, limit=10, batch=4, progress=lambda done, of: told.append((done, of)))
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert {score.pictures for score in evaluate(Copyist(), DATA, limit=10, batch=4).values()} == {10}
    with pytest.raises(UserError, match="nothing to score"):
        evaluate(Copyist(), DATA, limit=0)


def test_every_module_is_left_in_its_mode():
    model = Copyist().train()
    model.frozen.eval()
    evaluate(model, DATA, limit=2)
    assert model.training and not model.frozen.training
    model.decode = lambda latent: 1 / 0
    with pytest.raises(ZeroDivisionError):
        evaluate(model, DATA, limit=2)
    assert model.training


class Seer(Oracle):
    """Knows every thing of the split that it is shown, by the pixels."""

    def __init__(self, **splits):
        super().__init__()
        self.splits, self.shown = splits, []

    def encode(self, image):
        for name, data in self.splits.items():
            rows = [
                n
                for n in range(len(data))
                if any(torch.equal(data.batch([n]).image[0], one) for one in image)
            ]
            if len(rows) == len(image):
                self.shown.append((name, len(rows)))
                truth = data.truth(rows)
                zeros = torch.zeros_like(truth.centres)
                features = torch.cat([truth.factors["colour"], truth.factors["shape"][..., None].float()], 2)
                none = torch.zeros_like(features)
                return Particles(
                    truth.centres,
                    zeros,
                    features,
                    none,
                    truth.present.float(),
                    none[:, 0],
                    image.mean(1, keepdim=True),
                )
        raise AssertionError("pictures of no split")


SPLITS = {
    split: Shapes(ShapesConfig(count=24, held_out=12), split) for split in ("train", "validation", "test")
}


@pytest.mark.usefixtures("brief_readouts")
def test_scores_that_learn_look_at_the_other_splits_and_no_further_than_told():
    model, told = Seer(**SPLITS), []
    asked = Asked(("probes",), open=SPLITS.__getitem__, learn_limit=16)
    scores = evaluate(
        model, SPLITS["test"], batch=8, asked=asked, progress=lambda done, of: told.append((done, of))
    )
    assert [name for name, _ in model.shown] == ["test", "train", "validation", "test", "train"]
    assert sum(count for name, count in model.shown if name == "train") == 16 and told[-1] == (
        12 + 16 + 4,
        32,
    )
    assert scores["probes/colour/linear/r2"].value > 0.99 and scores["probes/matched"].value == 1


def test_what_cannot_be_had_is_refused_by_name_and_else_left_out():
    blank = Copyist()
    with pytest.raises(
        UserError, match="masks cannot be scored: this model does not say which pixels are whose"
    ):
        evaluate(blank, DATA, asked=Asked(("pictures", "masks")))
    with pytest.raises(UserError, match="landmarks cannot be scored: this data has no landmarks"):
        evaluate(Seer(test=DATA), DATA, limit=2, asked=Asked(("landmarks",)))
    with pytest.raises(UserError, match="probes cannot be scored: it learns from a training split"):
        evaluate(Seer(test=DATA), DATA, limit=2, asked=Asked(("probes",)))
    for limit in (0, 3):  # of three, a quarter is none
        with pytest.raises(
            UserError, match="probes cannot be scored: there are no pictures to learn from or to choose by"
        ):
            evaluate(
                Seer(**SPLITS),
                SPLITS["test"],
                asked=Asked(("probes",), open=SPLITS.__getitem__, learn_limit=limit),
            )
    with pytest.raises(UserError, match="no score 'looks'; there are: pictures"):
        evaluate(blank, DATA, asked=Asked(("looks",)))
    assert set(evaluate(blank, DATA, asked=Asked(("pictures", "objects"), refuse=False))) == {
        "psnr",
        "psnr_pooled",
        "ssim",
        "mse",
    }


class Clips(Shapes):
    frames = 4


def test_clips_are_whole_or_not_there():
    data, shown = Clips(ShapesConfig(count=1, held_out=30), "test"), []

    class Counting(Copyist):
        def encode(self, image):
            shown.append(len(image))
            return super().encode(image)

    scores = evaluate(Counting(), data, limit=11, batch=6, asked=Asked(("pictures",)))
    assert shown == [4, 4], "two clips of four: no clip is cut by the limit, nor by the batch"
    assert scores["psnr"].low <= scores["psnr"].value <= scores["psnr"].high


def test_pictures_of_one_person_are_drawn_together():
    class People(Shapes):
        def truth(self, rows):
            return replace(super().truth(rows), scene={"identity": torch.as_tensor(list(rows)) // 10})

    people, strangers = (
        evaluate(Copyist(), kind(ShapesConfig(count=1, held_out=30), "test"))["psnr"]
        for kind in (People, Shapes)
    )
    assert people.value == strangers.value and (people.low, people.high) != (strangers.low, strangers.high)
