"""A feedback loop: predict a pose, draw it, compare the drawing with the picture, correct the pose;
repeat."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.nn.blocks.normalisation import settled
from motes.nn.blocks.upward import UpwardNetwork
from motes.nn.coders.networks import PictureShape, picture_network
from motes.nn.coders.paired_reader import PairedReader
from motes.ops.densities.noise import normal_like, uniform_like
from motes.ops.pictures.feedback_loss import FEEDBACK_LOSSES
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image


@dataclass(frozen=True)
class FeedbackConfig:
    """Options of a feedback loop."""

    # rows, columns
    image_size: tuple[int, int] = (32, 32)
    channels: int = 1
    # points of a pose
    joints: int = 4
    # channels of the first convolutions
    width: int = 16
    # number of corrections when a picture is encoded; with more of them poses drift
    updates: int = 2
    # "contraction", or "squares", with which further updates help less
    update_loss: str = "contraction"
    # largest share of an error that an update may leave; a share below a half is hardly ever reached
    contraction: float = 0.6
    # standard deviation of the noise that makes starts far from the truth, in half pictures
    spread: float = 0.2
    # number of errors that are stored to start from; more = older ones among them
    pool: int = 8192


class FeedbackLoop(Model):
    """A feedback loop for the pose p of a picture x: p0 = predict(x), then repeatedly p <- p + update(x,
    draw(p)).

    `update` learns to lower the sum over starts p' of max(0, |p' + update(x, draw(p')) - p| - contraction |p'
    - p|) (Oberweger et al. 2015, https://arxiv.org/abs/1609.09698), p being the true pose. The starts are the
    prediction, the prediction once updated, the truth plus an error from a pool, and the truth plus noise.
    The pool begins with the predictor's errors; after every step, errors that an update leaves are added.
    """

    Config = FeedbackConfig
    needs = ("points",)
    pool: Tensor
    # errors so far; beyond the pool's size, they replace the oldest
    thrown_in: Tensor

    def __init__(self, config: FeedbackConfig):
        super().__init__()
        _check(config)
        self.config = config
        numbers = 2 * config.joints
        shape = PictureShape.of(config)
        self.predictor = picture_network("convolutional").reader(shape, config.width, numbers)
        self.synthesiser = UpwardNetwork(numbers, config.image_size, config.channels, 2 * config.width)
        self.updater = PairedReader(shape, config.width, numbers)
        self.update_loss = FEEDBACK_LOSSES[config.update_loss]
        self.register_buffer("pool", torch.zeros(config.pool, numbers))
        self.register_buffer("thrown_in", torch.zeros((), dtype=torch.int64))

    def stages(self) -> tuple[Stage, ...]:
        updating = tuple(self.updater.parameters())
        return (
            Stage("predictor", 0.25, self.prediction_loss, tuple(self.predictor.parameters())),
            Stage("synthesiser", 0.3, self.synthesis_loss, tuple(self.synthesiser.parameters())),
            Stage("updater", 0.45, self.loss, updating, self.start_pool, self.grow_pool),
        )

    def prediction_loss(self, batch: Batch) -> Losses:
        error = (self._predict(batch.image) - self._poses(batch)).square().sum(1)
        return Losses(error.mean(), {"prediction": error})

    def synthesis_loss(self, batch: Batch) -> Losses:
        error = (self._draw(self._poses(batch)) - batch.image).square().sum((1, 2, 3))
        return Losses(error.mean(), {"synthesis": error})

    def loss(self, batch: Batch) -> Losses:
        """The updater's loss: the mean loss of one update over all starts."""
        truth = self._poses(batch)
        with torch.no_grad():
            starts = self._starts(batch.image, truth)
        maps = self.updater.read(batch.image)
        share = self.config.contraction
        terms = {
            name: self.update_loss(self._updated(maps, start), truth, start, share)
            for name, start in starts.items()
        }
        return Losses(torch.cat(list(terms.values())).mean(), terms)

    def validate(self, batch: Batch) -> Losses:
        """The joints' mean distance from the truth, before and after the updates, in half pictures."""
        truth = self._poses(batch)
        predicted = _joint_error(self._predict(batch.image), truth)
        updated = _joint_error(self.encode(batch.image).vector, truth)
        return Losses(updated.mean(), {"predicted": predicted, "updated": updated})

    def encode(self, image: Image) -> Code:
        """The pose of each picture after the updates: row and column of the first joint, then of the next."""
        refuse_other_sizes(self.config, image)
        return Code(self.refine(image, self._predict(image), self.config.updates))

    def decode(self, latent: Code) -> Image:
        return self._draw(latent.vector)

    def guess(self, image: Image) -> Float[Tensor, "B F"]:
        """The pose of each picture before any update."""
        refuse_other_sizes(self.config, image)
        return self._predict(image)

    def refine(self, image: Image, pose: Float[Tensor, "B F"], updates: int) -> Float[Tensor, "B F"]:
        """The pose after so many updates, starting from the given pose."""
        maps = self.updater.read(image)
        for _ in range(updates):
            pose = self._updated(maps, pose)
        return pose

    @torch.no_grad()
    def start_pool(self, batches: Iterable[Batch]) -> None:
        """Fill the pool with the predictor's errors on the training pictures."""
        with settled(self.predictor):
            for batch in batches:
                self._throw_in(self._predict(batch.image) - self._poses(batch))

    def grow_pool(self, batch: Batch) -> None:
        """Add to the pool the errors that one update leaves, so that later updates learn to correct such
        errors."""
        truth = self._poses(batch)
        start = truth + self._some_errors(len(batch))
        self._throw_in(self.refine(batch.image, start, 1) - truth)

    def _starts(self, image: Image, truth: Float[Tensor, "B F"]) -> dict[str, Float[Tensor, "B F"]]:
        with settled(self.predictor):
            prediction = self._predict(image)
        # some starts near, others far
        distance = uniform_like(truth[:, :1])
        return {
            "from guess": prediction,
            "from own": self.refine(image, prediction, 1),
            "from pool": truth + self._some_errors(len(truth)),
            "from noise": truth + 2 * self.config.spread * distance * normal_like(truth),
        }

    def _some_errors(self, count: int) -> Float[Tensor, "B F"]:
        filled = int(self.thrown_in.clamp(1, len(self.pool)))
        return self.pool[torch.randint(filled, (count,), device=self.pool.device)]

    def _throw_in(self, errors: Float[Tensor, "B F"]) -> None:
        rows = (self.thrown_in + torch.arange(len(errors), device=errors.device)) % len(self.pool)
        self.pool[rows] = errors
        self.thrown_in += len(errors)

    def _poses(self, batch: Batch) -> Float[Tensor, "B F"]:
        points = batch.labels["points"]
        if points.shape[1] != self.config.joints:
            raise UserError(
                f"this model has poses of {self.config.joints} joints, and these data of {points.shape[1]}; "
                "set model.joints"
            )
        return points.flatten(1)

    def _predict(self, image: Image) -> Float[Tensor, "B F"]:
        return self.predictor(image)

    def _draw(self, pose: Float[Tensor, "B F"]) -> Image:
        return torch.sigmoid(self.synthesiser(pose))

    def _updated(self, maps: Float[Tensor, "B D h w"], pose: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
        """The pose after one update, given the features of the picture. No gradient goes through the
        drawing."""
        with torch.no_grad(), settled(self.synthesiser):
            drawn = self._draw(pose)
        return pose + self.updater.compare(maps, self.updater.read(drawn))


def _joint_error(pose: Float[Tensor, "B F"], truth: Float[Tensor, "B F"]) -> Float[Tensor, "B"]:
    """The mean distance of a pose's joints from their true positions."""
    return (pose - truth).unflatten(1, (-1, 2)).norm(dim=2).mean(1)


def _check(config: FeedbackConfig) -> None:
    numbers_work = min(config.joints, config.pool) >= 1 and config.updates >= 0
    if not numbers_work or config.update_loss not in FEEDBACK_LOSSES:
        raise UserError(
            f"joints {config.joints} and pool {config.pool} must be at least 1, updates {config.updates} "
            f"at least 0, and update_loss {config.update_loss!r} one of {', '.join(FEEDBACK_LOSSES)}"
        )
