"""What a provider's answer means for the account: status, headers and body to a class, and how long to wait and why."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from agents.common.redaction import redact
from agents.common.text import storable
from agents.policy.reasons import PauseSource
from agents.policy.reset_times import DAY, FOUR_HOURS, period_ends_at, quota_resets_at, retry_at

# Masks make a text shorter; a few times the detail's length is enough to fill it.
DETAIL_CHARS, MASKED_CHARS = 200, 2_000


class Reaction(StrEnum):
    BACKOFF = "backoff"  # our own pauses, longer each time in a row
    UNTIL_MIDNIGHT = "until_midnight"  # the account waits for the provider's next day
    UNTIL_WINDOW = "until_window"  # the account waits for the subscription's next four hours
    CHECK = "check"  # the account waits for its operator, and is checked at intervals
    COOLDOWN = "cooldown"  # the model waits
    TASK = "task"  # no wait; the rest of the task is answered without the LLM
    RETRY = "retry"  # no wait; the fault may pass at once
    FAIL = "fail"  # no wait; the same request would be refused again


PERIODS = {Reaction.UNTIL_MIDNIGHT: DAY, Reaction.UNTIL_WINDOW: FOUR_HOURS}
WHOLE_ACCOUNT = frozenset({Reaction.BACKOFF, Reaction.CHECK, *PERIODS})

QUOTA = "quota_used_up"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`label`, `colour`: in charts; `remedy`: what an operator has to do, "" if it passes by itself; `notice`: the kind of notification."""

    value: str
    reaction: Reaction
    label: str
    colour: str
    sentence: str
    remedy: str = ""
    notice: str = "llm_paused"


class RefusalClass(StrEnum):
    _value_: str
    about: Meaning
    reaction: Reaction

    EDGE = Meaning("edge", Reaction.BACKOFF, "Rate limit", "red", "Rate limited by the provider's edge: the whole account has to wait.")
    CAPACITY = Meaning(
        "capacity", Reaction.COOLDOWN, "Model full", "yellow", "The model is full for all users. Your account and key are not limited."
    )
    FREE_DAILY = Meaning(
        "free_daily", Reaction.UNTIL_MIDNIGHT, "Free daily limit", "pink", "The daily limit of free models is reached.", notice=QUOTA
    )
    DAILY_QUOTA = Meaning("daily_quota", Reaction.UNTIL_MIDNIGHT, "Daily quota", "orange", "The daily quota is used up.", notice=QUOTA)
    SUBSCRIPTION_CAP = Meaning(
        "subscription_cap", Reaction.UNTIL_WINDOW, "Subscription cap", "lime", "The subscription's usage cap is reached.", notice=QUOTA
    )
    PAYMENT = Meaning("payment", Reaction.CHECK, "No balance", "purple", "The account has no balance.", "Top up the account.", QUOTA)
    AUTH = Meaning(
        "auth",
        Reaction.CHECK,
        "Key refused",
        "indigo",
        "The key was refused.",
        "Check the key and the base URL in the settings.",
        "key_refused",
    )
    MODEL = Meaning(
        "model",
        Reaction.COOLDOWN,
        "Model not served",
        "teal",
        "The provider does not serve this model.",
        "Choose another model in the settings.",
    )
    MODEL_UNPAID = Meaning(
        "model_unpaid",
        Reaction.COOLDOWN,
        "Model not paid for",
        "azure",
        "This model needs a subscription or a balance that the account does not have.",
        "Top up the account, or choose another model in the settings.",
    )
    TASK_COST = Meaning(
        "task_cost",
        Reaction.TASK,
        "Task cost limit",
        "secondary",
        "The task has reached the cost limit of the validators' gateway. Its other steps are answered without the LLM.",
    )
    REQUEST = Meaning(
        "request",
        Reaction.FAIL,
        "Request refused",
        "cyan",
        "The provider could not read the request.",
        "Remove request options that this provider does not know.",
    )
    UPSTREAM = Meaning("upstream", Reaction.RETRY, "Provider failed", "blue", "The provider failed to answer.")

    def __new__(cls, about: Any) -> Self:
        member = str.__new__(cls, about.value)
        member._value_ = about.value
        member.about, member.reaction = about, about.reaction
        return member

    @property
    def sentence(self) -> str:
        return f"{self.about.sentence} {self.about.remedy}".strip()

    @property
    def pauses_account(self) -> bool:
        """The whole account has to wait; otherwise another model may be tried at once."""
        return self.reaction in WHOLE_ACCOUNT


# The meaning of the edge's page by the answer to a request with a made-up key right after, and what to do.
BY_CONTROL = {
    RefusalClass.AUTH: (
        "Rate limited: a made-up key was refused as wrong, so this limit is this account's own.",
        "Wait for the reset. The panel probes by itself.",
    ),
    RefusalClass.EDGE: (
        "This may not be your account at all: a made-up key met the very same page.",
        "Check the Authorization header, the host in the base URL, and whether other programs use this machine's address.",
    ),
}
NEVER_WORKED = "Refused by the edge, and this key has never worked: check the Authorization header and the host."
WRONG_HOST = "No chat API answers at this address. Check the base URL: its host and its path."
# An SS58 address, as a 402 carries one to pay to.
_ADDRESS = re.compile(r"\b5[1-9A-HJ-NP-Za-km-z]{46,47}\b")


def sentence(kind: RefusalClass, *, has_succeeded: bool = True, status: int | None = None, control: RefusalClass | None = None) -> str:
    """`has_succeeded`: whether a call with this key ever did; `status`: the refusal's; `control`: a made-up key's refusal; where known."""
    if kind is RefusalClass.EDGE and control in BY_CONTROL:
        return " ".join(BY_CONTROL[control])
    # The edge answers a call without a valid Authorization header, or one to the wrong host, with the same page as for a rate limit.
    if kind is RefusalClass.EDGE and not has_succeeded:
        return NEVER_WORKED
    return WRONG_HOST if is_wrong_host(kind, status) else kind.sentence


def is_wrong_host(kind: RefusalClass, status: int | None) -> bool:
    """The address is wrong, not the key: nothing is there, or it redirects."""
    return kind is RefusalClass.AUTH and status is not None and (status == 404 or 300 <= status < 400)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`detail`: the body's first characters, on one line and without secrets. `until`: Unix time, None leaves the wait to the gate."""

    kind: RefusalClass
    detail: str
    until: float | None = None
    source: PauseSource = PauseSource.LADDER

    def pause(self, now: float) -> float | None:
        return None if self.until is None else max(0.0, self.until - now)


def classify(status: int, headers: Mapping[str, str], body: str, now: float, secrets: Iterable[str] = ()) -> Refusal:
    """Of a non-2xx answer; `body` may be its first part. A provider may repeat what it was sent: keys and `secrets` are masked."""
    by_name = {name.lower(): value for name, value in headers.items()}
    is_html = "html" in by_name.get("content-type", "").lower() or body.lstrip().startswith("<")
    detail = storable(" ".join((body if is_html else _json_detail(body)).split()))
    kind = _kind(status, detail.lower(), is_html=is_html or detail.startswith("<"))
    until, source = wait(kind, by_name.get("retry-after", ""), detail, now)
    masked = redact(_ADDRESS.sub("[address]", detail[:MASKED_CHARS]), secrets)
    return Refusal(kind, masked[:DETAIL_CHARS], until, source)


def wait(kind: RefusalClass, retry_after: str, detail: str, now: float) -> tuple[float | None, PauseSource]:
    """Until when, and the source: the provider first, then the calendar, then our own backoff."""
    stated = retry_at(retry_after, now)
    if stated is None and kind is RefusalClass.DAILY_QUOTA:
        stated = quota_resets_at(detail, now)
    if stated is not None:
        return stated, PauseSource.PROVIDER
    if kind.reaction in PERIODS:
        return period_ends_at(PERIODS[kind.reaction], now), PauseSource.CALENDAR
    return None, PauseSource.CHECK if kind.reaction is Reaction.CHECK else PauseSource.LADDER


# The class by the status and a text in the detail, first match first; "" is for all others.
_BY_TEXT = {
    400: {"model not allowed": RefusalClass.MODEL, "missing pricing for model": RefusalClass.MODEL, "": RefusalClass.REQUEST},
    402: {
        "quota_reset_timestamp": RefusalClass.DAILY_QUOTA,
        "usage cap exceeded": RefusalClass.SUBSCRIPTION_CAP,
        "chute unavailable because the creator": RefusalClass.MODEL,
        "tee models require": RefusalClass.MODEL_UNPAID,
        "this model requires": RefusalClass.MODEL_UNPAID,
        "cost limit exceeded": RefusalClass.TASK_COST,
        "": RefusalClass.PAYMENT,
    },
    404: {"model not found": RefusalClass.MODEL, "": RefusalClass.AUTH},
    429: {
        "maximum capacity": RefusalClass.CAPACITY,
        "free models limit": RefusalClass.FREE_DAILY,
        "invalid free model": RefusalClass.MODEL,
        "": RefusalClass.EDGE,
    },
}


def _kind(status: int, detail: str, *, is_html: bool) -> RefusalClass:
    if is_html and status in (403, 429):
        return RefusalClass.EDGE if status == 429 else RefusalClass.UPSTREAM
    if status in _BY_TEXT:
        return next(kind for text, kind in _BY_TEXT[status].items() if text in detail)
    # Redirects are not followed, since a key would be sent along: an address that moves is a wrong base URL.
    if status in (401, 403) or 300 <= status < 400:
        return RefusalClass.AUTH
    return RefusalClass.REQUEST if 400 <= status < 500 and status not in (408, 425) else RefusalClass.UPSTREAM


def _json_detail(body: str) -> str:
    try:
        parsed = json.loads(body)
        detail = parsed.get("detail", parsed.get("error", parsed)) if isinstance(parsed, dict) else parsed
        return detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
