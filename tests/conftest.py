"""What every test may ask for: an empty database of either kind, a queue server, settings, a browser."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
import redis
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from foundation import database
from foundation.settings import Settings
from referrals.duty import Duty
from tests import builders, compiled, hashing, servers, syntax
from tests.builders import Town

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# On a busy machine one example may be slow, and the drawing of all; a test that hangs is ended by its time limit.
hypothesis.settings.register_profile(
    "waypost", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("waypost")

# The house's tables and pages stay for the whole run: looking through them at every 700 new objects, as Python does by
# itself, is a tenth of the time.
gc.set_threshold(100_000, 50, 100)

hashing.cheapen()
compiled.keep_templates()
compiled.keep_addresses()
syntax.take_turns()

# Thousands of small databases sync each commit; in memory that costs nothing, and SQLite does the same there.
_MEMORY, _ENOUGH = Path("/dev/shm"), 2 * 1024**3
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

_CHROMIUM = Path(__file__).parent.parent / ".venv" / "chromium"
_SWITCHES = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_SWITCHES += ["--disable-component-update", "--disable-sync"]
_NO_BROWSER = "no Chromium can be had here"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL, one for each process of the run."""
    with servers.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def _valkey_url() -> Iterator[str]:
    with servers.valkey() as url:
        yield url


@pytest.fixture
def redis_url(_valkey_url: str) -> str:
    """A real Valkey, emptied for this test."""
    redis.Redis.from_url(_valkey_url).flushall()
    return _valkey_url


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "waypost.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _migrated_database(postgresql_url: str) -> str:
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute("CREATE DATABASE waypost")
    url = make_url(postgresql_url).set(database="waypost").render_as_string(hide_password=False)
    _migrate(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database without rows, for this test alone; each test runs on both kinds."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("_migrated_file"), tmp_path / "waypost.db")
        yield f"sqlite:///{tmp_path / 'waypost.db'}"
    else:
        url = request.getfixturevalue("_migrated_database")
        servers.empty(url)
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on `database_url`."""
    made = database.make_engine(database_url)
    compiled.keep_statements(made)
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session inside one open transaction, committed at the end.

    It holds SQLite's one write lock: a test that calls what opens its own transaction takes `engine` instead.
    """
    with database.transaction(engine) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a test: a SQLite file that is not there yet, no queue, no Twilio, no mail.

    With a real database: `dataclasses.replace(settings, database_url=database_url)`.
    """
    return Settings.from_mapping(
        {
            "SECRET_KEY": "only the tests know this key, and nobody else",
            "DEPLOYMENT": "test.waypost.example",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'settings.db'}",
            "ATTACHMENTS_FOLDER": str(tmp_path / "attachments"),
            "ATTACHMENTS_RESERVE_BYTES": "0",
        }
    )


@pytest.fixture
def town(engine: Engine, settings: Settings) -> Town:
    """The demonstration directory on `engine`, with its keys."""
    return builders.found(engine, settings)


@pytest.fixture
def duty(town: Town) -> Duty:
    """What a worker of that town works with."""
    return Duty(town.engine, town.settings, town.keys)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for Playwright, one for each process of the run."""
    # Loaded here: most runs of a few tests need no browser.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=_chromium(), args=_SWITCHES)
        yield launched
        launched.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs a browser and keeps it in one process, which starts it once; the journeys are in another
    beside it, which starts the house once."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            if not _chromium():
                item.add_marker(pytest.mark.skip(reason=_NO_BROWSER))
        elif "journeys" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("journeys"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a run without a browser is a failure, however green the rest."""
    if _browser_tests_not_run(session.config) and os.environ.get("CI") == "true" and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says at the end, where it is read, what did not run."""
    if left_out := _browser_tests_not_run(config):
        terminalreporter.line(
            f"NOT run: {left_out} tests of pages in a browser, since {_NO_BROWSER}.", red=True
        )


def _chromium() -> str:
    """The path of a Chromium: what setup/chromium.py found, or what came later, or nothing."""
    found = _CHROMIUM.read_text() if _CHROMIUM.exists() else ""
    return found or shutil.which("chromium") or shutil.which("google-chrome") or ""


def _browser_tests_not_run(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    return sum(_NO_BROWSER in str(report.longrepr) for report in skipped)


def _migrate(url: str) -> None:
    engine = database.make_engine(url)
    database.migrate(engine)
    engine.dispose()
