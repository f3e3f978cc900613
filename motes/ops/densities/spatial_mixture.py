"""PIXEL_LIKELIHOODS: how likely a picture is, given A components (slots, perhaps a ground) that share its pixels.

Component a has a colour mu_a and a mask m_a = softmax_a(logit) at every pixel. All results are in nats, with their
constants, so that bounds compare. The slopes are closed forms: no autograd graph is needed for them.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

# share of a pixel that is left to the other components at least, where one of them is left out
LEAST_SHARE = 1e-3


class PixelComponents(NamedTuple):
    """The components that share a picture's pixels."""

    # log m, from a log-softmax over components
    log_masks: Float[Tensor, "B A H W"]
    colours: Float[Tensor, "B A C H W"]


class Slopes(NamedTuple):
    """The gradient of the sum of all pixels' log-densities."""

    colours: Float[Tensor, "B A C H W"]
    # with respect to the logits of the masks
    logits: Float[Tensor, "B A H W"]


class Noise(NamedTuple):
    """How a pixel differs from the colour that was drawn."""

    # log p(x) of pixels, summed over channels, from u = (x - colour) / scale, ... C H W, and the logarithm of the scale
    log_density: Callable[[Tensor, Tensor], Tensor]
    # -d log p / du
    score: Callable[[Tensor], Tensor]


def _log_normal(deviation: Tensor, log_scale: Tensor) -> Tensor:
    channels = deviation.shape[-3]
    return -0.5 * deviation.square().sum(-3) - channels * (log_scale + 0.5 * math.log(2 * math.pi))


def _log_logistic(deviation: Tensor, log_scale: Tensor) -> Tensor:
    size = deviation.abs()
    return (-size - 2 * torch.log1p(torch.exp(-size)) - log_scale).sum(-3)


NORMAL = Noise(_log_normal, lambda deviation: deviation)
LOGISTIC = Noise(_log_logistic, lambda deviation: torch.tanh(deviation / 2))


@runtime_checkable
class Explained(Protocol):
    """A picture, explained by components."""

    @property
    def log_density(self) -> Float[Tensor, "B H W"]:
        """log p(x) of every pixel."""
        ...

    @property
    def of_components(self) -> Float[Tensor, "B A H W"]:
        """log p(x | colour of the component) of every pixel."""
        ...

    def slopes(self) -> Slopes: ...

    def gains(self) -> Float[Tensor, "B A H W"]:
        """log p(x) - log p(x without the component), of every pixel; the other masks then sum to 1."""
        ...


class PixelMixture:
    """log p(x) = log sum_a m_a prod_c p(x_c | mu_ac) (Greff et al. 2019, https://arxiv.org/abs/1903.00450)."""

    def __init__(
        self,
        image: Float[Tensor, "B C H W"],
        components: PixelComponents,
        scale: Float[Tensor, ""],
        noise: Noise = NORMAL,
    ):
        self.log_masks = components.log_masks
        self.deviation = (image[:, None] - components.colours) / scale
        self.scale = scale
        self.noise = noise
        self.of_components = noise.log_density(self.deviation, scale.log())
        self.joint = self.log_masks + self.of_components
        self.log_density = self.joint.logsumexp(1)

    def slopes(self) -> Slopes:
        responsibility = self.joint.softmax(1)
        score = self.noise.score(self.deviation)
        return Slopes(
            (responsibility / self.scale)[:, :, None] * score, responsibility - self.log_masks.exp()
        )

    def gains(self) -> Float[Tensor, "B A H W"]:
        joint = self.joint - self.log_density[:, None]
        return log_of_others(self.log_masks) - log_of_others(joint)


class MeanPicture:
    """log p(x) = sum_c log N(x_c; sum_a m_a mu_ac, scale): of the mean picture."""

    def __init__(
        self, image: Float[Tensor, "B C H W"], components: PixelComponents, scale: Float[Tensor, ""]
    ):
        self.image = image
        self.masks = components.log_masks.exp()
        self.colours = components.colours
        self.scale = scale
        self.mean = (self.masks[:, :, None] * self.colours).sum(1)
        self.log_density = self._log_density(self.mean, image)

    @property
    def of_components(self) -> Float[Tensor, "B A H W"]:
        return self._log_density(self.colours, self.image[:, None])

    def slopes(self) -> Slopes:
        score = (self.image - self.mean) / self.scale.square()
        rise = (score[:, None] * self.colours).sum(2) - (score * self.mean).sum(1, keepdim=True)
        return Slopes(self.masks[:, :, None] * score[:, None], self.masks * rise)

    def gains(self) -> Float[Tensor, "B A H W"]:
        left = (1 - self.masks).clamp_min(LEAST_SHARE)[:, :, None]
        without = torch.addcmul(self.mean[:, None], self.masks[:, :, None], self.colours, value=-1) / left
        return self.log_density[:, None] - self._log_density(without, self.image[:, None])

    def _log_density(self, mean: Tensor, image: Tensor) -> Tensor:
        return _log_normal((image - mean) / self.scale, self.scale.log())


class Blend:
    """(1 - share) times one log-density, and share times another; no density of its own, but a loss."""

    def __init__(self, first: Explained, second: Explained, share: Float[Tensor, ""]):
        self.first = first
        self.second = second
        self.share = share
        self.log_density = torch.lerp(first.log_density, second.log_density, share)
        self.of_components = second.of_components

    def slopes(self) -> Slopes:
        pairs = zip(self.first.slopes(), self.second.slopes(), strict=True)
        return Slopes(*(torch.lerp(first, second, self.share) for first, second in pairs))

    def gains(self) -> Float[Tensor, "B A H W"]:
        return torch.lerp(self.first.gains(), self.second.gains(), self.share)


def log_of_others(log_shares: Float[Tensor, "B A H W"]) -> Float[Tensor, "B A H W"]:
    """For each component, log(1 - its share), from log-shares that sum to 1.

    A share of more than a half is left out before the others are summed: 1 - share is not exact there.
    """
    shares = log_shares.exp()
    largest = shares > 0.5
    log_rest = log_shares.masked_fill(largest, -math.inf).logsumexp(1, keepdim=True)
    return torch.where(largest, log_rest, torch.log1p(-shares.clamp_max(0.5)))


def _mixture_logistic(image: Tensor, components: PixelComponents, scale: Tensor, share: Tensor) -> Explained:
    return PixelMixture(image, components, scale, LOGISTIC)


def _blended(image: Tensor, components: PixelComponents, scale: Tensor, share: Tensor) -> Explained:
    return Blend(MeanPicture(image, components, scale), PixelMixture(image, components, scale), share)


# from a picture, its components, the scale of the noise, and the share of the second density in a blend
PIXEL_LIKELIHOODS: dict[str, Callable[[Tensor, PixelComponents, Tensor, Tensor], Explained]] = {
    "mixture": lambda image, components, scale, share: PixelMixture(image, components, scale),
    "mixture-logistic": _mixture_logistic,
    "gaussian": lambda image, components, scale, share: MeanPicture(image, components, scale),
    "blended": _blended,
}
