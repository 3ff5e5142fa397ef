"""`manage.py fake_chutes` and `manage.py demo_traffic`."""

import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from agents.devtools.fake_chutes.process import FakeChutes
from agents.devtools.fake_chutes.server import Answer, Request, Server, json_answer

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]


def test_the_command_starts_fake_chutes_prints_its_url_and_ends_with_it() -> None:
    command = [sys.executable, "manage.py", "fake_chutes", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "DEBUG": "1"}) as process:
        assert httpx.get(f"{FakeChutes(process).base_url}/models", trust_env=False).status_code == 200
        process.terminate()
        assert process.wait(10) == 0


def test_a_bad_flag_is_a_command_error_that_names_it() -> None:
    with pytest.raises(CommandError, match="limit: Input should be greater than or equal to 0"):
        call_command("fake_chutes", limit=-1)


def test_the_traffic_command_posts_to_the_given_miner() -> None:
    def miner(request: Request) -> Answer:
        return json_answer(200, {"actions": [], "tool_calls": [], "done": True})

    server, output = Server(miner, 0), io.StringIO()
    server.start()
    call_command("demo_traffic", url=server.url, rate=600.0, duration=1.3, stdout=output)
    server.stop()
    lines = output.getvalue().splitlines()
    assert len(lines) >= 2
    assert all(" · 0 actions, done in " in line for line in lines)


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(CommandError, match="must be a number above 0"):
        call_command("demo_traffic", "--rate", "0")
