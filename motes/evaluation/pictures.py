"""How like the picture is what the model draws of it?"""

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import Evidence, Measured, Question, Seen
from motes.ops.metrics import psnr, ssim


def look(seen: Seen) -> Measured:
    return {"psnr": psnr(seen.drawn, seen.batch.image), "ssim": ssim(seen.drawn, seen.batch.image)}


def judge(evidence: Evidence) -> dict[str, Statistic]:
    return {name: mean(values) for name, values in evidence.test.items()}


QUESTION = Question((), look, judge)
