"""Status, accounts with their gates and actions, rate-limit events."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.http import Http404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from agents.accounts.status import AccountStatus, account_statuses
from agents.common.redaction import redact
from agents.common.text import length
from agents.models import Account, RateLimitEvent
from agents.policy.refusals import RefusalClass
from monitoring.api.access import ApiRequest, controls, reads, recorded, who
from monitoring.api.paging import Id, Page, Paging, Text, paged
from monitoring.api.problems import ApiProblem, bad_field
from monitoring.health.components import worker_now
from monitoring.overview.status import miner_status
from monitoring.ratelimit import gate
from monitoring.ratelimit.belief_text import Sentence
from monitoring.ratelimit.events import OPEN, events, recent_accuracy
from monitoring.ratelimit.gate import MOST_MINUTES, GateAction, gate_now
from monitoring.ratelimit.quota import quota
from monitoring.ratelimit.status_text import Expectation, StatusText

router = Router(tags=["Status and accounts"])


class Expected(Schema):
    """When an account is expected back, with the source and confidence of the prediction. `at` null: unknown."""

    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    source: str
    confidence: str
    is_overdue: bool


def expected(expectation: Expectation | None) -> Expected | None:
    return Expected(**expectation._asdict()) if expectation else None


def sentence_of(text: StatusText, now: datetime) -> str:
    """The sentence with the remaining time instead of a countdown."""
    return f"{text.text} {length((text.until - now).total_seconds())}{text.after}" if text.until else text.text


def belief_of(sentence: Sentence) -> str:
    at = f" {datetime.fromtimestamp(sentence.at, UTC):%Y-%m-%d %H:%M:%S} UTC" if sentence.at else ""
    return f"{sentence.text}{at}{sentence.after}"


class StatusOut(Schema):
    """The miner's status, and the account that it is taken from."""

    headline: str
    llm: str
    remedy: str
    tone: str
    account: str
    cause: str
    limit: str
    expected: Expected | None
    last_step_at: datetime | None
    worker: str
    is_worker_silent: bool


@router.get("/status", auth=reads, response=StatusOut)
def status(request: ApiRequest) -> StatusOut:
    """State of the miner: whether the LLM is used, why not, until when, and the source of that."""
    now = timezone.now()
    current = miner_status(now, worker_now(now))
    return StatusOut(
        headline=current.headline,
        llm=sentence_of(current.llm, now),
        remedy=current.llm.remedy,
        tone=current.tone,
        account=current.snapshot.account.name,
        cause=gate.cause(current.snapshot, current.llm) if current.snapshot.cause else "",
        limit=current.limit,
        expected=expected(current.expected),
        last_step_at=current.last_step_at,
        worker=current.worker.message,
        is_worker_silent=current.worker.is_silent,
    )


class AccountOut(Schema):
    """`belief`: its likely limit, the evidence and the resulting pace. `paused_until`: null if it is not paused."""

    id: int
    name: str
    enabled: bool
    state: str
    sentence: str
    remedy: str
    cause: str
    belief: list[str]
    paused_until: datetime | None
    next_slot_at: datetime | None
    expected: Expected | None
    strikes: int


class ModelOut(Schema):
    name: str
    usable: int
    tried: int
    expected: float | None
    cooling_until: datetime | None
    refusals: int
    refused: str


class OfferedAction(Schema):
    """`obstacle`: why it is not possible now, "" if it is."""

    action: GateAction
    effect: str
    risk: str
    obstacle: str


class QuotaOut(Schema):
    plan: str
    balance: str
    read_at: datetime | None
    fault: str
    warnings: list[str]


class AccountDetail(AccountOut):
    models: list[ModelOut]
    actions: list[OfferedAction]
    quota: QuotaOut | None


def account_out(snapshot: AccountStatus, now: datetime) -> dict[str, Any]:
    shown = gate_now(snapshot, now)
    until = snapshot.gate.paused_until
    return {
        "id": snapshot.account.pk,
        "name": snapshot.account.name,
        "enabled": snapshot.account.enabled,
        "state": shown["state"].value,
        "sentence": sentence_of(shown["status"], now),
        "remedy": shown["status"].remedy,
        "cause": shown["cause"] if snapshot.cause else "",
        "belief": [belief_of(sentence) for sentence in shown["belief"]],
        "paused_until": until if until > now.timestamp() else None,
        "next_slot_at": shown["next_slot_at"],
        "expected": expected(shown["expected"]),
        "strikes": snapshot.gate.strikes,
        "models": shown["models"],
    }


@router.get("/accounts", auth=reads, response=list[AccountOut])
def accounts(request: ApiRequest) -> list[dict[str, Any]]:
    """Accounts with their gates, in the order in which steps try them."""
    now = timezone.now()
    return [account_out(snapshot, now) for snapshot in account_statuses(now.timestamp())]


def snapshot_of(pk: int, now: datetime) -> AccountStatus:
    snapshot = next((snapshot for snapshot in account_statuses(now.timestamp()) if snapshot.account.pk == pk), None)
    if snapshot is None:
        raise Http404(f"There is no account {pk}. GET /api/v1/accounts lists them.")
    return snapshot


@router.get("/accounts/{account}", auth=reads, response=AccountDetail)
def account(request: ApiRequest, account: Id) -> dict[str, Any]:
    """One account: its gate, models, quota and actions."""
    now = timezone.now()
    snapshot = snapshot_of(account, now)
    quota_row = next((row for row in quota(now) if row.account.pk == account), None)
    quota_out = quota_row and {
        "plan": quota_row.plan,
        "balance": quota_row.balance_sentence,
        "read_at": quota_row.read_at,
        "fault": quota_row.fault,
        "warnings": list(quota_row.warnings),
    }
    offers = [gate.offer(action, snapshot, now.timestamp()) for action in GateAction]
    return {**account_out(snapshot, now), "actions": [OfferedAction.from_orm(offer) for offer in offers], "quota": quota_out}


class Done(Schema):
    message: str


class PauseIn(Schema, extra="forbid"):
    minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)]


def act_on(account: int, action: GateAction, by: str, minutes: int = 0) -> Done:
    """Raises ApiProblem 409 if there is an obstacle."""
    now = timezone.now()
    snapshot = snapshot_of(account, now)
    if obstacle := gate.offer(action, snapshot, now.timestamp()).obstacle:
        raise ApiProblem(409, obstacle)
    return Done(message=gate.act(action, snapshot.account, seconds=60.0 * minutes, by=by, now=now.timestamp()))


@router.post("/accounts/{account}/probe", auth=controls, response=Done)
@recorded
def probe(request: ApiRequest, account: Id) -> Done:
    """Probe an account. Sends one request for a single token."""
    return act_on(account, GateAction.PROBE, who(request))


@router.post("/accounts/{account}/pause", auth=controls, response=Done)
@recorded
def pause(request: ApiRequest, account: Id, body: PauseIn) -> Done:
    """Pause an account. A pause that already lasts longer stays as it is."""
    return act_on(account, GateAction.PAUSE, who(request), body.minutes)


@router.post("/accounts/{account}/resume", auth=controls, response=Done)
@recorded
def resume(request: ApiRequest, account: Id) -> Done:
    """Resume an account. Ends its pause."""
    return act_on(account, GateAction.RESUME, who(request))


@router.post("/accounts/{account}/clear", auth=controls, response=Done)
@recorded
def clear(request: ApiRequest, account: Id) -> Done:
    """Clear an account's state. Forgets its refusals."""
    return act_on(account, GateAction.CLEAR, who(request))


class EventOut(Schema):
    """`outcome`: the error of the prediction, "" until recovery. `model`: "" for the whole account."""

    id: int
    account: str
    model: str
    refusal: str
    status: int | None
    cause: str
    sentence: str
    detail: str
    strike: int
    started_at: datetime
    pause_seconds: float
    pause_source: str
    predicted: Expected | None
    ended_at: datetime | None
    ended_by: str
    recovered_at: datetime | None
    outcome: str
    task: int | None
    step: int | None


class EventQuery(Paging):
    """Filters: the account's name, the class of refusal, whole accounts or single models, and how the event ended."""

    account: Text | None = None
    refusal: RefusalClass | None = None
    scope: Literal["account", "model"] | None = None
    ended: Literal["open", "succeeded", "timer", "operator"] | None = None

    def conditions(self) -> dict[str, Any]:
        conditions: dict[str, Any] = {name: value for name in ("refusal", "scope", "ended") if (value := getattr(self, name))}
        if self.account is not None:
            conditions["account"] = Account.objects.filter(name=self.account).first()
            if conditions["account"] is None:
                raise bad_field("account", "There is no account of this name.", "GET /api/v1/accounts lists them.")
        return conditions


@router.get("/events", auth=reads, response=Page[EventOut])
def event_list(request: ApiRequest, query: Query[EventQuery]) -> dict[str, Any]:
    """Rate-limit events, newest first, with predicted and actual recovery."""
    page = events(query.conditions(), query.place("started_at"), timezone.now())
    return paged(request, page, [event_out(row) for row in page.rows])


def event_out(row: dict[str, Any]) -> EventOut:
    event: RateLimitEvent = row["event"]
    own = ("id", "model", "refusal", "status", "strike", "started_at", "pause_seconds", "ended_at", "recovered_at")
    step = event.attempt.step if event.attempt else None
    return EventOut(
        **{name: getattr(event, name) for name in own},
        account=event.account.name,
        cause=row["cause"],
        sentence=row["sentence"],
        detail=redact(event.detail),
        pause_source=row["pause_source"],
        predicted=expected(row["predicted"]),
        ended_by=event.ended_by or OPEN,
        outcome=row["outcome"].text if row["outcome"] else "",
        task=step.task_id if step else None,
        step=step.pk if step else None,
    )


class AccuracyOut(Schema):
    source: str
    count: int
    inside_share: float
    median_seconds: float


@router.get("/events/accuracy", auth=reads, response=list[AccuracyOut])
def event_accuracy(request: ApiRequest) -> list[Any]:
    """Accuracy of predictions, by their source."""
    return list(recent_accuracy(timezone.now()))
