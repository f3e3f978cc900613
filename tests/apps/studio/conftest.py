"""A Chromium and the pages that are opened in it."""

import pytest
from studio_page import CHROMIUM, Page, served


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
    with playwright.sync_playwright() as control:
        browser = control.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def runs(tmp_path_factory, make_run):
    folder = tmp_path_factory.mktemp("browser")
    return [
        make_run(folder / name, model)
        for name, model in (("objects", "dlp"), ("masked", "dlp-masked"), ("code", "vae"))
    ]


@pytest.fixture(scope="module")
def address(runs):
    with served(runs) as address:
        yield address


@pytest.fixture
def open_page(browser, address):
    made = []

    def opening(address=address, **options):
        context = browser.new_context(
            **{"viewport": {"width": 1360, "height": 860}, "accept_downloads": True, **options}
        )
        made.append((context, Page(context.new_page(), address)))
        return made[-1][1]

    yield opening
    for context, page in made:
        context.close()
        assert not page.faults, page.faults
        assert not page.foreign, "no request leaves the machine"
