"""What holds for every question in SCORES."""

import pytest
import torch

from motes.evaluation import SCORES
from motes.evaluation.explanations import explanation, explanation_in
from motes.evaluation.question import NEEDS, Evidence, missing
from motes.types.truth import Truth

PARTICLE_QUESTIONS = [name for name in SCORES if name not in ("pictures", "elbo")]
# clips of so many frames
CLIPS, FRAMES = 2, 12
ROWS = CLIPS * FRAMES


@pytest.fixture
def seen(see, make_particles):
    """Two clips with everything known, of a model that predicts."""

    def seen(size=32, truth=True):
        random = torch.Generator().manual_seed(0)
        position = torch.rand(ROWS, 4, 2, generator=random) - 0.5
        masks = torch.zeros(ROWS, 3, size, size, dtype=torch.bool)
        masks[:, 0, 2:8, 3:9], masks[:, 1, 12:20, 12:20] = True, True
        known = Truth(
            masks.any((2, 3)),
            position[:, :3] + 0.1,
            masks=masks,
            points=torch.rand(ROWS, 5, 2, generator=random),
            factors={
                "size": torch.rand(ROWS, 3, generator=random),
                "shape": torch.randint(0, 2, (ROWS, 3), generator=random),
            },
        )
        latent = make_particles(position, log_variance=torch.randn(ROWS, 4, 2, generator=random))
        return see(latent, known if truth else None, size=(size, size), frames=FRAMES, predicts=True)

    return seen


@pytest.mark.parametrize("name", SCORES)
def test_needs_are_named_and_checked_in_one_place(name, seen):
    assert set(SCORES[name].needs) <= set(NEEDS)
    assert missing(SCORES[name], seen()) is None
    if name in PARTICLE_QUESTIONS and name not in ("prediction", "updates"):
        reason = missing(SCORES[name], seen(truth=False))
        assert reason and reason.startswith("this data ")


@pytest.mark.parametrize("name", PARTICLE_QUESTIONS)
def test_what_is_kept_of_a_picture_does_not_grow_with_it(name, seen):
    small, large = (SCORES[name].measure(seen(size)) for size in (32, 64))
    assert {key: value.shape for key, value in small.items()} == {
        key: value.shape for key, value in large.items()
    }
    assert all(len(value) == ROWS for value in small.values())


@pytest.mark.usefixtures("brief_readouts")
@pytest.mark.parametrize("name", PARTICLE_QUESTIONS)
def test_statistics_take_many_draws_and_do_not_depend_on_the_order_of_pictures(name, seen):
    measured = SCORES[name].measure(seen())
    turn = torch.randperm(ROWS, generator=torch.Generator().manual_seed(2))
    times = torch.randint(0, 3, (7, ROWS), generator=torch.Generator().manual_seed(1)).float()
    turned = {key: value[turn] for key, value in measured.items()}
    ours, theirs = (SCORES[name].score(Evidence(one, measured, measured)) for one in (measured, turned))
    for key, statistic in ours.items():
        assert statistic(times).shape == (7,)
        torch.testing.assert_close(theirs[key](times[:, turn]), statistic(times), equal_nan=True, msg=key)


@pytest.mark.usefixtures("brief_readouts")
def test_no_two_questions_give_the_same_name(seen):
    names = []
    for name in PARTICLE_QUESTIONS:
        measured = SCORES[name].measure(seen())
        names += SCORES[name].score(Evidence(measured, measured, measured))
    assert len(names) == len(set(names))
    with pytest.raises(KeyError):
        SCORES["looks"]


def test_every_score_says_in_a_line_what_it_is(seen):
    for name in SCORES:
        question = SCORES[name]
        measured = question.measure(seen()) if name in PARTICLE_QUESTIONS else {}
        scores = question.score(Evidence(measured, measured, measured))
        for score in (*scores, *question.explains):
            words = explanation(score)
            assert words and "\n" not in words and words == explanation_in(question.explains, score), score
    assert explanation("loss/kl") == explanation("loss/*") != explanation("loss")
    assert "% of the picture" in explanation("pck@0.02") and explanation("nobody") == ""
