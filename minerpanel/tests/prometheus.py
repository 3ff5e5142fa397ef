"""The real Prometheus for tests: its checks, and a server that scrapes a miner."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from minerpanel.tests.processes import PATIENCE, ROOT, NotInstalled, free_port, wait_until

RULES = ROOT / "deploy/prometheus"
VARIABLES = {"$__rate_interval": "1m", "$__range": "5m", "$job": "minerpanel", "$instance": ".*", "$miner": ".*"}
CONFIGURATION = (RULES / "prometheus.yml").read_text()


def program(name: str) -> str:
    """Its path. Raises NotInstalled."""
    path = shutil.which(name)
    if path is None:
        raise NotInstalled(f"{name} is not installed. Run: sudo apt-get install prometheus")
    return path


def promtool(*arguments: str, given: bytes = b"") -> str:
    """What promtool prints; fails where it finds a fault, a lint's too."""
    done = subprocess.run([program("promtool"), *arguments], cwd=RULES, input=given, capture_output=True, timeout=PATIENCE, check=False)
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, printed
    return printed


def board() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    read: dict[str, Any] = json.loads((ROOT / "deploy/grafana/minerpanel.json").read_text())
    return read


def queries() -> dict[str, str]:
    """Each panel's queries by title and legend, with Grafana's variables replaced as it would for a short time."""
    by_name = {}
    for panel in board()["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            by_name[f"{panel['title']}: {target['legendFormat']}"] = expression
    return by_name


@contextmanager
def scraping(miner: str, token: str, folder: Path) -> "Iterator[str]":
    """A Prometheus with our configuration that scrapes the miner at `miner` each second; its address."""
    port = free_port()
    (folder / "metrics_token").write_text(token)
    ours = CONFIGURATION.replace("15s", "1s").replace("127.0.0.1:8000", miner.removeprefix("http://"))
    (folder / "prometheus.yml").write_text(ours)
    shutil.copy(RULES / "alerts.yml", folder)
    command = [program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until(lambda: _ready(port), "Prometheus does not answer")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def values(prometheus: str, query: str) -> list[float]:
    """What a query returns now, without what is not a number."""
    answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}, timeout=PATIENCE).json()
    assert answer["status"] == "success", answer
    listed = [float(series["value"][1]) for series in answer["data"]["result"]]
    return [value for value in listed if value == value]  # noqa: PLR0124 -- NaN alone differs from itself
