"""The settings, as a start of the panel sees them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from minerpanel import settings
from minerpanel.environment import database

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("SECRET_KEY", "DATABASE_URL", "CHUTES_API_KEY", "CHUTES_ADMIN_KEY", "PANEL_ADMIN_PASSWORD")


def read_settings(*names: str, **environment: str) -> list[object]:
    """Values of settings in a process that starts with `environment`."""
    code = f"import json; from minerpanel import settings; print(json.dumps([getattr(settings, name) for name in {names!r}], default=str))"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 0, result.stderr
    values: list[object] = json.loads(result.stdout)
    return values


def test_the_example_lists_exactly_the_settings() -> None:
    assert sorted(dotenv_values(ROOT / ".env.example")) == sorted(settings.env.read)


def test_every_secret_may_come_from_a_file() -> None:
    assert {f"{name}_FILE" for name in SECRETS} <= settings.env.read


def test_the_example_states_the_defaults() -> None:
    stated = {key: value for key, value in dotenv_values(ROOT / ".env.example").items() if value}
    names = ("BIND", "PORT", "WEB_THREADS", "CHUTES_BASE_URL", "CHUTES_MANAGEMENT_URL", "LOG_LEVEL", "DEBUG", "HTTPS", "ALLOWED_HOSTS")
    blank = dict.fromkeys(dotenv_values(ROOT / ".env.example"), "")
    assert set(stated) == set(names)
    assert read_settings(*names, **blank) == read_settings(*names, **{**blank, **{key: str(value) for key, value in stated.items()}})


def test_a_bad_value_stops_the_start_with_its_name() -> None:
    environment = {**os.environ, "WEB_THREADS": "many"}
    result = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert result.returncode != 0
    assert "WEB_THREADS must be a whole number from 1 to 1024, not 'many'." in result.stderr


def test_https_makes_cookies_secure_and_redirects() -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
    assert read_settings(*names, HTTPS="1") == [True, True, True, 31_536_000]
    assert read_settings(*names, HTTPS="0") == [False, False, False, 0]


def test_a_job_never_lies_in_the_queue_longer_than_its_retry() -> None:
    jobs = settings.Q_CLUSTER
    assert int(str(jobs["retry"])) > int(str(jobs["timeout"])) * (int(str(jobs["queue_limit"])) + 1)


def test_sqlite_takes_its_write_lock_at_once_and_keeps_its_connection() -> None:
    entry = database("", Path("/data/panel.sqlite3"))
    assert entry["NAME"] == "/data/panel.sqlite3"
    assert entry["CONN_MAX_AGE"] is None
    assert (entry["OPTIONS"]["transaction_mode"], entry["OPTIONS"]["timeout"]) == ("IMMEDIATE", 30)
    assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]


def test_sqlite_by_url_behaves_the_same() -> None:
    entry = database("sqlite:////data/other.sqlite3", Path("/data/panel.sqlite3"))
    assert entry["NAME"] == "/data/other.sqlite3"
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_postgres_gives_up_a_dead_host_soon() -> None:
    entry = database("postgres://panel:pw@db.example:5433/panel?sslmode=require", Path("/unused"))
    assert (entry["HOST"], entry["PORT"], entry["PASSWORD"]) == ("db.example", 5433, "pw")
    assert entry["OPTIONS"]["connect_timeout"] == 2
    assert entry["OPTIONS"]["tcp_user_timeout"] == 10_000
    assert entry["OPTIONS"]["sslmode"] == "require"
    assert entry["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize("url", ["mysql://panel:hunter2@db/panel", "nonsense://panel:hunter2@db", "hunter2"])
def test_another_database_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL must be") as caught:
        database(url, Path("/unused"))
    assert "hunter2" not in str(caught.value)
