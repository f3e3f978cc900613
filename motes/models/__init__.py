"""MODELS: name -> class, imported when asked for, so that `motes list` need not load torch."""

from typing import TYPE_CHECKING

from motes.ops.table import Table

if TYPE_CHECKING:
    from motes.models.base import Model

MODELS: "Table[type[Model]]" = Table(
    "models",
    {
        "dlp": "dlp:DeepLatentParticles",
        "dlp-masked": "dlp_masked:MaskedParticles",
        "keynet": "keynet:KeyNet",
        "zhang": "zhang:LandmarkAutoencoder",
        "pca": "pca:PrincipalComponents",
        "autoencoder": "autoencoder:Autoencoder",
        "denoising": "denoising:DenoisingAutoencoder",
        "stacked": "stacked:StackedAutoencoder",
        "vae": "vae:VariationalAutoencoder",
        "glo": "glo:GenerativeLatentOptimisation",
        "glann": "glann:Glann",
        "conditional": "conditional:ConditionalGenerator",
        "paired": "paired:PairedAutoencoder",
        "dcign": "dcign:InverseGraphicsNetwork",
        "feedback": "feedback:FeedbackLoop",
        "cascade": "cascade:CascadedRefinement",
    },
)
