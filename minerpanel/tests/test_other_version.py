"""A database that another version made stops the start, before anything is written to it."""

import os
import subprocess
import sys

import pytest

from minerpanel.tests.processes import PATIENCE, ROOT, Miner

STARTS = {
    "make run, make setup": ["manage.py", "setup_panel"],
    "migrate": ["manage.py", "migrate"],
    "web": ["-m", "minerpanel.serve"],
    "worker": ["manage.py", "worker"],
}
# As version 0.1.0 left them, with 0001_initial, whose name is the same.
OF_VERSION_0_1 = {"agents": ("0002_accounts_events_probes", "0017_storage_budgets"), "monitoring": ("0002_groups", "0017_failed_log_ins")}

pytestmark = pytest.mark.process


@pytest.fixture
def sqlite(process_environment: dict[str, str]) -> dict[str, str]:
    return process_environment


@pytest.fixture
def on_postgres(process_environment: dict[str, str], postgres_url: str) -> dict[str, str]:
    return {**process_environment, "DATABASE_URL": postgres_url}


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("on_postgres", marks=pytest.mark.postgres)])
def test_no_start_uses_a_database_of_version_0_1(database: str, request: pytest.FixtureRequest) -> None:
    environment: dict[str, str] = request.getfixturevalue(database)
    miner = Miner(environment)
    for app, names in OF_VERSION_0_1.items():
        for name in names:
            miner.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}', '2026-01-01 00:00:00')")
    before = miner.rows("SELECT app, name FROM django_migrations")
    for name, command in STARTS.items():
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode != 0, name
        assert "The database was made by another version: 0.2.0 has no migration monitoring.0017_failed_log_ins" in done.stderr, name
        assert "Set DATA_DIR or DATABASE_URL to a new database" in done.stderr, name
    assert miner.rows("SELECT app, name FROM django_migrations") == before
