"""A short version of benchmarks/hostile: a studio under attack answers an honest page, and nothing is lost."""

import sys
import threading
import time
from pathlib import Path

import pytest
from studio_page import running

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("websockets", reason="needs pip install 'motes[studio]'")

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.hostile import attacks
from benchmarks.hostile.studio import Honest
from motes.apps.studio.server import Studio
from motes.apps.studio.shelf import Shelf
from motes.apps.studio.uploads import LARGEST_FILE


@pytest.fixture(scope="module")
def served(tmp_path_factory, make_run):
    studio = Studio(Shelf([make_run(tmp_path_factory.mktemp("runs") / "shapes")]))
    with running(studio) as port:
        yield studio, port


@pytest.fixture(scope="module")
def honest(served):
    _, port = served
    honest = Honest(port)
    yield honest
    honest.close()


ATTACKS = {
    "messages": lambda port: attacks.messages(port, 300),
    "files": lambda port: attacks.files(port, 20, scale=0.01),
    "slow": lambda port: attacks.slow_clients(port, 12, seconds=0.5),
    "uploads": lambda port: attacks.large_uploads(port, 4, 2 * LARGEST_FILE),
    "foreign": lambda port: attacks.foreign_pages(port, 30),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_honest_page_keeps_all_it_has_while_others_attack(attack, served, honest):
    studio, port = served
    failures = []

    def attacking():
        try:
            ATTACKS[attack](port)
        except Exception as failure:
            failures.append(failure)

    attacker = threading.Thread(target=attacking, daemon=True)
    attacker.start()
    while attacker.is_alive():
        assert honest.same_as_before()
        time.sleep(0.02)
    assert not failures
    for _ in range(1200):
        if len(studio.desks) == 1 and not studio.uploads.in_flight:
            break
        time.sleep(0.025)
    assert len(studio.desks) == 1 and not studio.uploads.in_flight, "nothing is left of who went"
    assert honest.same_as_before()
