"""Every score is measured for a model of any latent, or refused in one sentence."""

import pytest
from toy_stripes import GridModel, SlotModel, Stripes, TokenModel

from motes.errors import UserError
from motes.evaluation import SCORES, Asked, evaluate
from motes.evaluation.likelihood import code_usage

MASKS = {"ari", "ari_fg", "mbo", "miou", "covering", "covering_unweighted"}
SLOTS = {"slots/unused", "slots/split", "slots/merged", "slots/lost"}
REASON = "this (model (has (no|neither)|does not)|data (does not know the factors|has single pictures))"


def stripes(split="test", frames=1):
    return Stripes(Stripes.Config(frames=frames), split)


@pytest.mark.parametrize(
    ("kind", "served"),
    [(GridModel, {"pictures", "elbo"}), (SlotModel, {"pictures", "elbo", "masks", "slots"})],
)
def test_each_score_is_served_or_refused_in_a_sentence(kind, served):
    for name in SCORES:
        asked = Asked((name,), open=stripes)
        if name in served:
            assert evaluate(kind(), stripes(), asked=asked)
        else:
            with pytest.raises(UserError, match=f"{name} cannot be scored: {REASON}"):
                evaluate(kind(), stripes(), asked=asked)
    with pytest.raises(
        UserError, match=f"its posterior.*{type(kind().encode(stripes().batch([0]).image)).__name__}"
    ):
        code_usage(kind(), stripes().batch([0]).image)


def test_a_grid_has_scores_of_pictures_and_its_loss():
    scores = evaluate(GridModel(), stripes())
    assert set(scores) - {"lpips"} == {"psnr", "psnr_pooled", "ssim", "mse", "loss"}
    assert scores["mse"].value < 1e-9 and scores["loss"].value < 1e-9
    assert set(evaluate(TokenModel(), stripes())) == set(scores)


def test_slots_that_cut_the_picture_as_the_truth_does_are_right():
    scores = evaluate(SlotModel(), stripes(), batch=5)
    assert set(scores) > MASKS
    assert all(scores[name].value == pytest.approx(1) for name in MASKS)
    over_time = evaluate(SlotModel(), stripes(frames=4), batch=5, asked=Asked(("masks",)))
    assert over_time["ari_over_time"].value == pytest.approx(1)


def test_a_slot_that_is_left_out_loses_its_thing():
    class Blind(SlotModel):
        def encode(self, image):
            latent = super().encode(image)
            for picture in range(len(latent)):
                latent = latent.without(2, picture)
            return latent

    scores = evaluate(Blind(), stripes(), asked=Asked(("masks",)))
    assert scores["mbo"].value == pytest.approx((1 + 0.5) / 2) and scores["ari"].value < 1
