"""Latents of any kind in a session: each is served as what it is, or refused in a sentence."""

import pytest
import torch
from PIL import Image
from toy_runs import COUNT, ToyConfig, ToySlots, ToyStripes, ToyTensor

from motes.apps.drawing.animation import frames, gif
from motes.apps.session.edits import Edits
from motes.apps.session.kinds import KINDS, kind_of
from motes.apps.session.script import python_lines
from motes.apps.session.session import Offers, Session
from motes.apps.session.tables import rows_of
from motes.errors import UserError
from motes.models import MODELS
from motes.types.latents import Code

# an edit of each field of Edits
EDITS = {
    "presence": {"particles": {"1": {"presence": 0.0}}},
    "features": {"particles": {"1": {"features": {"0": 0.75}}}},
    "position": {"particles": {"1": {"position": [0.0, 0.0]}}},
    "scale": {"particles": {"1": {"scale": [2.0, 0.5]}}},
    "look": {"particles": {"1": {"look": ["", 0]}}},
    "copy": {"particles": {"1": {"copy_of": ["", 0]}}},
    "order": {"order": [2, 0, 1]},
    "background": {"background": "other"},
    "threshold": {"threshold": 0.5},
    "code": {"code": {"0": 1.0}},
    "towards": {"towards": ["other", 0.5]},
}


def toy_session(model):
    torch.manual_seed(0)
    return Session(model(ToyConfig()))


def two_pictures(session):
    torch.manual_seed(1)
    return session.encode(torch.rand(1, 3, 32, 32)), session.encode(torch.rand(1, 3, 32, 32))


@pytest.fixture
def code_session():
    torch.manual_seed(0)
    return Session(MODELS["vae"](MODELS["vae"].Config(image_size=(32, 32), code_dim=4, width=8)))


def test_every_kind_has_a_name_of_its_own_and_the_last_fits_all():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert KINDS[-1].fits(Code(torch.zeros(1, 2)))


@pytest.mark.parametrize("name", EDITS)
def test_a_latent_of_no_kind_is_drawn_and_every_edit_of_it_is_refused(name):
    session = toy_session(ToyStripes)
    latent, other = two_pictures(session)
    assert kind_of(latent).name == "other" and session.decode(latent).shape == (1, 3, 32, 32)
    assert session.edit(latent, Edits()) is latent
    with pytest.raises(UserError, match=r"kind Stripes"):
        session.edit(latent, Edits.read(EDITS[name]), lambda _: other)


@pytest.mark.parametrize("name", EDITS)
def test_slots_are_edited_in_what_they_have_and_other_edits_are_refused(name):
    session = toy_session(ToySlots)
    latent, other = two_pictures(session)
    edits = Edits.read(EDITS[name])
    if name not in ("presence", "features", "order"):
        with pytest.raises(UserError, match=r"\w+ \w+ \w+"):
            session.edit(latent, edits, lambda _: other)
        return
    before = session.decode(latent)
    after = session.decode(session.edit(latent, edits))
    assert after.isfinite().all()
    # the order of slots changes no pixel
    assert torch.allclose(before, after) == (name == "order")


@pytest.mark.parametrize(
    "edits",
    [{"particles": {"7": {"presence": 0}}}, {"particles": {"0": {"features": {"9": 1}}}}, {"order": [0, 1]}],
)
def test_slots_that_are_not_there_are_refused(edits):
    session = toy_session(ToySlots)
    with pytest.raises(UserError, match=r"there is no|should name"):
        session.edit(two_pictures(session)[0], Edits.read(edits))


@pytest.mark.parametrize("name", EDITS)
def test_of_a_code_its_numbers_are_edited_and_other_edits_are_refused(name, code_session):
    latent, other = two_pictures(code_session)
    edits = Edits.read(EDITS[name])
    if name in ("code", "towards"):
        assert not torch.equal(code_session.edit(latent, edits, lambda _: other).code, latent.code)
    else:
        with pytest.raises(UserError, match="cannot be edited"):
            code_session.edit(latent, edits, lambda _: other)


def test_what_is_no_record_is_refused_wherever_it_is_encoded(tmp_path):
    session = toy_session(ToyTensor)
    Image.new("RGB", (32, 32), "teal").save(tmp_path / "one.png")
    for use in (
        lambda: session.encode(torch.rand(1, 3, 32, 32)),
        lambda: session.offers,
        lambda: session.spread(torch.rand(2, 3, 32, 32)),
        lambda: list(session.encode_files([tmp_path / "one.png"])),
    ):
        with pytest.raises(UserError, match=r"should be a record of motes\.types\.rows\.Rows"):
            use()


def test_offers_are_found_by_ability_and_kind(code_session):
    assert toy_session(ToyStripes).offers == Offers(
        False, False, False, False, False, samples=True, sizes=False
    )
    assert toy_session(ToySlots).offers == Offers(
        False, False, False, presence=True, proposals=False, samples=False, sizes=False
    )
    assert code_session.offers == Offers(False, False, False, False, False, samples=True, sizes=False)


@pytest.mark.parametrize("model", [ToyStripes, ToySlots])
def test_files_are_encoded_layers_and_proposals_are_none(model, tmp_path):
    session = toy_session(model)
    for number in range(5):
        Image.effect_noise((40, 30), 90).convert("RGB").save(tmp_path / f"{number}.png")
    parts = list(session.encode_files([tmp_path], batch=2))
    assert [len(part.latent) for part in parts] == [2, 2, 1]
    assert session.layers(parts[0].latent) is None and session.proposals(parts[0].image) is None


def test_sliders_range_over_the_codes_of_slots_and_there_are_none_for_a_latent_of_no_kind():
    image = torch.rand(6, 3, 32, 32)
    assert toy_session(ToyStripes).spread(image) is None
    spread = toy_session(ToySlots).spread(image)
    assert spread is not None and len(spread.low) == 4 and (spread.low < spread.high).all()


def test_tables_have_a_row_for_each_slot_and_none_for_a_latent_of_no_kind(tmp_path):
    Image.new("RGB", (32, 32), "teal").save(tmp_path / "one.png")
    encoded = next(toy_session(ToySlots).encode_files([tmp_path]))
    rows = list(rows_of(encoded))
    assert [row["slot"] for row in rows] == list(range(COUNT)) and rows[0]["row"] < rows[-1]["row"]
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert list(rows_of(next(toy_session(ToyStripes).encode_files([tmp_path])))) == []


@pytest.mark.parametrize(
    "model, told",
    [(ToyStripes, {}), (ToySlots, EDITS["features"] | {"order": [2, 0, 1]}), (ToySlots, EDITS["presence"])],
)
def test_animations_begin_with_the_encoded_picture_and_end_with_the_edited_one(model, told):
    session = toy_session(model)
    latent, _ = two_pictures(session)
    edits = Edits.read(told)
    pictures = list(frames(session, latent, edits, {}.__getitem__))
    torch.testing.assert_close(pictures[0], session.decode(latent), atol=1e-5, rtol=0)
    torch.testing.assert_close(pictures[-1], session.decode(session.edit(latent, edits)), atol=1e-5, rtol=0)
    assert gif(frames(session, latent, edits, {}.__getitem__)).startswith(b"GIF")


def test_the_lines_of_python_edit_slots_alike():
    session = toy_session(ToySlots)
    latent, _ = two_pictures(session)
    edits = Edits.read({"particles": {"0": {"presence": 0.25, "features": {"1": 0.5}}}, "order": [1, 0, 2]})
    lines = python_lines(edits, latent, "run", "a.png", lambda name: repr(name)).splitlines()
    scope = {"latent": latent}
    exec("\n".join(line for line in lines if line.startswith("latent = latent.")), scope)
    wanted = session.edit(latent, edits)
    assert torch.equal(scope["latent"].codes, wanted.codes) and torch.equal(
        scope["latent"].presence, wanted.presence
    )
