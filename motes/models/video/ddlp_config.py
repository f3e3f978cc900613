"""The options of DDLP."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from motes.models.particles.dlp_config import DlpConfig


@dataclass(frozen=True)
class DdlpConfig:
    """Options of DDLP: sizes, the weights of the loss, and what is expected of the next frame."""

    # rows, columns; multiples of patch_size
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K: the largest number of things in a picture
    num_particles: int = 10
    # patch proposals that the particles are drawn to
    num_proposals: int = 15
    # numbers that describe the look of a particle
    feature_dim: int = 6
    # side of the prior's patches: about the size of the smallest object
    patch_size: int = 8
    # side of a particle's window in pixels, which is stretched: about the size of a typical object
    glimpse_size: int = 16
    # the reconstruction loss: see motes.weights.reconstruction.RECONSTRUCTIONS
    reconstruction: str = "mse"
    # weights of the KL of positions and of what is expected (beta_kl), and of looks (beta_kl * kl_balance)
    kl_weights: tuple[float, float] = (0.1, 1e-4)
    # price of a particle that is present: more = fewer particles, and none half present
    presence_weight: float = 0.0
    # what is drawn of a particle's presence while training: see the options of dlp
    presence_posterior: Literal["deterministic", "beta"] = "deterministic"
    # shares of the steps for single glimpses, for random presence, for clips, and for clips with roll-outs; in the
    # rest, after the first two, frames are stills
    phases: tuple[float, float, float, float] = (0.01, 0.04, 0.35, 0.35)
    # number of frames of a window to learn from; a prediction looks back on all of them but one
    frames: int = 11
    # what things know of each other: attention: a transformer; graph: messages between all pairs; none: nothing
    interaction: Literal["attention", "graph", "none"] = "attention"
    # units of the layers of the network that predicts
    width: int = 64
    # whether motion also learns from mirror images, where these are as likely: no camera that sees things fall
    mirrors: bool = False

    # of particles about their proposals, as in dlp
    prior_std: ClassVar[float] = DlpConfig.prior_std
    architecture: ClassVar[str] = "sized"

    @property
    def still(self) -> DlpConfig:
        """The options of the model of stills that DDLP has in it."""
        return DlpConfig(
            image_size=self.image_size,
            channels=self.channels,
            num_particles=self.num_particles,
            num_proposals=self.num_proposals,
            feature_dim=self.feature_dim,
            patch_size=self.patch_size,
            glimpse_size=self.glimpse_size,
            architecture="sized",
            reconstruction=self.reconstruction,
            kl_weights=self.kl_weights,
            presence_weight=self.presence_weight,
            presence_posterior=self.presence_posterior,
            phases=(self.phases[0], self.phases[1]),
        )
