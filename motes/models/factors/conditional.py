"""A generator that is told what to draw: class, view and transform become a picture and a mask."""

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

# of the descent that finds a picture's condition
STARTS = 4
STEPS = 60
RATE = 0.05
SURE = 3.0  # log-odds with which a start believes in its class
TOGETHER = 64  # pictures drawn at once when starts are looked for


@dataclass(frozen=True)
class ConditionalConfig:
    """What a conditional generator is made of."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # labels go from 0 to one less
    classes: int = 40
    # of a view; the network sees their sines and cosines
    angles: int = 2
    # numbers in which class, view and transform meet; more = finer shapes
    hidden: int = 256
    # half the maps with which drawing begins
    width: int = 32
    network: str = "convolutional"
    # of the mask's error over the picture's
    mask_weight: float = 0.1
    # most of a shift that is learnt, in half pictures
    shift: float = 0.15
    # most of the zoom's logarithm
    zoom: float = 0.15
    # most of a turn in the picture, in radians
    turn: float = 0.2
    # most of the light's logarithm
    light: float = 0.25
    # views of the training set that are remembered, from which a picture's view is looked for
    views: int = 24


@dataclass(frozen=True)
class Condition(Rows):
    """What is to be drawn. Weights of two classes draw what is between them; a transform of zeros leaves all
    as it is."""

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
    """|u(c, v, t) - T_t x|^2 + w |s(c, v, t) - T_t m|^2 (Dosovitskiy, Springenberg & Brox 2015,
    https://arxiv.org/abs/1411.5928).

    u lays the drawn colours over the training pictures' mean ground by the drawn mask s. t is drawn anew in
    every step, and picture and mask are transformed by it. The class enters by a matrix, so that a blend of
    classes is a point between theirs.
    """

    Config = ConditionalConfig
    needs = ("class", "view", "mask")
    reach: Tensor
    ground: Tensor
    known: Tensor

    def __init__(self, config: ConditionalConfig):
        super().__init__()
        shape = PictureShape.of(config)
        hidden = config.hidden
        if min(config.classes, config.angles, hidden, config.views) < 1:
            raise UserError("classes, angles, hidden and views must each be at least 1")
        self.config = config
        self.read_class = nn.Linear(config.classes, hidden, bias=False)
        nn.init.normal_(self.read_class.weight)  # a class is one column, as of an embedding
        self.read_view = mlp(2 * config.angles, hidden, hidden)
        self.read_transform = mlp(NUMBERS, hidden, hidden)
        self.meet = nn.Sequential(nn.ReLU(), mlp(3 * hidden, 2 * hidden, hidden), nn.ReLU())
        self.draw = picture_network(config.network).drawer(
            replace(shape, channels=shape.channels + 1), config.width, hidden
        )
        reach = torch.tensor([config.shift, config.shift, config.zoom, config.turn, config.light])
        self.register_buffer("reach", reach, persistent=False)
        self.register_buffer("ground", torch.ones(config.channels))  # mean colour around the masks
        self.register_buffer("known", torch.zeros(config.views, config.angles))

    def stages(self) -> tuple[Stage, ...]:
        return (Stage("main", 1.0, self.loss, tuple(self.parameters()), self.look_around),)

    def look_around(self, batches: Iterable[Batch]) -> None:
        """The ground's colour, and some of the views."""
        light = torch.zeros_like(self.ground)
        count = 0.0
        views = []
        for batch in batches:
            outside = 1 - self._mask(batch)
            light = light + (batch.image * outside).sum((0, 2, 3))
            count = count + outside.sum()
            views.append(self._views(batch))
        found = torch.unique(torch.cat(views), dim=0)
        chosen = torch.linspace(0, len(found) - 1, self.config.views).round().long()
        self.ground.copy_(light / max(float(count), 1.0))
        self.known.copy_(found[chosen.to(found.device)])

    def loss(self, batch: Batch) -> Losses:
        return self._error(
            batch, (2 * uniform_like(batch.image.new_empty(len(batch), NUMBERS)) - 1) * self.reach
        )

    def validate(self, batch: Batch) -> Losses:
        return self._error(batch, batch.image.new_zeros(len(batch), NUMBERS))

    def condition(
        self,
        classes: Int[Tensor, "B"],
        view: Float[Tensor, "B A"],
        transform: Float[Tensor, "B 5"] | None = None,
    ) -> Condition:
        """Of class numbers and angles."""
        if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < self.config.classes:
            raise UserError(
                f"classes go from 0 to {self.config.classes - 1} here, and there is a {int(classes.max())}; raise classes of the model's config"
            )
        weights = nn.functional.one_hot(classes.long(), self.config.classes).to(view)
        return Condition(
            weights, view, view.new_zeros(len(view), NUMBERS) if transform is None else transform
        )

    def decode(self, latent: Condition) -> Image:
        return self.drawn(latent)[0]

    def drawn(self, condition: Condition) -> tuple[Image, Float[Tensor, "B 1 H W"]]:
        """The picture and the mask."""
        angles = torch.cat([condition.view.sin(), condition.view.cos()], 1)
        read = [
            self.read_class(condition.weights),
            self.read_view(angles),
            self.read_transform(5 * condition.transform),
        ]  # all about 1
        colours, mask = torch.sigmoid(self.draw(self.meet(torch.cat(read, 1)))).split(
            [self.config.channels, 1], 1
        )
        return mask * colours + (1 - mask) * self.ground[:, None, None], mask

    def sample(self, count: int) -> Condition:
        """Any class from any of the remembered views."""
        classes = torch.randint(self.config.classes, (count,), device=device_of(self))
        return self.condition(
            classes, self.known[torch.randint(len(self.known), (count,), device=device_of(self))]
        )

    def encode(self, image: Image) -> Condition:
        """By descent from the classes and views that draw most like it; each picture by itself, the same
        every time."""
        refuse_other_sizes(self.config, image)
        with torch.enable_grad():
            start = self._starts(image)
            count = len(image)
            wanted = repeat(image, "b c h w -> (b s) c h w", s=len(start.view) // count)
            logits = (SURE * start.weights).requires_grad_()
            view = start.view.clone().requires_grad_()
            transform = start.transform.clone().requires_grad_()
            learning = [logits, view, transform]
            optimizer = torch.optim.Adam(learning, lr=RATE)
            for _ in range(STEPS):
                error = squared_error(
                    self.decode(Condition(logits.softmax(1), view, transform)), wanted
                ).sum()
                for one, slope in zip(learning, torch.autograd.grad(error, learning), strict=True):
                    one.grad = slope
                optimizer.step()
        found = Condition(logits.detach().softmax(1), view.detach(), transform.detach())
        with torch.no_grad():
            error = squared_error(self.decode(found), wanted).unflatten(0, (count, -1))
        first = torch.arange(count, device=image.device) * error.shape[1]
        return found[first + error.argmin(1)]

    @torch.no_grad()
    def _starts(self, image: Image) -> Condition:
        """B x STARTS: of all classes in all remembered views, those that draw most like each picture."""
        classes = torch.arange(self.config.classes, device=image.device).repeat_interleave(len(self.known))
        every = self.condition(classes, self.known.repeat(self.config.classes, 1))
        errors = []
        for rows in torch.arange(len(classes), device=image.device).split(TOGETHER):
            apart = self.decode(every[rows]).flatten(1)
            errors.append(torch.cdist(image.flatten(1), apart))
        nearest = torch.cat(errors, 1).topk(min(STARTS, len(classes)), largest=False).indices
        return every[nearest.flatten()]

    def _error(self, batch: Batch, transform: Float[Tensor, "B 5"]) -> Losses:
        mask = self._mask(batch)
        before = placed(torch.cat([batch.image, mask], 1), transform)
        wanted, covered = before.split([self.config.channels, 1], 1)
        picture, drawn_mask = self.drawn(self.condition(batch.labels["class"], self._views(batch), transform))
        error = squared_error(picture, lit(wanted, covered, transform))
        shape = squared_error(drawn_mask, covered)
        return Losses(
            (error + self.config.mask_weight * shape).mean(), {"reconstruction": error, "mask": shape}
        )

    def _views(self, batch: Batch) -> Float[Tensor, "B A"]:
        view = batch.labels["view"].to(batch.image).flatten(1)
        if view.shape[1] != self.config.angles:
            raise UserError(
                f"a view of these data has {view.shape[1]} angles, and this model's {self.config.angles}; set angles to it"
            )
        return view

    def _mask(self, batch: Batch) -> Float[Tensor, "B 1 H W"]:
        return batch.labels["mask"][:, None].to(batch.image)
