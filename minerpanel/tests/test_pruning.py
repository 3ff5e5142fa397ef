"""Steps are answered in time while old records are deleted by the ten thousand. On SQLite, which has one writer at a time."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import ROOT, Miner, answered, environment, post_at_once, step_body

OLD_LOGS, OLD_STEPS = 30_000, 6_000
FILL = f"""
import uuid
from datetime import timedelta
from django.utils import timezone
from agents.models import Step, Task
from monitoring.models import LogEntry
old = timezone.now() - timedelta(days=200)
LogEntry.objects.bulk_create((LogEntry(at=old, level=30, logger="agents", message="A line of a log" * 5) for _ in range({OLD_LOGS})), 500)
tasks = Task.objects.bulk_create((Task(fingerprint=uuid.uuid4().hex, key="old", source="validator", prompt="Old", url="http://a/", created_at=old)
    for _ in range({OLD_STEPS})), 500)
Step.objects.bulk_create((Step(task=task, source="validator", endpoint="/step", form="step", url="http://a/", received_at=old, deadline_at=old,
    answered_at=old, route="template", reason="paused", page_excerpt="Some page " * 50) for task in tasks), 500)
"""
PRUNE = "from monitoring.retention import pruning; from django.utils import timezone; print(pruning.prune(timezone.now()))"


@pytest.fixture
def miner(process_environment: dict[str, str]) -> Iterator[Miner]:
    with FakeChutes.started() as fake_chutes, Miner.running(environment(process_environment, fake_chutes)) as running:
        yield running


@pytest.mark.slow
def test_steps_are_answered_in_time_while_tens_of_thousands_of_rows_are_deleted(miner: Miner) -> None:
    miner.manage("shell", "--command", FILL)
    miner.manage(
        "miner_settings", "agent_mode=template", "deadline_seconds=60"
    )  # an LLM would take its time, and the database gets fewer queries
    url, sent = miner.web(), 0
    command = [sys.executable, "manage.py", "shell", "--command", PRUNE]
    with subprocess.Popen(command, cwd=ROOT, env=miner.environment, stdout=subprocess.PIPE, text=True) as pruning:
        while pruning.poll() is None:
            for _, answer in post_at_once([url], [step_body(sent + number) for number in range(4)]):
                answered(answer)
            sent += 4
            time.sleep(0.2)  # the machine's cores are there for the pruning too
        assert pruning.stdout is not None
        text = pruning.stdout.read()
    assert f"'steps': {OLD_STEPS}" in text
    assert f"'logs': {OLD_LOGS}" in text
    assert f"'tasks': {OLD_STEPS}" in text
    assert sent >= 8
    assert miner.rows("SELECT count(*) FROM agents_step WHERE answered_at IS NULL OR answered_at > deadline_at") == [(0,)]
    assert miner.rows("SELECT count(*) FROM agents_step") == [(sent,)]
