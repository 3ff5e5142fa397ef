"""Notices and channels, callers, and the token of the request."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from ninja import Query, Router, Schema

from agents.configuration import set_caller
from agents.models import Caller, Settings
from agents.policy.modes import CallerState
from monitoring.api.access import ApiRequest, changes, reads, recorded, who
from monitoring.api.paging import Id, Page, Paging, get_row, paged
from monitoring.models import Severity
from monitoring.notifications.views import channels, notices
from monitoring.tasks.callers import callers, unknown_paths
from monitoring.tokens import tokens

router = Router(tags=["Notifications, callers, token"])


class NoticeOut(Schema):
    """`over_at`: null while the condition lasts. `sent`, `failed`, `queued`: counts of its messages."""

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
    """Notices, newest first."""
    page = notices(query.place("at"))
    return paged(request, page, [_notice(row) for row in page.rows])


def _notice(row: dict[str, Any]) -> dict[str, Any]:
    notice = row["notice"]
    own = {name: getattr(notice, name) for name in ("id", "event", "label", "subject", "at", "title", "body", "over_at")}
    return {**own, "severity": Severity(notice.severity).label, **{name: row.get(name, 0) for name in ("sent", "failed", "queued")}}


class ChannelOut(Schema):
    """`scheme`: of its URL, which is never shown. `events`: empty for all."""

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
    """Notification channels, with the result of the newest message."""
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
    """Callers, most recent first."""
    return paged(request, callers(query.place("last_seen_at"), Settings.current(), timezone.now()))


class UnknownOut(Schema):
    """`is_task`: its name or body resembles a task, so callers may have a new contract."""

    method: str
    path: str
    is_task: bool
    calls: int
    last_seen_at: datetime


@router.get("/callers/unknown-paths", auth=reads, response=list[UnknownOut])
def unknown_list(request: ApiRequest) -> list[Any]:
    """Paths that callers posted to and that the miner does not serve."""
    return unknown_paths()


class CallerIn(Schema, extra="forbid"):
    state: CallerState


class CallerChanged(Schema):
    """`state`: the one in force, which a network in the settings may override."""

    address: str
    state: str


@router.patch("/callers/{caller}", auth=changes, response=CallerChanged)
@recorded
def change_caller(request: ApiRequest, caller: Id, body: CallerIn) -> dict[str, str]:
    """Allow, block or reset a caller."""
    row = get_row(Caller, caller)
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
    """Token of this request: its owner and permissions."""
    api_token = request.auth
    allowed = sorted(permission for permission in tokens.ALLOWS[api_token.scope] if tokens.may(api_token, permission))
    own = {"name": api_token.name, "scope": api_token.scope, "expires_at": api_token.expires_at}
    return {**own, "user": who(request), "permissions": [permission.partition(".")[2] for permission in allowed]}
