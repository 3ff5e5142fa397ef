"""The real nginx with deploy/nginx.conf in front of a real web process."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from agents.api import HEALTH
from agents.contract import protocol
from minerpanel.tests.nginx import CONFIGURATION, PANEL, Nginx
from minerpanel.tests.processes import PATIENCE, Miner, step_body, wait_until

CALLED = {HEALTH, *protocol.PATHS}


@pytest.fixture(scope="module")
def proxied(make_environment: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Miner]:
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "DEBUG": "1", "ALLOWED_HOSTS": "panel.example.com,127.0.0.1"}
    with Miner.running({**make_environment(tmp_path_factory.mktemp("data")), **settings}) as miner:
        yield miner


@pytest.fixture(scope="module")
def front(nginx: None, proxied: Miner) -> Iterator[Nginx]:
    with Nginx.started(proxied.web()) as running:
        yield running


def test_exactly_the_callers_paths_are_passed_on_as_they_are() -> None:
    public = CONFIGURATION.partition(PANEL)[0]
    assert set(re.findall(r"location = (\S+) \{[^}]*proxy_pass http://minerpanel; \}", public)) == CALLED
    assert public.count("proxy_pass http://minerpanel;") == len(CALLED)


def test_steps_pass_with_the_callers_address(front: Nginx, proxied: Miner) -> None:
    reply = httpx.post(f"{front.url}/step", json=step_body(), headers={"X-Forwarded-For": "203.0.113.9"}, timeout=PATIENCE)
    assert reply.status_code == 200
    assert reply.json()["tool_calls"]
    assert proxied.rows("SELECT address FROM agents_caller") == [("127.0.0.1",)], "a client can't choose its address"
    assert httpx.get(f"{front.url}/health", timeout=PATIENCE).json()["status"] == "healthy"


@pytest.mark.parametrize("path", ["/login/", "/", "/metrics", "/a/b?c=%0d%0aX:%20y", "/unknown/login/"])
def test_any_other_path_gets_the_miners_404_without_its_body(front: Nginx, path: str) -> None:
    for method in ("GET", "POST"):
        reply = wait_until(lambda method=method: in_rate(front.url + path, method), "it stays limited")  # type: ignore[misc]
        assert (reply.status_code, reply.json()["field"]) == (404, "path")
        assert reply.headers["Server"].startswith("nginx")
        assert path.partition("?")[0] in reply.json()["error"]


def in_rate(url: str, method: str) -> httpx.Response | None:
    """The answer, unless the rate is exceeded just now."""
    reply = httpx.request(method, url, content=b"x" * 100_000, timeout=PATIENCE)
    return None if reply.status_code == 429 else reply


def test_unknown_paths_are_limited_in_rate_and_steps_are_not_affected(front: Nginx) -> None:
    with httpx.Client(timeout=PATIENCE) as client, ThreadPoolExecutor(50) as pool:  # faster than a second, whatever the machine
        statuses = list(pool.map(lambda _: client.get(f"{front.url}/wp-login.php").status_code, range(100)))
        assert statuses.count(429) > 50
        limited = client.get(f"{front.url}/wp-login.php")
        if limited.status_code == 429:
            assert limited.json()["field"] == "request"
        assert client.post(f"{front.url}/step", json=step_body(1)).status_code == 200


def test_a_body_that_is_too_large_is_refused_as_json_while_it_is_sent(front: Nginx) -> None:
    reply = httpx.post(f"{front.url}/step", content=b"x" * 30_000_000, timeout=PATIENCE)
    assert (reply.status_code, json.loads(reply.content)["field"]) == (413, "body")


def test_the_panel_is_visited_by_https(front: Nginx) -> None:
    host, _, port = front.panel.removeprefix("https://").partition(":")
    command = ["curl", "--silent", "--show-error", "--cacert", str(front.certificate), "--resolve", f"{host}:{port}:127.0.0.1"]
    page = subprocess.run([*command, f"{front.panel}/login/"], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "csrfmiddlewaretoken" in page.stdout
