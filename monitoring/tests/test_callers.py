"""Callers: who called, when last, how often, answered how."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from agents.configuration import change
from agents.models import Caller
from monitoring.stats import callers as stats
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import NOW

pytestmark = pytest.mark.django_db


def make_caller(address: str, ago: int = 0, **counts: int) -> None:
    seen_at = NOW - timedelta(seconds=ago)
    Caller.objects.create(address=address, first_seen_at=seen_at, last_seen_at=seen_at, **counts)


def test_a_caller_is_told_with_its_counts(viewer: Client) -> None:
    make_caller("203.0.113.7", steps=1_200, llm_steps=300, late_steps=2)
    assert "203.0.113.7 at 4 May 12:00:00 UTC 4 May 12:00:00 UTC 1,200 300 · 25 % 2 Allowed" in text_of(viewer.get("/callers/"))


def test_who_may_not_use_the_llm_is_told(viewer: Client) -> None:
    change({"llm_callers": ["10.0.0.0/8"]}, by=None, reason="")
    make_caller("203.0.113.7", ago=1)
    make_caller("10.1.2.3")
    response = viewer.get("/callers/")
    assert tree_of(response).xpath("//tbody/tr/td[7]/span/text()") == ["Allowed", "Template only"]
    assert "The LLM is for 10.0.0.0/8 only" in text_of(response)


def test_who_called_last_comes_first_and_pages_follow(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 1)
    make_caller("203.0.113.1", ago=60)
    make_caller("2001:db8::1")
    tree = tree_of(viewer.get("/callers/"))
    assert tree.xpath("//tbody/tr/td[1]/text()") == ["2001:db8::1"]
    (older,) = tree.xpath("//a[@rel='next']/@href")
    assert tree_of(viewer.get(older)).xpath("//tbody/tr/td[1]/text()") == ["203.0.113.1"]


def test_without_a_caller_the_page_says_what_will_appear(viewer: Client) -> None:
    assert "Callers appear here with their first step." in text_of(viewer.get("/callers/"))
