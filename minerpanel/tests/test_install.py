"""If something is missing on a fresh machine, the installation names the package to install."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "cat", "cut", "dirname", "env", "sha256sum")
# Answers as Debian's Python does without its venv package
WITHOUT_VENV = """#!/bin/sh
case "$*" in
    *ensurepip*) exit 1 ;;
    *print*) echo 3.12 ;;
esac
"""
TOO_OLD = "#!/bin/sh\nexit 1\n"


def install(folder: Path, python: str | None) -> str:
    """The error output of an installation on a machine whose only python3 is this script."""
    tools = folder / "tools"
    tools.mkdir()
    for tool in TOOLS:
        shown = shutil.which(tool)
        assert shown is not None
        (tools / tool).symlink_to(shown)
    if python is not None:
        (tools / "python3").write_text(python)
        (tools / "python3").chmod(0o755)
    (folder / "bin").mkdir()
    shutil.copy2(ROOT / "bin" / "install", folder / "bin" / "install")
    command = [str(folder / "bin" / "install"), "requirements.txt"]
    result = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode != 0
    return result.stderr


def test_without_venv_the_package_is_reported(tmp_path: Path) -> None:
    assert install(tmp_path, WITHOUT_VENV).splitlines() == [
        "Python 3.12 has no venv module. Install it: sudo apt-get install python3.12-venv"
    ]


def test_without_a_recent_python_the_package_is_reported(tmp_path: Path) -> None:
    assert install(tmp_path, TOO_OLD).splitlines() == [
        "Python 3.11 or newer is missing. Install it: sudo apt-get install python3 python3-venv"
    ]


def test_without_any_python_the_package_is_reported(tmp_path: Path) -> None:
    assert "Python 3.11 or newer is missing." in install(tmp_path, None)


# Notes what pip is to install; refuses what FAILS names
NOTING_PIP = """#!/bin/sh
case "$*" in
    *" -r "*) echo "$*" | sed 's/.* -r //' >> pip.log ;;
esac
case "$*" in *"$FAILS"*) exit 1 ;; esac
"""


def installed(folder: Path, dotenv: str = "", fails: str = "nothing", **environment: str) -> tuple[list[str], str]:
    """What pip is given by an installation in a clone that has a .venv, and the error output."""
    for name in ("bin/install", "requirements.txt", "requirements-otel.txt", "requirements-mcp.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".env").write_text(dotenv)
    (folder / ".venv/bin/python").write_text(NOTING_PIP)
    (folder / ".venv/bin/python").chmod(0o755)
    given = {"PATH": "/usr/bin:/bin", "FAILS": fails, **environment}
    done = subprocess.run(
        ["bin/install", "requirements.txt"], cwd=folder, env=given, capture_output=True, text=True, timeout=180, check=True
    )
    return (folder / "pip.log").read_text().split(), done.stderr


OPTIONAL = (
    ("requirements-otel.txt", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "Traces are not sent"),
    ("requirements-mcp.txt", "MCP_PORT", "8001", "Assistants are not answered"),
)


@pytest.mark.parametrize(("requirements", "setting", "value", "_"), OPTIONAL)
def test_packages_that_a_setting_needs_are_installed_if_it_is_set(
    requirements: str, setting: str, value: str, _: str, tmp_path: Path
) -> None:
    both = ["requirements.txt", requirements]
    assert installed(tmp_path / "off", dotenv=f"{setting}=\n")[0] == both[:1]
    assert installed(tmp_path / "file", dotenv=f"{setting}={value}\n")[0] == both
    assert installed(tmp_path / "variable", **{setting: value})[0] == both


@pytest.mark.parametrize(("requirements", "setting", "value", "text"), OPTIONAL)
def test_without_them_the_installation_goes_on(requirements: str, setting: str, value: str, text: str, tmp_path: Path) -> None:
    tried, result = installed(tmp_path, fails=requirements, **{setting: value})
    assert tried == ["requirements.txt", requirements]
    assert text in result
