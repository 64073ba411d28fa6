"""One house per language, one browser, and a person with a new profile for each test."""

from collections.abc import AsyncIterator, Generator
from pathlib import Path
import shutil

from playwright.async_api import Browser
import pytest

from demo.words import Language

from .chromium import DESKTOP, PHONE, chromium, visit
from .evidence import Evidence
from .examine import examine
from .house import House, house
from .person import Person

FAILURES = Path(__file__).parent.parent / "build" / "browser"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that take the pictures and the figures of the documentation."""
    parser.addoption("--pictures", action="store_true", help="take the pictures in docs/img")
    parser.addoption("--figures", action="store_true", help="measure how fast the page is with many bindings")


def pytest_sessionstart() -> None:
    """Forget the failures of the last run."""
    shutil.rmtree(FAILURES, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know whether their test has failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


SEARCHED = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def evidence(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Evidence]:
    """Collect what all houses and browsers leave behind; after the last of them, there is no secret in it."""
    collected = Evidence(tmp_path_factory.mktemp("evidence"))
    yield collected
    found, request.config.stash[SEARCHED] = collected.search()
    assert not found, "\n".join(found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was searched for secrets."""
    if searched := config.stash.get(SEARCHED, ""):
        terminalreporter.write_line(searched)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run the browser."""
    async with chromium() as running:
        yield running


@pytest.fixture(scope="session", params=list(Language), name="house")
async def _house(
    request: pytest.FixtureRequest, browser: Browser, evidence: Evidence, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Run a house in each language."""
    async with house(tmp_path_factory.mktemp("house"), request.param, evidence) as running:
        yield running
        await examine(browser, running)


@pytest.fixture
def viewport(request: pytest.FixtureRequest) -> dict[str, int]:
    """Return the size of the screen: a desktop, or a phone for tests with this mark."""
    return PHONE if request.node.get_closest_marker("phone") else DESKTOP


@pytest.fixture
async def person(
    request: pytest.FixtureRequest, browser: Browser, house: House, viewport: dict[str, int]
) -> AsyncIterator[Person]:
    """Put somebody in front of the browser; complaints fail the test, and a failure leaves a picture."""
    async with visit(browser, house, viewport) as context:
        page = await context.new_page()
        someone = Person(page, house, pictures=request.config.getoption("--pictures"))
        yield someone
        # Home Assistant's page complains about the end of its connection.
        complaints = [*someone.complaints]
        if request.node.stash.get(FAILED, False) or complaints:
            FAILURES.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=FAILURES / f"{request.node.name}.png")
    for entry in await house.home.entries("aliyun_iot"):  # what the person has set up
        if entry["entry_id"] != house.entry_id:
            await house.request("DELETE", f"config/config_entries/entry/{entry['entry_id']}")
    assert not complaints, "\n".join(complaints)
