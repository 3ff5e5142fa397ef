"""Notices and channels, callers, and the token that is used."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from ninja import Query, Router, Schema

from agents.configuration import set_caller
from agents.models import Caller, Settings
from agents.policy.modes import CallerState
from monitoring.api.access import ApiRequest, changes, reads, recorded, who
from monitoring.api.paging import Id, Page, Paging, found_in, paged
from monitoring.models import Severity
from monitoring.notifications.views import channels, notices
from monitoring.tasks.callers import callers, unknown_paths
from monitoring.tokens import tokens

router = Router(tags=["Notifications, callers, token"])


class NoticeOut(Schema):
    """`over_at`: null while it is still so. `sent`, `failed`, `queued`: messages about it."""

    id: int
    event: str
    label: str
    subject: str
    severity: str
    at: datetime
    title: str
    body: str
    over_at: datetime | None
    sent: int
    failed: int
    queued: int


@router.get("/notices", auth=reads, response=Page[NoticeOut])
def notice_list(request: ApiRequest, query: Query[Paging]) -> dict[str, Any]:
    """Notices: what was worth a message, newest first."""
    found = notices(query.place("at"))
    return paged(request, found, [_notice(row) for row in found.rows])


def _notice(row: dict[str, Any]) -> dict[str, Any]:
    notice = row["notice"]
    own = {name: getattr(notice, name) for name in ("id", "event", "label", "subject", "at", "title", "body", "over_at")}
    return {**own, "severity": Severity(notice.severity).label, **{name: row.get(name, 0) for name in ("sent", "failed", "queued")}}


class ChannelOut(Schema):
    """`scheme`: of its address, which is never shown. `events`: none for all."""

    id: int
    name: str
    scheme: str
    events: list[str]
    least_severity: str
    enabled: bool
    newest_state: str
    newest_fault: str


@router.get("/channels", auth=reads, response=list[ChannelOut])
def channel_list(request: ApiRequest) -> list[dict[str, Any]]:
    """Channels of notifications, with how the newest message ended."""
    return [
        {
            **{name: getattr(channel, name) for name in ("id", "name", "scheme", "events", "enabled")},
            "least_severity": Severity(channel.least_severity).label,
            "newest_state": newest.state if newest else "",
            "newest_fault": newest.fault if newest else "",
        }
        for channel, newest in channels()
    ]


class CallerOut(Schema):
    """`llm_share`: percent of its steps; `share`: percent of today's attempts of all callers."""

    id: int
    address: str
    state: str
    first_seen_at: datetime
    last_seen_at: datetime
    steps: int
    llm_steps: int
    late_steps: int
    llm_share: float | None
    share: float | None
    attempts_today: int
    usd_today: float

    @staticmethod
    def resolve_attempts_today(row: Any) -> int:
        return int(row.today.attempts)

    @staticmethod
    def resolve_usd_today(row: Any) -> float:
        return float(row.today.usd)


@router.get("/callers", auth=reads, response=Page[CallerOut])
def caller_list(request: ApiRequest, query: Query[Paging]) -> dict[str, Any]:
    """Callers, those that called last first."""
    return paged(request, callers(query.place("last_seen_at"), Settings.current(), timezone.now()))


class UnknownOut(Schema):
    """`is_task`: it looks like a task, so callers may have a new contract."""

    method: str
    path: str
    is_task: bool
    calls: int
    last_seen_at: datetime


@router.get("/callers/unknown-paths", auth=reads, response=list[UnknownOut])
def unknown_list(request: ApiRequest) -> list[Any]:
    """Paths that callers posted to and that are none of the miner's."""
    return unknown_paths()


class CallerIn(Schema, extra="forbid"):
    state: CallerState


class CallerChanged(Schema):
    """`state`: the one in force, which a network in the settings may decide."""

    address: str
    state: str


@router.patch("/callers/{caller}", auth=changes, response=CallerChanged)
@recorded
def change_caller(request: ApiRequest, caller: Id, body: CallerIn) -> dict[str, str]:
    """Allow, block or reset a caller."""
    row = found_in(Caller, caller)
    state = set_caller(row.address, body.state, by=request.auth.user, reason=f"By the token {request.auth.name}")
    return {"address": row.address, "state": state.value}


class TokenOut(Schema):
    """`permissions`: what the scope allows and the user may do."""

    name: str
    user: str
    scope: str
    expires_at: datetime | None
    permissions: list[str]


@router.get("/token", auth=reads, response=TokenOut)
def token(request: ApiRequest) -> dict[str, Any]:
    """Token of this request: whose it is and what it may do."""
    found = request.auth
    allowed = sorted(each for each in tokens.ALLOWS[found.scope] if tokens.may(found, each))
    own = {"name": found.name, "scope": found.scope, "expires_at": found.expires_at}
    return {**own, "user": who(request), "permissions": [each.partition(".")[2] for each in allowed]}
