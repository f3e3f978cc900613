"""Schedules are walked to their end; rows are seen once an epoch, and shared without overlap."""

import pytest
import torch

from motes.data.worlds.flat.balls import Balls
from motes.errors import UserError
from motes.models.base import Stage
from motes.models.codes.pca import PcaConfig, PrincipalComponents
from motes.training.presets import PRESETS
from motes.training.recipe import Training, read_recipe
from motes.training.schedule import Order, learning_rate, progress, share_of_stage, stage_at, window_of


def nothing(batch):
    raise NotImplementedError


def test_an_epoch_shows_every_picture_once_whatever_the_number_of_processes():
    order = Order(24, 8, seed=3)
    seen = [row for step in range(3) for row in order.rows(step)]
    assert sorted(seen) == list(range(24))
    assert [
        row for step in range(3) for rank in (0, 1) for row in Order(24, 8, 3).rows(step, rank, 2)
    ] == seen
    assert order.rows(3) != order.rows(0)


def test_a_stage_is_told_how_much_of_it_is_done():
    stages = tuple(Stage(name, share, nothing, ()) for name, share in (("a", 0.25), ("b", 0.5), ("c", 0.25)))
    assert [share_of_stage(stages, 1, share) for share in (0.25, 0.5, 0.75, 0.9)] == [0, 0.5, 1, 1]
    assert share_of_stage(stages, 1, 0.1) == 0


def test_stages_follow_their_shares():
    stages = tuple(Stage(name, share, nothing, ()) for name, share in (("a", 0.1), ("b", 0.2), ("c", 0.7)))
    assert [stage_at(stages, share) for share in (0.0, 0.0999, 0.1, 0.29, 0.3, 0.99)] == [0, 0, 1, 1, 2, 2]


def test_the_clock_ends_a_slow_run():
    training = Training(steps=100, max_minutes=1.0)
    assert progress(10, 30.0, training) == pytest.approx(0.5)
    assert progress(90, 30.0, training) == pytest.approx(0.9)
    assert progress(10, 1e9, Training(steps=100)) == pytest.approx(0.1)


def test_rates():
    cosine = Training(steps=100, learning_rate=1.0, warm_steps=0)
    assert learning_rate(cosine, 0, 0.0) == 1.0 and learning_rate(cosine, 99, 1.0) == pytest.approx(0)
    halving = Training(steps=100, learning_rate=1.0, schedule="halving", halvings=(0.2, 0.4), warm_steps=0)
    assert [learning_rate(halving, 0, share) for share in (0.1, 0.2, 0.5)] == [1.0, 0.5, 0.25]


# what a preset leaves to its user, such as the run that it starts from
LEFT_OPEN = {name: {"still": {"num_particles": 3}} for name in ("dlp-graph-balls", "dlp-graph-junction")}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_written_and_read_back_and_make_models(name, tmp_path):
    recipe = PRESETS[name].recipe
    recipe.save(tmp_path)
    again = read_recipe(tmp_path)
    assert again.training == recipe.training
    from motes.models import MODELS

    size = recipe.data.config.get("image_size", (64, 64))
    model = MODELS[recipe.model](
        MODELS[recipe.model].Config(image_size=size, **recipe.model_config, **LEFT_OPEN.get(name, {}))
    )
    assert sum(stage.share for stage in model.stages()) == pytest.approx(1)


def test_clips_stay_whole():
    order = Order(40, 20, seed=3, window=5, frames=5)
    rows = [row for step in range(2) for row in order.rows(step)]
    assert sorted(rows) == list(range(40))
    assert all(
        rows[start : start + 5] == list(range(rows[start], rows[start] + 5)) for start in range(0, 40, 5)
    )
    assert [row for rank in (0, 1) for row in order.rows(0, rank, 2)] == order.rows(0)


def test_windows_stay_within_their_clip_and_start_elsewhere_each_epoch():
    order = Order(pictures=60, batch_size=12, seed=3, window=3, frames=10)
    epochs = []
    for epoch in range(6):
        rows = [order.rows(epoch * order.per_epoch + step) for step in range(order.per_epoch)]
        assert all(len(step) == 12 for step in rows)
        windows = torch.tensor(rows).reshape(-1, 3)
        assert (windows.diff(dim=1) == 1).all(), "neighbouring frames"
        assert (windows[:, 0] // 10 == windows[:, 2] // 10).all(), "of one clip"
        assert len(windows.unique()) == windows.numel(), "no picture twice"
        epochs.append(sorted(windows[:, 0].tolist()))
    assert len({tuple(starts) for starts in epochs}) > 1
    later = Order(pictures=60, batch_size=12, seed=3, window=3, frames=10)
    assert later.rows(7) == order.rows(7), "without the steps before"


def test_a_window_longer_than_a_clip_or_no_part_of_a_batch_is_refused():
    model = PrincipalComponents(PcaConfig(image_size=(8, 8), pictures=8, code_dim=2))
    model.window = 4
    data = Balls(Balls.Config(count=8, frames=8), "train")
    assert window_of(model, data, 8) == 4
    with pytest.raises(UserError, match=r"runs of 4 frames, whole ones in each step: 6 pictures"):
        window_of(model, data, 6)
    with pytest.raises(
        UserError, match=r"learns from runs of 4 neighbouring frames, and these data have clips of 2"
    ):
        window_of(model, Balls(Balls.Config(count=8, frames=2), "train"), 8)
