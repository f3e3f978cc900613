"""MODELS: name -> class, imported when asked for, so that `motes list` need not load torch."""

from typing import TYPE_CHECKING

from motes.plain.registry import Registry

if TYPE_CHECKING:
    from motes.models.base import Model

MODELS: "Registry[type[Model]]" = Registry(
    "models",
    {
        "dlp": "particles.dlp:DeepLatentParticles",
        "dlp-masked": "particles.dlp_masked:MaskedParticles",
        "keynet": "keypoints.keynet:KeyNet",
        "zhang": "keypoints.zhang:LandmarkAutoencoder",
        "pca": "codes.pca:PrincipalComponents",
        "autoencoder": "codes.autoencoder:Autoencoder",
        "denoising": "codes.denoising:DenoisingAutoencoder",
        "stacked": "codes.stacked:StackedAutoencoder",
        "vae": "codes.vae:VariationalAutoencoder",
        "glo": "codes.glo:GenerativeLatentOptimisation",
        "glann": "codes.glann:Glann",
        "conditional": "factors.conditional:ConditionalGenerator",
        "paired": "factors.two_domains:PairedAutoencoder",
        "dcign": "factors.dcign:InverseGraphicsNetwork",
        "feedback": "poses.feedback:FeedbackLoop",
        "cascade": "poses.cascade:CascadedRefinement",
    },
)
