"""From a clean clone: what a newcomer types, as real processes."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import HTTPError

import pytest

from conftest import missing
from monitoring.management.commands.mcp import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
FIRST_START = 300.0  # seconds; downloads packages where pip has no cache
PATIENCE = 180.0
WEB, WORKER, ASSISTANTS = "minerpanel.serve --end", "manage.py worker", "manage.py mcp"
CHANGE = "miner_settings spacing_seconds=2 backoff_seconds=60,120,240,480"
SIMULATE = "simulate bench/scenarios/02_limit_60.json --settings pacing=auto"

pytestmark = pytest.mark.process


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of this tree as a clone would have them, with what is not committed yet."""
    folder = tmp_path / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


class Running:
    """`make run` or `make demo` in the foreground of a session of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.process, self.log, self.address = process, log, f"http://127.0.0.1:{port}"

    def output(self) -> str:
        return self.log.read_text()

    def announced(self) -> bool:
        assert self.process.poll() is None, self.output()
        return "The panel is at" in self.output()

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:
                return bool(json.load(answer)["status"] == "healthy")
        except OSError:
            return False

    def pid(self, part: str) -> int:
        """The id of the oldest process below the clone whose command line contains `part`; 0 if there is none."""
        return min((pid for pid, line in processes_below(self.log.parent).items() if part in line), default=0)


@contextmanager
def running(clone: Path, port: int, target: str = "run", **more: str) -> Iterator[Running]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PIP_CACHE_DIR", "PIP_INDEX_URL", "PIP_FIND_LINKS") if name in os.environ}
    log = clone / f"{target}-{time.time_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", target], cwd=clone, env={**kept, "PORT": str(port), **more}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield Running(process, log, port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


@pytest.mark.slow
def test_a_first_start_with_all_packages_installed(clone: Path) -> None:
    (clone / ".venv").symlink_to(sys.prefix)
    port = free_ports(1)
    the_first_start_sets_up(clone, port)
    a_second_start_installs_nothing_and_settings_can_be_changed(clone, port)


@pytest.mark.slow
def test_a_first_start_by_the_readme_works(clone: Path) -> None:
    port = free_ports(1)
    the_first_start_sets_up(clone, port)
    a_second_start_installs_nothing_and_settings_can_be_changed(clone, port)
    the_demo_answers_validators(clone, port, free_ports(2))
    make_clean_leaves_the_data(clone)


@pytest.mark.slow
def test_assistants_are_answered_beside_the_panel_and_restarted_alone(clone: Path) -> None:
    if not PACKAGES.is_dir():
        missing("The package mcp", "Run: bin/install requirements-mcp.txt")
    link_packages(clone)
    port = free_ports(2)
    with running(clone, port, MCP_PORT=str(port + 1)) as panel:
        wait_for(panel.announced, FIRST_START)
        wait_for(lambda: refuses_without_a_token(port + 1), PATIENCE)
        web, killed = panel.pid(WEB), panel.pid(ASSISTANTS)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: panel.pid(ASSISTANTS) not in (0, killed) and refuses_without_a_token(port + 1), PATIENCE)
        assert panel.pid(WEB) == web and panel.healthy()
    wait_for(lambda: processes_below(clone) == {}, PATIENCE)


@pytest.mark.slow
def test_without_the_packages_of_assistants_the_panel_runs_and_logs_that_once(clone: Path) -> None:
    link_packages(clone, "mcp")
    port = free_ports(2)
    with running(clone, port, MCP_PORT=str(port + 1)) as panel:
        wait_for(panel.announced, FIRST_START)
        wait_for(lambda: panel.pid(ASSISTANTS) == 0, PATIENCE)
        assert panel.output().count("Run: bin/install requirements-mcp.txt") == 1
        assert panel.healthy()


def link_packages(clone: Path, *without: str) -> None:
    """A .venv with what this one has, but for some of its folders."""
    (clone / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name not in (*without, "supervisord.pid"):
            (clone / ".venv" / entry.name).symlink_to(entry)


def refuses_without_a_token(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/mcp", b"{}", timeout=5).close()
    except OSError as error:  # an HTTPError is one
        return isinstance(error, HTTPError) and error.code == 401
    return False


def the_first_start_sets_up(clone: Path, port: int) -> None:
    with running(clone, port) as panel:
        wait_for(panel.announced, FIRST_START)
        assert panel.healthy()
        assert panel.output().rstrip().endswith(f"The panel is at {panel.address}/")
        assert panel.output().count("First admin: admin, password: ") == 1
        assert stat.S_IMODE((clone / ".env").stat().st_mode) == 0o600
        the_login_page_has_its_style(panel)
        web_is_restarted_alone(panel)
    wait_for(lambda: processes_below(clone) == {}, PATIENCE)


def the_login_page_has_its_style(panel: Running) -> None:
    with urllib.request.urlopen(f"{panel.address}/login/", timeout=PATIENCE) as page:
        styles = re.findall(r'href="(/static/[^"]+\.css)"', page.read().decode())
    assert styles
    for style in styles:
        with urllib.request.urlopen(panel.address + style, timeout=PATIENCE) as answer:
            assert "immutable" in answer.headers["Cache-Control"]  # its name changes with its content


def web_is_restarted_alone(panel: Running) -> None:
    web, worker = panel.pid(WEB), panel.pid(WORKER)
    os.kill(web, signal.SIGKILL)
    wait_for(lambda: panel.pid(WEB) not in (0, web) and panel.healthy(), PATIENCE)
    assert panel.pid(WORKER) == worker


def a_second_start_installs_nothing_and_settings_can_be_changed(clone: Path, port: int) -> None:
    with running(clone, port) as panel:
        wait_for(panel.announced, PATIENCE)
        assert "Installing" not in panel.output()
        assert "First admin" not in panel.output()
        run(clone, ".venv/bin/python", "manage.py", *CHANGE.split())
        assert json.loads(run(clone, ".venv/bin/python", "manage.py", "miner_settings"))["spacing_seconds"] == 2
        assert "steps" in run(clone, ".venv/bin/python", "manage.py", *SIMULATE.split())
    wait_for(lambda: processes_below(clone) == {}, PATIENCE)


def the_demo_answers_validators(clone: Path, port: int, fake_chutes_port: int) -> None:
    with running(clone, port, "demo", FAKE_CHUTES_PORT=str(fake_chutes_port)) as demo:
        wait_for(demo.announced, PATIENCE)
        wait_for(lambda: re.search(r"[1-9][0-9]* actions? in ", demo.output()) is not None, PATIENCE)
        assert (clone / "data" / "demo" / "panel.sqlite3").exists()
    wait_for(lambda: processes_below(clone) == {}, PATIENCE)


def make_clean_leaves_the_data(clone: Path) -> None:
    run(clone, "make", "clean")
    assert not (clone / ".venv").exists()
    assert (clone / ".env").exists()
    assert (clone / "data" / "panel.sqlite3").exists()


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for port in range(first + 1, first + count):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return int(first)


def run(clone: Path, *command: str) -> str:
    environment = {name: os.environ[name] for name in ("PATH", "HOME")}
    result = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def processes_below(folder: Path) -> dict[int, str]:
    """The processes that work in `folder`: their ids and command lines."""
    by_name = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                by_name[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:  # gone meanwhile, or another user's
            continue
    return by_name


def wait_for(happened: Callable[[], bool], patience: float) -> None:
    end = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.2)
