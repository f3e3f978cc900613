"""A stack of denoising autoencoders, learnt layer by layer, then a classifier on top of it that learns with
all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.nn.coders.networks import PictureShape, ToPicture, sigmoid_layer
from motes.ops.pictures.corruption import corruption
from motes.ops.pictures.image_loss import cross_entropy
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image


@dataclass(frozen=True)
class StackedConfig:
    """What a stack is made of."""

    # rows, columns
    image_size: tuple[int, int] = (28, 28)
    channels: int = 1
    classes: int = 2
    # units of each layer, the lowest first
    widths: tuple[int, ...] = (1000, 1000, 1000)
    # or salt-and-pepper, gaussian
    corruption: str = "masking"
    # of the corruption, nu: 0 = plain autoencoders
    amount: float = 0.1
    # share of the steps in which the layers learn one by one; 0 = the classifier starts from random weights
    pretraining: float = 0.75
    # learning rate of the whole stack with the classifier, over that of the layers
    classifying_rate: float = 0.3
    # of the classifier's stage; more = smaller weights
    weight_decay: float = 0.0


class StackedAutoencoder(Model):
    """Layer k: min E H(g_k(f_k(h~)), h), h = f_(k-1)(... f_1(x)) undisturbed, h~ ~ q(h~ | h); then
    softmax(f_3(f_2(f_1(x)))) with the labels, all weights learning (Vincent et al. 2010,
    https://jmlr.org/papers/v11/vincent10a.html). With amount 0 the stacked plain autoencoders of Bengio et
    al. 2007. A code is what the topmost layer says; the decoders draw a picture from it.
    """

    Config = StackedConfig
    needs = ("class",)

    def __init__(self, config: StackedConfig):
        super().__init__()
        if (
            not config.widths
            or min(config.widths) < 1
            or config.classes < 2
            or not 0 <= config.pretraining < 1
        ):
            raise UserError(
                "widths must name at least one layer of at least 1 unit, classes be at least 2, pretraining from 0 to below 1"
            )
        self.config = config
        self.shape = PictureShape.of(config)
        sides = list(pairwise((self.shape.numbers, *config.widths)))
        self.encoders = nn.ModuleList(sigmoid_layer(below, above) for below, above in sides)
        self.decoders = nn.ModuleList(sigmoid_layer(above, below) for below, above in sides)
        self.classifier = nn.Linear(config.widths[-1], config.classes)
        self.picture = ToPicture(self.shape)
        self.corrupt = corruption(config.corruption, config.amount)

    def stages(self) -> tuple[Stage, ...]:
        rest = tuple(self.parameters())
        final = Stage(
            "classifier", 1 - self.config.pretraining, self.loss, rest, optimizer=self._slower(rest)
        )
        if not self.config.pretraining:
            return (final,)
        share = self.config.pretraining / len(self.encoders)
        return (
            *(
                Stage(f"layer {n + 1}", share, partial(self.layer_loss, n), self._layer(n))
                for n in range(len(self.encoders))
            ),
            final,
        )

    def layer_loss(self, number: int, batch: Batch) -> Losses:
        """Of one layer as a denoising autoencoder of what the layers below say of clean pictures."""
        with torch.no_grad():
            clean = self._up(batch.image, number)
        error = cross_entropy(
            self.decoders[number](self.encoders[number](self.corrupt(clean).values)), clean
        ).sum(1)
        return Losses(error.mean(), {"reconstruction": error})

    def loss(self, batch: Batch) -> Losses:
        """Of the classifier. The decoders go along, by a quarter of the pictures, without a say in what the
        encoders learn."""
        top = self._up(batch.image, len(self.encoders))
        wrong, missed = self._judge(self.classifier(top), batch)
        few = slice(0, max(len(batch) // 4, 1))
        drawn = cross_entropy(self._down(top[few].detach()), batch.image[few]).sum((1, 2, 3))
        return Losses(
            wrong.mean() + drawn.mean() / self.shape.numbers, {"surprise": wrong, "mistakes": missed}
        )

    def validate(self, batch: Batch) -> Losses:
        wrong, missed = self._judge(self.classifier(self.encode(batch.image).vector), batch)
        return Losses(wrong.mean(), {"surprise": wrong, "mistakes": missed})

    def classify(self, latent: Code) -> Float[Tensor, "B N"]:
        """The chance of each class."""
        return self.classifier(latent.vector).softmax(1)

    def encode(self, image: Image) -> Code:
        refuse_other_sizes(self.config, image)
        return Code(self._up(image, len(self.encoders)))

    def decode(self, latent: Code) -> Image:
        return self._down(latent.vector)

    def _up(self, image: Image, layers: int) -> Float[Tensor, "B F"]:
        values = image.flatten(1)
        for encoder in list(self.encoders)[:layers]:
            values = encoder(values)
        return values

    def _down(self, values: Float[Tensor, "B F"]) -> Image:
        for decoder in reversed(list(self.decoders)):
            values = decoder(values)
        return self.picture(values)

    def _judge(
        self, logits: Float[Tensor, "B N"], batch: Batch
    ) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
        """The surprise at the true class, and 1 where another one seemed likelier."""
        truth = batch.labels["class"].long()
        if int(truth.max()) >= self.config.classes:
            raise UserError(
                f"there is a class {int(truth.max())} in the data; set classes to {int(truth.max()) + 1} or more"
            )
        return F.cross_entropy(logits, truth, reduction="none"), (logits.argmax(1) != truth).to(logits)

    def _layer(self, number: int) -> tuple[nn.Parameter, ...]:
        return (*self.encoders[number].parameters(), *self.decoders[number].parameters())

    def _slower(self, parameters: tuple[nn.Parameter, ...]) -> Callable[[float], torch.optim.Optimizer]:
        rate = self.config.classifying_rate
        decay = self.config.weight_decay
        return lambda base: torch.optim.Adam(
            [{"params": list(parameters)}], lr=rate * base, weight_decay=decay, fused=True
        )
