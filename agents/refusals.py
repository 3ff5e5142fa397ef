"""What a provider's answer means for the account: status, headers and body to a class, its scope, and how long to wait and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agents.phrases import phrase
from agents.reasons import PauseSource
from agents.redaction import redact
from agents.resets import day_ends_at, four_hours_end_at, quota_resets_at, retry_at
from agents.text import storable

DETAIL_CHARS = 200
# Masks make a text shorter; a few times the detail's length is enough to fill it.
MASKED_CHARS = 10 * DETAIL_CHARS


class Scope(StrEnum):
    """Whom a refusal concerns."""

    ACCOUNT = "account"
    KEY = "key"
    MODEL = "model"
    REQUEST = "request"


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
        """The class in an operator's words, with what to do. `sentence()` knows the cases in which more can be said."""
        return SENTENCES[self]

    @property
    def scope(self) -> Scope:
        """Whom it concerns."""
        return _SCOPES.get(self, Scope.ACCOUNT)

    @property
    def pauses_account(self) -> bool:
        """Whether the whole account has to wait; otherwise another model may be tried at once."""
        return self.scope in (Scope.ACCOUNT, Scope.KEY)


SENTENCES = {
    RefusalClass.EDGE: phrase("Rate limited by the provider's edge: the whole account has to wait."),
    RefusalClass.CAPACITY: phrase("The model is full for all users. Your account is not limited."),
    RefusalClass.FREE_DAILY: phrase("The daily limit of free models is reached."),
    RefusalClass.DAILY_QUOTA: phrase("The daily quota is used up."),
    RefusalClass.SUBSCRIPTION_CAP: phrase("The subscription's usage cap is reached."),
    RefusalClass.PAYMENT: phrase("The account has no balance. Top it up."),
    RefusalClass.AUTH: phrase("The key was refused. Check the key and the base URL."),
    RefusalClass.MODEL: phrase("The model is not listed any more. Choose another one in the settings."),
    RefusalClass.REQUEST: phrase("The provider could not read the request."),
    RefusalClass.UPSTREAM: phrase("The provider failed to answer."),
}
NEVER_WORKED = phrase("Turned away by the edge, and this key has never worked: check the Authorization header and the host.")
WRONG_HOST = phrase("No chat API answers at this address. Check the base URL: its host and its path.")
_SCOPES = {
    RefusalClass.AUTH: Scope.KEY,
    RefusalClass.CAPACITY: Scope.MODEL,
    RefusalClass.MODEL: Scope.MODEL,
    RefusalClass.UPSTREAM: Scope.MODEL,
    RefusalClass.REQUEST: Scope.REQUEST,
}
# An SS58 address, as a 402 carries one to pay to.
_ADDRESS = re.compile(r"\b5[1-9A-HJ-NP-Za-km-z]{46,47}\b")


def sentence(kind: RefusalClass, *, has_succeeded: bool = True, status: int | None = None) -> str:
    """`kind` in an operator's words. `has_succeeded`: whether a call with this key ever did; `status`: the refusal's, where known.

    The edge answers a call without a good Authorization header, or one to the wrong host, with the very page of a rate limit.
    """
    if kind is RefusalClass.EDGE and not has_succeeded:
        return NEVER_WORKED
    return WRONG_HOST if is_wrong_host(kind, status) else kind.sentence


def is_wrong_host(kind: RefusalClass, status: int | None) -> bool:
    """Whether the address is at fault, not the key: nothing is there, or it sends one elsewhere."""
    return kind is RefusalClass.AUTH and status is not None and (status == 404 or 300 <= status < 400)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused attempt. `until`: Unix time, None leaves the wait to the gate; `source`: how it is known.

    `detail`: the body's first characters, on one line and without secrets.
    """

    kind: RefusalClass
    detail: str
    until: float | None = None
    source: PauseSource = PauseSource.LADDER

    @property
    def scope(self) -> Scope:
        """Whom it concerns."""
        return self.kind.scope

    def pause(self, now: float) -> float | None:
        """Seconds to wait from `now`; None leaves it to the gate."""
        return None if self.until is None else max(0.0, self.until - now)


def classify(status: int, headers: Mapping[str, str], body: str, now: float, secrets: Iterable[str] = ()) -> Refusal:
    """The refusal that a non-2xx answer, received at the Unix time `now`, means. `body` may be its first part.

    The detail is one line without payment addresses, keys and `secrets`, since a provider may repeat what it was sent.
    """
    known = {name.lower(): value for name, value in headers.items()}
    content_type = known.get("content-type", "")
    detail = _detail(content_type, body)
    kind = _kind(status, content_type, detail)
    until, source = wait(kind, known.get("retry-after", ""), detail, now)
    masked = redact(_ADDRESS.sub("[address]", detail[:MASKED_CHARS]), secrets)
    return Refusal(kind, masked[:DETAIL_CHARS], until, source)


def wait(kind: RefusalClass, retry_after: str, detail: str, now: float) -> tuple[float | None, PauseSource]:
    """Until when, and how that is known: the provider's word first, then the calendar, then our own."""
    told = retry_at(retry_after, now)
    if told is None and kind is RefusalClass.DAILY_QUOTA:
        told = quota_resets_at(detail, now)
    if told is not None:
        return told, PauseSource.PROVIDER
    match kind:
        case RefusalClass.DAILY_QUOTA | RefusalClass.FREE_DAILY:
            return day_ends_at(now), PauseSource.CALENDAR
        case RefusalClass.SUBSCRIPTION_CAP:
            return four_hours_end_at(now), PauseSource.CALENDAR
        case RefusalClass.AUTH | RefusalClass.PAYMENT:
            return None, PauseSource.CHECK
    return None, PauseSource.LADDER


def _kind(status: int, content_type: str, detail: str) -> RefusalClass:
    is_html = _is_html(content_type, detail)
    match status:
        case 429:
            return RefusalClass.EDGE if is_html else _too_many(detail.lower())
        case 402:
            return _payment(detail.lower())
        case 403 if is_html:
            return RefusalClass.UPSTREAM
        case 404 if "model not found" in detail.lower():
            return RefusalClass.MODEL
        case 401 | 403 | 404:
            return RefusalClass.AUTH
    return _by_range(status)


def _by_range(status: int) -> RefusalClass:
    if 300 <= status < 400:
        # Redirects are not followed with a key in hand: an address that moves is a wrong base URL.
        return RefusalClass.AUTH
    if 400 <= status < 500 and status not in (408, 425):
        return RefusalClass.REQUEST
    return RefusalClass.UPSTREAM


def _too_many(detail: str) -> RefusalClass:
    if "maximum capacity" in detail:
        return RefusalClass.CAPACITY
    return RefusalClass.FREE_DAILY if "free models limit" in detail else RefusalClass.EDGE


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
