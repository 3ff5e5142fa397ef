"""A client that a public generator makes from the API's document, against a running miner."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from minerpanel.tests.processes import Miner
from minerpanel.tests.visitors import MAKE_USERS

pytestmark = [pytest.mark.slow, pytest.mark.process]

GENERATOR = "openapi-python-client==0.29.1"
MAKE_TOKEN = """
from django.contrib.auth.models import User
from django.utils import timezone
from monitoring.models import Scope
from monitoring.tokens import tokens
print("token", tokens.create(User.objects.get(username="admin"), "client", Scope.ADMINISTER, 1, timezone.now())[1])
"""
SCRIPT = """
import json, sys
from miner_panel_client import AuthenticatedClient
from miner_panel_client.api.audit import audit_audit
from miner_panel_client.api.settings import settings_change_settings
from miner_panel_client.api.tasks_steps_attempts import records_step_list
from miner_panel_client.models import ChangesIn, ChangesInSettings

url, token = sys.argv[1:]
with AuthenticatedClient(base_url=url, token=token) as client:
    steps = records_step_list.sync(client=client, q="route:template")
    body = ChangesIn(settings=ChangesInSettings.from_dict({"spacing_seconds": 11}), reason="By a generated client")
    changed = settings_change_settings.sync(client=client, body=body)
    entries = audit_audit.sync(client=client, what="settings")
    print(json.dumps([steps.count, changed.to_dict()["values"]["spacing_seconds"], entries.items[0].to_dict()]))
"""


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout


def test_a_generated_client_lists_steps_changes_the_spacing_and_reads_the_audit(
    make_environment: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    run(sys.executable, "-m", "venv", "client", cwd=tmp_path)
    python = str(tmp_path / "client/bin/python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", GENERATOR, cwd=tmp_path)
    with Miner.running(make_environment(tmp_path)) as miner:
        miner.manage("shell", "--command", MAKE_USERS)
        token = next(line.split()[1] for line in miner.manage("shell", "--command", MAKE_TOKEN).splitlines() if line.startswith("token "))
        url = miner.web()
        answer = httpx.get(f"{url}/api/v1/openapi.json", headers={"Authorization": f"Bearer {token}"})
        (tmp_path / "document.json").write_text(answer.text)
        generator = str(tmp_path / "client/bin/openapi-python-client")
        run(generator, "generate", "--path", "document.json", "--output-path", "made", cwd=tmp_path)
        (tmp_path / "made/script.py").write_text(SCRIPT)
        count, spacing, entry = json.loads(run(python, "script.py", url, token, cwd=tmp_path / "made"))
    assert (count, spacing) == (0, 11)
    assert (entry["by"], entry["reason"], entry["facts"]) == ("admin", "By a generated client", ["Spacing 5 s → 11 s"])
