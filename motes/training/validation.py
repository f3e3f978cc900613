"""The mean loss on held-out pictures, from a fixed seed, so that it is reproducible."""

from typing import Any

import torch

from motes.data.base import Dataset
from motes.models.abilities import Calibrates
from motes.models.base import Model, device_of

BATCH = 64


def validate(model: Model, data: Dataset, pictures: int) -> dict[str, Any]:
    """The mean loss over at most this many pictures, whole clips from all over the data, and its mean terms.

    The pictures are always the same. The model is in eval mode, the seed is fixed, and each picture counts
    alike. A model that can calibrate itself on these pictures does so here.
    """
    rows = data.spread(pictures)
    if not rows:
        return {"validation": float("inf"), "terms": {}}
    device = device_of(model)
    was_training = model.training
    chunks = data.chunks(rows, BATCH)
    batches = [data.batch(chunk, model.needs, data.frames).to(device) for chunk in chunks]
    model.eval()
    torch.manual_seed(0)
    with torch.no_grad():
        measured = [(len(batch), model.validate(batch)) for batch in batches]
        if isinstance(model, Calibrates):
            model.calibrate(batches)
    model.train(was_training)
    names = measured[0][1].terms
    total = sum(count * losses.total.item() for count, losses in measured)
    sums = {name: sum(losses.terms[name].sum().item() for _, losses in measured) for name in names}
    return {"validation": total / len(rows), "terms": {name: sums[name] / len(rows) for name in names}}
