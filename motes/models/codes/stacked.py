"""A stack of denoising autoencoders, trained one layer after the other and then together with a
classifier."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
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
    """Options of a stack of autoencoders with a classifier."""

    # rows, columns
    image_size: tuple[int, int] = (28, 28)
    channels: int = 1
    # number of classes, which are numbered from 0
    classes: int = 2
    # units of each layer, the lowest first
    widths: tuple[int, ...] = (1000, 1000, 1000)
    # masking, salt-and-pepper or gaussian
    corruption: str = "masking"
    # strength nu of the corruption; 0 = plain autoencoders
    amount: float = 0.1
    # share of the steps in which the layers learn one by one; 0 = the classifier starts from random weights
    pretraining: float = 0.75
    # learning rate of the whole stack with the classifier, over that of the layers
    classifying_rate: float = 0.3
    # weight decay of the classifier's stage; more = smaller weights
    weight_decay: float = 0.0


class StackedAutoencoder(Model):
    """A stack of denoising autoencoders: layer k learns min E H(g_k(f_k(h~)), h), H being the cross-entropy.

    f_k encodes, g_k decodes; h = f_(k-1)(... f_1(x)) is the clean output of the layers below, and h~ its
    corrupted copy. Then softmax(f_3(f_2(f_1(x)))) is fitted to the labels, and all weights learn (Vincent et
    al. 2010, https://jmlr.org/papers/v11/vincent10a.html). With amount 0 these are the stacked plain
    autoencoders of Bengio et al. 2007. A code is the topmost layer's output; the decoders draw a picture from
    it.
    """

    Config = StackedConfig
    needs = ("class",)

    def __init__(self, config: StackedConfig):
        super().__init__()
        _check(config)
        self.config = config
        self.shape = PictureShape.of(config)
        sides = list(pairwise((self.shape.numbers, *config.widths)))
        self.encoders = nn.ModuleList(sigmoid_layer(below, above) for below, above in sides)
        self.decoders = nn.ModuleList(sigmoid_layer(above, below) for below, above in sides)
        self.classifier = nn.Linear(config.widths[-1], config.classes)
        self.picture = ToPicture(self.shape)
        self.corrupt = corruption(config.corruption, config.amount)

    def stages(self) -> tuple[Stage, ...]:
        everything = tuple(self.parameters())
        share = 1 - self.config.pretraining
        classifier = Stage("classifier", share, self.loss, everything, optimizer=self._slower(everything))
        if not self.config.pretraining:
            return (classifier,)
        return (*(self._layer_stage(number) for number in range(len(self.encoders))), classifier)

    def layer_loss(self, number: int, batch: Batch) -> Losses:
        """The loss of layer `number`: it repairs corrupted outputs of the layers below, which read clean
        pictures."""
        with torch.no_grad():
            clean = self._up(batch.image, self.encoders[:number])
        code = self.encoders[number](self.corrupt(clean).values)
        error = cross_entropy(self.decoders[number](code), clean).sum(1)
        return Losses(error.mean(), {"reconstruction": error})

    def loss(self, batch: Batch) -> Losses:
        """The loss of the classifier on all pictures, and of the decoders on a quarter of them.

        The decoders' loss has no gradient in the encoders.
        """
        code = self._up(batch.image, self.encoders)
        terms = self._classification(self.classifier(code), batch)
        quarter = slice(0, max(len(batch) // 4, 1))
        drawn = cross_entropy(self._down(code[quarter].detach()), batch.image[quarter]).sum((1, 2, 3))
        return Losses(terms["cross_entropy"].mean() + drawn.mean() / self.shape.numbers, terms)

    def validate(self, batch: Batch) -> Losses:
        terms = self._classification(self.classifier(self.encode(batch.image).vector), batch)
        return Losses(terms["cross_entropy"].mean(), terms)

    def classify(self, latent: Code) -> Float[Tensor, "B N"]:
        """The probability of each class, given codes."""
        return self.classifier(latent.vector).softmax(1)

    def encode(self, image: Image) -> Code:
        refuse_other_sizes(self.config, image)
        return Code(self._up(image, self.encoders))

    def decode(self, latent: Code) -> Image:
        return self._down(latent.vector)

    def _up(self, image: Image, encoders: Iterable[nn.Module]) -> Float[Tensor, "B F"]:
        values = image.flatten(1)
        for encoder in encoders:
            values = encoder(values)
        return values

    def _down(self, values: Float[Tensor, "B F"]) -> Image:
        for decoder in reversed(list(self.decoders)):
            values = decoder(values)
        return self.picture(values)

    def _classification(self, logits: Float[Tensor, "B N"], batch: Batch) -> dict[str, Float[Tensor, "B"]]:
        """For each picture the cross-entropy, and the error: 1 if the most probable class is wrong, else
        0."""
        classes = self._classes(batch)
        cross_entropies = F.cross_entropy(logits, classes, reduction="none")
        errors = (logits.argmax(1) != classes).to(logits)
        return {"cross_entropy": cross_entropies, "error_rate": errors}

    def _classes(self, batch: Batch) -> Int[Tensor, "B"]:
        classes = batch.labels["class"].long()
        largest = int(classes.max())
        if largest >= self.config.classes:
            raise UserError(f"there is a class {largest} in the data; set classes to {largest + 1} or more")
        return classes

    def _layer_stage(self, number: int) -> Stage:
        parameters = (*self.encoders[number].parameters(), *self.decoders[number].parameters())
        share = self.config.pretraining / len(self.encoders)
        return Stage(f"layer {number + 1}", share, partial(self.layer_loss, number), parameters)

    def _slower(self, parameters: tuple[nn.Parameter, ...]) -> Callable[[float], torch.optim.Optimizer]:
        factor = self.config.classifying_rate
        decay = self.config.weight_decay
        return lambda rate: torch.optim.Adam(
            [{"params": list(parameters)}], lr=factor * rate, weight_decay=decay, fused=True
        )


def _check(config: StackedConfig) -> None:
    layers_work = config.widths and min(config.widths) >= 1
    if not layers_work or config.classes < 2 or not 0 <= config.pretraining < 1:
        raise UserError(
            "widths must name at least one layer of at least 1 unit, classes be at least 2, "
            "pretraining from 0 to below 1"
        )
