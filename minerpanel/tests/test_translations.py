"""What the pages say is marked for translation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

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
