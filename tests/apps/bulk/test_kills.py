"""Workers and drivers are killed while they encode: the rest finishes, and the same command completes it."""

import shutil
import signal
import time

import pytest

psutil = pytest.importorskip("psutil", reason="comes with dask.distributed")
distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")

pytestmark = pytest.mark.slow

# reading takes a while, so that kills come in between; one picture ends whoever reads it, as a decoder may
SITE = """
import os, signal, time
from PIL import Image
opened = Image.open
def slowly(file, *more, **options):
    time.sleep(0.1)
    if "killer" in str(getattr(file, "name", "")):
        os.kill(os.getpid(), signal.SIGKILL)
    return opened(file, *more, **options)
Image.open = slowly
"""


@pytest.fixture
def slow(bulk):
    (bulk.model.parent / "sitecustomize.py").write_text(SITE)
    for copy in range(1, 4):
        for path in sorted(bulk.pictures.glob("0?.png")):
            shutil.copy(path, bulk.pictures / f"{copy}-{path.name}")
    return bulk


def workers_of(driver):
    children = psutil.Process(driver.pid).children(recursive=True)
    return [child for child in children if any("spawn_main" in word for word in child.cmdline())]


def wait_for_parts(bulk, driver, count):
    while driver.poll() is None and (not bulk.out.exists() or len(bulk.parts()) < count):
        time.sleep(0.02)
    assert driver.poll() is None, driver.communicate()


def check_complete(bulk, pictures=40):
    names = bulk.names()
    assert len(names) == len(set(names)) == pictures
    assert len(bulk.files()) == len(bulk.parts()) + 1, "the parts and the summary, and no stray file"


def test_a_worker_that_is_killed_loses_nothing(slow):
    driver = slow.start("--workers", 2)
    wait_for_parts(slow, driver, 2)
    worker = workers_of(driver)[0]
    worker.kill()
    out, said = driver.communicate()
    assert driver.returncode == 0 and "40 pictures in 10 parts" in out, said
    assert "Traceback" not in said
    check_complete(slow)


def test_a_driver_that_is_killed_takes_its_workers_with_it_and_can_be_started_again(slow):
    driver = slow.start("--workers", 2)
    wait_for_parts(slow, driver, 2)
    workers = workers_of(driver)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    done = {path.name: path.stat().st_mtime_ns for path in slow.parts()}
    assert 2 <= len(done) < 10
    assert slow("--strict").returncode == 0
    check_complete(slow)
    again = {path.name: path.stat().st_mtime_ns for path in slow.parts()}
    assert done.items() <= again.items(), "what was done was not done again"


def test_a_picture_that_kills_its_worker_is_left_out_with_its_half_and_the_rest_finishes(bulk, monkeypatch):
    # as if the machine were so busy that a worker does not start anew in time
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "1ms")
    (bulk.model.parent / "sitecustomize.py").write_text(SITE)
    killer = bulk.pictures / "05-killer.png"
    shutil.copy(bulk.pictures / "00.png", killer)
    driver = bulk.start("--workers", 1, "--strict")
    out, said = driver.communicate()
    # of the part 04, 05-killer, 05, 06 the half 05, 06 is there
    assert driver.returncode == 1 and "9 pictures in 3 parts" in out, said
    assert "left out" in said and "ended its worker 3 times" in said and "Traceback" not in said
    assert bulk.names() == [f"{number:02d}.png" for number in range(10) if number != 4]
    killer.write_bytes(b"")
    done = bulk()
    assert done.returncode == 0 and "05-killer.png is empty" in done.stderr
    check_complete(bulk, 11)


def test_a_cluster_that_was_started_by_hand_encodes_too(bulk):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address=":0", silence_logs=50
    ) as cluster:
        done = bulk("--scheduler", cluster.scheduler_address)
        assert done.returncode == 0 and "10 pictures in 3 parts" in done.stdout, done.stderr
    check_complete(bulk, 10)
    (bulk.model / "config.json").rename(bulk.model / "other.json")
    assert bulk("--scheduler", cluster.scheduler_address).returncode == 2
    (bulk.model / "other.json").rename(bulk.model / "config.json")
    done = bulk("--scheduler", cluster.scheduler_address)
    assert done.returncode == 2 and "no scheduler of dask answers" in done.stderr
    assert "--workers are of this machine" in bulk("--workers", 2, "--scheduler", "tcp://x").stderr
