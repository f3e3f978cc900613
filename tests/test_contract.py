"""The contract, for every entry of MODELS: what trainer, command line and studio rely on."""

from dataclasses import fields

import pytest
import torch
from few_pictures import FewPictures
from small import SMALL

from motes import load
from motes.errors import UserError
from motes.models import MODELS
from motes.models.abilities import Believes, Glimpses, HasCode, Predicts, Redraws, Samples, Segments
from motes.models.checkpoint import name_of
from motes.types.batch import Batch
from motes.types.latents import Particles
from motes.types.rows import Rows
from motes.types.slots import Slots

VARIANTS = [
    *[(name, SMALL[name]) for name in SMALL],
    *[
        ("autoencoder", {**SMALL["autoencoder"], "network": network})
        for network in ("convolutional", "tied", "linear")
    ],
    (
        "denoising",
        {**SMALL["denoising"], "corruption": "warp", "amount": 0.5, "image_size": (24, 32), "channels": 1},
    ),
    (
        "vae",
        {
            **SMALL["vae"],
            "network": "dense",
            "width": 64,
            "reconstruction": "bernoulli",
            "free_bits": 0.1,
            "warm_up": 0.4,
        },
    ),
    (
        "vae",
        {
            **SMALL["vae"],
            "network": "linear",
            "reconstruction": "gaussian-learned",
            "channels": 1,
            "image_size": (24, 16),
        },
    ),
    ("vae", {**SMALL["vae"], "reconstruction": "gaussian-optimal"}),
    (
        "glo",
        {
            **SMALL["glo"],
            "network": "dense",
            "width": 32,
            "reconstruction": "mse",
            "ball": "inf",
            "start": "random",
        },
    ),
    (
        "slot-attention",
        {
            **SMALL["slot-attention"],
            "decoder": "growing",
            "side": 5,
            "image_size": (40, 24),
            "channels": 1,
            "gradient": "implicit",
        },
    ),
    ("slot-attention", {**SMALL["slot-attention"], "gradient": "implicit", "start": "learned"}),
    (
        "iodine",
        {
            **SMALL["iodine"],
            "image_size": (24, 20),
            "channels": 1,
            "likelihood": "mixture-logistic",
            "ground": "none",
            "side": 0,
            "memory": 0,
            "waves": 3,
            "through": "all",
            "scale": (0.1, 0.1),
        },
    ),
    ("iodine", {**SMALL["iodine"], "ground": "median", "image_size": (20, 32)}),
    ("dlp-masked", {**SMALL["dlp-masked"], "architecture": "splatted"}),
    ("dlp-masked", {**SMALL["dlp-masked"], "architecture": "followed"}),
    (
        "dlp-masked",
        {
            **SMALL["dlp-masked"],
            "architecture": "followed",
            "image_size": (40, 24),
            "channels": 1,
            "num_particles": 1,
        },
    ),
    (
        "dlp-masked",
        {
            **SMALL["dlp-masked"],
            "architecture": "splatted",
            "image_size": (40, 24),
            "channels": 1,
            "num_particles": 1,
        },
    ),
    ("dlp-graph", {**SMALL["dlp-graph"], "motion": "latent"}),
    ("dlp", {**SMALL["dlp"], "presence_posterior": "beta"}),
    ("dlp", {**SMALL["dlp"], "architecture": "anchored"}),
    ("dlp", {**SMALL["dlp"], "architecture": "anchored", "presence_posterior": "beta"}),
    (
        "dlp",
        {
            **SMALL["dlp"],
            "architecture": "published",
            "encoder_channels": (8, 16),
            "prior_channels": (8, 8, 16),
        },
    ),
    (
        "dlp",
        {
            **SMALL["dlp"],
            "architecture": "published-exclusive",
            "encoder_channels": (8, 16),
            "prior_channels": (8, 8, 16),
            "num_particles": 1,
        },
    ),
    ("dlp", {**SMALL["dlp"], "image_size": (40, 24), "channels": 1, "glimpse_size": 11, "num_particles": 1}),
    (
        "dlp",
        {
            **SMALL["dlp"],
            "architecture": "published",
            "encoder_channels": (8, 16, 16),
            "image_size": (40, 24),
            "channels": 1,
            "glimpse_size": 11,
        },
    ),
]


def make(name, options):
    torch.manual_seed(0)
    return MODELS[name](MODELS[name].Config(**options))


# what may be known of pictures: label -> the entries of so many pictures, for a model of this config
LABELS = {
    "class": lambda config, count: torch.arange(count) % 3,
    "domain": lambda config, count: torch.arange(count) % 2,
    "varies": lambda config, count: torch.arange(count) // 2 % 3,
    "view": lambda config, count: torch.linspace(-1, 1, count)[:, None].expand(-1, 2),
    "mask": lambda config, count: torch.ones(count, *config.image_size, dtype=torch.bool).tril(),
    "layout": lambda config, count: (
        torch.arange(count)[:, None, None] % 3 + torch.zeros(count, *config.image_size, dtype=torch.int64)
    ),
    "points": lambda config, count: (
        torch.rand(count, config.joints, 2, generator=torch.Generator().manual_seed(2)) - 0.5
    ),
}


def pictures(model, count=8):
    """Blocks of colour on a plain ground."""
    random = torch.Generator().manual_seed(1)
    config = model.config
    # a window at least
    count = max(count, model.window)
    image = torch.full((count, config.channels, *config.image_size), 0.8)
    for picture in image:
        for _ in range(2):
            row, column = (
                int(torch.randint(0, side - 8, (), generator=random)) for side in config.image_size
            )
            picture[:, row : row + 7, column : column + 7] = (
                torch.rand(config.channels, 1, 1, generator=random) * 0.5
            )
    labels = {name: LABELS[name](config, count) for name in model.needs}
    frames = max(model.window, 2) if model.window else 1
    if frames > 2:
        image = drifting(image, frames)
    return Batch(image, torch.arange(count), labels=labels, frames=frames)


def drifting(image, frames):
    """Clips of the first picture of each, which moves by a pixel along rows and columns in each frame."""
    first = image[::frames]
    moved = [first.roll((time, time), (2, 3)) for time in range(frames)]
    return torch.stack(moved, 1).flatten(0, 1)


def test_every_model_is_tried_here():
    assert set(SMALL) == set(MODELS.own)


# models that `make quick` tries too, in their small configuration
QUICK = ("autoencoder", "pca", "vae", "glo", "dlp")


def tried(name, options):
    quick = name in QUICK and options == SMALL[name]
    return pytest.param((name, options), marks=() if quick else pytest.mark.slow)


@pytest.fixture(
    params=[tried(*variant) for variant in VARIANTS],
    ids=lambda one: (
        f"{one[0]}-{one[1].get('architecture', one[1].get('reconstruction', ''))}{one[1]['image_size']}"
    ),
)
def model(request):
    return make(*request.param)


def test_config_is_small_and_frozen(model):
    assert len(fields(model.config)) <= 17
    with pytest.raises(AttributeError):
        model.config.channels = 7


def test_gradients_reach_what_a_stage_says_learns_and_nothing_else(model):
    batch = pictures(model)
    assert sum(stage.share for stage in model.stages()) == pytest.approx(1)
    for stage in model.stages():
        if stage.begin:
            torch.manual_seed(0)
            stage.begin(FewPictures(batch))
        if not stage.parameters:
            continue
        learning = {id(parameter) for parameter in stage.parameters}
        model.zero_grad(set_to_none=True)
        stage.loss(batch).total.backward()
        for name, parameter in model.named_parameters():
            moved = parameter.grad is not None
            assert moved == (id(parameter) in learning), f"{name} in stage {stage.name}"


# the loss of these, whose steps cost most, falls sooner
FEW_STEPS = ("dlp", "dlp-masked", "keynet", "zhang")


def test_loss_falls(model):
    batch, stage = pictures(model), model.stages()[-1]
    if not stage.parameters:
        pytest.skip("in closed form")
    optimizer = torch.optim.Adam(stage.parameters, lr=3e-3)
    history = []
    for step in range(20 if name_of(model) in FEW_STEPS else 40):
        torch.manual_seed(step)
        losses = stage.loss(batch)
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        history.append(losses.total.item())
        assert all(value.shape == (len(batch),) for value in losses.terms.values())
    assert sum(history[-5:]) < 0.9 * sum(history[:5])


def test_saved_and_loaded_is_bit_identical(model, tmp_path):
    model.eval()
    model.save(tmp_path / "kept")
    again = load(tmp_path / "kept")
    image = pictures(model).image
    with torch.no_grad():
        before, after = model.encode(image), again.encode(image)
        for name, value in before.tensors().items():
            assert torch.equal(value, after.tensors()[name]), name
        assert torch.equal(model.decode(before), again.decode(after))


def test_a_picture_alone_is_decoded_as_in_a_batch(model):
    model.eval()
    image = pictures(model).image
    with torch.no_grad():
        latent = model.encode(image)
        together = model.decode(latent)
        for row in (0, 5):
            torch.testing.assert_close(model.decode(latent[row])[0], together[row], atol=1e-5, rtol=0)


def test_decoding_what_was_encoded_has_the_pictures_shape(model):
    image = pictures(model).image
    with torch.no_grad():
        assert model.eval().decode(model.encode(image)).shape == image.shape


def test_a_latent_is_a_record_with_a_row_for_every_picture(model):
    batch = pictures(model)
    with torch.no_grad():
        latent = model.eval().encode(batch.image)
        clips = model.encode_clips(batch.image, 2)
    assert isinstance(latent, Rows) and isinstance(clips, type(latent))
    assert all(len(value) == len(batch) for value in latent.tensors().values())
    assert len(clips) == len(batch)


def test_abilities_keep_what_they_promise(model):
    image = pictures(model).image[:8]
    with torch.no_grad():
        latent = model.eval().encode(image)
        if isinstance(latent, HasCode):
            again = latent.with_code(latent.code)
            assert torch.equal(model.decode(again), model.decode(latent))
        if isinstance(latent, Believes):
            assert latent.believed.shape == (len(image), latent.count)
        if isinstance(model, Segments):
            shares = model.shares(latent)
            assert shares.shape == (len(image), latent.count + 1, *image.shape[2:])
            torch.testing.assert_close(shares.sum(1), torch.ones_like(shares[:, 0]))
            assert shares.min() >= -1e-6
        if isinstance(model, Glimpses):
            assert model.glimpses(latent).shape[:3] == (len(image), latent.count, image.shape[1] + 1)
        if isinstance(model, Samples):
            assert len(model.sample(3)) == 3
        if isinstance(model, Redraws):
            once, again = (model.redraw(image, 2 * model.usual_updates, draw=1) for _ in range(2))
            assert torch.equal(once.codes, again.codes) and len(once) == len(image)
            assert model.redraw(image, 1).codes.shape == once.codes.shape
        if isinstance(model, Predicts):
            predicted = model.predict(model.encode_clips(image, 4), 4, 3)
            assert len(predicted) == len(image) // 4 * 3


def test_every_model_of_particles_or_slots_can_be_followed_over_time(model):
    """Two clips, of which the second is the first turned upside down; a clip alone is as in a batch."""
    image = pictures(model, 4).image[:4]
    image = torch.cat([image, image.flip(2)])
    model.eval()
    with torch.no_grad():
        latent = model.encode_clips(image[:1], 1)
    if not isinstance(latent, Particles | Slots):
        with pytest.raises(UserError, match="no particles to follow"):
            model.track(image, 4)
        return
    clips = model.track(image, 4)
    alone = model.track(image[4:], 4)
    assert clips.frames == 4 and clips.clips == 2 and len(clips.particles) == 8
    assert clips.seen.sum() <= latent.count * 8
    present = clips.particles.presence > 0
    assert not (present & (clips.track < 0)).any()
    behind = clips[4:].without_empty_slots()
    assert torch.equal(behind.track, alone.track) and torch.equal(behind.source, alone.source)
    # the published background reads exactly as many particles as the model has
    if isinstance(latent, Particles) and not getattr(model.config, "architecture", "").startswith(
        "published"
    ):
        assert model.decode(clips.particles).shape == image.shape


def test_preparing_again_changes_nothing(model):
    """What a resumed run prepares is what the run had."""
    batch = pictures(model)
    for stage in model.stages():
        if stage.prepare:
            losses = []
            for _ in range(2):
                stage.prepare(FewPictures(batch))
                torch.manual_seed(0)
                losses.append(stage.loss(batch).total)
            assert torch.equal(*losses)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_cpu_and_cuda_agree(model):
    image = pictures(model).image
    model.eval()
    with torch.no_grad():
        here = model.decode(model.encode(image))
        model.cuda()
        there = model.decode(model.encode(image.cuda())).cpu()
    torch.testing.assert_close(here, there, atol=1e-3, rtol=0)
