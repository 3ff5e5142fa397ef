"""deploy/pm2.config.cjs with the real pm2, from the npm registry."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from minerpanel.tests.test_make_run import FIRST_START, PATIENCE, WEB, Running, clone, free_ports, processes_below, wait_for

__all__ = ["clone"]
pytestmark = [pytest.mark.process, pytest.mark.slow]
PM2 = "pm2@7"


@pytest.fixture(scope="session")
def pm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("npm"):
        pytest.fail("npm is missing. Install it: sudo apt-get install npm")
    folder = tmp_path_factory.mktemp("pm2")
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", PM2], cwd=folder, check=True, timeout=FIRST_START)
    return folder / "node_modules/.bin/pm2"


def test_pm2_runs_the_miner_restarts_it_when_it_is_killed_and_stops_all_of_it(pm2: Path, clone: Path, tmp_path: Path) -> None:
    port = free_ports(1)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PIP_CERT") if name in os.environ}
    environment = {**kept, "PM2_HOME": str(tmp_path / "pm2"), "PM2_NAME": "tested", "PORT": str(port)}

    def call(*arguments: str, folder: Path = clone) -> str:
        done = subprocess.run([pm2, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return done.stdout

    panel = Running(subprocess.Popen(["true"]), clone / "log", port)
    try:
        call("ping", folder=tmp_path)  # starts pm2's own process
        call("start", "deploy/pm2.config.cjs")
        wait_for(panel.healthy, FIRST_START)
        (app,) = json.loads(call("jlist"))
        os.kill(app["pid"], signal.SIGKILL)
        wait_for(lambda: json.loads(call("jlist"))[0]["pid"] not in (0, app["pid"]), PATIENCE)
        wait_for(lambda: panel.pid(WEB) != 0 and panel.healthy(), PATIENCE)
        wait_for(lambda: any("The panel is at" in path.read_text() for path in (tmp_path / "pm2/logs").glob("tested-out*")), PATIENCE)
        call("stop", "tested")
        wait_for(lambda: processes_below(clone) == {}, PATIENCE)
    finally:
        call("kill")
