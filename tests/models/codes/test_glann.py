"""The sampler's noise: chosen among fresh ones by brute force once an epoch, and codes left alone meanwhile."""

import pytest
import torch
from few_pictures import FewPictures

from motes.errors import UserError
from motes.models.codes.glann import Glann, GlannConfig
from motes.types.batch import Batch

SMALL = GlannConfig(
    image_size=(16, 16), channels=1, pictures=10, code_dim=3, network="dense", width=16, noise_dim=2, noises=5
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Glann(SMALL)


def test_each_code_takes_the_noise_whose_sample_is_nearest(model):
    torch.manual_seed(1)
    model.begin_sampler(())
    torch.manual_seed(1)
    noise = torch.randn(50, 2)
    with torch.no_grad():
        apart = (model.glo.codes[:, None] - model.sampler(noise)[None]).square().sum(2)
    assert torch.equal(model.chosen, noise[apart.argmin(1)])


def test_noises_are_chosen_anew_when_an_epoch_is_over_and_not_before(model):
    model.begin_sampler(())
    before, changes = model.chosen.clone(), []
    for step in range(7):  # batches of 4 of 10 pictures: two an epoch, the rest is dropped
        torch.manual_seed(step)
        model.count_pictures(Batch(torch.rand(4, 1, 16, 16), torch.arange(4)))
        changes.append(not torch.equal(model.chosen, before))
        before = model.chosen.clone()
    assert changes == [False, True] * 3 + [False]


def test_the_sampler_learns_where_codes_are_and_moves_none(model):
    stage, batch = model.stages()[1], Batch(torch.rand(10, 1, 16, 16), torch.arange(10))
    codes = model.glo.codes.detach().clone()
    stage.begin(FewPictures(batch))
    torch.manual_seed(5)
    first = model.sampler.coverage(codes, 50).mean()
    optimizer = stage.optimizer(1e-2)
    for step in range(150):
        torch.manual_seed(step)
        optimizer.zero_grad()
        stage.loss(batch).total.backward()
        optimizer.step()
        stage.after_step(batch)
    torch.manual_seed(5)
    assert model.sampler.coverage(codes, 50).mean() < 0.5 * first
    assert torch.equal(model.glo.codes, codes)
    assert (model.sample(100).vector.norm(dim=1) <= 1 + 1e-6).all()


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(UserError, match="sampler_share between 0 and 1"):
        Glann(GlannConfig(sampler_share=1.0))
    with pytest.raises(UserError, match="ball must be one of 1, 2, inf"):
        Glann(GlannConfig(ball="3"))
