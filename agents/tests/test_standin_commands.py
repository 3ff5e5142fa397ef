"""`manage.py chutes_standin` and `manage.py demo_traffic`."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from agents.standin.process import LINE
from agents.standin.server import Answer, Request, Server, json_answer

ROOT = Path(__file__).parents[2]


def test_the_command_starts_the_stand_in_says_where_and_ends_with_it() -> None:
    command = [sys.executable, "manage.py", "chutes_standin", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "DEBUG": "1"}) as process:
        assert process.stdout is not None
        said = LINE.match(process.stdout.readline())
        assert said is not None
        assert httpx.get(f"{said[1]}/models", trust_env=False).status_code == 200
        process.terminate()
        assert process.wait(10) == 0


def test_a_bad_flag_is_a_command_error_that_names_it() -> None:
    with pytest.raises(CommandError, match="limit: a whole number from 0 is wanted"):
        call_command("chutes_standin", limit=-1)


def test_the_traffic_command_posts_to_the_miner_that_it_is_told() -> None:
    def miner(request: Request) -> Answer:
        return json_answer(200, {"actions": [], "tool_calls": [], "done": True})

    server, said = Server(miner, 0), io.StringIO()
    server.start()
    call_command("demo_traffic", url=server.url, rate=600.0, duration=1.3, stdout=said)
    server.stop()
    lines = said.getvalue().splitlines()
    assert len(lines) >= 2
    assert all(" · 0 actions, done in " in line for line in lines)


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(CommandError, match="a number above 0 is wanted"):
        call_command("demo_traffic", "--rate", "0")
