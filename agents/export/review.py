"""Checks an exported repository as a reviewer would: terms that look like memorised knowledge of sites, and limits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.export.repository import Files

MOST_FILES, MOST_BYTES = 500, 5_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """`line`: from 1; 0: the whole repository. `term`: as found."""

    file: str
    line: int
    term: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.term}: {self.why}"


# Expressions, in any case, and what they look like to a reviewer.
TERMS = {
    r"\bauto(?:books|calendar|cinema|connect|crm|delivery|dining|discord|drive|health|list|lodge|mail|medic|ride|stats|work|zone)\b": (
        "the name of a demo site"
    ),
    r"\bautoppia\w*": "the name of the benchmark",
    r"\b(?:demo|known|recorded|benchmark) (?:web ?)?(?:site|task|project|id)s?\b": "knowledge of certain sites",
    r"\bsite_?facts?\b|\bweb_project_id\W+==": "a case for certain sites",
    r"(?<![\w])seeds?\b|\bseed=": "a case for the pages' variants",
    r"(?:localhost|127\.0\.0\.1):\d{2,5}": "the address of a demo site",
    r"\bport\w*\W{1,4}80[01]\d\b": "the port of a demo site",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b": "a recorded id",
}
_TERMS = [(re.compile(term, re.I), why) for term, why in TERMS.items()]


def findings(files: Files) -> list[Finding]:
    return [*_beyond_limits(files), *(finding for name, content in files.items() for finding in _terms(name, content))]


def _beyond_limits(files: Files) -> Iterator[Finding]:
    size = sum(map(len, files.values()))
    if len(files) > MOST_FILES:
        yield Finding("repository", 0, f"{len(files)} files", f"at most {MOST_FILES} are allowed")
    if size > MOST_BYTES:
        yield Finding("repository", 0, f"{size:,} bytes", f"at most {MOST_BYTES:,} are allowed")
    if "main.py" not in files:
        yield Finding("main.py", 0, "missing", "validators start main:app")


def _terms(name: str, content: bytes) -> Iterator[Finding]:
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        yield Finding(name, 0, "binary", "a reviewer can't read it")
        return
    for number, line in enumerate((name, *lines)):
        for term, why in _TERMS:
            yield from (Finding(name, number, hit[0], why) for hit in term.finditer(line))
