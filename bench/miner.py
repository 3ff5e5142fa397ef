"""The miner as a bench starts it: real processes on a database of their own, with a stand-in for Chutes as the provider."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from agents.standin.cli import FAKE_KEY
from agents.standin.process import StandIn
from minerpanel.tests.processes import Miner


def environment(data: Path, database_url: str = "") -> dict[str, str]:
    """For a miner's processes: SQLite in `data` unless a URL is given."""
    own = {"DATA_DIR": str(data), "DATABASE_URL": database_url, "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10}
    return {**os.environ, **own, "CHUTES_API_KEY": FAKE_KEY, "DJANGO_SETTINGS_MODULE": "minerpanel.settings"}


def web(stack: ExitStack, standin: StandIn, data: Path, models: str, *settings: str) -> tuple[str, Miner]:
    """One web process's address, and its miner, with `settings` as `manage.py miner_settings` takes them. Both end with `stack`."""
    data.mkdir()
    provider = {"CHUTES_API_KEY": standin.key, "CHUTES_BASE_URL": standin.base_url, "CHUTES_MODELS": models}
    running = stack.enter_context(Miner.running({**environment(data), **provider}))
    running.manage("migrate", "--verbosity", "0")
    running.manage("miner_settings", *settings)
    return running.web(), running


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """The URL of an empty database on a Postgres server, dropped at the end. `server_url` names any database that may be entered."""
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield f"{server_url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
