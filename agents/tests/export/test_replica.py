"""The export in a replica of the validators' sandbox, beside the miner."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.test import Client

from agents.export import replica, repository
from agents.standalone.options import Options
from agents.tests.test_callers import BODIES

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.django_db(transaction=True)]


def test_the_export_starts_and_answers_in_the_sandbox_as_the_miner_plans(tmp_path: Path) -> None:
    ensure_tools()
    repository.write(repository.exported(Options(models=("a/model", "b/model"))), tmp_path / "agent")
    lines = replica.run(tmp_path / "agent")
    assert len(lines) >= 10
    assert [str(line) for line in lines if not line.passed] == []


@pytest.mark.parametrize("row", BODIES, ids=lambda row: f"{row['since']} {row['path']}: {row['name']}")
def test_the_miner_without_models_and_site_facts_answers_what_the_replica_expects(row: dict[str, object]) -> None:
    # No site facts exist for this port, and the requests name no project.
    body = json.loads(json.dumps(row["body"]).replace("localhost:8000", "localhost:8900"))
    answer = Client().post(str(row["path"]), json.dumps(body), content_type="application/json").json()
    expected = replica.planned(str(row["path"]), body)
    answer.pop("web_agent_id", None), expected.pop("web_agent_id", None)
    assert answer == expected


def ensure_tools() -> None:
    """Install what is missing; the test fails where it cannot be had."""
    missing = sorted({package for tool, package in replica.TOOLS.items() if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin")})
    if missing and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-yq", *missing], check=True)
