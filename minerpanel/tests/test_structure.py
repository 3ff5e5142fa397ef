"""House rules on where code lies, as docs/architecture.md states them."""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("minerpanel", "monitoring", "agents")
DOCUMENTS = ("docs/architecture.md", "docs/why.md", "docs/operations.md", "CONTRIBUTING.md", "README.md")
# A path in backticks; agents' folders are also named without their root, as `policy/gate.py`.
PATH = re.compile(r"`((?:[a-z_.]+/)+[a-z_]*(?:\.[a-z]+)?)`")
MOST_LINES = 400
MOST_MODULES_AT_A_ROOT = 7


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph(*PACKAGES, include_external_packages=False)
    assert len(graph.modules) > 100
    try:
        TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))


@pytest.mark.parametrize("package", ["agents", "monitoring"])
def test_few_modules_lie_at_the_root_of_a_package(package: str) -> None:
    modules = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    assert 0 < len(modules) <= MOST_MODULES_AT_A_ROOT, sorted(modules)


def test_no_file_is_too_long() -> None:
    lines = {path: len(path.read_text().splitlines()) for package in (*PACKAGES, "bench") for path in (ROOT / package).rglob("*.py")}
    assert len(lines) > 100
    assert [path for path, count in lines.items() if count > MOST_LINES and not {"migrations", "tests"} & set(path.parts)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_in_a_document_exists(document: str) -> None:
    paths = PATH.findall((ROOT / document).read_text())
    assert paths
    roots = (ROOT, ROOT / "agents", ROOT / "agents/template", ROOT / "monitoring")
    assert [path for path in paths if path != "data/" and not any((root / path).exists() for root in roots)] == []
