"""The modules that a module needs, by the imports in their source."""

import ast
from collections.abc import Iterator
from pathlib import Path


def closure(root: str, folder: Path) -> dict[str, Path]:
    """The files of the module and of all that it imports from its own package, by module, sorted. Nothing is run."""
    package, found, todo = root.partition(".")[0], dict[str, Path](), [root]
    while todo:
        module = todo.pop()
        file = _file_of(module, folder)
        if module in found or file is None:
            continue
        found[module] = file
        # Of "from agents.page import read" it takes the syntax tree alone to tell a module from a name.
        todo += [module.rpartition(".")[0], *(each for each in _imported(file) if each.partition(".")[0] == package)]
    return dict(sorted(found.items()))


def outside(file: Path, package: str) -> set[str]:
    """The packages that a file imports, other than its own."""
    return {each.partition(".")[0] for each in _imported(file)} - {package}


def _file_of(module: str, folder: Path) -> Path | None:
    path = folder.joinpath(*module.split(".")) if module else folder / "?"
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((each for each in candidates if each.is_file()), None)


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
