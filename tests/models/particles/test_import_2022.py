"""Weights of the 2022 code mean here what they meant there: golden outputs of three configurations."""

import json
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from motes.errors import UserError
from motes.models.particles.import_2022 import convert, import_weights
from motes.models.particles.names_2022 import masked_names, object_names
from motes.models.particles.parts import SceneCode
from motes.ops.densities.divergence import chamfer_kl, kl_to_standard_normal
from motes.ops.pictures.image_loss import squared_error
from motes.ops.rendering.composite import render

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "dlp2022"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FIXTURES.is_dir(), reason="the golden outputs (../shared/fixtures/dlp2022) are not here"
    ),
]
# batch statistics of two pictures divide by small variances: float32 rounding grows; our own float32 and float64 runs differ as much
AMPLIFIED = 5e-3
NAMES = ("shapes", "clevrer", "celeba")


def original(name):
    sys.path.insert(0, str(FIXTURES))
    try:
        import weights
    finally:
        sys.path.pop(0)
    return weights.state_dict(name)


def kwargs_of(name):
    return json.loads((FIXTURES / name / "kwargs.json").read_text())


def pictures(name):
    import numpy as np

    stack = [
        np.asarray(Image.open(FIXTURES / name / f"input_{number}.png").convert("RGB")) for number in (0, 1)
    ]
    return torch.from_numpy(np.stack(stack)).permute(0, 3, 1, 2).float() / 255


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    folder = FIXTURES / request.param
    return {
        "name": request.param,
        "model": convert(original(request.param), kwargs_of(request.param)),
        "image": pictures(request.param),
        "golden": load_file(folder / "outputs.safetensors"),
        "train": load_file(folder / "outputs_train_mode.safetensors"),
        "losses": json.loads((folder / "losses.json").read_text()),
        "grads": json.loads((folder / "grad_norms.json").read_text()),
    }


def close(ours, theirs, tolerance=1e-4):
    torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=0)


def check_outputs(model, image, golden):
    with torch.no_grad():
        latent = model.encode(image)
        close(model.proposals(image), golden["kp_p"])
        close(latent.position, golden["mu"][:, :-1])
        close(latent.log_variance, golden["logvar"][:, :-1])
        close(torch.cat([latent.features, latent.background[:, None]], 1), golden["mu_features"])
        close(latent.feature_log_variance, golden["logvar_features"][:, :-1])
        if "obj_on" in golden:
            close(latent.presence, golden["obj_on"])
            close(model.glimpses(latent), golden["dec_objects_original"])
            close(model.encoder(image, image, model.decoder).glimpses, golden["cropped_objects_original"])
        close(model.decode(latent), golden["rec"])


def test_outputs_agree(case):
    assert case["model"].training is False
    check_outputs(case["model"], case["image"], case["golden"])


def test_foreground_agrees(case):
    if "dec_objects" not in case["golden"]:
        pytest.skip("the masked model has no separate foreground")
    model = case["model"]
    with torch.no_grad():
        latent = model.encode(case["image"])
        foreground = render(
            model.glimpses(latent), latent.position, latent.presence, torch.zeros_like(case["image"])
        )
    close(foreground, case["golden"]["dec_objects"])


def test_outputs_agree_with_batch_statistics(case):
    from copy import deepcopy

    model = deepcopy(case["model"]).train()
    with torch.no_grad():
        if case["name"] == "celeba":
            latent = model.encode(case["image"])
            close(latent.position, case["train"]["mu"][:, :-1])
            assert (model.decode(latent) - case["train"]["rec"]).abs().mean() < 1e-3
            return
        encoding = model.encoder(case["image"], case["image"], model.decoder)
        close(encoding.position.mean, case["train"]["mu"][:, :-1])
        close(encoding.presence, case["train"]["obj_on"])
        close(
            torch.cat([encoding.features.mean, encoding.background.mean[:, None]], 1),
            case["train"]["mu_features"],
            AMPLIFIED,
        )


def deterministic_loss(case):
    """Total of the golden run: eval mode, the mode of every distribution."""
    model, image, losses = case["model"], case["image"], case["losses"]
    if case["name"] == "celeba":
        heat, position = model.networks.locate(image)
        features, background = model.networks.appearance(
            heat, position.mean.detach(), model._outside(position.mean)
        )
        still = torch.zeros_like(position.mean[:, 0])
        picture = model._paint(SceneCode(position.mean, features.mean, background.mean, still), heat.detach())
        proposals = model.prior(image)
    else:
        encoding = model.encoder(image, image, model.decoder)
        position, features, background, proposals = (
            encoding.position,
            encoding.features,
            encoding.background,
            encoding.proposals,
        )
        scene = model.decoder.background(
            position.mean, features.mean, background.mean, torch.zeros_like(position.mean[:, 0])
        )
        picture = render(model.decoder.glimpses(features.mean), position.mean, encoding.presence, scene)
    error = squared_error(picture, image).mean()
    chamfer = chamfer_kl(position.mean, position.log_variance, proposals, model.config.prior_std).mean()
    looks = kl_to_standard_normal(features.mean, features.log_variance).sum((1, 2))
    looks = (looks + kl_to_standard_normal(background.mean, background.log_variance).sum(1)).mean()
    total = losses["beta_rec"] * error + losses["beta_kl"] * (chamfer + losses["kl_balance"] * looks)
    return {"rec_mse": error, "chamfer_kl": chamfer, "kl_feat": looks, "total": total}


def test_losses_and_gradient_norms_agree(case):
    ours = deterministic_loss(case)
    for name, value in ours.items():
        assert value.item() == pytest.approx(case["losses"][name], rel=1e-3), name
    model = case["model"]
    model.zero_grad()
    ours["total"].backward()
    norms = {
        name: parameter.grad.norm().item()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    names = masked_names(model.config) if case["name"] == "celeba" else object_names(model.config)
    largest = max(case["grads"].values())
    compared = 0
    # 3e-3 and not 1e-3: positions that differ in their last bits (1e-6) flip rectifiers; given the golden ones 1e-3 holds (docs/log/weights-2022.md)
    for mine, theirs in names.items():
        if mine in norms and theirs in case["grads"]:
            assert norms[mine] == pytest.approx(case["grads"][theirs], rel=3e-3, abs=1e-6 * largest), theirs
            compared += 1
    assert compared >= 100


def test_shapes_alone_tell_the_sizes(case):
    kwargs = {
        key: value
        for key, value in kwargs_of(case["name"]).items()
        if key in ("n_kp_prior", "exclusive_patches")
    }
    model = convert(original(case["name"]), kwargs)
    close(model.decode(model.encode(case["image"])), case["golden"]["rec"])


def test_import_writes_a_checkpoint_and_refuses_what_does_not_fit(tmp_path):
    weights = original("shapes")
    torch.save(weights, tmp_path / "w.pth")
    import_weights(tmp_path / "w.pth", FIXTURES / "shapes" / "kwargs.json", tmp_path / "out")
    from motes import load

    image = pictures("shapes")
    with torch.no_grad():
        model = load(tmp_path / "out")
        close(
            model.decode(model.encode(image)), load_file(FIXTURES / "shapes" / "outputs.safetensors")["rec"]
        )
    with pytest.raises(UserError, match="do not belong together"):
        convert(weights, {"n_kp_enc": 7})
    with pytest.raises(UserError, match="missing"):
        convert({key: value for key, value in weights.items() if not key.startswith("aux_enc.2")})
    torch.save({"code": torch.nn.ReLU()}, tmp_path / "code.pth")
    with pytest.raises(UserError, match="never run"):
        import_weights(tmp_path / "code.pth", None, tmp_path / "no")
    assert not (tmp_path / "no").exists()
