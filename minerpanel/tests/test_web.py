"""The web process as production starts it."""

import http.client
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from minerpanel.tests import processes

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # seconds
COMMAND = [sys.executable, "-m", "minerpanel.serve"]
BY_HTTPS = {"X-Forwarded-Proto": "https"}


@contextmanager
def web(environment: dict[str, str], port: int, **more: str) -> Iterator[int]:
    # With DEBUG, pages need no collected static files
    process = subprocess.Popen(COMMAND, cwd=ROOT, env={**environment, "PORT": str(port), "DEBUG": "1", **more})
    try:
        wait_until_it_listens(port)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_until_it_listens(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            get(port, "/health")
        except OSError:
            assert time.monotonic() < end, "It does not listen."
            time.sleep(0.1)
        else:
            return


def get(port: int, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers or {})
    return connection.getresponse()


@pytest.fixture(scope="module")
def behind_a_proxy(make_environment: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a process that read-only tests share; they are its trusted proxy."""
    environment = make_environment(tmp_path_factory.mktemp("proxied"))
    with web(environment, processes.free_port(), HTTPS="1", TRUSTED_PROXIES="127.0.0.1") as port:
        yield port


def test_a_browser_that_came_by_https_gets_secure_cookies(behind_a_proxy: int) -> None:
    assert get(behind_a_proxy, "/login/").headers["Location"].startswith("https://")
    page = get(behind_a_proxy, "/login/", BY_HTTPS)
    assert page.status == 200
    assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert all("Secure" in cookie for cookie in page.headers.get_all("Set-Cookie", []))
    assert get(behind_a_proxy, "/health").status == 200  # validators come by http


def test_pages_have_a_content_security_policy(behind_a_proxy: int) -> None:
    headers = get(behind_a_proxy, "/login/", BY_HTTPS).headers
    policy = {directive.strip() for directive in headers["Content-Security-Policy"].split(";")}
    assert {"default-src 'self'", "img-src 'self' data:", "frame-ancestors 'none'", "base-uri 'none'"} <= policy
    assert not any("unsafe" in directive for directive in policy)
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")


def test_the_scheme_of_an_untrusted_address_is_ignored(process_environment: dict[str, str], free_port: int) -> None:
    with web(process_environment, free_port, HTTPS="1", TRUSTED_PROXIES="192.0.2.1") as port:
        assert get(port, "/login/", BY_HTTPS).status == 301


def test_a_bad_setting_stops_the_start_with_its_id_and_hint(process_environment: dict[str, str], free_port: int) -> None:
    environment = {**process_environment, "PORT": str(free_port), "SECRET_KEY": "weak"}
    result = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode != 0
    assert "agents.E002" in result.stderr
    assert "make setup writes such a key" in result.stderr


def test_garbage_collection_skips_modules_loaded_at_the_start(process_environment: dict[str, str]) -> None:
    code = (
        "import gc, django\n"
        "django.setup()\n"
        "from minerpanel.serve import freeze_loaded_modules\n"
        "freeze_loaded_modules()\n"
        "print(len(gc.get_objects()), gc.get_freeze_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=process_environment, check=True, capture_output=True, text=True)
    looked_at, left_alone = map(int, done.stdout.split())
    assert looked_at < left_alone / 10
