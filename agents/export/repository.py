"""The files of the exported repository: copies of the agent's modules, and a few files that start it."""

import ast
import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from agents import VERSION
from agents.standalone.options import Options

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "agents.standalone.app"
PARTS = Path(__file__).with_name("parts")
MODULES = "agents"
# By path, sorted.
Files = Mapping[str, bytes]


class NotEmpty(ValueError): ...


def exported(options: Options, root: Path = ROOT) -> Files:
    """The files, the same bytes for the same version and options. `root`: the checkout whose modules are copied."""
    copied = {file.relative_to(root).as_posix(): file.read_bytes() for file in closure(APPLICATION, root).values()}
    shown = {
        "version": VERSION,
        "options": _as_source(options),
        "mode": options.mode,
        "llm_use": options.llm_use,
        "models": ", ".join(options.models) or "none: the rules answer alone",
        "seconds": f"{options.seconds:g}",
    }
    written = {part.name.removesuffix(".in"): Template(part.read_text("utf-8")).substitute(shown) for part in PARTS.iterdir()}
    return dict(sorted((copied | {name: text.encode() for name, text in written.items()}).items()))


def closure(root: str, folder: Path) -> dict[str, Path]:
    """The files of a module and of all that it imports from its own package, by module, sorted. Nothing is imported."""
    package, files, todo = root.partition(".")[0], dict[str, Path](), [root]
    while todo:
        module = todo.pop()
        file = _file_of(module, folder)
        if module in files or file is None:
            continue
        files[module] = file
        # In "from agents.page import read" the last name may be a module or not, so all candidates are tried.
        todo += [module.rpartition(".")[0], *(name for name in imported(file) if name.partition(".")[0] == package)]
    return dict(sorted(files.items()))


def _file_of(module: str, folder: Path) -> Path | None:
    path = folder.joinpath(*module.split(".")) if module else folder / "?"
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def imported(file: Path) -> Iterator[str]:
    """The imported modules, and names imported from them, which may be modules too."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _as_source(options: Options) -> str:
    models = "".join(f"{json.dumps(model)}, " for model in options.models).strip()
    mode, llm_use = (json.dumps(str(value)) for value in (options.mode, options.llm_use))
    return f"Options(mode={mode}, llm_use={llm_use}, models=({models}), seconds={options.seconds!r})"


def read(folder: Path) -> Files:
    """The files of a folder, without Git's and compiled ones."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not {".git", "__pycache__"} & set(path.relative_to(folder).parts))
    return dict(sorted((path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths))


def write(files: Files, folder: Path) -> None:
    """Write the files, and delete others of an earlier export; `.git` stays. Raises NotEmpty where the folder is no export."""
    present = read(folder) if folder.is_dir() else {}
    if present and not {"main.py", f"{MODULES}/standalone/app.py"} <= present.keys():
        raise NotEmpty(f"{folder} is not empty and not an export. Name an empty folder.")
    for name in present.keys() - files.keys():
        (folder / name).unlink()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        # They are to be published, so anyone may read them whatever this process's umask.
        for target, mode in ((path, 0o644), *((above, 0o755) for above in path.parents if folder in (above, *above.parents))):
            target.chmod(mode)


def digest(files: Files) -> str:
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def packed(files: Files, name: str) -> bytes:
    """As a .tar.gz with one folder, without times and owners: the same bytes for the same files."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(inner.getvalue(), mtime=0)


def commit() -> str:
    """This version's commit, with -dirty where files differ from it; "" where it runs without Git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
