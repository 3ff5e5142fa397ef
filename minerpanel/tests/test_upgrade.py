"""`make upgrade` in a clone, between releases of which one works and one does not."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from minerpanel.tests.test_make_run import FIRST_START, PATIENCE, Running, clone, free_ports, processes_below, run, running, wait_for

__all__ = ["clone"]
pytestmark = [pytest.mark.process, pytest.mark.slow]
GIT = ("git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
STEP = {"id": "a-task", "prompt": "Log in", "url": "http://localhost:8000/?seed=1"}
# Whatever migrates the database leaves a version that the former one refuses to start with.
MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("agents", "{newest}")]
    operations = [migrations.RunSQL("CREATE TABLE of_the_broken_release (id integer)")]
"""


@pytest.fixture
def releases(clone: Path) -> Path:
    """Where releases come from: a repository whose only commit is this tree, as v0.2.0."""
    run(clone, "git", "init", "--quiet", "--initial-branch=main")
    release(clone, "v0.2.0")
    return clone


@pytest.fixture
def installed(releases: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "installed"
    run(tmp_path, "git", "clone", "--quiet", str(releases), str(folder))
    return folder


def test_an_upgrade_keeps_the_records_and_one_that_does_not_start_is_put_back(releases: Path, installed: Path) -> None:
    with running(installed, free_ports(1)) as panel:
        wait_for(panel.announced, FIRST_START)
        assert "Nothing to upgrade" in upgrade(installed, panel).stdout
        solve(panel)

        version(releases, "0.2.0", "0.2.1")
        release(releases, "v0.2.1")
        assert "Upgraded to v0.2.1" in upgrade(installed, panel).stdout
        assert health(panel)["version"] == "0.2.1"
        assert steps(installed) == 1

        version(releases, "0.2.1", "0.2.2")
        (releases / "minerpanel/wsgi.py").write_text("raise SystemExit('broken')\n")
        newest = max(path.stem for path in (releases / "agents/migrations").glob("0*.py"))
        (releases / "agents/migrations/0999_broken.py").write_text(MIGRATION.format(newest=newest))
        release(releases, "v0.2.2")
        broken = upgrade(installed, panel)
        assert broken.returncode != 0
        assert "v0.2.2 did not answer. The former version runs again" in broken.stderr
        assert health(panel)["version"] == "0.2.1"
        assert steps(installed) == 1
        solve(panel)
        wait_for(lambda: steps(installed) == 2, PATIENCE)
    wait_for(lambda: processes_below(installed) == {}, PATIENCE)


def test_a_changed_clone_is_not_upgraded(releases: Path, installed: Path) -> None:
    version(releases, "0.2.0", "0.2.1")
    release(releases, "v0.2.1")
    version(installed, "0.2.0", "mine")
    refused = upgrade(installed)
    assert refused.returncode != 0
    assert "Files of this clone are changed" in refused.stderr


def release(folder: Path, tag: str) -> None:
    run(folder, "git", "add", "--all")
    run(folder, *GIT, "commit", "--quiet", "--message", tag)
    run(folder, "git", "tag", tag)


def version(folder: Path, before: str, after: str) -> None:
    path = folder / "agents/__init__.py"
    path.write_text(path.read_text().replace(before, after))


def upgrade(folder: Path, panel: Running | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PIP_CERT") if name in os.environ}
    own = {**kept, "PORT": panel.address.rpartition(":")[2]} if panel else kept
    return subprocess.run(["make", "upgrade"], cwd=folder, env=own, capture_output=True, text=True, timeout=FIRST_START, check=False)


def solve(panel: Running) -> None:
    body = json.dumps({**STEP, "id": str(len(panel.output()))}).encode()
    request = urllib.request.Request(f"{panel.address}/solve_task", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["actions"]


def health(panel: Running) -> dict[str, str]:
    with urllib.request.urlopen(f"{panel.address}/health", timeout=PATIENCE) as answer:
        return dict(json.load(answer))


def steps(folder: Path) -> int:
    return int(run(folder, ".venv/bin/python", "manage.py", "shell", "--command", "print(Step.objects.count())").split()[-1])
