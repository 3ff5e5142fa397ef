"""The tests' own ground: processes that run tests share no folder and no database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from conftest import DATA
from minerpanel.tests.processes import ROOT


def test_a_test_process_has_its_own_data_folder_and_a_migrated_database(process_environment: dict[str, str]) -> None:
    assert settings.DATA_DIR == DATA
    assert (Path(process_environment["DATA_DIR"]) / "panel.sqlite3").stat().st_size > 100_000


@pytest.mark.slow
def test_processes_have_own_folders_in_a_run_without_database_tests() -> None:
    one = f"{__file__}::{test_a_test_process_has_its_own_data_folder_and_a_migrated_database.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "each", one]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DJANGO_"))}
    done = subprocess.run(command, cwd=ROOT, env=inherited, capture_output=True, text=True, timeout=600, check=False)
    assert "2 passed" in done.stdout, done.stdout[-5_000:]
