"""Where something is missing on a fresh machine, the installation says which package to install."""

import shutil
import subprocess
from pathlib import Path

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
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    if python is not None:
        (tools / "python3").write_text(python)
        (tools / "python3").chmod(0o755)
    (folder / "bin").mkdir()
    shutil.copy2(ROOT / "bin" / "install", folder / "bin" / "install")
    command = [str(folder / "bin" / "install"), "requirements.txt"]
    result = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode != 0
    return result.stderr


def test_a_python_without_venv_is_told_its_package(tmp_path: Path) -> None:
    assert install(tmp_path, WITHOUT_VENV).splitlines() == [
        "Python 3.12 has no venv module. Install it: sudo apt-get install python3.12-venv"
    ]


def test_a_machine_without_a_recent_python_is_told_what_to_install(tmp_path: Path) -> None:
    assert install(tmp_path, TOO_OLD).splitlines() == [
        "Python 3.11 or newer is missing. Install it: sudo apt-get install python3 python3-venv"
    ]


def test_a_machine_without_any_python_is_told_the_same(tmp_path: Path) -> None:
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
    for name in ("bin/install", "requirements.txt", "requirements-otel.txt"):
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


def test_packages_for_traces_are_installed_where_an_endpoint_is_set(tmp_path: Path) -> None:
    both = ["requirements.txt", "requirements-otel.txt"]
    assert installed(tmp_path / "off", dotenv="OTEL_EXPORTER_OTLP_ENDPOINT=\n")[0] == both[:1]
    assert installed(tmp_path / "file", dotenv="OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\n")[0] == both
    assert installed(tmp_path / "variable", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")[0] == both


def test_without_the_packages_for_traces_the_installation_goes_on(tmp_path: Path) -> None:
    tried, told = installed(tmp_path, fails="otel", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    assert tried == ["requirements.txt", "requirements-otel.txt"]
    assert "Traces are not sent" in told
