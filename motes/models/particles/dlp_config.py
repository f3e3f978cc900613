"""The options of Deep Latent Particles."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DlpConfig:
    """Options of Deep Latent Particles: sizes, networks, and the weights of the loss."""

    # rows, columns; multiples of patch_size
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K: the largest number of objects in a picture
    num_particles: int = 10
    # patch proposals that the particles are drawn to
    num_proposals: int = 15
    # numbers that describe the appearance of a particle
    feature_dim: int = 6
    # side of the prior's patches: about the size of the smallest object
    patch_size: int = 8
    # side of a particle's window, and of what it draws, in pixels: about the size of a typical object; windows
    # of `sized` particles are stretched from it
    glimpse_size: int = 16
    # sized: particles that start from anchors, each with a size and a depth of its own; anchored: the same with
    # windows of one size, for runs of older versions; published: the paper's networks; published-exclusive:
    # these, with glimpses that share pixels out
    architecture: Literal["sized", "anchored", "published", "published-exclusive"] = "sized"
    # widths of the image network, halving the picture at each but the first
    encoder_channels: tuple[int, ...] = (32, 64, 128)
    # widths of the patch network
    prior_channels: tuple[int, ...] = (16, 32, 64)
    # standard deviation of a particle about its proposal; half a picture is 1
    prior_std: float = 0.1
    # of `sized`: still: the same in all pictures, but for the light; varying: a code describes it; auto: still, if most
    # pixels hardly differ
    background: Literal["auto", "still", "varying"] = "auto"
    # the reconstruction loss: see motes.weights.reconstruction.RECONSTRUCTIONS
    reconstruction: str = "mse"
    # weights of the KL of positions (beta_kl) and of features (beta_kl * kl_balance)
    kl_weights: tuple[float, float] = (0.1, 1e-4)
    # price of a particle that is present: more = fewer particles, and none half present
    presence_weight: float = 0.0
    # what is drawn of a particle's presence while training: deterministic: the number read at it; beta: a sample of
    # the tied Beta distribution with this mean, whose KL has the first of the kl_weights
    presence_posterior: Literal["deterministic", "beta"] = "deterministic"
    # shares of the steps for training on single glimpses, and for training with random presence
    phases: tuple[float, float] = (0.01, 0.04)
