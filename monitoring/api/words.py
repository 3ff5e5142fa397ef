"""What several answers of the API have in common."""

from datetime import UTC, datetime

from ninja import Schema

from agents.common.text import length
from monitoring.ratelimit.belief_text import Sentence
from monitoring.ratelimit.status_text import Expectation, StatusText


class Expected(Schema):
    """When an account is expected back, how that is known, and how sure it is. `at` null: unknown."""

    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    source: str
    confidence: str
    is_overdue: bool


def expected(found: Expectation | None) -> Expected | None:
    return Expected(**found._asdict()) if found else None


def sentence_of(text: StatusText, now: datetime) -> str:
    """With the time that is left in place of a countdown."""
    return f"{text.text} {length((text.until - now).total_seconds())}{text.after}" if text.until else text.text


def belief_of(sentence: Sentence) -> str:
    at = f" {datetime.fromtimestamp(sentence.at, UTC):%Y-%m-%d %H:%M:%S} UTC" if sentence.at else ""
    return f"{sentence.text}{at}{sentence.after}"
