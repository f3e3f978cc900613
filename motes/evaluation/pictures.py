"""How like the picture is what the model draws of it? LPIPS only where its weights are on this machine: see
`motes.weights.lpips`."""

from functools import cache

import torch

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.nn.losses.lpips import Lpips
from motes.ops.scores.metrics import psnr, ssim
from motes.weights.lpips import load_lpips, missing_lpips_file


def look(encoded: EncodedBatch) -> Measured:
    # variances in SSIM are differences of near numbers
    drawn = encoded.drawn.double()
    wanted = encoded.batch.image.double()
    found = {
        "psnr": psnr(drawn, wanted),
        "ssim": ssim(drawn, wanted),
        "mse": (drawn.clamp(0, 1) - wanted).square().mean((1, 2, 3)),
    }
    if missing_lpips_file() is None and wanted.shape[1] in (1, 3):
        found["lpips"] = _lpips(wanted.device)(encoded.drawn, encoded.batch.image)
    return found


def judge(evidence: Evidence) -> dict[str, Statistic]:
    return {name: mean(values) for name, values in evidence.test.items()}


@cache
def _lpips(device: torch.device) -> Lpips:
    return load_lpips().to(device)


QUESTION = Question((), look, judge)
