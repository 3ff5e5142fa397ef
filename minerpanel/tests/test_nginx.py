"""The real nginx with deploy/nginx.conf in front of a real web process."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agents.api import HEALTH
from agents.contract import protocol
from conftest import missing
from minerpanel.tests.processes import PATIENCE, ROOT, Miner, step_body, wait_until

CONFIGURATION = (ROOT / "deploy" / "nginx.conf").read_text()
PANEL = "# The panel by https"
# Where Debian puts it, besides what PATH names.
FOLDERS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
CALLED = {HEALTH, *protocol.PATHS, "/find_trayectory"}


@dataclass(frozen=True)
class Front:
    """A running nginx: the miner's address, the panel's by https, and the certificate to verify it by."""

    url: str
    panel: str
    certificate: Path
    miner: Miner


@pytest.fixture(scope="module")
def front(make_environment, tmp_path_factory) -> Iterator[Front]:  # type: ignore[no-untyped-def] # as in conftest
    nginx = shutil.which("nginx", path=FOLDERS)
    if nginx is None:
        missing("nginx", "Run: sudo apt-get install nginx-light")
    folder, data = tmp_path_factory.mktemp("nginx"), tmp_path_factory.mktemp("data")
    port, tls_port = free_port(), free_port()
    proxied = {"TRUSTED_PROXIES": "127.0.0.1", "DEBUG": "1", "ALLOWED_HOSTS": "panel.example.com,127.0.0.1"}
    with Miner.running({**make_environment(data), **proxied}) as miner:
        certificate = self_signed(folder)
        (folder / "nginx.conf").write_text(whole(folder, miner.web(), port, tls_port))
        process = subprocess.Popen([str(nginx), "-c", str(folder / "nginx.conf"), "-p", str(folder)])
        try:
            wait_until(lambda: answers(port) and answers(tls_port), "nginx does not listen")
            yield Front(f"http://127.0.0.1:{port}", f"https://panel.example.com:{tls_port}", certificate, miner)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def whole(folder: Path, miner: str, port: int, tls_port: int) -> str:
    """A configuration around ours, with the panel's block in force, as an unprivileged user can run it."""
    before, _, panel = CONFIGURATION.partition(PANEL)
    panel = "\n".join(line.removeprefix("#") for line in panel.splitlines()[2:])
    for name in ("fullchain.pem", "privkey.pem"):
        panel = panel.replace(f"/etc/letsencrypt/live/panel.example.com/{name}", str(folder / name))
    ours = (
        (before + panel).replace("listen 80;", f"listen 127.0.0.1:{port};").replace("listen 443 ssl;", f"listen 127.0.0.1:{tls_port} ssl;")
    )
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    ours = ours.replace("server 127.0.0.1:8000;", f"server {miner.removeprefix('http://')};")
    user = "user root;" if os.geteuid() == 0 else ""
    return f"{user} daemon off; pid {folder}/pid; error_log stderr crit; events {{}} http {{ access_log off; {temporary} {ours} }}"


def self_signed(folder: Path) -> Path:
    certificate = folder / "fullchain.pem"
    names = ["-subj", "/CN=panel.example.com", "-addext", "subjectAltName=DNS:panel.example.com"]
    made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(folder / "privkey.pem"), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *made, *names], check=True, capture_output=True, timeout=PATIENCE)
    return certificate


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return False
    return True


def test_exactly_the_callers_paths_are_passed_on_as_they_are() -> None:
    public = CONFIGURATION.partition(PANEL)[0]
    assert set(re.findall(r"location = (\S+) \{[^}]*proxy_pass http://minerpanel; \}", public)) == CALLED
    assert public.count("proxy_pass http://minerpanel;") == len(CALLED)


def test_steps_pass_with_the_callers_address(front: Front) -> None:
    reply = httpx.post(f"{front.url}/step", json=step_body(), headers={"X-Forwarded-For": "203.0.113.9"}, timeout=PATIENCE)
    assert reply.status_code == 200
    assert reply.json()["tool_calls"]
    assert front.miner.rows("SELECT address FROM agents_caller") == [("127.0.0.1",)], "a client can't choose its address"
    assert httpx.get(f"{front.url}/health", timeout=PATIENCE).json()["status"] == "healthy"


@pytest.mark.parametrize("path", ["/login/", "/", "/metrics", "/a/b?c=%0d%0aX:%20y", "/unknown/login/"])
def test_any_other_path_gets_the_miners_404_without_its_body(front: Front, path: str) -> None:
    for method in ("GET", "POST"):
        reply = wait_until(lambda method=method: in_rate(front.url + path, method), "it stays limited")  # type: ignore[misc]
        assert (reply.status_code, reply.json()["field"]) == (404, "path")
        assert reply.headers["Server"].startswith("nginx")
        assert path.partition("?")[0] in reply.json()["error"]


def in_rate(url: str, method: str) -> httpx.Response | None:
    """The answer, unless the rate is exceeded just now."""
    reply = httpx.request(method, url, content=b"x" * 100_000, timeout=PATIENCE)
    return None if reply.status_code == 429 else reply


def test_unknown_paths_are_limited_in_rate_and_steps_are_not_affected(front: Front) -> None:
    with httpx.Client(timeout=PATIENCE) as client, ThreadPoolExecutor(50) as pool:  # faster than a second, whatever the machine
        statuses = list(pool.map(lambda _: client.get(f"{front.url}/wp-login.php").status_code, range(100)))
        assert statuses.count(429) > 50
        limited = client.get(f"{front.url}/wp-login.php")
        if limited.status_code == 429:
            assert limited.json()["field"] == "request"
        assert client.post(f"{front.url}/step", json=step_body(1)).status_code == 200


def test_a_body_that_is_too_large_is_refused_as_json_while_it_is_sent(front: Front) -> None:
    reply = httpx.post(f"{front.url}/step", content=b"x" * 30_000_000, timeout=PATIENCE)
    assert (reply.status_code, json.loads(reply.content)["field"]) == (413, "body")


def test_the_panel_is_visited_by_https(front: Front) -> None:
    host, _, port = front.panel.removeprefix("https://").partition(":")
    command = ["curl", "--silent", "--show-error", "--cacert", str(front.certificate), "--resolve", f"{host}:{port}:127.0.0.1"]
    page = subprocess.run([*command, f"{front.panel}/login/"], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "csrfmiddlewaretoken" in page.stdout
