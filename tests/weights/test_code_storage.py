"""Tables of codes: rows move as under torch's RMSprop, in memory or in a file alike, and what no step names costs nothing."""

import errno
import os

import pytest
import torch
from few_pictures import FewPictures

from motes.errors import UserError
from motes.models.codes.glo import GenerativeLatentOptimisation, GloConfig
from motes.nn.blocks.code_table import RowRMSprop
from motes.types.batch import Batch
from motes.weights.code_storage import STORAGES, code_table


def some(storage):
    """A table, and a matrix that reads its rows."""
    torch.manual_seed(0)
    table = code_table(9, 4, storage)
    table.change(torch.randn_like)
    return table, torch.nn.Parameter(torch.randn(4, 3))


def learn(table, matrix, optimizer, steps, first=0):
    for step in range(first, first + steps):
        random = torch.Generator().manual_seed(step)
        optimizer.zero_grad()
        rows = torch.randint(9, (4,), generator=random)  # some twice
        ((table(rows) @ matrix - torch.randn(4, 3, generator=random)).square().mean()).backward()
        optimizer.step()


@pytest.mark.parametrize("storage", list(STORAGES))
def test_rows_move_as_under_the_rmsprop_of_a_whole_table(storage):
    table, matrix = some(storage)
    learn(table, matrix, RowRMSprop([matrix], table, 0.01, 0.02), 60)
    plain, other = some("memory")

    def whole(rows):
        return plain.values[rows]

    learn(
        whole,
        other,
        torch.optim.RMSprop(
            [{"params": [other], "lr": 0.01}, {"params": [plain.values], "lr": 0.02}], alpha=0.99
        ),
        60,
    )
    torch.testing.assert_close(table.values, plain.values)
    torch.testing.assert_close(matrix, other)


def test_a_file_is_the_same_as_memory_also_when_taken_up_again():
    found = []
    for storage in STORAGES:
        table, matrix = some(storage)
        optimizer = RowRMSprop([matrix], table, 0.01, 0.02)
        learn(table, matrix, optimizer, 7)
        again = RowRMSprop([matrix], table, 0.01, 0.02)
        again.load_state_dict(optimizer.state_dict())
        learn(table, matrix, again, 5, first=7)
        found.append(table.values.detach().clone())
    straight, matrix = some("memory")
    learn(straight, matrix, RowRMSprop([matrix], straight, 0.01, 0.02), 12)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], straight.values)


def test_a_step_leaves_other_rows_alone_and_names_few():
    table, matrix = some("memory")
    before = table.values.detach().clone()
    optimizer = RowRMSprop([matrix], table, 0.01, 0.02)
    (table(torch.tensor([2, 5])) @ matrix).sum().backward()
    assert table.values.grad.is_sparse and table.values.grad._nnz() == 2
    optimizer.step()
    moved = (table.values != before).any(1)
    assert moved.nonzero()[:, 0].tolist() == [2, 5]


def test_a_file_has_no_name_and_its_codes_stay_on_the_host(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    table = code_table(5, 2, "file")
    assert not list(tmp_path.iterdir())
    assert table.double().values.dtype == torch.float32 and torch.equal(
        table(torch.tensor([1, 3])), torch.zeros(2, 2)
    )


def test_a_model_with_codes_in_a_file_learns_the_same_and_is_saved_whole(tmp_path):
    from motes import load

    found = []
    for storage in STORAGES:
        torch.manual_seed(0)
        config = GloConfig(
            image_size=(8, 8), channels=1, pictures=6, code_dim=3, network="dense", width=8, codes_in=storage
        )
        model = GenerativeLatentOptimisation(config)
        batch, (stage,) = Batch(torch.rand(6, 1, 8, 8), torch.arange(6)), model.stages()
        stage.begin(FewPictures(batch))
        optimizer = stage.optimizer(0.01)
        for _ in range(3):
            optimizer.zero_grad()
            stage.loss(batch).total.backward()
            optimizer.step()
            stage.after_step(batch)
        model.save(tmp_path / storage)
        again = load(tmp_path / storage)
        assert torch.equal(again.codes, model.codes) and again.sample(2).vector.shape == (2, 3)
        found.append(again.codes.detach().clone())
    assert torch.equal(*found)


def test_a_full_disk_is_said(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match="TMPDIR"):
        code_table(10, 10, "file")
    with pytest.raises(UserError, match="memory or file"):
        code_table(10, 10, "disk")
