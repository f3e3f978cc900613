"""A feedback loop: guess the pose, draw it, look at picture and drawing, and correct the guess; again, as
often as wanted."""

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
    """What a feedback loop is made of."""

    # rows, columns
    image_size: tuple[int, int] = (32, 32)
    channels: int = 1
    # points of a pose
    joints: int = 4
    # of the first convolutions
    width: int = 16
    # corrections when a picture is encoded; more of them drift
    updates: int = 2
    # or "squares", which also learns, and stops earlier
    update_loss: str = "contraction"
    # what an update may leave of an error; below a half, hardly ever reached
    contraction: float = 0.6
    # of the noise that makes starts far from the truth, in half pictures
    spread: float = 0.2
    # errors remembered to start from; more = older ones among them
    pool: int = 8192


class FeedbackLoop(Model):
    """p0 = predict(x), then p <- p + update(x, draw(p)), where update lowers the sum over starts p' of
    max(0, |p' + update(x, draw(p')) - p| - contraction |p' - p|) (Oberweger et al. 2015,
    https://arxiv.org/abs/1609.09698).

    Starts are the guess, the guess once updated, the truth with an error from the pool, and the truth under
    noise. The pool begins with the predictor's errors; what updates leave of errors is added after every
    step.
    """

    Config = FeedbackConfig
    needs = ("points",)
    pool: Tensor
    thrown_in: Tensor

    def __init__(self, config: FeedbackConfig):
        super().__init__()
        if (
            min(config.joints, config.pool) < 1
            or config.updates < 0
            or config.update_loss not in FEEDBACK_LOSSES
        ):
            raise UserError(
                f"joints {config.joints} and pool {config.pool} must be at least 1, updates {config.updates} at least 0, "
                f"and update_loss {config.update_loss!r} one of {', '.join(FEEDBACK_LOSSES)}"
            )
        self.config = config
        numbers = 2 * config.joints
        shape = PictureShape.of(config)
        self.predictor = picture_network("convolutional").reader(shape, config.width, numbers)
        self.synthesiser = UpwardNetwork(numbers, config.image_size, config.channels, 2 * config.width)
        self.updater = PairedReader(shape, config.width, numbers)
        self.update_loss = FEEDBACK_LOSSES[config.update_loss]
        self.register_buffer("pool", torch.zeros(config.pool, numbers))
        self.register_buffer(
            "thrown_in", torch.zeros((), dtype=torch.int64)
        )  # errors so far; beyond the pool's size, the oldest go

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
        """Of one update from every start."""
        wanted = self._poses(batch)
        with torch.no_grad():
            starts = self._starts(batch.image, wanted)
        seen = self.updater.read(batch.image)
        costs = {}
        for name, start in starts.items():
            costs[name] = self.update_loss(self._updated(seen, start), wanted, start, self.config.contraction)
        return Losses(torch.cat(list(costs.values())).mean(), costs)

    def validate(self, batch: Batch) -> Losses:
        """How far joints are from where they should be, before and after the updates, in half pictures."""
        wanted = self._poses(batch)
        found = [self._predict(batch.image), self.encode(batch.image).vector]
        guessed, updated = ((one - wanted).unflatten(1, (-1, 2)).norm(dim=2).mean(1) for one in found)
        return Losses(updated.mean(), {"guessed": guessed, "updated": updated})

    def encode(self, image: Image) -> Code:
        """Rows and columns of the joints, one after the other: the guess and some updates."""
        refuse_other_sizes(self.config, image)
        return Code(self.refine(image, self._predict(image), self.config.updates))

    def decode(self, latent: Code) -> Image:
        return self._draw(latent.vector)

    def guess(self, image: Image) -> Float[Tensor, "B F"]:
        """The predictor's pose alone."""
        refuse_other_sizes(self.config, image)
        return self._predict(image)

    def refine(self, image: Image, pose: Float[Tensor, "B F"], updates: int) -> Float[Tensor, "B F"]:
        """From any pose."""
        seen = self.updater.read(image)
        for _ in range(updates):
            pose = self._updated(seen, pose)
        return pose

    def start_pool(self, batches: Iterable[Batch]) -> None:
        """With the predictor's errors on the training pictures."""
        with torch.no_grad(), settled(self.predictor):
            for batch in batches:
                self._throw_in(self._predict(batch.image) - self._poses(batch))

    def grow_pool(self, batch: Batch) -> None:
        """With what an update leaves of errors: those that later updates will meet."""
        wanted = self._poses(batch)
        self._throw_in(self.refine(batch.image, wanted + self._some_errors(len(batch)), 1) - wanted)

    def _starts(self, image: Image, wanted: Float[Tensor, "B F"]) -> dict[str, Float[Tensor, "B F"]]:
        with settled(self.predictor):
            guess = self._predict(image)
        far = uniform_like(wanted[:, :1])  # some start near, others far
        return {
            "from guess": guess,
            "from own": self.refine(image, guess, 1),
            "from pool": wanted + self._some_errors(len(wanted)),
            "from noise": wanted + 2 * self.config.spread * far * normal_like(wanted),
        }

    def _some_errors(self, count: int) -> Float[Tensor, "B F"]:
        filled = int(self.thrown_in.clamp(1, len(self.pool)))
        return self.pool[torch.randint(filled, (count,), device=self.pool.device)]

    def _throw_in(self, errors: Float[Tensor, "B F"]) -> None:
        places = (self.thrown_in + torch.arange(len(errors), device=errors.device)) % len(self.pool)
        self.pool[places] = errors
        self.thrown_in += len(errors)

    def _poses(self, batch: Batch) -> Float[Tensor, "B F"]:
        points = batch.labels["points"]
        if points.shape[1] != self.config.joints:
            raise UserError(
                f"this model has poses of {self.config.joints} joints, and these data of {points.shape[1]}; set model.joints"
            )
        return points.flatten(1)

    def _predict(self, image: Image) -> Float[Tensor, "B F"]:
        return self.predictor(image)

    def _draw(self, pose: Float[Tensor, "B F"]) -> Image:
        return torch.sigmoid(self.synthesiser(pose))

    def _updated(self, seen: Float[Tensor, "B D h w"], pose: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
        """No gradient goes through the drawing: it is looked at, as the picture is."""
        with torch.no_grad(), settled(self.synthesiser):
            drawn = self._draw(pose)
        return pose + self.updater.compare(seen, self.updater.read(drawn))
