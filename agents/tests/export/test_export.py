"""The exported repository: its files and its review."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from agents.export import repository, review
from agents.export.repository import APPLICATION, ROOT, NotEmpty, closure, digest, exported, imported, packed, read, write
from agents.standalone.options import Options
from agents.tests.rows import rows

pytestmark = pytest.mark.long

PURE = {"__init__.py", "common", "contract", "page", "policy", "prompting", "template"}
# What no pure module may import: files, network, processes, the clock, randomness.
IMPURE = {
    "asyncio",
    "io",
    "os",
    "pathlib",
    "random",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
}
OPTIONS = Options(models=("a/model", "b/model"), seconds=20.0)


def test_the_core_that_is_copied_is_pure() -> None:
    files = closure(APPLICATION, ROOT)
    assert len(files) > 80
    for module, file in files.items():
        folder = file.relative_to(ROOT / "agents").parts[0]
        assert folder in PURE | {"standalone"}, module
        if folder != "standalone":
            outside = {name.partition(".")[0] for name in imported(file)} - {"agents"}
            assert outside <= (set(sys.stdlib_module_names) - IMPURE) | {"lxml"}, module
            assert not re.search(r"(?<![\w.])(?<!def )open\(", file.read_text()), module


def test_two_exports_are_the_same_bytes_and_small() -> None:
    first, second = exported(OPTIONS), exported(OPTIONS)
    assert first == second
    assert packed(first, "agent") == packed(second, "agent")
    assert len(first) <= review.MOST_FILES
    assert sum(map(len, first.values())) <= review.MOST_BYTES
    assert 'models=("a/model", "b/model",), seconds=20.0' in first["main.py"].decode()
    assert {"README.md", "main.py", "requirements.txt"} == {name for name in first if "/" not in name}


def test_each_module_is_copied_unchanged() -> None:
    for name, content in exported(OPTIONS).items():
        assert "/" not in name or content == (ROOT / name).read_bytes()


def test_two_versions_differ_only_in_changed_files(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "agents", tmp_path / "agents", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    before = exported(OPTIONS, tmp_path)
    assert before == exported(OPTIONS)
    for changed in ("agents/page/reading.py", "agents/database.py"):  # one that is exported, and one that is not
        with (tmp_path / changed).open("a") as file:
            file.write("# changed\n")
    (tmp_path / "agents/page/shades.py").write_text("SHADES = 3\n")
    with (tmp_path / "agents/page/matching.py").open("a") as file:
        file.write("from agents.page.shades import SHADES  # noqa: E402\n")
    after = exported(OPTIONS, tmp_path)
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert differing == {"agents/page/reading.py", "agents/page/matching.py", "agents/page/shades.py"}


def test_nothing_in_it_looks_like_memorised_knowledge() -> None:
    assert list(map(str, review.findings(exported(OPTIONS)))) == []


@rows(
    ("line", "term"),
    [
        ("# as on Autocinema", "Autocinema"),
        ("PORT = 8003", "PORT = 8003"),
        ('if "seed=" in url:', "seed"),
        ("# by the benchmark's tasks of demo sites", "demo sites"),
        ('START = "http://localhost:8000/"', "localhost:8000"),
        ('ID = "7d1c1f52-0000-4000-8000-000000000001"', "7d1c1f52-0000-4000-8000-000000000001"),
    ],
)
def test_each_term_of_memorised_knowledge_is_named_with_its_file_and_line(line: str, term: str) -> None:
    findings = review.findings({"main.py": f"x = 1\n{line}\n".encode()})
    assert ("main.py", 2, term) in {(finding.file, finding.line, finding.term) for finding in findings}


def test_files_of_an_earlier_export_are_deleted_and_other_folders_stay(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    write(exported(OPTIONS), folder)
    (folder / "agents" / "old.py").write_text("")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    write(exported(OPTIONS), folder)
    assert read(folder) == exported(OPTIONS)
    assert digest(read(folder)) == digest(exported(OPTIONS))
    assert (folder / ".git" / "HEAD").read_text() == "ref"
    other = tmp_path / "notes"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(NotEmpty):
        write(exported(OPTIONS), other)


def test_the_commit_is_set_where_git_is_available() -> None:
    assert repository.commit() == "" or repository.commit().removesuffix("-dirty").isalnum()
