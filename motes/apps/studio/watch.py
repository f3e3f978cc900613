"""What a run under way has written: curves, pictures, and signs of health with a sentence on what to try."""

import math
from typing import Any

from motes.training.run import Run

LINES = 2000  # of the newest, at once
PICTURES = 40


def progress(run: Run, after: int = 0) -> dict[str, Any]:
    """Lines of metrics from number `after` on, names of pictures, and what there is to say."""
    lines = run.read_metrics()
    if after > len(lines):  # resumed or begun anew: steps that are to come again were taken back
        after = 0
    after = max(after, len(lines) - LINES)
    pictures = sorted(path.name for path in run.pictures.glob("step-*.png"))[-PICTURES:]
    return {
        "from": after,
        "lines": [_finite(line) for line in lines[after:]],
        "pictures": pictures,
        "health": health(lines),
    }


def health(lines: list[dict[str, Any]]) -> list[str]:
    """Sentences about a run that may be going wrong; none about one that goes well."""
    found = []
    scores = [line["validation"] for line in lines if "validation" in line]
    totals = [line["total"] for line in lines if "total" in line]
    if any(not math.isfinite(one) for one in totals[-20:]):
        found.append("The loss is not finite; try a smaller --training.learning-rate.")
    if (
        len(scores) >= 4
        and all(math.isfinite(one) for one in scores)
        and min(scores[-3:]) > 1.1 * min(scores[:-3])
    ):
        found.append(
            "Held-out loss has been rising over three validations; the best checkpoint is kept, more pictures would help."
        )
    if len(totals) >= 60 and all(map(math.isfinite, totals)):
        early = sum(totals[-60:-30]) / 30
        late = sum(totals[-30:]) / 30
        if abs(early - late) < 0.002 * abs(early):
            found.append(
                "The loss has hardly moved for a while; it may be done, or want a larger --training.learning-rate."
            )
    for name in ("feature_kl", "kl"):
        values = [line["terms"][name] for line in lines if name in line.get("terms", {})]
        if len(values) > 20 and values[-1] < 0.05:
            found.append(
                f"{name} is near 0: the looks carry nothing; try a smaller second number in --model.kl-weights."
            )
    return found


def _finite(line: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity."""
    if isinstance(line.get("validation"), float) and not math.isfinite(line["validation"]):
        line = {**line, "validation": None}
    terms = {name: value if math.isfinite(value) else None for name, value in line.get("terms", {}).items()}
    total = (
        {"total": None} if isinstance(line.get("total"), float) and not math.isfinite(line["total"]) else {}
    )
    return {**line, **total, "terms": terms}
