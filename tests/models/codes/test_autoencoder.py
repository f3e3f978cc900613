"""Autoencoders: a linear one is principal components, penalties do what they are for, and accidents touch only what is seen."""

import pytest
import torch

from motes.errors import UserError
from motes.models.codes.autoencoder import Autoencoder
from motes.models.codes.autoencoder import AutoencoderConfig as Plain
from motes.models.codes.denoising import DenoisingAutoencoder, DenoisingConfig
from motes.models.codes.pca import PcaConfig as Closed
from motes.models.codes.pca import PrincipalComponents
from motes.types.batch import Batch

SMALL = {"image_size": (4, 4), "channels": 1}


def batch(count=64):
    """Pictures made of few things, each with its own strength, and a little noise."""
    random = torch.Generator().manual_seed(3)
    parts = torch.linalg.qr(torch.randn(16, 16, generator=random)).Q * 0.6 ** torch.arange(16)
    flat = 0.5 + 0.4 * torch.randn(count, 16, generator=random) @ parts
    return Batch(flat.view(count, 1, 4, 4), torch.arange(count))


def learnt(model, data, steps, rate=0.02):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(data).total.backward()
        optimizer.step()
        schedule.step()
    return model


def test_principal_components_are_where_one_matrix_each_way_has_no_more_to_learn():
    data = batch()
    closed = PrincipalComponents(Closed(**SMALL, pictures=64, code_dim=3))
    closed.fit([data])
    linear = Autoencoder(Plain(**SMALL, code_dim=3, network="linear"))
    read, draw = linear.coder.read[1], linear.coder.draw[0][0]
    with torch.no_grad():
        read.weight.copy_(closed.axes.T)
        read.bias.copy_(-closed.mean @ closed.axes)
        draw.weight.copy_(closed.axes)
        draw.bias.copy_(closed.mean)
    there = linear.loss(data).total
    torch.testing.assert_close(there, closed.dropped, rtol=1e-4, atol=0)
    there.backward()
    assert max(one.grad.abs().max().item() for one in linear.parameters()) < 1e-5
    for seed in range(5):
        torch.manual_seed(seed)
        with torch.no_grad():
            draw.weight.copy_(closed.axes + 0.01 * torch.randn(16, 3))
        assert linear.loss(data).total > there


@pytest.mark.parametrize(
    ("option", "term"), [({"weight_decay": 0.01}, "weights"), ({"activation_penalty": 0.03}, "activity")]
)
@pytest.mark.slow
def test_a_penalty_lowers_what_it_is_about(option, term):
    data, found = batch(), {}
    for options in ({}, option):
        torch.manual_seed(0)
        model = learnt(Autoencoder(Plain(**SMALL, code_dim=6, width=16, **options)), data, 100, 0.01)
        found[bool(options)] = model.loss(data).terms[term].mean().item()
    assert found[True] < 0.8 * found[False]


def test_the_total_is_the_sum_that_the_paper_writes():
    torch.manual_seed(0)
    model = Autoencoder(Plain(**SMALL, code_dim=6, width=8, weight_decay=0.1, activation_penalty=0.2))
    data = batch(8)
    losses = model.loss(data)
    squares = sum(one.square().sum() for name, one in model.named_parameters() if name.endswith("weight"))
    expected = (
        model.validate(data).total + 0.2 * model.encode(data.image).vector.abs().sum(1).mean() + 0.1 * squares
    )
    torch.testing.assert_close(losses.total, expected)


def test_noise_is_on_codes_while_learning_and_only_then():
    torch.manual_seed(0)
    still, noisy = (Autoencoder(Plain(**SMALL, code_dim=6, noise=noise)) for noise in (0.0, 1.0))
    data = batch(8)
    assert still.loss(data).total == still.loss(data).total
    assert noisy.loss(data).total != noisy.loss(data).total
    assert noisy.validate(data).total == noisy.validate(data).total


def test_the_target_is_the_clean_picture():
    """A network that repeats what it sees has no error where nothing happened, and that of the accident elsewhere."""
    model = DenoisingAutoencoder(DenoisingConfig(**SMALL, code_dim=16, network="linear", amount=0.5))
    with torch.no_grad():
        for layer in (model.coder.read[1], model.coder.draw[0][0]):
            layer.weight.copy_(torch.eye(16))
            layer.bias.zero_()
    data = batch(200)
    torch.manual_seed(0)
    error = model.loss(data).terms["reconstruction"].mean().item()
    assert error == pytest.approx(0.5 * data.image.square().sum((1, 2, 3)).mean().item(), rel=0.1)


@pytest.mark.parametrize(("touched", "spared"), [(1.0, 0.0), (0.0, 1.0), (2.0, 0.5)])
def test_emphasis_weighs_what_was_touched_and_what_was_spared(touched, spared):
    torch.manual_seed(0)
    model = DenoisingAutoencoder(
        DenoisingConfig(**SMALL, code_dim=4, amount=0.4, touched_weight=touched, spared_weight=spared)
    )
    data = batch(32)
    torch.manual_seed(1)
    seen = model.corrupt(data.image)
    torch.manual_seed(1)
    error = (model.decode(model.encode(seen.values)) - data.image).square()
    where = seen.touched.float()
    expected = (error * (touched * where + spared * (1 - where))).sum((1, 2, 3))
    torch.testing.assert_close(model.loss(data).terms["emphasised"], expected)


def test_a_wide_code_denoises_instead_of_copying():
    torch.manual_seed(0)
    data = batch(256)
    model = learnt(
        DenoisingAutoencoder(
            DenoisingConfig(**SMALL, code_dim=32, network="linear", corruption="gaussian", amount=0.1)
        ),
        data,
        300,
    )
    with torch.no_grad():
        noisy = model.corrupt(data.image).values
        cleaned = model.decode(model.encode(noisy))
    assert (cleaned - data.image).square().mean() < 0.6 * (noisy - data.image).square().mean()


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="must not be negative"):
        Autoencoder(Plain(**SMALL, weight_decay=-1.0))
    with pytest.raises(UserError, match="nor both be 0"):
        DenoisingAutoencoder(DenoisingConfig(**SMALL, touched_weight=0.0, spared_weight=0.0))
    with pytest.raises(UserError, match="no network 'denze'"):
        Autoencoder(Plain(**SMALL, network="denze"))
