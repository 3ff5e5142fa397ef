"""`make test` tries the same examples of properties in each run; `make test-random` tries others, and prints how to repeat them."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from minerpanel.tests.processes import PATIENCE, ROOT

PROPERTY = """
from pathlib import Path
from hypothesis import given, strategies as st

@given(st.integers())
def test_a_property(number):
    with (Path(__file__).parent / "tried").open("a") as file:
        print(number, file=file)
"""


@pytest.fixture
def property_test(tmp_path: Path) -> Path:
    """A test that notes its examples, with this project's settings of hypothesis."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "test_property.py").write_text(PROPERTY)
    return tmp_path / "test_property.py"


def tried(test: Path, *command: str) -> tuple[str, str]:
    """What a run prints, and the examples that it tried."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DJANGO_", "CI"))}
    environment = {**inherited, "PYTHONPATH": str(ROOT), "TEST_PROCESSES": "0"}
    arguments = [str(test), "-p", "no:cacheprovider", f"--rootdir={test.parent}", "-c", str(ROOT / "pyproject.toml")]
    done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    notes = test.parent / "tried"
    examples = notes.read_text()
    notes.unlink()
    return done.stdout, examples


@pytest.mark.slow
def test_the_suite_tries_the_same_each_time_and_a_random_run_can_be_repeated(property_test: Path) -> None:
    assert tried(property_test, "bin/test")[1] == tried(property_test, "bin/test")[1]
    printed, examples = tried(property_test, "bin/test-random")
    again = re.search(r'make test-random ARGS="(--hypothesis-seed=\d+)"', printed)
    assert again is not None
    assert tried(property_test, "bin/test-random", again[1])[1] == examples
    assert tried(property_test, "bin/test-random")[1] != examples
