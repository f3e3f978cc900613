"""The mean loss on held-out pictures, the same every time it is asked."""

from typing import Any

import torch

from motes.data.base import Dataset
from motes.models.abilities import Calibrates
from motes.models.base import Model, device_of

BATCH = 64


def validate(model: Model, data: Dataset, pictures: int) -> dict[str, Any]:
    """In eval mode and from a fixed seed, each picture counting alike. A model that calibrates itself does
    so here."""
    count = min(pictures, len(data))
    if count == 0:
        return {"validation": float("inf"), "terms": {}}
    device = device_of(model)
    was_training = model.training
    together = data.frames if model.whole_clips else 1
    count = max(count // together, 1) * together
    step = max(BATCH // together, 1) * together
    starts = range(0, count, step)
    batches = [
        data.batch_with(range(start, min(start + step, count)), model.needs).to(device) for start in starts
    ]
    model.eval()
    torch.manual_seed(0)
    with torch.no_grad():
        found = [(len(batch), model.validate(batch)) for batch in batches]
        if isinstance(model, Calibrates):
            model.calibrate(batches)
    model.train(was_training)
    terms = {
        name: sum(one.terms[name].sum().item() for _, one in found) / count for name in found[0][1].terms
    }
    return {"validation": sum(rows * one.total.item() for rows, one in found) / count, "terms": terms}
