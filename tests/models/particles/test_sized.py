"""The sized parts: windows as large as things, positions in the middle of what is drawn, weights in units."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from motes.models.checkpoint import load
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
from motes.models.particles.sized import _rough_look
from motes.models.particles.sized_decoder import ROUGH
from motes.ops.rendering.scaled import place_scaled
from motes.types.batch import Batch
from motes.types.latents import Extent, Particles


def model_of(count=3, size=(64, 64), **more):
    torch.manual_seed(0)
    options = {"architecture": "sized", "glimpse_size": 16, "patch_size": 8} | more
    return DeepLatentParticles(DlpConfig(image_size=size, num_particles=count, **options)).eval()


def pictures_with_things(count=40, side=64, thing=10):
    """Squares of one colour at random places on a grey texture that is always the same."""
    generator = torch.Generator().manual_seed(0)
    ground = 0.4 + 0.1 * torch.rand(3, side, side, generator=generator)
    pictures = ground.repeat(count, 1, 1, 1)
    corners = torch.randint(2, side - thing - 2, (count, 2), generator=generator)
    for picture, (row, column) in zip(pictures, corners.tolist(), strict=True):
        picture[:, row : row + thing, column : column + thing] = torch.tensor([0.9, 0.2, 0.1])[:, None, None]
    return pictures, corners


def lone_particle(model, scale=(1.0, 1.0), place=(0.1, -0.2), seed=0):
    features = torch.randn(1, 1, model.config.feature_dim, generator=torch.Generator().manual_seed(seed)) * 3
    extent = Extent(torch.tensor([[scale]]), torch.zeros(1, 1, 2), torch.zeros(1, 1), torch.zeros(1, 1))
    position = torch.tensor([[place]])
    background = torch.zeros(1, model.config.feature_dim + 6)
    background[:, -6:-3] = 1
    return Particles(
        position, torch.zeros(1, 1, 2), features, features, torch.ones(1, 1), background, extent=extent
    )


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.5, 1.7)])
@pytest.mark.parametrize("seed", range(3))
def test_what_a_particle_shows_has_its_middle_at_the_position(scale, seed):
    model = model_of()
    latent = lone_particle(model, scale, seed=seed)
    assert latent.extent is not None
    with torch.no_grad():
        glimpses = model.glimpses(latent)
        shown = model.decoder.shown(glimpses)[:, :, None]
        middles = model.decoder._windows_at(glimpses, latent.position, latent.extent.scale)
        windows = place_scaled(shown, middles, latent.extent.scale, (64, 64))
    amount = windows.pixels[0, 0, 0]
    steps = torch.arange(amount.shape[-1])
    rows = (amount.sum(1) * steps).sum() / amount.sum() + windows.corner[0, 0, 0]
    columns = (amount.sum(0) * steps).sum() / amount.sum() + windows.corner[0, 0, 1]
    pixels = (latent.position[0, 0] + 1) * 32 - 0.5
    # random looks reach the edges of their windows, where magnifying them adds a little
    torch.testing.assert_close(torch.stack([rows, columns]), pixels, rtol=0, atol=0.1)


def test_the_middle_of_a_glimpse_follows_what_it_shows():
    decoder = model_of().decoder
    decoder.still.data.fill_(0.0)
    glimpse = torch.zeros(1, 1, 4, 16, 16)
    glimpse[0, 0, 0, 2:6, 8:12] = 1.0
    glimpse[0, 0, 1] = 1.0
    expected = torch.tensor([3.5 - 7.5, 9.5 - 7.5])
    torch.testing.assert_close(decoder.middle(glimpse)[0, 0], expected, rtol=0, atol=1e-2)


def test_a_shadow_does_not_move_the_middle():
    decoder = model_of().decoder
    decoder.still.data.fill_(0.04)
    ground = torch.sigmoid(torch.tensor(0.4))
    glimpse = torch.zeros(1, 1, 4, 16, 16)
    glimpse[0, 0, 0, 4:8, 4:12] = 1.0
    glimpse[0, 0, 1:, 4:8, 4:8] = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    glimpse[0, 0, 1:, 4:8, 8:12] = 0.6 * ground
    thing_alone = 5.5 - 7.5
    assert abs(decoder.middle(glimpse)[0, 0, 1] - thing_alone) < 0.3


def test_units_make_weights_independent_of_size_and_brightness():
    pictures, _ = pictures_with_things()
    model = model_of()
    model.decoder.start(pictures)
    unit = float(model.decoder.unit)
    larger = model_of(size=(128, 128), glimpse_size=32, patch_size=16)
    larger.decoder.start(pictures.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert float(larger.decoder.unit) == pytest.approx(4 * unit, rel=0.02)
    darker = model_of()
    darker.decoder.start(pictures / 2)
    assert float(darker.decoder.unit) == pytest.approx(unit / 4, rel=0.02)


def test_light_is_the_backgrounds_and_makes_no_particles():
    pictures, _ = pictures_with_things()
    model = model_of()
    model.decoder.start(pictures)
    brighter = pictures[:4] * 0.8 + 0.1
    light = model.decoder.light(brighter)
    lit = model.decoder.lit(light)
    assert ((lit - brighter).abs().amax(1) < 0.03).float().mean() > 0.95, "all but the things"


def test_the_backgrounds_code_does_not_know_the_things():
    pictures, _ = pictures_with_things()
    model = model_of()
    model.decoder.start(pictures)
    empty = model.decoder.lit(model.decoder.light(pictures[:1])).detach()
    with torch.no_grad():
        of_thing, _ = model.encoder._background(pictures[:1], model.decoder)
        of_empty, _ = model.encoder._background(empty, model.decoder)
        naive = model.encoder.around(pictures[:1]) - model.encoder.around(empty)
    difference = (of_thing.mean - of_empty.mean).norm()
    assert difference < 0.2 * naive.chunk(2, -1)[0].norm()


def test_a_shadow_is_less_of_the_foreground_than_a_thing():
    pictures, _ = pictures_with_things()
    model = model_of()
    model.decoder.start(pictures)
    empty = model.decoder.lit(model.decoder.light(pictures[:1])).detach()
    shadow, thing = empty.clone(), empty.clone()
    shadow[..., 20:30, 20:30] *= 0.5
    # as far from the ground as the shadow, but in another direction
    thing[:, 0, 20:30, 20:30] += 0.5 * empty[..., 20:30, 20:30].square().sum(1).sqrt()
    amounts = [model.decoder.foreground(image, empty).amount for image in (shadow, thing, empty)]
    in_shadow, in_thing, nowhere = (float(amount[..., 20:30, 20:30].mean()) for amount in amounts)
    assert nowhere < 0.01 < in_shadow < 0.85 * in_thing


def test_colours_are_measured_in_units_of_how_they_differ_within_things():
    pictures, corners = pictures_with_things()
    generator = torch.Generator().manual_seed(1)
    for picture, (row, column) in zip(pictures, corners.tolist(), strict=True):
        # red varies much within a thing, green hardly
        picture[0, row : row + 10, column : column + 10] -= 0.5 * torch.rand(10, 10, generator=generator)
    model = model_of()
    model.decoder.start(pictures)
    red, green, _ = model.decoder.units_of_colour.diagonal().tolist()
    assert green > 1.5 * red
    darker = model_of()
    darker.decoder.start(pictures / 2)
    torch.testing.assert_close(
        darker.decoder.units_of_colour, 2 * model.decoder.units_of_colour, rtol=0.05, atol=0.3
    )


def test_anchors_take_the_place_and_the_size_of_things():
    pictures, corners = pictures_with_things(thing=18)
    model = model_of(1)
    model.decoder.start(pictures)
    with torch.no_grad():
        latent = model.encode(pictures[:8])
    pixels = (latent.position[:, 0] + 1) * 32 - 0.5
    middle = corners[:8] + 8.5
    assert (pixels - middle).abs().max() < 9, "within the thing"
    assert (latent.extent.scale[:, 0] * 16).mean() > 16, "windows hold the thing"


def test_things_of_one_size_are_no_longer_where_two_of_them_touch():
    pictures, corners = pictures_with_things(80, thing=12)
    # in so many pictures that a tenth of all pixels of things lie in pairs
    for picture, (row, column) in zip(pictures[:12], corners[:12].tolist(), strict=True):
        # one more, of the same colour, below the first or above it
        start = row + 12 if row < 30 else row - 12
        thing = picture[:, row : row + 12, column : column + 12].clone()
        picture[:, start : start + 12, column : column + 12] = thing
    model = model_of()
    model.decoder.start(pictures)
    shortest, longest = model.decoder.sides.tolist()
    assert 5 < shortest <= 12 <= longest < 18


def test_the_rough_look_says_which_colours_are_where():
    glimpse = torch.full((1, 1, 3, 16, 16), 0.5)
    red = torch.tensor([0.9, 0.2, 0.1])
    glimpse[..., :8, :] = red[:, None, None]
    numbers = _rough_look(glimpse, glimpse - 0.5, torch.tensor(0.4))[0, 0]
    torch.testing.assert_close(numbers[:3], 2 * red - 1)
    colours, amount = numbers[3:].view(4, ROUGH, ROUGH).split([3, 1])
    assert (amount[0, : ROUGH // 2] > 0.8).all() and (amount[0, ROUGH // 2 :] == 0).all()
    assert (colours[0, : ROUGH // 2] > 0.6).all() and (colours[1:, : ROUGH // 2] < -0.4).all()


def test_the_nearest_particle_comes_first_and_encoding_is_repeatable():
    pictures, _ = pictures_with_things()
    model = model_of()
    with torch.no_grad():
        first = model.encode(pictures[:4])
        again = model.encode(pictures[:4])
    assert (first.extent.depth.diff(dim=1) >= 0).all()
    torch.testing.assert_close(first.position, again.position)


def test_depth_scale_and_position_learn_from_the_picture():
    pictures, _ = pictures_with_things()
    model = model_of().train()
    model.decoder.start(pictures)
    model.loss(Batch(pictures[:8], torch.arange(8))).total.backward()
    last = model.encoder.where.last
    assert (last.weight.grad.abs().sum(1) > 0).all(), "every number that is read at an anchor"


def test_a_still_background_stays_as_it_was_found_and_another_one_learns():
    pictures, _ = pictures_with_things()
    others = (
        pictures + torch.rand(len(pictures), 3, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    ) / 2
    for varies, seen in enumerate((pictures, others)):
        model = model_of().train()
        model.decoder.start(seen)
        assert model.decoder.varies == varies
        model.loss(Batch(seen[:8], torch.arange(8))).total.backward()
        assert bool(model.decoder.still.grad.any()) == varies
        assert bool(model.decoder.scene.colour.weight.grad.any()) == varies
        codes = torch.randn(2, model.config.feature_dim + 6)
        codes[:, -6:] = codes[:1, -6:]
        first, second = model.decoder.background_of_code(codes)
        assert torch.equal(first, second) != varies


def test_whoever_knows_says_that_a_background_is_still_or_is_not():
    pictures, _ = pictures_with_things()
    for kind, varies in (("still", 0), ("varying", 1)):
        model = model_of(background=kind)
        model.decoder.start(pictures)
        assert model.decoder.varies == varies


def test_a_thing_that_stands_still_hardly_pulls_the_background():
    pictures, _ = pictures_with_things()
    model = model_of().train()
    model.decoder.start(pictures)
    model.decoder.varies.fill_(1)
    code = torch.zeros(1, model.config.feature_dim + 6)
    code[:, -6:-3] = 1
    ground = model.decoder.background_of_code(code).detach()
    with_thing = ground.clone()
    with_thing[:, :, 20:30, 20:30] = 1 - ground[:, :, 20:30, 20:30].round()
    slightly_brighter = ground.clone()
    slightly_brighter[:, :, 20:30, 20:30] += 0.05
    pulls = []
    for picture in (with_thing, slightly_brighter):
        model.zero_grad()
        model.decoder.background_error(code, picture).sum().backward()
        pulls.append(float(model.decoder.still.grad[:, 20:30, 20:30].abs().sum()))
    assert pulls[0] < 0.2 * pulls[1]


def test_runs_from_the_time_of_one_colour_a_glimpse_are_read(tmp_path):
    model = model_of(glimpse_size=16)
    with torch.no_grad():
        for name in ("weight", "bias"):
            cells = model.decoder.rough.get_parameter(name)
            # no alpha, and the first cell's colour everywhere
            colours = cells[:: ROUGH**2].repeat_interleave(ROUGH**2, 0)
            colours[: ROUGH**2] = 0
            cells.copy_(colours)
        model.encoder.rough.weight[:, 3:] = 0
    model.save(tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    del weights["decoder.varies"]
    weights["encoder.tint.weight"] = weights.pop("encoder.rough.weight")[:, :3].contiguous()
    weights["encoder.tint.bias"] = weights.pop("encoder.rough.bias")
    for name in ("weight", "bias"):
        cells = weights.pop(f"decoder.rough.{name}")
        weights[f"decoder.tint.{name}"] = cells[ROUGH**2 :: ROUGH**2].contiguous()
    save_file(weights, tmp_path / "model" / "model.safetensors")
    again = load(tmp_path / "model")
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
