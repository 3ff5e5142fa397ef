"""The status, accounts and their gates, rate-limit events; what an operator can do to an account."""

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


class StatusOut(Schema):
    """The miner in a sentence, and the account that speaks for it."""

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
    """State of the miner: whether the LLM is used, why not, until when, and how that is known."""
    now = timezone.now()
    found = miner_status(now, worker_now(now))
    return StatusOut(
        headline=found.headline,
        llm=sentence_of(found.llm, now),
        remedy=found.llm.remedy,
        tone=found.tone,
        account=found.snapshot.account.name,
        cause=gate.cause(found.snapshot, found.llm) if found.snapshot.cause else "",
        limit=found.limit,
        expected=expected(found.expected),
        last_step_at=found.last_step_at,
        worker=found.worker.message,
        is_worker_silent=found.worker.is_silent,
    )


class AccountOut(Schema):
    """`belief`: what is known of its limit, from what, and the pace that follows. `paused_until`: null where nothing pauses it."""

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
    """`obstacle`: why it is not possible now, "" where it is."""

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
        "belief": [belief_of(each) for each in shown["belief"]],
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
    return [account_out(each, now) for each in account_statuses(now.timestamp())]


def snapshot_of(pk: int, now: datetime) -> AccountStatus:
    found = next((each for each in account_statuses(now.timestamp()) if each.account.pk == pk), None)
    if found is None:
        raise Http404(f"There is no account {pk}. GET /api/v1/accounts lists them.")
    return found


@router.get("/accounts/{account}", auth=reads, response=AccountDetail)
def account(request: ApiRequest, account: Id) -> dict[str, Any]:
    """One account: its gate, models, quota, and what can be done to it."""
    now = timezone.now()
    snapshot = snapshot_of(account, now)
    left = next((each for each in quota(now) if each.account.pk == account), None)
    about = left and {
        "plan": left.plan,
        "balance": left.balance_sentence,
        "read_at": left.read_at,
        "fault": left.fault,
        "warnings": list(left.warnings),
    }
    offers = [gate.offer(action, snapshot, now.timestamp()) for action in GateAction]
    return {**account_out(snapshot, now), "actions": [OfferedAction.from_orm(each) for each in offers], "quota": about}


class Done(Schema):
    message: str


class PauseIn(Schema, extra="forbid"):
    minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)]


def act_on(account: int, action: GateAction, by: str, minutes: int = 0) -> Done:
    """Raises ApiProblem 409 where there is an obstacle."""
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
    """`outcome`: how good the prediction was, "" while that is open. `model`: "" for the whole account."""

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
    """Of an account by its name, of a class of refusal, of whole accounts or single models; how it ended."""

    account: Text | None = None
    refusal: RefusalClass | None = None
    scope: Literal["account", "model"] | None = None
    ended: Literal["open", "succeeded", "timer", "operator"] | None = None

    def conditions(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: value for name in ("refusal", "scope", "ended") if (value := getattr(self, name))}
        if self.account is not None:
            found["account"] = Account.objects.filter(name=self.account).first()
            if found["account"] is None:
                raise bad_field("account", "There is no account of this name.", "GET /api/v1/accounts lists them.")
        return found


@router.get("/events", auth=reads, response=Page[EventOut])
def event_list(request: ApiRequest, query: Query[EventQuery]) -> dict[str, Any]:
    """Rate-limit events, newest first, with what was predicted and what came true."""
    found = events(query.conditions(), query.place("started_at"), timezone.now())
    return paged(request, found, [event_out(row) for row in found.rows])


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
    """How good predictions were, by their source."""
    return list(recent_accuracy(timezone.now()))
