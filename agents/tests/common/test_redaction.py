"""Secrets in text are masked."""

import time
import timeit

import pytest

from agents.common.redaction import MASK, redact
from agents.tests.rows import rows

KEY = "cpk_" + "a" * 32 + "." + "b" * 32 + "." + "C" * 32


@rows(
    ("text", "clean"),
    [
        (f"key={KEY}, next", f"key={MASK}, next"),
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {MASK}"),
        ("{'authorization': 'bearer abc'}", f"{{'authorization': 'bearer {MASK}'}}"),
        ("postgres://panel:hunter2@db/panel", f"postgres://panel:{MASK}@db/panel"),
        ("{'X-API-Key': 'a b c'}", f"{{'X-API-Key': '{MASK}'}}"),
        ('{"password": "hunter2", "a": 1}', f'{{"password": "{MASK}", "a": 1}}'),
        ("api_key=abcdefgh&n=1", f"api_key={MASK}&n=1"),
        ("https://x/?key=abc&n=1", f"https://x/?key={MASK}&n=1"),
        ("https://0123456789abcdef0123@x/path", f"https://{MASK}@x/path"),
        ("https%3A%2F%2Fuser%3Ahunter2%40host", f"https%3A%2F%2Fuser%3A{MASK}%40host"),
        (f"cpk%5F{KEY[4:]} was refused", f"{MASK} was refused"),
        ("prompt_tokens=1200, max_tokens: 150000", "prompt_tokens=1200, max_tokens: 150000"),
        ("the token is fine, the password equals <password>", "the token is fine, the password equals <password>"),
        ("sign in with password:<password>", "sign in with password:<password>"),
        ('{"password": "<password>", "token":"<token>x1"}', f'{{"password": "<password>", "token":"{MASK}"}}'),
        ("log in with password:<password>.", "log in with password:<password>."),
        ('password="<a> hunter2", token=<a>.hunter2', f'password="{MASK}", token={MASK}'),
        ("https://llm.chutes.ai/v1 answered 429", "https://llm.chutes.ai/v1 answered 429"),
        ("a step of 12:30", "a step of 12:30"),
        (f"mp_{'aB3_' * 10}xyz is a token", f"{MASK} is a token"),
        (f"not temp_{'aB3_' * 10}xyz", f"not temp_{'aB3_' * 10}xyz"),
    ],
)
def test_a_likely_secret_is_masked_and_the_rest_kept(text: str, clean: str) -> None:
    assert redact(text) == clean


def test_known_secrets_are_masked_everywhere() -> None:
    assert redact("it was open-sesame-2!", ["open-sesame", "open-sesame-2"]) == f"it was {MASK}!"


@pytest.mark.long
@pytest.mark.parametrize("odd", ["a+", "?a-", "a:", "://", "authorization=", "%3A%2F%2F", "x"])
def test_redaction_takes_linear_time(odd: str) -> None:
    def seconds(length: int) -> float:
        text = odd * (length // len(odd))
        return min(timeit.repeat(lambda: redact(text), timer=time.thread_time, number=1, repeat=5))

    assert seconds(80_000) < 50 * max(seconds(5_000), 1e-3), "16 times as long; its square would be 256 times"


def test_a_secret_as_short_as_a_word_is_not_masked() -> None:
    assert redact("an apple", ["", "an"]) == "an apple"
