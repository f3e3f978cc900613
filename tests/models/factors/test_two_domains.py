"""The paired autoencoder: a swap changes the decoder alone, rows keep their order, the domain is guessed, only inputs are warped."""

import pytest
import torch

from motes.errors import UserError
from motes.models.factors.two_domains import PairedAutoencoder, PairedConfig
from motes.types.batch import Batch

CONFIG = PairedConfig(image_size=(24, 24), code_dim=6, width=8)


def stripes(count=24):
    """Domain 0 is red, domain 1 blue; a bar stands anywhere."""
    image, domain = torch.full((count, 3, 24, 24), 0.1), torch.arange(count) % 2
    for row in range(count):
        image[row, 2 * int(domain[row])] = 0.9
        image[row, :, :, row * 7 % 20 : row * 7 % 20 + 4] = 0.5
    return Batch(image, torch.arange(count), labels={"domain": domain})


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    model, batch = PairedAutoencoder(CONFIG), stripes()
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    return model.eval()


def test_a_swap_keeps_the_code_and_takes_the_other_decoder(trained):
    latent = trained.encode_as(stripes().image, stripes().labels["domain"])
    swapped = trained.swapped(latent)
    assert torch.equal(swapped.vector, latent.vector) and torch.equal(swapped.domain, 1 - latent.domain)
    drawn = trained.decode(swapped)
    assert (drawn[0::2, 2].mean() > drawn[0::2, 0].mean()) and (
        drawn[1::2, 0].mean() > drawn[1::2, 2].mean()
    ), "red is blue, blue red"
    assert torch.equal(trained.decode(trained.swapped(swapped)), trained.decode(latent))


def test_rows_of_mixed_domains_keep_their_order(trained):
    latent = trained.encode_as(stripes(5).image, torch.tensor([1, 0, 0, 1, 0]))
    together = trained.decode(latent)
    for row in range(5):
        alone = type(latent)(latent.vector[row : row + 1], latent.domain[row : row + 1])
        torch.testing.assert_close(trained.decode(alone)[0], together[row], atol=1e-5, rtol=0)


def test_the_domain_is_guessed(trained):
    batch = stripes()
    assert torch.equal(trained.encode(batch.image).domain, batch.labels["domain"])


def test_inputs_are_warped_and_targets_are_not():
    model, batch = PairedAutoencoder(CONFIG), stripes(4)
    read = []
    model.read[0].register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    model.loss(batch)
    model.validate(batch)
    assert not torch.allclose(read[0], batch.image, atol=0.05) and torch.equal(read[1], batch.image)


def test_two_encoders_each_read_their_own():
    model = PairedAutoencoder(PairedConfig(**{**vars(CONFIG), "encoders": 2})).eval()
    image = stripes(2).image[:1].expand(2, -1, -1, -1)
    one, other = model.encode_as(image, torch.tensor([0, 1])).vector
    assert not torch.allclose(one, other)
    shared = PairedAutoencoder(CONFIG).eval().encode_as(image, torch.tensor([0, 1])).vector
    torch.testing.assert_close(shared[0], shared[1])


def test_a_third_domain_is_refused():
    with pytest.raises(UserError, match="two domains"):
        PairedAutoencoder(CONFIG).encode_as(stripes(3).image, torch.arange(3))
    with pytest.raises(UserError, match="encoders"):
        PairedAutoencoder(PairedConfig(encoders=3))


def test_the_lean_of_each_domain_is_measured_by_itself():
    model, batch = PairedAutoencoder(CONFIG).eval(), stripes(6)
    batch = Batch(batch.image, batch.index, labels={"domain": torch.tensor([0, 0, 0, 0, 1, 1])})
    losses, vectors = model.validate(batch), model.encode_as(batch.image, batch.labels["domain"]).vector
    torch.testing.assert_close(losses.terms["mean_code"][0], vectors[:4].mean(0).square().sum())
    torch.testing.assert_close(losses.terms["mean_code"][5], vectors[4:].mean(0).square().sum())
    torch.testing.assert_close(
        losses.total, (losses.terms["reconstruction"] + CONFIG.level * losses.terms["mean_code"]).mean()
    )


def test_codes_have_a_fixed_length_and_know_no_colour():
    model, batch = PairedAutoencoder(CONFIG).eval(), stripes(6)
    vector = model.encode_as(batch.image, batch.labels["domain"]).vector
    torch.testing.assert_close(vector.square().mean(1), torch.ones(6), atol=0.05, rtol=0)
    other = model.encode_as(batch.image.flip(1), batch.labels["domain"]).vector  # red for blue
    torch.testing.assert_close(other, vector, atol=1e-4, rtol=1e-3)


def test_noise_reaches_the_decoders_in_training_alone():
    model, batch = PairedAutoencoder(CONFIG), stripes(4)
    drawn = []
    for one in model.draw:
        one.register_forward_pre_hook(lambda _, inputs: drawn.append(inputs[0]))
    torch.manual_seed(0)
    model.loss(batch)
    assert (torch.cat(drawn).square().mean(1) - 1).abs().max() > 0.1
    drawn.clear()
    model.validate(batch)
    torch.testing.assert_close(torch.cat(drawn).square().mean(1), torch.ones(4), atol=0.05, rtol=0)
