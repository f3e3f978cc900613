"""What the studio says of held-out pictures: how many there are, what is truly in them, how well each is drawn."""

import numpy as np
import pytest
import torch

from motes.apps.studio.desk import Desk
from motes.apps.studio.messages import unpack
from motes.apps.studio.shelf import Shelf


@pytest.fixture(scope="module")
def desk(tmp_path_factory, make_run):
    return Desk(Shelf([make_run(tmp_path_factory.mktemp("held") / "objects")]))


def ask(desk, **question):
    return unpack(desk.answer({"n": 1, "run": 0, **question}))[0]


def test_truth_is_told_in_shares_of_the_picture(desk):
    facts = ask(desk, ask="enter")["facts"]
    assert facts["clips"] == 6 and facts["truth"] is True
    data = desk.shelf.runs[0].held_out
    truth, told = data.truth([2]), ask(desk, ask="truth", picture="held-out/objects/2")["truth"]
    present = truth.present[0]
    assert np.allclose(told["middles"], truth.centres[0, present])
    boxes = torch.tensor(told["boxes"]) * 32
    assert np.allclose(boxes[:, :2], truth.boxes[0, present, :2])
    assert bool((boxes[:, 2:] > truth.boxes[0, present, 2:]).all()), "the ends are included"
    for name in ("held-out/objects/99", "held-out/other/0", "dropped/0", "held-out/objects/x", None):
        assert "not known" in ask(desk, ask="truth", picture=name)["problem"]


def test_decibels_are_those_of_the_sessions_own_pictures(desk):
    session = desk.shelf.runs[0].session
    names = [f"held-out/objects/{n}" for n in range(3)]
    measured = ask(desk, ask="decibels", pictures=names)["decibels"]
    for name, value in zip(names, measured, strict=True):
        image = desk.shelf.picture(name, session)
        error = (session.decode(session.encode(image)) - image).square().mean()
        assert value == pytest.approx((-10 * torch.log10(error)).item(), abs=0.02)
    for wrong in (None, [], names * 3, "x"):
        assert "list of 1 to 8" in ask(desk, ask="decibels", pictures=wrong)["problem"]
