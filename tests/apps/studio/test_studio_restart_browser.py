"""A page whose studio is started again, with other runs or the same ones in another order."""

import pytest
from studio_page import CHROMIUM, needs_chromium, served

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

from motes.apps.studio.ports import free_port  # noqa: E402

pytestmark = needs_chromium


@pytest.fixture
def page():
    with playwright.sync_playwright() as control:
        browser = control.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def wait(page, condition):
    for _ in range(1600):
        if page.evaluate(
            f"() => {{ const state = window.motes?.store.state; return Boolean(state && ({condition})) }}"
        ):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never {condition}; {page.evaluate('motes.store.state.note')}")


def test_a_run_is_known_by_its_name_when_the_studio_comes_back(page, tmp_path, make_run):
    first, second = make_run(tmp_path / "first"), make_run(tmp_path / "second", "vae")
    port = free_port("127.0.0.1")
    with served([first, second], port=port) as address:
        page.goto(address)
        wait(page, "state.opened")
        page.select_option("#run", "1")
        wait(page, "state.opened?.run === 1 && state.opened.kind === 'code'")
    wait(page, "state.connected === null")
    with served([second, first], port=port):
        wait(page, "state.connected && state.exact && state.opened?.run === state.run")
        assert page.evaluate("motes.store.state.runs[motes.store.state.run].name") == "second"
        assert page.evaluate("motes.store.state.opened.kind") == "code", "the same model as before"
    wait(page, "state.connected === null")
    with served([first], port=port):
        wait(page, "state.connected && state.note.includes('second is not open in this studio')")
        assert page.evaluate("motes.store.state.opened.kind") == "code", (
            "what was shown stays, and is no other model's"
        )


def test_a_link_to_what_is_shown_does_not_carry_the_token(page, tmp_path, make_run):
    with served([make_run(tmp_path / "run")], port=free_port("127.0.0.1"), token="secret") as address:
        page.goto(f"{address}?token=secret")
        wait(page, "state.opened && state.exact")
        assert page.evaluate("location.href").startswith(f"{address}#")
        page.reload()
        wait(page, "state.opened && state.exact")
