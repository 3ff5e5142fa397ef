"""Secrets are taken out of text."""

from __future__ import annotations

import pytest

from agents.redaction import MASK, redact

KEY = "cpk_" + "a" * 32 + "." + "b" * 32 + "." + "C" * 32


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"key={KEY}, next", f"key={MASK}, next"),
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {MASK}"),
        ("{'authorization': 'bearer abc'}", f"{{'authorization': 'bearer {MASK}'}}"),
        ("postgres://panel:hunter2@db/panel", f"postgres://panel:{MASK}@db/panel"),
        ("https://llm.chutes.ai/v1 answered 429", "https://llm.chutes.ai/v1 answered 429"),
        ("a step of 12:30", "a step of 12:30"),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_the_rest_kept(text: str, clean: str) -> None:
    assert redact(text) == clean


def test_known_secrets_are_masked_wherever_they_stand() -> None:
    assert redact("it was open-sesame-2!", ["open-sesame", "open-sesame-2"]) == f"it was {MASK}!"


def test_a_secret_as_short_as_a_word_is_left_alone() -> None:
    assert redact("an apple", ["", "an"]) == "an apple"
