"""Picture scores: how similar is the picture that the model draws to the one that it encoded?

The rival is the median of training pictures, which is the background where things move. The pooled PSNR is
of the mean squared error over all pictures. The mean of each picture's PSNR is higher, the more so where many
pictures are nearly empty and easy.

LPIPS is measured only if its weights are on this machine: see `motes.weights.lpips`.
"""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.nn.losses.lpips import Lpips
from motes.ops.scores.metrics import psnr, ssim
from motes.types.latents import Image
from motes.weights.lpips import load_lpips, missing_lpips_file

EXPLAINS = {
    "psnr": "PSNR of the reconstruction, in decibels",
    "psnr_median": "PSNR of the median of training pictures, drawn in place of every picture",
    "psnr_pooled": "PSNR of the squared error averaged over all pictures: hard pictures count more",
    "psnr_median_pooled": "the pooled PSNR of the median of training pictures",
    "ssim": "structural similarity of the reconstruction, 1 at best",
    "mse": "mean squared error of a pixel",
    "lpips": "distance of the reconstruction in a network's features, 0 at best",
}


def _measure(encoded: EncodedBatch) -> Measured:
    # variances in SSIM are differences of near numbers
    reconstruction = encoded.drawn.double()
    picture = encoded.batch.image.double()
    measured = {
        "psnr": psnr(reconstruction, picture),
        "ssim": ssim(reconstruction, picture),
        "mse": (reconstruction.clamp(0, 1) - picture).square().mean((1, 2, 3)),
    }
    median = None if encoded.background is None else encoded.background.median
    if median is not None:
        median = median.to(picture.device).expand_as(picture)
        measured["psnr_median"] = psnr(median, picture)
        measured["mse_median"] = (median - picture).square().mean((1, 2, 3))
    return measured | perceptual_distance(encoded.drawn, encoded.batch.image)


def perceptual_distance(drawn: Image, picture: Image) -> Measured:
    """LPIPS of each picture; nothing where its weights are not on this machine."""
    if missing_lpips_file() is not None or picture.shape[1] not in (1, 3):
        return {}
    return {"lpips": _lpips(picture.device)(drawn, picture)}


def _score(evidence: Evidence) -> dict[str, Statistic]:
    statistics: dict[str, Statistic] = {}
    for end in ("", "_median"):
        if f"psnr{end}" in evidence.test:
            statistics[f"psnr{end}"] = mean(evidence.test[f"psnr{end}"])
            statistics[f"psnr{end}_pooled"] = _pooled(evidence.test[f"mse{end}"])
    names = ("ssim", "mse", "lpips")
    return statistics | {name: mean(evidence.test[name]) for name in names if name in evidence.test}


def _pooled(squares: Float[Tensor, "B"]) -> Statistic:
    """The PSNR of the squared error averaged over all pictures."""
    average = mean(squares)
    return lambda times: -10 * torch.log10(average(times).clamp_min(1e-10))


@cache
def _lpips(device: torch.device) -> Lpips:
    return load_lpips().to(device)


QUESTION = Question(
    (),
    _measure,
    _score,
    EXPLAINS,
    rivals={"psnr": "psnr_median", "psnr_pooled": "psnr_median_pooled"},
)
