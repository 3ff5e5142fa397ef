"""What the pages say is marked for translation: in templates, in forms, and in the sentences that Python makes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agents.governor import Pacing
from agents.hybrid import Mode, Use
from agents.outcomes import Outcome
from agents.phrases import Phrase
from agents.reasons import PaceSource, PauseSource, Purpose, Reason, Verdict
from agents.refusals import RefusalClass
from agents.template.intents import Kind

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MARKED = re.compile(r"{%\s*blocktranslate\b.*?endblocktranslate\s*%}", re.S)
SYNTAX = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.S)
WORD = re.compile(r"[A-Za-z]{2,}")
SAID = {"title", "aria-label", "aria-description", "placeholder", "alt", "data-label"}
# Code, keys and units are the same in all languages.
UNSAID = {"script", "style", "code", "pre", "kbd", "svg"}
SAME = {"UTC", "ms", "USD"}


class Texts(HTMLParser):
    """Collects what a reader would see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in SAID and value]
        if tag in UNSAID:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.texts.append(data)


def unmarked(source: str) -> Iterator[str]:
    """The texts of a template that no translator would get to see."""
    texts = Texts()
    texts.feed(SYNTAX.sub("", MARKED.sub("", source)))
    for text in texts.texts:
        if set(WORD.findall(text)) - SAME:
            yield " ".join(text.split())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_each_text_of_a_template_is_marked(template: Path) -> None:
    assert list(unmarked(template.read_text())) == []


def test_a_text_that_is_not_marked_is_found() -> None:
    assert list(unmarked('<p title="Wide">{{ count }} steps {% translate "today" %}</p>')) == ["Wide", "steps"]


FORMS = sorted({path for pattern in ("*_form.py", "*_forms.py") for path in (ROOT / "monitoring").rglob(pattern)})


@pytest.mark.parametrize("module", FORMS, ids=lambda path: path.stem)
def test_each_label_and_help_text_of_a_form_is_marked(module: Path) -> None:
    assert re.findall(r"\b(?:label|help_text)=[\"'].*", module.read_text()) == []


MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "phrase"}
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:]? [A-Za-z“]{2,}")
# Queries, headers and patterns have words too.
NO_SENTENCE = re.compile(r"\s*(SELECT|INSERT|DELETE|UPDATE|CAST|WITH RECURSIVE)\b|attachment;|private, |text/|application/|<|\(\?P<")
# What these make is recorded as it is said, or read by programs, in logs and on command lines.
RECORDS = (
    "backup/",
    "health/",
    "journal",
    "log_rows",
    "management/",
    "notices/",
    "rollups/",
    "search/",
    "seeding",
    "suites/",
    "uploads",
    "stats/metrics",
    "views/probes",
)
SHOWN = ("suites/report", "suites/registry", "notices/events")
# In modules that also show something: audit lines and reasons that are recorded, and what nobody gets to see.
RECORDED = {
    "There is no",
    "Added",
    "Gave",
    "Each change is in the history",
    "Reverts the change of",
    "Can ",
    "signed in",
    "(unknown name)",
    "Delete old records",
    " changed the own password",
    "Test run … …",
    "task by",
    "step by",
    "rate limits",
}


def modules() -> list[Path]:
    """Those of monitoring that word what pages show."""
    found = []
    for path in sorted((ROOT / "monitoring").rglob("*.py")):
        name = path.relative_to(ROOT / "monitoring").as_posix()
        if not name.startswith(("tests/", "migrations/")) and (name.startswith(SHOWN) or not name.startswith(RECORDS)):
            found.append(path)
    return found


def literal(node: ast.AST) -> str:
    """A text as it stands in the code, without what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values if isinstance(part, ast.AST))  # type: ignore[misc]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_told(node: ast.AST) -> bool:
    """Whether no reader would see it: a mark's argument, a docstring, a line of the log."""
    if isinstance(node, ast.Call):
        called = node.func
        is_log = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "logger"
        return is_log or getattr(called, "id", getattr(called, "attr", "")) in MARKS
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def sentences(node: ast.AST) -> Iterator[str]:
    """The sentences in the code that are not marked."""
    if is_told(node):
        return
    text = literal(node)
    if SENTENCE.search(text) and not NO_SENTENCE.match(text) and not any(each in text for each in RECORDED):
        yield text
    for child in ast.iter_child_nodes(node) if not text else ():
        yield from sentences(child)


@pytest.mark.parametrize("module", modules(), ids=lambda path: path.relative_to(ROOT / "monitoring").as_posix())
def test_each_sentence_that_python_makes_is_marked(module: Path) -> None:
    assert list(sentences(ast.parse(module.read_text()))) == []


def test_a_sentence_that_is_not_marked_is_found() -> None:
    code = 'x = f"The {name} is busy", _("All is well"), {"a": "Wait for it"}'
    assert list(sentences(ast.parse(code))) == ["The … is busy", "Wait for it"]


def test_each_sentence_of_the_agents_enumerations_is_marked() -> None:
    kinds = (Reason, Verdict, Purpose, PauseSource, PaceSource, RefusalClass, Mode, Use, Outcome, Pacing, Kind)
    assert [each for kind in kinds for each in kind if not isinstance(each.sentence, Phrase)] == []


SCRIPTS = sorted((ROOT / "monitoring/static/monitoring").glob("*.js"))
SAID_BY_SCRIPT = re.compile(r"""["'`](?:\$\{[^}]*\} )?[A-Z][a-z]+ [a-z][^"'`]*["'`]""")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_nothing_but_what_a_template_gives_it(script: Path) -> None:
    code = re.sub(r"^\s*//.*", "", script.read_text(), flags=re.M)
    assert SAID_BY_SCRIPT.findall(code) == []
    words = (ROOT / "templates/_words.html").read_text()
    asked = re.findall(r"""(?:panelWords|\bsay)\("([a-z-]+)\"""", code)
    assert [key for key in asked if f'data-key="{key}"' not in words] == []
