"""Who takes the fused way; and that its kernels are right and compile, which two processes of their own find out."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from motes.ops.rendering import composite, fused

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed"
)
SCENE = [torch.rand(1, 2, 4, 8, 8), torch.zeros(1, 2, 2), torch.ones(1, 2), torch.rand(1, 3, 16, 16)]


@pytest.fixture(autouse=True)
def forgetful():
    fused.obstacle.cache_clear()
    yield
    fused.obstacle.cache_clear()


def run(*arguments, **environment):
    """With the motes that is tested here."""
    paths = [str(Path(composite.__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_triton
@pytest.mark.slow
def test_kernels_agree_with_the_plain_way_in_the_interpreter():
    """Triton looks at the variable when it is loaded, so not in this process."""
    run("-m", "pytest", "-q", str(Path(__file__).with_name("interpreted_render.py")), TRITON_INTERPRET="1")


@needs_triton
@pytest.mark.slow
def test_kernels_compile_for_a_gpu_and_fit_its_registers(tmp_path):
    run(
        str(Path(__file__).with_name("compiled_render.py")),
        TRITON_INTERPRET="0",
        TRITON_CACHE_DIR=str(tmp_path),
    )


def test_a_processor_renders_the_plain_way():
    assert fused.obstacle(torch.device("cpu")) == "not a GPU"
    assert composite.render(*[one.requires_grad_() for one in SCENE]).grad_fn.name() == "RenderBackward"


def test_where_nothing_is_in_its_way_the_fused_kernel_renders(monkeypatch):
    monkeypatch.setattr(fused, "obstacle", lambda device: None)
    drawn = torch.zeros_like(SCENE[3])
    monkeypatch.setattr(fused, "render_fused", lambda *inputs: drawn)
    assert composite.render(*SCENE) is drawn
    assert torch.equal(
        composite.render(*(one[:, :0] for one in SCENE[:3]), SCENE[3]), SCENE[3]
    )  # no particles, no kernel


def test_a_gpu_without_triton_says_so(monkeypatch):
    monkeypatch.setattr(fused, "_launch", lambda: None)
    assert fused.obstacle(torch.device("cuda:0")) == "triton 3.3 or later is not installed"


def test_a_gpu_on_which_no_kernel_can_be_built_is_warned_of_once(monkeypatch):
    def render(*inputs):
        raise RuntimeError("Failed to find C compiler.\nMore")

    monkeypatch.setattr(fused, "_launch", lambda: object())
    monkeypatch.setattr(fused, "render_fused", render)
    monkeypatch.setattr(torch, "zeros", lambda *shape, device: None)  # this machine need not have a GPU
    with pytest.warns(UserWarning, match="slower way.*C compiler") as warned:
        said = [fused.obstacle(torch.device("cuda:0")) for _ in range(2)]
    assert said == ["triton cannot build a kernel: Failed to find C compiler."] * 2 and len(warned) == 1
