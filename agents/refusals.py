"""What a provider's answer means for the account: status, content type and body to a class with its scope."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from agents.redaction import redact
from agents.text import storable

DETAIL_CHARS = 200
# Masks make a text shorter; a few times the detail's length is enough to fill it.
MASKED_CHARS = 10 * DETAIL_CHARS
# A refused key or an empty balance does not mend itself: look again this often, not at every step.
STOPPED_SECONDS = 300.0


class RefusalClass(StrEnum):
    """Why the provider turned an attempt down."""

    EDGE = "edge"
    CAPACITY = "capacity"
    FREE_DAILY = "free_daily"
    DAILY_QUOTA = "daily_quota"
    SUBSCRIPTION_CAP = "subscription_cap"
    PAYMENT = "payment"
    AUTH = "auth"
    MODEL = "model"
    REQUEST = "request"
    UPSTREAM = "upstream"

    @property
    def sentence(self) -> str:
        """The class in an operator's words, with what to do."""
        return SENTENCES[self]

    @property
    def pauses_account(self) -> bool:
        """Whether the whole account has to wait; otherwise another model may be tried at once."""
        return self in _ACCOUNT_WIDE

    @property
    def is_final(self) -> bool:
        """Whether no other model can help this step."""
        return self.pauses_account or self is RefusalClass.REQUEST


SENTENCES = {
    RefusalClass.EDGE: "Rate limited by the provider's edge: the whole account has to wait.",
    RefusalClass.CAPACITY: "The model is full for all users. Your account is not limited.",
    RefusalClass.FREE_DAILY: "The daily limit of free models is reached.",
    RefusalClass.DAILY_QUOTA: "The daily quota is used up.",
    RefusalClass.SUBSCRIPTION_CAP: "The subscription's usage cap is reached.",
    RefusalClass.PAYMENT: "The account has no balance. Top it up.",
    RefusalClass.AUTH: "The key was refused. Check the key and the base URL.",
    RefusalClass.MODEL: "The model is not listed any more. Choose another one in the settings.",
    RefusalClass.REQUEST: "The provider could not read the request.",
    RefusalClass.UPSTREAM: "The provider failed to answer.",
}
# An SS58 address, as a 402 carries one to pay to.
_ADDRESS = re.compile(r"\b5[1-9A-HJ-NP-Za-km-z]{46,47}\b")
_ACCOUNT_WIDE = frozenset(
    {
        RefusalClass.EDGE,
        RefusalClass.FREE_DAILY,
        RefusalClass.DAILY_QUOTA,
        RefusalClass.SUBSCRIPTION_CAP,
        RefusalClass.PAYMENT,
        RefusalClass.AUTH,
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused attempt. `pause` in seconds: None leaves it to the ladder. `detail`: the body's first characters."""

    kind: RefusalClass
    detail: str
    pause: float | None = None


def classify(status: int, content_type: str, body: str, retry_after: float | None = None, secrets: Iterable[str] = ()) -> Refusal:
    """The refusal that a non-2xx answer means. `body` may be its first part; `retry_after` in seconds where a header said so.

    The detail is one line without payment addresses, keys and `secrets`, since a provider may repeat what it was sent.
    """
    detail = _detail(content_type, body)
    kind = _kind(status, content_type, detail)
    pause = STOPPED_SECONDS if kind in (RefusalClass.AUTH, RefusalClass.PAYMENT) else None
    masked = redact(_ADDRESS.sub("[address]", detail[:MASKED_CHARS]), secrets)
    return Refusal(kind, masked[:DETAIL_CHARS], retry_after if retry_after is not None else pause)


def _kind(status: int, content_type: str, detail: str) -> RefusalClass:
    if status == 429:
        return _too_many(detail)
    if status == 402:
        return _payment(detail)
    if status in (401, 403):
        return RefusalClass.UPSTREAM if _is_html(content_type, detail) else RefusalClass.AUTH
    if status == 404:
        return RefusalClass.MODEL if "model not found" in detail.lower() else RefusalClass.AUTH
    if 300 <= status < 400:
        # Redirects are not followed with a key in hand: an address that moves is a wrong base URL.
        return RefusalClass.AUTH
    if 400 <= status < 500 and status not in (408, 425):
        return RefusalClass.REQUEST
    return RefusalClass.UPSTREAM


def _too_many(detail: str) -> RefusalClass:
    if "maximum capacity" in detail:
        return RefusalClass.CAPACITY
    return RefusalClass.FREE_DAILY if "Free models limit" in detail else RefusalClass.EDGE


def _payment(detail: str) -> RefusalClass:
    if "quota_reset_timestamp" in detail:
        return RefusalClass.DAILY_QUOTA
    return RefusalClass.SUBSCRIPTION_CAP if "usage cap exceeded" in detail else RefusalClass.PAYMENT


def _is_html(content_type: str, detail: str) -> bool:
    return "html" in content_type.lower() or detail.lstrip().startswith("<")


def _detail(content_type: str, body: str) -> str:
    """The body's `detail` where it is JSON, else the body, on one line."""
    said = body if _is_html(content_type, body) else _said(body)
    return storable(" ".join(said.split()))


def _said(body: str) -> str:
    try:
        parsed = json.loads(body)
        detail = parsed.get("detail", parsed.get("error", parsed)) if isinstance(parsed, dict) else parsed
        return detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
