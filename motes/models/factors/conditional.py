"""A generator that draws a picture and a mask from a class, a view and a transform."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from einops import repeat
from jaxtyping import Float, Int
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, Stage, device_of, refuse_other_sizes
from motes.nn.blocks.mlp import mlp
from motes.nn.coders.networks import PictureShape, picture_network
from motes.ops.densities.noise import uniform_like
from motes.ops.pictures.image_loss import squared_error
from motes.ops.points.similarity import NUMBERS, lit, placed
from motes.types.batch import Batch, Losses
from motes.types.latents import Image
from motes.types.rows import Rows

# of the gradient descent that searches for a picture's condition
STARTS_PER_PICTURE = 4
SEARCH_STEPS = 60
SEARCH_RATE = 0.05
FIRST_LOGIT = 3.0  # of a start's class; the others have 0
AT_ONCE = 64  # pictures drawn at once when starts are chosen


@dataclass(frozen=True)
class ConditionalConfig:
    """Options of a conditional generator."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # number of classes, which are numbered from 0
    classes: int = 40
    # number of angles of a view; the network reads their sines and cosines
    angles: int = 2
    # units of the layers where class, view and transform meet; more = finer shapes
    hidden: int = 256
    # half the number of maps of the decoder's first layer
    width: int = 32
    # convolutional, dense or linear
    network: str = "convolutional"
    # weight of the mask's error over the picture's
    mask_weight: float = 0.1
    # largest shift of the random transforms, in half pictures
    shift: float = 0.15
    # largest logarithm of their zoom
    zoom: float = 0.15
    # largest rotation in the picture, in radians
    turn: float = 0.2
    # largest logarithm of the light
    light: float = 0.25
    # number of the training set's views that are stored, from which the search for a picture's view starts
    views: int = 24


@dataclass(frozen=True)
class Condition(Rows):
    """What a picture is drawn from: weights of the classes, a view and a transform.

    Weights on two classes draw a blend of the two; a transform of zeros changes nothing.
    """

    # of the classes; they sum to 1
    weights: Float[Tensor, "B K"]
    # angles in radians
    view: Float[Tensor, "B A"]
    # as in motes.ops.points.similarity: down, right, log zoom, turn, log light
    transform: Float[Tensor, "B 5"]

    @property
    def code(self) -> Float[Tensor, "B K"]:
        return self.weights

    def with_code(self, code: Float[Tensor, "B K"]) -> "Condition":
        return replace(self, weights=code)


class ConditionalGenerator(Model):
    """A generator that draws a picture u and a mask s from a class c, a view v and a transform t.

    The loss is |u(c, v, t) - T_t x|^2 + w |s(c, v, t) - T_t m|^2, for a training picture x with mask m. Each
    step samples t, and T_t transforms picture and mask. Inside the mask s, u has the drawn colours; outside,
    it has the training pictures' mean background colour. The class weights are multiplied by a matrix, so the
    network reads a blend of two classes as a point between them (Dosovitskiy, Springenberg & Brox 2015,
    https://arxiv.org/abs/1411.5928).
    """

    Config = ConditionalConfig
    needs = ("class", "view", "mask")
    # largest numbers of a random transform
    reach: Tensor
    # mean colour around the masks
    ground: Tensor
    # views of the training set
    known: Tensor

    def __init__(self, config: ConditionalConfig):
        super().__init__()
        shape = PictureShape.of(config)
        hidden = config.hidden
        if min(config.classes, config.angles, hidden, config.views) < 1:
            raise UserError("classes, angles, hidden and views must each be at least 1")
        self.config = config
        self.read_class = nn.Linear(config.classes, hidden, bias=False)
        # a class is one column, as of an embedding
        nn.init.normal_(self.read_class.weight)
        self.read_view = mlp(2 * config.angles, hidden, hidden)
        self.read_transform = mlp(NUMBERS, hidden, hidden)
        self.meet = nn.Sequential(nn.ReLU(), mlp(3 * hidden, 2 * hidden, hidden), nn.ReLU())
        with_mask = replace(shape, channels=shape.channels + 1)
        self.draw = picture_network(config.network).drawer(with_mask, config.width, hidden)
        reach = torch.tensor([config.shift, config.shift, config.zoom, config.turn, config.light])
        self.register_buffer("reach", reach, persistent=False)
        self.register_buffer("ground", torch.ones(config.channels))
        self.register_buffer("known", torch.zeros(config.views, config.angles))

    def stages(self) -> tuple[Stage, ...]:
        return (Stage("main", 1.0, self.loss, tuple(self.parameters()), self.look_around),)

    def look_around(self, batches: Iterable[Batch]) -> None:
        """Store the mean colour outside the masks, and some of the views of the training set."""
        light = torch.zeros_like(self.ground)
        count = 0.0
        views = []
        for batch in batches:
            outside = 1 - self._mask(batch)
            light = light + (batch.image * outside).sum((0, 2, 3))
            count = count + outside.sum()
            views.append(self._views(batch))
        distinct = torch.unique(torch.cat(views), dim=0)
        chosen = torch.linspace(0, len(distinct) - 1, self.config.views).round().long()
        self.ground.copy_(light / max(float(count), 1.0))
        self.known.copy_(distinct[chosen.to(distinct.device)])

    def loss(self, batch: Batch) -> Losses:
        """The loss on pictures and masks under random transforms."""
        uniform = uniform_like(batch.image.new_empty(len(batch), NUMBERS))
        return self._losses(batch, (2 * uniform - 1) * self.reach)

    def validate(self, batch: Batch) -> Losses:
        """The loss on pictures and masks that are not transformed."""
        return self._losses(batch, batch.image.new_zeros(len(batch), NUMBERS))

    def condition(
        self,
        classes: Int[Tensor, "B"],
        view: Float[Tensor, "B A"],
        transform: Float[Tensor, "B 5"] | None = None,
    ) -> Condition:
        """The condition for given classes and angles of view; without `transform`, the picture is not
        transformed."""
        count = self.config.classes
        _refuse_other_classes(classes, count)
        weights = nn.functional.one_hot(classes.long(), count).to(view)
        unchanged = view.new_zeros(len(view), NUMBERS)
        return Condition(weights, view, unchanged if transform is None else transform)

    def decode(self, latent: Condition) -> Image:
        return self.drawn(latent)[0]

    def drawn(self, condition: Condition) -> tuple[Image, Float[Tensor, "B 1 H W"]]:
        """The picture and the mask that the generator draws for each condition."""
        angles = torch.cat([condition.view.sin(), condition.view.cos()], 1)
        # numbers of about 1
        features = [
            self.read_class(condition.weights),
            self.read_view(angles),
            self.read_transform(5 * condition.transform),
        ]
        drawn = torch.sigmoid(self.draw(self.meet(torch.cat(features, 1))))
        colours, mask = drawn.split([self.config.channels, 1], 1)
        return mask * colours + (1 - mask) * self.ground[:, None, None], mask

    def sample(self, count: int) -> Condition:
        """Conditions for new pictures: a random class and a random stored view each."""
        device = device_of(self)
        classes = torch.randint(self.config.classes, (count,), device=device)
        return self.condition(classes, self.known[torch.randint(len(self.known), (count,), device=device)])

    def encode(self, image: Image) -> Condition:
        """Search for each picture's condition by gradient descent, starting from the best of known
        conditions.

        The result depends on that picture alone, and is the same every time.
        """
        refuse_other_sizes(self.config, image)
        starts = self._starts(image)
        target = repeat(image, "b c h w -> (b s) c h w", s=len(starts) // len(image))
        condition = self._descended(starts, target)
        with torch.no_grad():
            error = squared_error(self.decode(condition), target).unflatten(0, (len(image), -1))
        first = torch.arange(len(image), device=image.device) * error.shape[1]
        return condition[first + error.argmin(1)]

    @torch.enable_grad()
    def _descended(self, start: Condition, target: Image) -> Condition:
        logits = (FIRST_LOGIT * start.weights).requires_grad_()
        view = start.view.clone().requires_grad_()
        transform = start.transform.clone().requires_grad_()
        learning = [logits, view, transform]
        optimizer = torch.optim.Adam(learning, lr=SEARCH_RATE)
        for _ in range(SEARCH_STEPS):
            drawn = self.decode(Condition(logits.softmax(1), view, transform))
            error = squared_error(drawn, target).sum()
            for parameter, gradient in zip(learning, torch.autograd.grad(error, learning), strict=True):
                parameter.grad = gradient
            optimizer.step()
        return Condition(logits.detach().softmax(1), view.detach(), transform.detach())

    @torch.no_grad()
    def _starts(self, image: Image) -> Condition:
        """For each picture, some conditions from which the search starts.

        Of all classes in all stored views, these draw the most similar pictures.
        """
        classes = torch.arange(self.config.classes, device=image.device).repeat_interleave(len(self.known))
        conditions = self.condition(classes, self.known.repeat(self.config.classes, 1))
        distances = []
        for rows in torch.arange(len(classes), device=image.device).split(AT_ONCE):
            drawn = self.decode(conditions[rows]).flatten(1)
            distances.append(torch.cdist(image.flatten(1), drawn))
        count = min(STARTS_PER_PICTURE, len(classes))
        nearest = torch.cat(distances, 1).topk(count, largest=False).indices
        return conditions[nearest.flatten()]

    def _losses(self, batch: Batch, transform: Float[Tensor, "B 5"]) -> Losses:
        both = placed(torch.cat([batch.image, self._mask(batch)], 1), transform)
        image, mask = both.split([self.config.channels, 1], 1)
        condition = self.condition(batch.labels["class"], self._views(batch), transform)
        drawn_image, drawn_mask = self.drawn(condition)
        error = squared_error(drawn_image, lit(image, mask, transform))
        mask_error = squared_error(drawn_mask, mask)
        total = (error + self.config.mask_weight * mask_error).mean()
        return Losses(total, {"reconstruction": error, "mask": mask_error})

    def _views(self, batch: Batch) -> Float[Tensor, "B A"]:
        view = batch.labels["view"].to(batch.image).flatten(1)
        if view.shape[1] != self.config.angles:
            raise UserError(
                f"a view of these data has {view.shape[1]} angles, and this model's {self.config.angles}; "
                "set angles to it"
            )
        return view

    def _mask(self, batch: Batch) -> Float[Tensor, "B 1 H W"]:
        return batch.labels["mask"][:, None].to(batch.image)


def _refuse_other_classes(classes: Int[Tensor, "B"], count: int) -> None:
    if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < count:
        raise UserError(
            f"classes go from 0 to {count - 1} here, and there is a {int(classes.max())}; "
            "raise classes of the model's config"
        )
