"""Records: callers, tasks, steps, LLM attempts and rate-limit events, written by the ledger only; learned facts and exports."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.urls import reverse
from django.utils import timezone

from agents.common.redaction import mask_keys
from agents.contract.action_history import Outcome
from agents.contract.protocol import Form
from agents.contract.step_facts import MOST_WHY
from agents.models.accounts import Account
from agents.models.choices import Route, Row, Source, choices
from agents.policy.reasons import PauseSource, Purpose, Reason, Verdict
from agents.policy.refusals import RefusalClass


class Caller(Row):
    address = models.GenericIPAddressField(unique=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)
    steps = models.PositiveBigIntegerField(default=0)
    llm_steps = models.PositiveBigIntegerField(default=0)
    late_steps = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(llm_steps__lte=F("steps")), name="caller_llm_within_steps")]


class UnknownCall(Row):
    """Requests to a path that no known caller uses; the number of rows is bounded. `is_task`: it looks like a task, by name or body.
    Method and path "": all others."""

    method = models.CharField(max_length=10, blank=True)
    path = models.CharField(max_length=200, blank=True)
    is_task = models.BooleanField(default=False)
    calls = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["method", "path"], name="unknown_call_once_a_path")]


class Task(models.Model):
    """`fingerprint`: of source, caller, id and prompt. `kind`: the kind of task, as understood when it was received; "": not understood."""

    fingerprint = models.CharField(max_length=64, unique=True)
    key = models.CharField(max_length=200, db_index=True)
    source = models.CharField(max_length=10, choices=Source.choices)
    caller = models.GenericIPAddressField(null=True, blank=True)
    prompt = models.TextField()
    url = models.TextField()
    project = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="task_newest"),
            models.Index(fields=["project", "-created_at"], name="task_by_project"),
            models.Index(fields=["source", "-created_at"], name="task_by_source"),
            models.Index(fields=["caller", "-created_at"], name="task_by_caller"),
            models.Index(fields=["kind", "-created_at"], name="task_by_kind"),
        ]

    def __str__(self) -> str:
        return self.key

    def get_absolute_url(self) -> str:
        return reverse("task", args=[self.pk])


class Step(Row):
    """One request about a task and its answer. Open (`route` empty) from the decision until the answer is sent.

    `outcome`: of its actions, by the next step's history; "" until then. `worked`: the same for each action, true, false or null.
    `answer`: to a question, "" for none. `caller_error`: the caller's error for the first failed action. `confidence`: the template
    agent's, even where the LLM answered. `words`: each action as text, "" for a wait of our own. `seen`: the page's signature, until the
    next step has derived the `effect` of the actions from it. `notes`: what of an LLM's reply was not sent, and why. `asked`: digest and
    model of each prompt that got a reply. `miner`: the MINER_NAME of the process that answered.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="steps")
    source = models.CharField(max_length=10, choices=Source.choices)
    endpoint = models.CharField(max_length=40)
    form = models.CharField(max_length=10, choices=choices(Form))
    index = models.PositiveIntegerField(default=0)
    url = models.TextField()
    page_bytes = models.PositiveIntegerField(default=0)
    page_excerpt = models.TextField(blank=True)
    history_size = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    route = models.CharField(max_length=10, choices=Route.choices, blank=True)
    reason = models.CharField(max_length=10, choices=choices(Reason), blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    declined = models.JSONField(default=list)
    limits = models.JSONField(default=dict)
    confidence = models.FloatField(null=True, blank=True)
    confidence_why = models.CharField(max_length=MOST_WHY, blank=True, default="", db_default="")
    actions = models.JSONField(default=list)
    done = models.BooleanField(default=False)
    answer = models.TextField(blank=True, default="", db_default="")
    fault = models.TextField(blank=True)
    spooled = models.BooleanField(default=False)
    outcome = models.CharField(max_length=10, choices=choices(Outcome), blank=True)
    worked = models.JSONField(default=list)
    caller_error = models.TextField(blank=True)
    words = models.JSONField(default=list)
    seen = models.JSONField(default=dict)
    effect = models.TextField(blank=True)
    notes = models.JSONField(default=list)
    asked = models.JSONField(default=list)
    miner = models.CharField(max_length=50, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            # With the task, so that filters by task read no steps.
            models.Index(fields=["-received_at", "-id", "task"], name="step_newest"),
            models.Index(fields=["source", "-received_at", "route", "duration_ms"], name="step_figures"),
            models.Index(fields=["route", "-received_at"], name="step_by_route"),
            models.Index(fields=["reason", "-received_at"], name="step_by_reason"),
            models.Index(fields=["miner", "-received_at"], name="step_by_miner"),
            models.Index(fields=["outcome", "-received_at"], name="step_by_outcome"),
            # With the columns that lists of tasks show, so that they read no steps.
            models.Index(fields=["task", "index", "id", "route", "reason", "outcome"], name="step_of_task"),
            models.Index(fields=["-duration_ms", "-id"], name="step_longest"),
            models.Index(fields=["-received_at", "task"], condition=Q(answered_at__gt=F("deadline_at")), name="step_late"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(route="", answered_at=None) | Q(route__in=Route.values, answered_at__isnull=False),
                name="step_answered_by_a_route",
            ),
            models.CheckConstraint(condition=~Q(route=Route.LLM) | Q(reason=Reason.ANSWERED), name="step_llm_route_is_answered"),
        ]

    @property
    def is_late(self) -> bool:
        return self.answered_at is not None and self.answered_at > self.deadline_at


class StepPage(Row):
    """A step as received, with its page: gzipped JSON, written by `agents.hybrid.page_archive`. Kept for some days."""

    step = models.OneToOneField(Step, on_delete=models.CASCADE, primary_key=True, related_name="kept_page")
    gz = models.BinaryField()
    kept_until = models.DateTimeField(db_index=True)

    class Meta:
        # SQLite sums the lengths from this index; otherwise it would read a database page for nearly each row.
        indexes = [models.Index(Length("gz"), name="step_page_bytes")]


class LLMAttempt(Row):
    """One HTTP call to a provider. `sent_at`: empty for a slot that was given up. `reserved_usd`: the most that it may cost."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    purpose = models.CharField(max_length=10, choices=choices(Purpose), default=Purpose.STEP)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, null=True, blank=True, related_name="attempts")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    model = models.CharField(max_length=200)
    lease = models.FloatField(null=True, blank=True)
    decided_at = models.DateTimeField()
    slot_at = models.DateTimeField()
    cut_off_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    wait_ms = models.FloatField(null=True, blank=True)
    latency_ms = models.FloatField(null=True, blank=True)
    verdict = models.CharField(max_length=10, choices=choices(Verdict), default=Verdict.OPEN)
    refusal = models.CharField(max_length=20, choices=choices(RefusalClass), blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    detail = models.TextField(blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    reserved_usd = models.FloatField(default=0, db_default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    reply = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-decided_at", "-id"], name="attempt_newest"),
            models.Index(fields=["verdict", "-decided_at"], name="attempt_by_verdict"),
            models.Index(fields=["status", "-decided_at"], name="attempt_by_status"),
            models.Index(fields=["refusal", "-decided_at"], name="attempt_by_refusal"),
            models.Index(fields=["purpose", "-decided_at"], name="attempt_by_purpose"),
            models.Index(fields=["model", "-decided_at"], name="attempt_by_model"),
            models.Index(fields=["-latency_ms", "-id"], name="attempt_longest"),
            models.Index(fields=["-cost", "-id"], name="attempt_dearest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["step", "number"], name="attempt_numbered_within_step"),
            models.CheckConstraint(condition=Q(verdict=Verdict.OPEN) | Q(ended_at__isnull=False), name="attempt_ended_has_time"),
            models.CheckConstraint(
                condition=Q(purpose=Purpose.STEP, step__isnull=False) | (~Q(purpose=Purpose.STEP) & Q(step=None)),
                name="attempt_of_a_step_or_for_another_purpose",
            ),
        ]


class RateLimitEvent(Row):
    """A pause of an account, or of a model (`model` set), from the refusal until a request succeeds again.

    At most one is open for an account and model. Consecutive refusals are one block: they share `block_started_at`. `predicted_at`: None
    for unknown. `confidence`: 0 to 1. `recovered_at`: the first success after the block, the same for all its events.
    """

    class Ended(models.TextChoices):
        SUCCEEDED = "succeeded", "A request succeeded"
        TIMER = "timer", "Timer ended, refused again"
        OPERATOR = "operator", "Operator"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="events")
    model = models.CharField(max_length=200, blank=True)
    attempt = models.OneToOneField(LLMAttempt, on_delete=models.SET_NULL, null=True, blank=True, related_name="event")
    refusal = models.CharField(max_length=20, choices=choices(RefusalClass))
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    detail = models.TextField(blank=True)
    strike = models.PositiveIntegerField()
    pause_seconds = models.FloatField()
    pause_source = models.CharField(max_length=12, choices=choices(PauseSource))
    started_at = models.DateTimeField()
    block_started_at = models.DateTimeField()
    predicted_at = models.DateTimeField(null=True, blank=True)
    predicted_from = models.DateTimeField(null=True, blank=True)
    predicted_to = models.DateTimeField(null=True, blank=True)
    prediction_source = models.CharField(max_length=12, choices=choices(PauseSource))
    confidence = models.FloatField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    recovered_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=10, choices=Ended.choices, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-started_at"], name="event_newest"),
            models.Index(fields=["-started_at", "-id"], name="event_newest_of_all"),
            models.Index(fields=["refusal", "-started_at", "-id"], name="event_newest_by_refusal"),
            models.Index(fields=["ended_by", "-started_at", "-id"], name="event_newest_by_end"),
            models.Index(fields=["model", "-started_at", "-id"], name="event_newest_by_model"),  # "" for those of whole accounts
            models.Index(fields=["-started_at", "-id"], condition=Q(model__gt=""), name="event_newest_of_a_model"),
            models.Index(fields=["account", "refusal", "-recovered_at"], name="event_recovered"),
            models.Index(fields=["ended_by", "account"], name="event_open"),  # the constraint's serves no query with a parameter
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "model"], condition=Q(ended_by=""), name="event_one_open_an_account_and_model")
        ]


class AuditEntry(Row):
    """An action of a user or (`by` empty) the miner that no model's history has. `seconds`: the length of a pause."""

    class Action(models.TextChoices):
        PROBE = "probe", "Probe now"
        PAUSE = "pause", "Pause"
        RESUME = "resume", "Resume"
        CLEAR = "clear", "Clear"
        CHANNEL_TEST = "channel_test", "Test message"
        LOGIN = "login", "Log-in"
        LOGIN_FAILED = "login_failed", "Failed log-in"
        LOGIN_SLOWED = "login_slowed", "Log-ins slowed down"
        SECOND_FACTOR = "second_factor", "Second factor"
        RECOVERY_CODE = "recovery_code", "Recovery code used"
        SESSION = "session", "Session ended"
        USER = "user", "User"
        TOKEN = "token", "API token"
        TOKEN_USE = "token_use", "Done by a token"
        SETTINGS_IMPORT = "import", "Settings imported"
        EXPORT = "export", "Agent exported"
        LEARNED = "learned", "Learned facts changed"

    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=20, choices=Action.choices)
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, blank=True, related_name="audit")
    seconds = models.FloatField(null=True, blank=True)
    detail = models.TextField(blank=True)

    @classmethod
    def record(
        cls, action: Action, detail: str, *, by: str, now: datetime, account: Account | None = None, seconds: float | None = None
    ) -> None:
        cls.objects.create(at=now, by=by, action=action, account=account, seconds=seconds, detail=mask_keys(detail))


class Export(Row):
    """`version`, `commit`: of the exported code, commit "" for unknown. `digest`: of its files; `archive`: the files as .tar.gz.
    `replica`: the lines of its last run in a replica of the validators' sandbox; empty: not run."""

    exported_at = models.DateTimeField(default=timezone.now)
    exported_by = models.CharField(max_length=150, blank=True)
    version = models.CharField(max_length=20)
    commit = models.CharField(max_length=40, blank=True)
    options = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, unique=True)
    files = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    archive = models.BinaryField()
    replica = models.JSONField(default=list, blank=True)
    replica_at = models.DateTimeField(null=True, blank=True)
    replica_passed = models.BooleanField(null=True)

    class Meta:
        ordering = ["-exported_at"]

    @property
    def name(self) -> str:
        return f"agent-{self.version}-{self.digest[:12]}"


class Learned(Row):
    """A fact about a site, for the tasks of one group of callers.

    `site`: host and port; `project`: the callers' name for the site, "" for none. `callers`: "" for all known callers and the miner itself,
    else the address of an unknown caller. `key`: unique within the kind. `facts`: at most `MOST_FACT` bytes, by kind. `won`, `lost`: how
    many tasks ended so for which it was used. `step`: the last that showed it. `size`: of the row, in bytes. `by_hand`: an admin wrote it,
    so steps don't change it.
    """

    class Kind(models.TextChoices):
        ROUTE = "route", "Route"
        LIST = "list", "List"
        FORM = "form", "Form"
        EFFECT = "effect", "Effect"
        SOLUTION = "solution", "Solution"

    site = models.CharField(max_length=200)
    project = models.CharField(max_length=100, blank=True)
    callers = models.CharField(max_length=50, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)
    won = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    by_hand = models.BooleanField(default=False)
    step = models.ForeignKey(Step, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    size = models.PositiveIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "learned fact"
        constraints = [models.UniqueConstraint(fields=["site", "callers", "kind", "key"], name="learned_once_a_site_and_callers")]
        indexes = [
            models.Index(fields=["project", "callers"], name="learned_by_project"),
            models.Index(fields=["seen_at", "size"], name="learned_oldest"),
        ]


class Unlearned(models.Model):
    """A step that the worker has not learned from yet. `settles_at`: when it counts as its task's last step, unless another follows; None
    while its page has not been read."""

    step = models.OneToOneField(Step, on_delete=models.CASCADE, primary_key=True, related_name="+")
    settles_at = models.DateTimeField(null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"Step {self.step_id} to learn from"
