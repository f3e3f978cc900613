"""MODELS: the models by name. A class is imported when it is asked for, so that `motes list` need not load
torch."""

from typing import TYPE_CHECKING

from motes.models import papers
from motes.plain.registry import Registry, Row

if TYPE_CHECKING:
    from motes.models.base import Model

MODELS: "Registry[type[Model]]" = Registry(
    "models",
    {
        "dlp": Row(
            "particles.dlp:DeepLatentParticles",
            "Deep Latent Particles, object model: transparent glimpses over a background",
            papers.DLP,
        ),
        "dlp-graph": Row(
            "video.dlp_graph:DlpGraph",
            "particles that move: a graph network predicts the next frames of the particles of a dlp",
            papers.DLP,
        ),
        "ddlp": Row(
            "video.ddlp:DynamicLatentParticles",
            "particles of clips, learnt end to end: a posterior that tracks, a prior that predicts",
            papers.DDLP,
        ),
        "dlp-masked": Row(
            "particles.dlp_masked:MaskedParticles",
            "Deep Latent Particles, masked model: one decoder draws the whole picture",
            papers.DLP,
        ),
        "iodine": Row(
            "slots.iodine:Iodine",
            "slots that share the pixels, found by updates that compare what they draw with the picture",
            papers.IODINE,
        ),
        "keynet": Row(
            "keypoints.keynet:KeyNet",
            "keypoints that hold the geometry; appearance comes from a warped copy",
            papers.KEYNET,
        ),
        "zhang": Row(
            "keypoints.zhang:LandmarkAutoencoder",
            "landmarks that follow when the picture is warped, with a few features at each",
            papers.ZHANG,
        ),
        "slot-attention": Row(
            "slots.slot_attention:SlotAttentionAutoencoder",
            "Slot Attention: slots compete for the places of a picture, and draw it together",
            papers.SLOT_ATTENTION,
        ),
        "pca": Row(
            "codes.pca:PrincipalComponents",
            "principal components in closed form: eigenfaces",
            papers.EIGENFACES,
        ),
        "autoencoder": Row(
            "codes.autoencoder:Autoencoder",
            "an autoencoder with a narrow code, or penalties on a wide one",
            papers.BACKPROPAGATION,
        ),
        "denoising": Row(
            "codes.denoising:DenoisingAutoencoder",
            "an autoencoder that reconstructs pictures from corrupted ones",
            papers.STACKED_DENOISING,
        ),
        "stacked": Row(
            "codes.stacked:StackedAutoencoder",
            "denoising autoencoders pretrained layer by layer, then a classifier",
            papers.STACKED_DENOISING,
        ),
        "vae": Row(
            "codes.vae:VariationalAutoencoder",
            "a variational autoencoder: one Gaussian code a picture",
            papers.VAE,
        ),
        "glo": Row(
            "codes.glo:GenerativeLatentOptimisation",
            "generative latent optimisation: a learnt code for each training picture, no encoder",
            papers.GLO,
        ),
        "glann": Row(
            "codes.glann:Glann",
            "GLO, and a sampler of its codes by implicit maximum likelihood: no adversarial training",
            papers.GLANN,
        ),
        "conditional": Row(
            "factors.conditional:ConditionalGenerator",
            "class, view and transform to a picture and its mask",
            papers.CHAIRS,
        ),
        "paired": Row(
            "factors.two_domains:PairedAutoencoder",
            "one encoder and a decoder for each of two domains: expressions swap between two people",
        ),
        "dcign": Row(
            "factors.dcign:InverseGraphicsNetwork",
            "a variational autoencoder whose units stand for single factors, learnt from clips",
            papers.DCIGN,
        ),
        "feedback": Row(
            "poses.feedback:FeedbackLoop",
            "a pose that is guessed, drawn, compared with the picture and corrected, again and again",
            papers.FEEDBACK_LOOP,
        ),
        "cascade": Row(
            "poses.cascade:CascadedRefinement",
            "layouts of classes to pictures, from coarse to fine, by a perceptual loss",
            papers.CASCADED_REFINEMENT,
        ),
    },
    "motes.models",
)
