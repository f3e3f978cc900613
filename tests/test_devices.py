"""Every model learns, encodes, draws and predicts on another device than the processor, be it a pretended one."""

import pytest
import torch
from few_pictures import FewPictures
from pretended_device import DEVICE, pretended
from test_contract import VARIANTS, make, pictures

from motes.data.source import Source
from motes.models.abilities import Predicts
from motes.training.feeding import AllBatches

# their tables of codes have sparse gradients, which the pretended device lacks
SPARSE = ("glo", "glann")
TRIED = [(name, options) for name, options in VARIANTS if name not in SPARSE]


def learn(stage, batch):
    """A step of the stage, with all that goes before and after it."""
    for ready in (stage.begin, stage.prepare):
        if ready:
            ready(FewPictures(batch))
    total = stage.loss(batch).total
    if stage.parameters:
        total.backward()
        make_optimizer = stage.optimizer or (lambda rate: torch.optim.Adam(list(stage.parameters), rate))
        make_optimizer(1e-3).step()
    if stage.after_step:
        with torch.no_grad():
            stage.after_step(batch)
    return total


@pytest.mark.parametrize("name, options", TRIED, ids=[name for name, _ in TRIED])
def test_a_model_works_where_its_pictures_are(name, options):
    model = make(name, options)
    batch = pictures(model)
    with pretended():
        model.to(DEVICE)
        batch = batch.to(DEVICE)
        totals = [learn(stage, batch) for stage in model.stages()]
        model.eval()
        with torch.no_grad():
            latent = model.encode(batch.image)
            drawn = model.decode(latent)
            if isinstance(model, Predicts):
                future = model.predict(latent, batch.frames, 2)
                assert future.track.device == DEVICE
        assert drawn.device == DEVICE
        assert all(total.device == DEVICE and bool(total.isfinite()) for total in totals)


def test_all_that_a_stage_begins_with_is_on_the_device_of_the_training():
    data = Source("shapes", {"image_size": (16, 16), "count": 8, "held_out": 4}).open("train")
    with pretended():
        batches = AllBatches(data, 4, (), DEVICE)
        assert [batch.image.device for batch in batches] == [DEVICE] * 2
        assert batches.sample(5).device == DEVICE


def test_the_pretended_device_refuses_tensors_of_two_devices():
    with pretended(), pytest.raises(RuntimeError, match="two devices"):
        torch.zeros(2, device=DEVICE) + torch.zeros(2)
