"""A model goes to the hub and comes back by its name, with the hub's own client."""

import pytest
import torch
from hub_server import running_hub

import motes
from motes.errors import UserError
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder
from motes.weights.runs import run_folder


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A server that the client takes for the hub, and an empty cache."""
    constants = pytest.importorskip(
        "huggingface_hub.constants", reason="the client of the hub is not installed"
    )
    with running_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield server


def model_of_seed(seed):
    torch.manual_seed(seed)
    return VariationalAutoencoder(VaeConfig(image_size=(16, 24), code_dim=3, width=8, beta=0.5))


def same_weights(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_pushed_and_opened_by_its_name(hub):
    model = model_of_seed(0)
    address = model.push_to_hub("me/mine", {"PSNR": 28.25}, "motes train vae-quick")
    assert "me/mine" in address
    assert same_weights(model, motes.load("me/mine"))
    card = hub.repositories["me/mine"]["main"]["README.md"].decode()
    for told in (
        'motes.load("me/mine")',
        "| PSNR | 28.25 |",
        "`motes train vae-quick`",
        "Kingma",
        "| code_dim | `3` |",
    ):
        assert told in card


def test_a_revision_is_what_it_was(hub):
    first = model_of_seed(0)
    first.push_to_hub("me/mine")
    commit = hub.commit_of("me/mine", "main")
    second = model_of_seed(1)
    second.push_to_hub("me/mine")
    assert same_weights(second, motes.load("me/mine"))
    assert same_weights(first, motes.load(f"me/mine@{commit}"))


def test_what_was_fetched_is_there_without_a_network(hub, monkeypatch):
    model = model_of_seed(0)
    model.push_to_hub("me/mine")
    fetched = run_folder("me/mine")
    hub.repositories.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert run_folder("me/mine") == fetched
    assert same_weights(model, motes.load("me/mine"))


def test_a_repository_that_is_not_there_is_a_sentence(hub):
    with pytest.raises(
        UserError, match=rf"me/other is no folder .* fetched from {hub.address} .*name a folder"
    ):
        motes.load("me/other")
    model_of_seed(0).push_to_hub("me/mine")
    with pytest.raises(UserError, match="at v9 could not be fetched"):
        motes.load("me/mine@v9")
