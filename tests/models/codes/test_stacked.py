"""The stack: each layer learns from clean codes below, the classifier from all, and labels are checked."""

from dataclasses import replace

import pytest
import torch

from motes.errors import UserError
from motes.models.codes.stacked import StackedAutoencoder, StackedConfig
from motes.types.batch import Batch

SMALL = StackedConfig(image_size=(8, 8), widths=(12, 10), classes=2)


def batch(count=32):
    """Bright at the left or at the right."""
    random = torch.Generator().manual_seed(0)
    kind = torch.arange(count) % 2
    image = torch.rand(count, 1, 8, 8, generator=random) * 0.5
    image[kind == 1, :, :, :4] += 0.5
    return Batch(image, torch.arange(count), labels={"class": kind})


def made(config=SMALL):
    torch.manual_seed(0)
    return StackedAutoencoder(config)


def test_stages_are_the_layers_and_then_all_of_them():
    model = made()
    *layers, final = model.stages()
    assert [stage.name for stage in layers] == ["layer 1", "layer 2"]
    assert sum(stage.share for stage in layers) == pytest.approx(0.75)
    assert {id(one) for one in final.parameters} == {id(one) for one in model.parameters()}
    assert [stage.name for stage in made(replace(SMALL, pretraining=0.0)).stages()] == ["classifier"]


def test_without_corruption_a_layer_is_a_plain_autoencoder_and_with_it_learns_from_clean_codes():
    model, data = made(replace(SMALL, amount=0.0)), batch()
    torch.manual_seed(1)
    first = model.layer_loss(1, data).total
    assert first == model.layer_loss(1, data).total
    with torch.no_grad():
        below = model.encoders[0](data.image.flatten(1))
        chance = model.decoders[1](model.encoders[1](below))
    expected = -(below * chance.log() + (1 - below) * (1 - chance).log()).sum(1).mean()
    torch.testing.assert_close(first.detach(), expected, rtol=1e-4, atol=0)
    noisy = made(replace(SMALL, amount=0.4))
    assert noisy.layer_loss(1, data).total != noisy.layer_loss(1, data).total
    assert torch.equal(noisy.encode(data.image).vector, model.encode(data.image).vector), (
        "codes meet no accident"
    )


def test_decoders_have_no_say_in_what_the_classifier_learns():
    model, data = made(), batch()
    gradients = []
    for strength in (1.0, 3.0):
        with torch.no_grad():
            model.decoders[0][0].weight.mul_(strength)
        model.zero_grad()
        model.loss(data).total.backward()
        gradients.append(model.encoders[0][0].weight.grad.clone())
    assert torch.equal(*gradients) and gradients[0].abs().sum() > 0
    assert model.decoders[0][0].weight.grad.abs().sum() > 0


def test_the_classifier_learns_and_says_how_often_it_is_wrong():
    model, data = made(), batch()
    optimizer = model.stages()[-1].optimizer(0.05)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.3 * 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(data).total.backward()
        optimizer.step()
    assert model.validate(data).terms["error_rate"].mean() < 0.1
    chances = model.classify(model.encode(data.image))
    assert torch.equal(
        chances.argmax(1) != data.labels["class"], model.validate(data).terms["error_rate"].bool()
    )
    torch.testing.assert_close(chances.sum(1), torch.ones(32))


def test_a_class_too_many_is_named():
    data = batch()
    with pytest.raises(UserError, match="there is a class 4 in the data; set classes to 5 or more"):
        made().loss(Batch(data.image, data.index, labels={"class": data.labels["class"] * 4}))
    with pytest.raises(UserError, match="widths must name"):
        StackedAutoencoder(replace(SMALL, widths=()))
