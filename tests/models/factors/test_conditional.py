"""The conditional generator: blends are legal, a transform reaches picture and mask, the ground is the data's, descent beats its start."""

import pytest
import torch

from motes.data.worlds.chairs.chairs import Chairs
from motes.data.worlds.chairs.chairs import ChairsConfig as Data
from motes.errors import UserError
from motes.models.factors.conditional import Condition, ConditionalConfig, ConditionalGenerator
from motes.ops.pictures.image_loss import squared_error
from motes.ops.points.similarity import NUMBERS, placed
from motes.types.batch import Batch

CONFIG = ConditionalConfig(image_size=(24, 24), classes=4, hidden=32, width=8, views=6)


@pytest.fixture(scope="module")
def chairs():
    data = Chairs(Data(image_size=(24, 24), classes=4, azimuths=8, elevations=(30.0,)))
    return data.batch(range(len(data)), ConditionalGenerator.needs)


@pytest.fixture(scope="module")
def trained(chairs):
    torch.manual_seed(0)
    model = ConditionalGenerator(CONFIG)
    model.look_around([chairs])
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(80):
        optimizer.zero_grad()
        model.loss(chairs).total.backward()
        optimizer.step()
    return model.eval()


def test_it_looks_around_first(trained, chairs):
    assert (trained.ground - 0.97).abs().max() < 0.02, "the chairs' ground"
    views = {tuple(one) for one in chairs.labels["view"].tolist()}
    assert {tuple(one) for one in trained.known.tolist()} <= views and len(trained.known.unique(dim=0)) == 6


def test_where_nothing_is_covered_the_ground_is_seen(trained, chairs):
    picture, mask = trained.drawn(trained.condition(chairs.labels["class"][:8], chairs.labels["view"][:8]))
    bare = (mask < 1e-3).expand_as(picture)
    assert bare.any()
    torch.testing.assert_close(
        picture[bare], trained.ground[:, None, None].expand_as(picture)[bare], atol=1e-3, rtol=0
    )


def test_classes_enter_linearly(trained):
    view = torch.zeros(1, 2)
    ends = trained.condition(torch.tensor([0, 1]), view.expand(2, 2))
    blend = Condition(ends.weights.mean(0, keepdim=True), view, torch.zeros(1, NUMBERS))
    torch.testing.assert_close(
        trained.read_class(blend.weights), trained.read_class(ends.weights).mean(0, keepdim=True)
    )
    assert not torch.allclose(trained.decode(blend), trained.decode(ends)[:1], atol=1e-3)


def test_a_full_circle_is_the_same_view(trained):
    view = torch.tensor([[0.3, 0.5], [0.3 + 2 * torch.pi, 0.5]])
    one, other = trained.decode(trained.condition(torch.tensor([2, 2]), view))
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


def test_target_and_mask_are_transformed_alike(chairs):
    """A model that draws the transformed truth has no error: the loss transforms what it compares with."""

    class Told(ConditionalGenerator):
        def drawn(self, condition):
            mask = chairs.labels["mask"][:8, None].float()
            before = placed(torch.cat([chairs.image[:8], mask], 1), condition.transform)
            return before[:, :3], before[:, 3:]

    model = Told(ConditionalConfig(**{**vars(CONFIG), "light": 0.0}))
    batch = Batch(
        chairs.image[:8], chairs.index[:8], labels={name: value[:8] for name, value in chairs.labels.items()}
    )
    assert model.loss(batch).total < 1e-6


def test_descent_ends_below_its_best_start(trained, chairs):
    image = chairs.image[:4]
    with torch.no_grad():
        starts = trained._starts(image)
        begun = (
            squared_error(trained.decode(starts), image.repeat_interleave(4, 0)).unflatten(0, (4, 4)).amin(1)
        )
        found = trained.encode(image)
        ended = squared_error(trained.decode(found), image)
    assert (ended <= begun + 1e-3).all() and ended.sum() < 0.95 * begun.sum()
    torch.testing.assert_close(found.weights.sum(1), torch.ones(4))


def test_an_unknown_class_and_other_views_are_refused(trained, chairs):
    with pytest.raises(UserError, match="raise classes"):
        trained.condition(torch.tensor([4]), torch.zeros(1, 2))
    facts = {**chairs.labels, "view": chairs.labels["view"][:, :1]}
    with pytest.raises(UserError, match="set angles"):
        trained.loss(Batch(chairs.image, chairs.index, labels=facts))
