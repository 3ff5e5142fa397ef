"""What all tests share: a hermetic environment, a database file, a browser, a Postgres server, whole processes."""

import fcntl
import gc
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest
from dotenv import dotenv_values
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent
DATA = Path(tempfile.mkdtemp(prefix="minerpanel-tests-"))
gc.disable()  # until the tests are loaded: hardly anything of that is garbage

# Before Django reads them: the environment wins over .env and an empty value counts as not set
os.environ.update(dict.fromkeys(dotenv_values(ROOT / ".env.example"), ""))
os.environ.update(
    DJANGO_SETTINGS_MODULE="minerpanel.settings",
    DATA_DIR=str(DATA),
    SECRET_KEY="made-up-for-the-tests-" + "0123456789abcdef" * 3,
    CHUTES_BASE_URL="http://127.0.0.1:9/v1",  # no test may reach the provider: nothing listens on this port
    CHUTES_MANAGEMENT_URL="http://127.0.0.1:9",
    PRIVATE_PROVIDER_HOSTS="127.0.0.1:1-65535,localhost:1-65535",  # where the tests' own servers are
    DATABASE_URL=os.environ.get("TESTS_DATABASE_URL", ""),  # a migrated Postgres database, for minerpanel/tests/test_on_postgres.py
)
django.setup()

from django.conf import settings  # noqa: E402 -- after the environment
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.template.base import Template  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

from agents.database import breaker  # noqa: E402
from agents.devtools.fake_chutes.process import FakeChutes  # noqa: E402
from agents.hybrid import later, page_archive  # noqa: E402
from minerpanel.tests import processes  # noqa: E402
from minerpanel.tests import prometheus as prometheus_server  # noqa: E402
from minerpanel.tests.nginx import program  # noqa: E402
from minerpanel.tests.postgres import PostgresServer  # noqa: E402
from monitoring.users import users  # noqa: E402

if settings.DATA_DIR != DATA:
    raise pytest.UsageError("The settings were read before the tests' environment was made. Unset DJANGO_SETTINGS_MODULE.")

# Hashed names need collectstatic, and slow password hashes are what production wants
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The middleware warns of a folder that is not there; tests' pages need none of what would be in it
settings.STATIC_ROOT = DATA / "static"
settings.STATIC_ROOT.mkdir()

# No caller waits for an answer here, and each test waits for the pages it left
later.AFTER_ANSWER = 0.0
# A test's rows are its own: the background writer would write into other tests' databases
logging.getLogger().removeHandler(next(handler for handler in logging.getLogger().handlers if handler.name == "rows"))

# No test depends on how fast the machine is, and each run tries the same; `make test-random` tries others, and more of them
ANY_SPEED: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
hypothesis_settings.register_profile("panel", **ANY_SPEED, derandomize=True)
hypothesis_settings.register_profile("random", **ANY_SPEED, derandomize=False, max_examples=500)
hypothesis_settings.load_profile("panel")

RENDER = Template._render  # type: ignore[attr-defined] # noqa: SLF001 -- as it is before Django's test environment wraps it

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


# What a test that asks for one of these does: start whole processes, drive a browser, make days of records.
MARKED_BY_FIXTURE = {
    "make_environment": "process",
    "shared_fake_chutes": "process",
    "chromium": "browser",
    "postgres": "postgres",
    "prometheus": "process",
    "days": "long",
    "weeks": "long",
}


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    for fixture in set(getattr(item, "fixturenames", ())) & set(MARKED_BY_FIXTURE):
        item.add_marker(MARKED_BY_FIXTURE[fixture])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test process begins with its share of the long tests: at the end, one would wait for the others."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if _is_long(item)]
    shares: list[list[str]] = [[] for _ in range(processes)]
    counts = Counter(map(_group, long))
    for group, _ in counts.most_common():
        min(shares, key=lambda share: sum(counts[each] for each in share)).append(group)
    chosen = set(long)
    rest = iter([item for item in items if item not in chosen])
    ordered: list[pytest.Item] = []
    for process, share in enumerate(shares):
        ordered += sorted((item for item in long if _group(item) in share), key=lambda item: share.index(_group(item)))
        ordered += islice(rest, max(0, len(items) * (process + 1) // processes - len(ordered)))
    items[:] = [*ordered, *rest]


def _is_long(item: pytest.Item) -> bool:
    of_processes = item.get_closest_marker("process") and not item.get_closest_marker("django_db")
    return bool(of_processes or item.get_closest_marker("postgres"))


def _group(item: pytest.Item) -> str:
    """What belongs together: tests of a file, all that look at the shared panel, and all on Postgres, whose server is shared too."""
    if item.get_closest_marker("postgres"):
        return "postgres"
    return "panel" if "panel" in getattr(item, "fixturenames", ()) else str(item.path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Test processes read the settings when the environment above is theirs.

    Where they inherit the settings' name, pytest-django reads them before, and all have the data folder and the database of this process.
    """
    del os.environ["DJANGO_SETTINGS_MODULE"]


following: pytest.Item | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    global following  # noqa: PLW0603 -- what pytest tells no fixture
    following = nextitem


def pytest_collection_finish() -> None:
    """What was loaded stays: to look for garbage in it again and again takes a twentieth of the tests' time."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file for the test database: one in memory locks otherwise than the real one."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
    else:
        database["TEST"]["NAME"] = database["NAME"]


@pytest.fixture(scope="session", autouse=True)
def templates_as_they_are(django_test_environment: None) -> None:
    """No test asks which templates a page was made of; to note that, with a copy of each one's context, takes a quarter of its time."""
    Template._render = RENDER  # type: ignore[attr-defined] # noqa: SLF001 -- undoes what Django does to it


@pytest.fixture(autouse=True)
def pages_written() -> Iterator[None]:
    """The thread that keeps steps' pages is done before the test's database is taken away."""
    yield
    page_archive.waiting.join()


@pytest.fixture(autouse=True)
def closed_breaker() -> Iterator[None]:
    """No test finds the database given up by the one before, nor facts that wait for it: steps of their task would wait with them."""
    yield
    breaker.close()
    shutil.rmtree(DATA / "spool", ignore_errors=True)


@pytest.fixture
def no_database() -> Iterator[None]:
    """A database file that can't be opened. For tests with `transaction=True`."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/nowhere/at/all.sqlite3"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


@pytest.fixture(scope="session")
def shared_fake_chutes() -> Iterator[FakeChutes]:
    """One process for all tests of a test process."""
    with FakeChutes.started() as running:
        yield running


@pytest.fixture
def fake_chutes(shared_fake_chutes: FakeChutes) -> FakeChutes:
    """Fake Chutes as it is when it has just started."""
    shared_fake_chutes.reset()
    return shared_fake_chutes


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on just now."""
    return processes.free_port()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """As pytest-django makes it, in one test process for all; returns a copy as it is before the first test."""
    shared = tmp_path_factory.getbasetemp() if "PYTEST_XDIST_WORKER" not in os.environ else tmp_path_factory.getbasetemp().parent
    path = shared / "migrated" / "panel.sqlite3"
    path.parent.mkdir(exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            name = settings.DATABASES["default"]["TEST"]["NAME"]
            shutil.copy(path, name)
            connection.close()
            settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        else:
            request.getfixturevalue("django_db_setup")
            if connection.vendor == "sqlite":
                with django_db_blocker.unblock(), connection.cursor() as cursor:
                    if "django_migrations" not in connection.introspection.table_names(cursor):  # no test of this run asks for a database
                        call_command("migrate", verbosity=0)
                    users.ensure_groups()
                    cursor.execute("VACUUM INTO %s", [str(path)])
    if connection.vendor == "sqlite":
        TransactionTestCase._fixture_teardown = staticmethod(partial(put_back, path))  # type: ignore[attr-defined] # noqa: SLF001 -- see there
    return path


def put_back(path: Path) -> None:
    """The test's database becomes a copy of `path`, in a hundredth of the time that Django's way takes: to empty and fill all tables."""
    with closing(sqlite3.connect(path)) as migrated:
        connection.ensure_connection()
        migrated.backup(connection.connection)


@pytest.fixture(scope="session")
def make_environment(django_db_setup: Path) -> Callable[[Path], dict[str, str]]:
    """From a data folder to an environment for processes, with a migrated database there."""

    def make(folder: Path) -> dict[str, str]:
        shutil.copy(django_db_setup, folder)
        return {**os.environ, "DATA_DIR": str(folder)}

    return make


@pytest.fixture
def process_environment(make_environment: Callable[[Path], dict[str, str]], tmp_path: Path) -> dict[str, str]:
    """An environment for processes of a test's own, with a data folder and a migrated database of their own."""
    return make_environment(tmp_path)


def missing(what: str, remedy: str) -> None:
    """Skip a test whose tool is not installed; fail where all tools are to be there (CI=true)."""
    stop: Callable[[str], object] = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    stop(f"{what} is not installed. {remedy}")


@pytest.fixture(scope="session")
def chromium() -> dict[str, object]:
    """Arguments for Playwright's `chromium.launch(**chromium)`, with the browser of the system."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        missing("Chromium", "Run: sudo apt-get install chromium")
    return {"executable_path": path, "args": CHROMIUM_ARGS}


browsers = ExitStack()
opened: list[Browser] = []


@pytest.fixture
def browser(chromium: dict[str, Any], django_db_setup: Path) -> Iterator[Browser]:
    """One for all browser tests that follow each other. Playwright's loop must be over when others ask the database."""
    if not opened:
        opened.append(browsers.enter_context(sync_playwright()).chromium.launch(**chromium))
        browsers.callback(opened.clear)
        browsers.callback(opened[0].close)
    yield opened[0]
    if "browser" not in getattr(following, "fixturenames", ()):
        browsers.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Postgres server of the tests' own."""
    try:
        with PostgresServer.started() as server:
            yield server
    except processes.NotInstalled:
        missing("Postgres", "Run: sudo apt-get install postgresql")


@pytest.fixture(scope="session")
def nginx() -> None:
    """For tests that start the real one."""
    try:
        program()
    except processes.NotInstalled:
        missing("nginx", "Run: sudo apt-get install nginx-light")


@pytest.fixture(scope="session")
def prometheus() -> None:
    """For tests that use the real one, or its promtool."""
    try:
        prometheus_server.program("prometheus")
    except processes.NotInstalled:
        missing("Prometheus", "Run: sudo apt-get install prometheus")


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a migrated database on that server, to be copied."""
    with psycopg.connect(f"{postgres.url}/postgres", autocommit=True) as database:
        database.execute("CREATE DATABASE migrated")
    environment = {**os.environ, "DATABASE_URL": f"{postgres.url}/migrated"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True, timeout=300)
    return "migrated"


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated Postgres database of the test's own."""
    with postgres.database(postgres_template) as url:
        yield url
