"""Arithmetic for any machine: near to the libraries' functions, made of operations that the standard fixes."""

import ast
from pathlib import Path

import numpy as np
import pytest

from motes.data.worlds import portable

INEXACT = {
    "sin",
    "cos",
    "tan",
    "exp",
    "log",
    "power",
    "arctan2",
    "hypot",
    "einsum",
    "matmul",
    "dot",
    "interp",
    "normal",
    "standard_normal",
}
WORLDS = Path(portable.__file__).parent
FILES = sorted(
    str(path.relative_to(WORLDS))
    for path in [WORLDS / "portable.py", WORLDS / "spoiled.py"]
    + [path for room in ("roads", "faces", "animals") for path in WORLDS.glob(f"{room}/*.py")]
)


def test_sine_and_cosine_are_those_of_numpy():
    angle = np.linspace(-30, 30, 10001)
    assert np.abs(portable.sine(angle) - np.sin(angle)).max() < 1e-8
    assert np.abs(portable.cosine(angle) - np.cos(angle)).max() < 1e-8
    assert np.abs(portable.wave(angle) - np.sin(2 * np.pi * angle)).max() < 0.06


def test_colours_of_the_circle():
    assert np.allclose(portable.hue(np.arange(3) / 3, np.ones(3), np.ones(3)), np.eye(3))
    assert np.allclose(portable.hue(np.array([0.3]), np.zeros(1), np.full(1, 0.4)), 0.4)


def test_picks_follow_the_weights_and_bells_the_middle():
    random = np.random.default_rng(0)
    share = np.bincount(portable.picks(random, 20000, {"a": 1.0, "b": 0.0, "c": 3.0}), minlength=3) / 20000
    assert np.allclose(share, [0.25, 0, 0.75], atol=0.02)
    bell = portable.bells(random, 20000, {"x": (2.0, 4.0)})["x"]
    assert (
        bell.min() >= 2
        and bell.max() <= 4
        and np.mean(np.abs(bell - 3) < 0.5) == pytest.approx(0.75, abs=0.02)
    )


@pytest.mark.parametrize("name", FILES)
def test_files_that_draw_call_nothing_that_machines_round_differently(name):
    tree = ast.parse((WORLDS / name).read_text())
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & INEXACT
    assert not any(
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) for node in ast.walk(tree)
    )
