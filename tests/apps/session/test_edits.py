"""Edits as plain values: what they do, that nothing else changes, and that anything odd is refused with a sentence."""

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from extents import extent_of
from PIL import Image

from motes.apps.drawing.animation import frames, gif, mp4
from motes.apps.drawing.marks import to_picture
from motes.apps.session.edits import Edits
from motes.apps.session.kinds import apply
from motes.apps.session.particle_kind import certainty_of
from motes.apps.session.script import python_lines
from motes.apps.session.session import Session
from motes.errors import UserError
from motes.models import MODELS
from motes.types.latents import Particles


def particles(count=4, seed=0):
    torch.manual_seed(seed)
    shapes = {"position": 2, "log_variance": 2, "features": 3, "feature_log_variance": 3}
    numbers = {name: torch.rand(1, count, size) * 2 - 1 for name, size in shapes.items()}
    return Particles(
        **numbers,
        presence=torch.ones(1, count),
        background=torch.rand(1, 3),
        certainty=torch.tensor([[0.9, 0.2, 0.6, 0.4]]),
    )


def sized(seed=0):
    latent = particles(seed=seed)
    scale = torch.rand(1, 4, 2) + 0.5
    return replace(latent, extent=extent_of(scale))


def edited(told, latent=None, look=None):
    return apply(Edits.read(told), latent or particles(), look or {}.__getitem__)


def test_nothing_done_is_what_was_encoded():
    before = particles()
    assert edited({}, before) is before


def test_one_particle_changes_and_no_other():
    before = particles()
    after = edited(
        {"particles": {"2": {"position": [0.5, -0.25], "presence": 0.5, "features": {"1": 7.0}}}}, before
    )
    assert after.position[0, 2].tolist() == [0.5, -0.25] and after.presence[0, 2] == 0.5
    assert after.features[0, 2].tolist() == [before.features[0, 2, 0], 7.0, before.features[0, 2, 2]]
    others = [0, 1, 3]
    for name in ("position", "presence", "features", "log_variance"):
        assert torch.equal(getattr(after, name)[:, others], getattr(before, name)[:, others])
    assert before.presence.min() == 1, "what was there before stays"


def test_copies_are_of_what_was_encoded_whatever_order_the_edits_have():
    before, other = particles(), particles(seed=1)
    told = {
        "0": {"position": [0.0, 0.0]},
        "4": {"copy_of": ["", 0]},
        "1": {"copy_of": ["there", 3], "presence": 0.25},
        "2": {"look": ["", 0]},
    }
    after = edited({"particles": told}, before, {"there": other}.__getitem__)
    assert after.count == 5
    assert torch.equal(after.position[0, 4], before.position[0, 0])
    assert torch.equal(after.features[0, 1], other.features[0, 3]) and after.presence[0, 1] == 0.25
    assert torch.equal(after.features[0, 2], before.features[0, 0]) and torch.equal(
        after.position[0, 2], before.position[0, 2]
    )


def test_sizes_are_set_and_go_with_copies():
    before, other = sized(), sized(seed=1)
    told = {
        "0": {"scale": [2.0, 0.5]},
        "1": {"copy_of": ["there", 3]},
        "2": {"copy_of": ["", 0], "scale": [0.25, 0.75]},
        "4": {"copy_of": ["", 0]},
    }
    after = edited({"particles": told}, before, {"there": other}.__getitem__).extent.scale[0]
    assert after[0].tolist() == [2.0, 0.5] and after[2].tolist() == [0.25, 0.75]
    assert torch.equal(after[1], other.extent.scale[0, 3])
    assert torch.equal(after[[3, 4]], before.extent.scale[0, [3, 0]])


def test_sizes_of_particles_of_one_size_are_refused():
    with pytest.raises(UserError, match="all particles of this model are of one size"):
        edited({"particles": {"0": {"scale": [1.0, 1.0]}}})


def test_threshold_leaves_out_the_unsure_unless_they_were_touched():
    after = edited({"threshold": 0.5, "particles": {"3": {"presence": 1.0}}})
    assert after.presence[0].tolist() == [1, 0, 1, 1]


def test_certainty_without_one_of_the_models_own_is_the_rank_of_confidence():
    plain = replace(particles(), certainty=None)
    rank = certainty_of(plain)
    assert rank.argmax() == plain.confidence[0].argmax() and rank.max() == 1 and rank.min() > 0


def test_order_and_background():
    before, other = particles(), particles(seed=1)
    after = edited({"order": [2, 0, 3, 1], "background": "there"}, before, {"there": other}.__getitem__)
    assert torch.equal(after.position, before.position[:, [2, 0, 3, 1]]) and torch.equal(
        after.background, other.background
    )


@pytest.mark.parametrize(
    "told",
    [
        [],
        "x",
        {"strange": 1},
        {"particles": []},
        {"particles": {"x": {}}},
        {"particles": {"-1": {}}},
        {"particles": {"9": {}}},
        {"particles": {"9" * 4: {"copy_of": ["", 0]}}},
        {"particles": {"4": {"position": [0, 0]}}},
        {"particles": {"0": {"position": [0]}}},
        {"particles": {"0": {"position": [float("nan"), 0]}}},
        {"particles": {"0": {"position": [1e30, 0]}}},
        {"particles": {"0": {"presence": True}}},
        {"particles": {"0": {"presence": float("inf")}}},
        {"particles": {"0": {"presence": 10**400}}},
        {"particles": {"0": {"scale": 2.0}}},
        {"particles": {"0": {"scale": [1.0]}}},
        {"particles": {"0": {"scale": [0, 1.0]}}},
        {"particles": {"0": {"scale": [1.0, -1.0]}}},
        {"particles": {"0": {"scale": [1e9, 1.0]}}},
        {"particles": {"0": {"scale": [1.0, float("nan")]}}},
        {"particles": {"0": {"features": {"3": 1.0}}}},
        {"particles": {"0": {"features": {"0": 1e30}}}},
        {"particles": {"0": {"look": ["", 99]}}},
        {"particles": {"0": {"look": ["", -1]}}},
        {"particles": {"0": {"copy_of": "x"}}},
        {"order": [0, 1]},
        {"order": [0, 0, 1, 2]},
        {"order": [0.5, 1, 2, 3]},
        {"threshold": -1},
        {"threshold": None},
        {"background": 3},
        {"background": "x" * 9999},
        {"code": {"0": "1"}},
        {"towards": ["x"]},
        {"towards": ["x", 1.5]},
    ],
    ids=lambda told: json.dumps(told)[:50],
)
def test_anything_odd_is_refused_with_a_sentence(told):
    for latent in (particles(), sized()):
        with pytest.raises(UserError, match=r"\w+ \w+ \w+"):
            edited(told, latent)


@pytest.mark.parametrize("architecture", ["anchored", "sized"])
def test_the_lines_of_python_draw_the_same_picture(architecture, tmp_path, monkeypatch):
    torch.manual_seed(0)
    small = {"image_size": (32, 32), "num_particles": 4, "glimpse_size": 8, "feature_dim": 3}
    model = MODELS["dlp"](MODELS["dlp"].Config(**small, architecture=architecture))
    model.save(tmp_path / "model")
    for n in range(2):
        Image.effect_noise((40, 30), 90).convert("RGB").save(tmp_path / f"{n}.png")
    files = {name: tmp_path / name for name in ("0.png", "1.png")}
    session = Session.open(tmp_path / "model")
    latents = {name: session.encode(session.read(path)) for name, path in files.items()}
    resized = {"scale": [1.7, 0.45]} if session.offers.sizes else {}
    edits = Edits.read(
        {
            "particles": {
                "0": {"position": [0.5, -0.5], "features": {"1": 2.0}, **resized},
                "1": {"look": ["1.png", 2]},
                "4": {"copy_of": ["", 3], "presence": 0.75},
            },
            "order": [4, 0, 1, 2, 3],
            "background": "1.png",
            "threshold": 0.1,
            "towards": ["1.png", 0.25],
        }
    )
    wanted = session.decode(session.edit(latents["0.png"], edits, latents.__getitem__))
    lines = python_lines(
        edits,
        latents["0.png"],
        str(tmp_path / "model"),
        "0.png",
        lambda name: f"session.encode(session.read({str(files[name])!r}))",
    )
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(lines, scope)
    assert torch.equal(session.decode(scope["latent"]), wanted)
    assert Image.open("edited.png").size == (32, 32)


@pytest.mark.parametrize(
    "name, told",
    [
        (
            "dlp",
            {
                "particles": {"0": {"position": [0.5, 0.5]}, "4": {"copy_of": ["", 1]}},
                "order": [4, 0, 1, 2, 3],
            },
        ),
        ("sized", {"particles": {"0": {"scale": [2.0, 0.5]}, "4": {"copy_of": ["", 1]}}}),
        ("vae", {"code": {"0": 3.0}}),
    ],
)
def test_an_animation_begins_with_what_was_and_ends_with_what_is(name, told):
    torch.manual_seed(0)
    small = {
        "dlp": {"num_particles": 4, "glimpse_size": 8},
        "sized": {"num_particles": 4, "glimpse_size": 8, "architecture": "sized"},
        "vae": {"code_dim": 4, "width": 8},
    }[name]
    model = MODELS["dlp" if name == "sized" else name]
    session = Session(model(model.Config(image_size=(32, 32), **small)))
    latent, edits = session.encode(torch.rand(1, 3, 32, 32)), Edits.read(told)
    pictures = list(frames(session, latent, edits, {}.__getitem__))
    torch.testing.assert_close(pictures[-1], session.decode(session.edit(latent, edits)), atol=1e-5, rtol=0)
    if not edits.order:
        torch.testing.assert_close(pictures[0], session.decode(latent), atol=1e-5, rtol=0)
    moving = Image.open(io.BytesIO(gif(frames(session, latent, edits, {}.__getitem__))))
    assert moving.is_animated and moving.size == (320, 320) and moving.info["loop"] == 0


def test_a_film_of_an_edit_shows_what_the_animation_does_and_comes_back():
    av = pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    torch.manual_seed(0)
    session = Session(MODELS["vae"](MODELS["vae"].Config(image_size=(32, 48), code_dim=4, width=8)))
    latent, edits = (
        session.encode(torch.rand(1, 3, 32, 48)),
        Edits.read({"code": {str(n): 90.0 for n in range(4)}}),
    )
    with av.open(io.BytesIO(mp4(frames(session, latent, edits, {}.__getitem__)))) as film:
        shown = [
            torch.from_numpy(one.to_ndarray(format="rgb24")).float() / 255 for one in film.decode(video=0)
        ]
        assert film.streams.video[0].codec_context.name == "h264"
    before, after = (to_picture(session.decode(one)[0], 320) for one in (latent, session.edit(latent, edits)))
    for frame, wanted in ((shown[0], before), (shown[len(shown) // 2], after), (shown[-1], before)):
        wanted = torch.from_numpy(np.array(wanted)).float() / 255
        assert frame.shape == wanted.shape and (frame - wanted).abs().mean() < 0.04
    assert (shown[0] - shown[len(shown) // 2]).abs().mean() > 0.1, "or nothing would be told by the above"


def test_without_the_package_for_films_a_sentence_says_what_to_try(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    session = Session(MODELS["vae"](MODELS["vae"].Config(image_size=(32, 32), code_dim=4, width=8)))
    with pytest.raises(UserError, match=r"motes\[video\].*GIF"):
        mp4(frames(session, None, Edits(), {}.__getitem__))
