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
