"""Another package's model, data and preset have options, help, the contract and the studio like our own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CONFIG = """
from dataclasses import dataclass


@dataclass(frozen=True)
class BlocksConfig:
    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # blocks a side of the picture
    blocks: int = 8
"""

MODEL = '''
import torch
import torch.nn.functional as F
from torch import nn

from motes.models.base import Model, refuse_other_sizes
from motes.ops.pictures.image_loss import squared_error
from motes.types.batch import Losses
from motes.types.latents import Code

from .config import BlocksConfig


class Blocks(Model):
    """Pictures as the mean colours of blocks, from elsewhere."""

    Config = BlocksConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.gain = nn.Parameter(torch.full((config.channels, 1, 1), 0.5))

    def loss(self, batch):
        error = squared_error(self.decode(self.encode(batch.image)), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image):
        refuse_other_sizes(self.config, image)
        return Code(F.adaptive_avg_pool2d(image, self.config.blocks).flatten(1))

    def decode(self, latent):
        side = self.config.blocks
        blocks = latent.vector.unflatten(1, (self.config.channels, side, side))
        return self.gain * F.interpolate(blocks, size=self.config.image_size)
'''

DATA = '''
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motes.data.base import Dataset


@dataclass(frozen=True)
class GreysConfig:
    # the file of numbers
    path: str = ""
    image_size: tuple[int, int] = (16, 16)
    channels: int = 1


class Greys(Dataset):
    """Evenly grey pictures, as bright as the numbers of a file say."""

    Config = GreysConfig
    endings = (".greys",)

    def __init__(self, config, split="train"):
        self.config = config
        self.values = list(map(int, Path(config.path).read_text().split()))

    def __len__(self):
        return len(self.values)

    def pixels(self, rows):
        values = np.array([self.values[row] for row in rows], np.uint8)
        return np.ones((len(rows), 1, *self.config.image_size), np.uint8) * values[:, None, None, None]
'''

PRESET = """
from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

DATA = {"image_size": [16, 16], "count": 8, "held_out": 4}
QUICK = Preset("blocks of shapes", Recipe("blocks", Source("shapes", DATA), {"blocks": 4}, Training(steps=2, batch_size=4)))
"""

ENTRIES = """[motes.models]
blocks = elsewhere.model:Blocks
dlp = elsewhere.model:Blocks

[motes.data]
greys = elsewhere.data:Greys

[motes.presets]
blocks-quick = elsewhere.presets:QUICK
"""


@pytest.fixture
def elsewhere(tmp_path):
    """A folder in which a package is installed, as pip would."""
    package = tmp_path / "site" / "elsewhere"
    package.mkdir(parents=True)
    files = {"config": CONFIG, "model": MODEL, "data": DATA, "presets": PRESET, "__init__": ""}
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    facts = tmp_path / "site" / "elsewhere-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(ENTRIES)
    return tmp_path / "site"


def run(site, code, *words):
    """Runs lines of Python, or a command of motes if they are words, with the package installed."""
    program = (
        [sys.executable, "-c", code]
        if code
        else [sys.executable, "-m", "motes.apps.cli.main", *map(str, words)]
    )
    path = os.pathsep.join(map(str, (site, ROOT, ROOT / "tests")))
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    return subprocess.run(program, env=environment, text=True, capture_output=True, cwd=site.parent)


def told(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_lists_and_options_need_no_torch(elsewhere):
    code = """
import contextlib, sys
from motes.apps.cli.main import main
for words in (["--help"], ["train", "blocks", "--help"], ["train", "blocks-quick", "--help"], ["list"], ["list", "greys"]):
    with contextlib.suppress(SystemExit):
        main(words)
assert "torch" not in sys.modules and "elsewhere.model" not in sys.modules
"""
    out = told(run(elsewhere, code))
    assert "--model.blocks" in out and "blocks a side of the picture" in out
    assert "Pictures as the mean colours of blocks, from elsewhere" in out and "--data.path" in out
    wrong = run(elsewhere, "", "train", "blocks", "--data", "shapes", "--model.blokcs", "3")
    assert wrong.returncode == 2 and "did you mean '--model.blocks'" in wrong.stderr


def test_a_name_of_our_own_stays_ours(elsewhere):
    told(
        run(
            elsewhere,
            "from motes import MODELS; assert MODELS['dlp'].__module__ == 'motes.models.particles.dlp'",
        )
    )


def test_preset_and_data_are_trained_on_and_the_run_is_opened(elsewhere):
    place = elsewhere.parent
    told(run(elsewhere, "", "train", "blocks-quick", "--out", "quick", "--model.blocks", "2"))
    assert (place / "quick" / "report.html").is_file()
    (place / "some.greys").write_text(" ".join(map(str, range(0, 200, 10))))
    told(run(elsewhere, "", "train", "blocks", "--data", "some.greys", "--steps", "2", "--out", "greys"))
    told(run(elsewhere, "", "encode", "greys", "greys/samples", "--out", "codes"))
    told(run(elsewhere, "", "studio", "greys", "--export", "page", "--pictures", "greys/samples"))
    assert (place / "page" / "index.html").is_file() and (place / "codes" / "codes.npz").is_file()


def test_the_contract_holds_for_it(elsewhere):
    code = """
import tempfile
from pathlib import Path
import test_contract as contract
model = contract.make("blocks", {"image_size": (16, 16), "blocks": 4})
for test in (
    contract.test_config_is_small_and_frozen,
    contract.test_gradients_reach_what_a_stage_says_learns_and_nothing_else,
    contract.test_loss_falls,
    contract.test_a_picture_alone_is_decoded_as_in_a_batch,
    contract.test_decoding_what_was_encoded_has_the_pictures_shape,
    contract.test_a_latent_is_a_record_with_a_row_for_every_picture,
):
    test(model)
with tempfile.TemporaryDirectory() as folder:
    contract.test_saved_and_loaded_is_bit_identical(model, Path(folder))
"""
    told(run(elsewhere, code))


def test_a_package_that_is_broken_is_named_and_left_out(elsewhere):
    (elsewhere / "elsewhere" / "model.py").unlink()
    (elsewhere / "elsewhere" / "presets.py").write_text("QUICKER = None")
    done = run(elsewhere, "", "list")
    listed = told(done)
    assert "greys" in listed and "blocks" not in listed
    assert "elsewhere.model cannot be found" in done.stderr and "blocks-quick" in done.stderr
