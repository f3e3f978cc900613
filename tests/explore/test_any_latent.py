"""Every tool serves a latent that it can serve, and refuses any other in one sentence."""

from dataclasses import replace

import pytest
import torch
from toy_stripes import SIDE, GridModel, SlotModel, Stripes, TintedModel, TokenModel

from motes.errors import UserError
from motes.explore.direction import Direction, bending, of_labels, of_pairs, of_unpaired
from motes.explore.filters import filters_of
from motes.explore.interpolate import interpolated_pictures
from motes.explore.latents import drawn_parts, searchable
from motes.explore.manifold import standard_normal_codes
from motes.explore.observation import masked
from motes.explore.restore import Search, remember, restore
from motes.explore.sample import fit_distribution, own_distribution

DATA = Stripes(Stripes.Config(count=24), "train")
IMAGE = DATA.batch(range(24)).image


def latent_of(model):
    with torch.no_grad():
        return model.encode(IMAGE)


@pytest.mark.parametrize("kind", [GridModel, SlotModel, TokenModel])
def test_tools_of_codes_refuse_other_latents_by_name(kind):
    model = kind()
    latent = latent_of(model)
    name = type(latent).__name__
    value = torch.arange(24.0)

    class Sampling(kind):
        standard_normal = True

        def sample(self, count):
            return latent[:count]

    for tool in (
        lambda: of_pairs(latent, latent),
        lambda: bending(latent, latent),
        lambda: of_unpaired(latent, latent),
        lambda: of_labels(latent, value),
        lambda: Direction({"vector": torch.zeros(3)}).moved(latent, 1.0),
        lambda: interpolated_pictures(model, latent, latent, 3),
        lambda: fit_distribution(model, [DATA.batch(range(24))], "gaussian"),
        lambda: own_distribution(Sampling()),
        lambda: standard_normal_codes(Sampling()),
    ):
        with pytest.raises(UserError, match=f"needs a model whose latent is one .* of another kind, {name}"):
            tool()
    with pytest.raises(UserError, match="no distribution of its codes"):
        own_distribution(model)
    with pytest.raises(UserError, match="no filters to show"):
        filters_of(model)


@pytest.mark.parametrize("kind", [GridModel, SlotModel, TintedModel])
def test_pictures_are_restored_whatever_the_latent_is(kind):
    model = kind()
    visible = torch.ones(3, 1, SIDE, SIDE)
    visible[:, :, SIDE // 2 :] = 0
    memory = remember(model, IMAGE)
    restored = restore(
        model, masked(IMAGE[:3], visible), memory, Search(steps=30, neighbours=2, caution=0.01)
    )
    assert (restored.image - IMAGE[:3]).abs().mean() < 0.05
    assert torch.equal(restored.image * visible, IMAGE[:3] * visible)
    assert type(restored.latent) is type(memory.latent) and len(restored.latent) == 3


def test_a_search_changes_the_codes_of_slots_and_never_their_pixels():
    model = SlotModel()
    latent = searchable(latent_of(model))
    assert latent.colours is None and set(drawn_parts(model, latent)) == {"codes", "presence"}
    memory = remember(model, IMAGE)
    assert set(memory.prior.scale) == {"codes"}
    far = replace(memory.latent, codes=memory.latent.codes + 2)
    absent = replace(far, presence=torch.zeros_like(far.presence))
    assert (memory.prior.distance(far) > memory.prior.distance(memory.latent)).all()
    assert (memory.prior.distance(absent) == 0).all()


def test_a_latent_without_gradients_cannot_be_searched():
    with pytest.raises(UserError, match=r"latent, Tokens, changes the picture smoothly"):
        remember(TokenModel(), IMAGE)

    class Bare(GridModel):
        def encode(self, image):
            return object()

        def decode(self, latent):
            return IMAGE

    with pytest.raises(UserError, match=r"record of tensors.*another kind, object"):
        remember(Bare(), IMAGE)


def test_a_code_beside_other_parts_is_the_code_whichever_field_comes_first():
    model = TintedModel()
    latent = latent_of(model)
    moved = replace(latent, numbers=latent.numbers + torch.tensor([0.1, 0.0, -0.2]))
    direction = of_pairs(latent, moved)
    assert set(direction.step) == {"numbers"}
    torch.testing.assert_close(direction.moved(latent, 1.0).numbers, moved.numbers)
    assert torch.equal(direction.moved(latent, 1.0).inverted, latent.inverted)
    assert of_labels(latent, torch.arange(24.0)).step["numbers"].shape == (3,)
    with pytest.raises(UserError, match="latents of another kind"):
        Direction({"vector": torch.zeros(3)}).moved(latent, 1.0)
    pictures = interpolated_pictures(model, latent[[0, 1]], latent[[2, 3]], 3)
    middle = replace(latent[[0, 1]], numbers=(latent.numbers[[0, 1]] + latent.numbers[[2, 3]]) / 2)
    torch.testing.assert_close(pictures[:, 1], model.decode(middle))
