"""Picture scores: how similar is the picture that the model draws to the one that it encoded?

LPIPS is measured only if its weights are on this machine: see `motes.weights.lpips`.
"""

from functools import cache

import torch

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.nn.losses.lpips import Lpips
from motes.ops.scores.metrics import psnr, ssim
from motes.weights.lpips import load_lpips, missing_lpips_file

EXPLAINS = {
    "psnr": "PSNR of the reconstruction, in decibels",
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
    if missing_lpips_file() is None and picture.shape[1] in (1, 3):
        measured["lpips"] = _lpips(picture.device)(encoded.drawn, encoded.batch.image)
    return measured


def _score(evidence: Evidence) -> dict[str, Statistic]:
    return {name: mean(values) for name, values in evidence.test.items()}


@cache
def _lpips(device: torch.device) -> Lpips:
    return load_lpips().to(device)


QUESTION = Question((), _measure, _score, EXPLAINS)
