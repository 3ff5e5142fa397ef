"""Every page in a made-up language: what stays English is not marked for translation, or not translated where it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.utils.translation import trans_real

from agents.models import Step
from minerpanel.tests.test_translations import Texts
from monitoring.models import Component, TestRun
from monitoring.tests.conftest import admin, fresh_cache, groups, member
from monitoring.tests.test_pages import PAGES, fill, spare
from monitoring.tests.watched import make_open_run, make_schedule
from monitoring.zone import zones

__all__ = ["admin", "fresh_cache", "groups", "member", "spare"]  # fixtures

pytestmark = pytest.mark.django_db

MADE_UP = "eo"  # a language of Django's own, so that everything else of it is there
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in (*range(65, 91), *range(97, 123))})
# Places for values, tags and entities
KEPT = re.compile(r"(%\([^)]*\)[a-z]|%[sd]|\{[^{}]*\}|<[^>]+>|&\w+;)")
WORD = re.compile(r"[A-Za-z]{2,}")
# Units, and what is called so in every language
SAME = {"UTC", "ms", "min", "kB", "MB", "USD", "CSV", "JSON", "OK", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
# What is written as it is in every language: addresses, examples of queries, JSON, zones, folders, and cron's times, which a library words
WRITTEN = re.compile(r"\w+://\S*|\b[a-z]+:[\w.]+|\{.*\}|\"Find the film\"|/[\w/-]+|agents\.ledger|<username>|^At \d.*UTC$", re.S)


class MadeUp(NullTranslations):
    """Everything that is translated comes out in wide letters."""

    def gettext(self, message: str) -> str:
        return "".join(part if number % 2 else part.translate(WIDE) for number, part in enumerate(KEPT.split(message)))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def language(self) -> str:
        return MADE_UP

    to_language = language


@pytest.fixture
def made_up(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LANGUAGES = [("en", "English"), (MADE_UP, "Made up")]
    monkeypatch.setitem(vars(trans_real)["_translations"], MADE_UP, MadeUp())


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts_in(each[0])
            yield from texts_in(each[1])


def recorded() -> list[str]:
    """Every text in the database, the longest first: what is recorded is shown as it is."""
    ours: list[Any] = [User, *(model for name in ("agents", "monitoring") for model in apps.get_app_config(name).get_models())]
    rows = (row for model in ours if model._meta.managed for row in model._default_manager.values_list())
    found = zones() | {line for row in rows for value in row for text in texts_in(value) for line in (text, *text.split("\n"))}
    return sorted((text for text in found if WORD.search(text)), key=len, reverse=True)


def english(page: str, facts: list[str]) -> list[str]:
    """What is neither translated nor recorded."""
    texts, left = Texts(), []
    texts.feed(page)
    for text in texts.texts:
        rest = " " if text in facts else WRITTEN.sub(" ", text)
        for fact in facts:
            rest = rest.replace(fact, " ")
        if set(WORD.findall(rest)) - SAME:
            left.append(" ".join(text.split()))
    return list(dict.fromkeys(left))


@pytest.mark.parametrize("address", [*PAGES, "task", "replay", "component", "run"])
def test_nothing_on_a_page_stays_english(address: str, made_up: None, admin: Client) -> None:
    task = fill(1)
    make_schedule()
    make_open_run(doing="Posting a step")
    step, component, run = (model.objects.earliest("pk").pk for model in (Step, Component, TestRun))
    others = {"task": task, "replay": f"/steps/{step}/replay/", "component": f"/components/{component}/", "run": f"/tests/{run}/"}
    address = others.get(address, address)
    answer = admin.get(address, headers={"Accept-Language": MADE_UP})
    assert answer.status_code == 200
    assert english(answer.content.decode(), recorded()) == []


@pytest.mark.parametrize("address", [*PAGES, "/nothing-here/", "/login/"])
def test_nothing_on_an_empty_page_stays_english(address: str, made_up: None, admin: Client) -> None:
    answer = (Client() if address == "/login/" else admin).get(address, headers={"Accept-Language": MADE_UP})
    assert english(answer.content.decode(), recorded()) == []
