"""A task step by step through the runner: actions are recorded when they are sent, and read again at the next step."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents import ledger
from agents.configuration import change
from agents.contract.actions import Action
from agents.contract.protocol import Form, PastAction, Plan
from agents.contract.protocol import Step as Request
from agents.contract.step_facts import fingerprint
from agents.hybrid import disk, page_archive, runner, spool
from agents.ledger.rows_of import MOST_EARLIER
from agents.models import Source, Step
from agents.prompting.prompt import done_so_far
from agents.tests.form_sites import contact
from agents.tests.item_pages import shop
from agents.tests.paper_browser import PaperBrowser, start_of
from agents.tests.rows import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def template_mode() -> None:
    change({"agent_mode": "template"}, by=None, reason="test")


@dataclass
class Caller:
    """One of the step callers. `is_subnets`: it runs the first action of an answer only, and its history has neither selectors nor URLs."""

    prompt: str
    pages: Mapping[str, str]
    is_subnets: bool
    browser: PaperBrowser = field(init=False)
    history: list[PastAction] = field(default_factory=list)
    steps: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.browser = PaperBrowser(self.pages)
        self.browser.open(start_of(self.pages))

    def run(self, most: int = 12) -> Plan:
        for index in range(most):
            plan = self.answer(index)
            if plan.done:
                break
            self.act(plan, index)
        return plan

    def answer(self, index: int) -> Plan:
        browser = self.browser
        step = Request("/step", Form.STEP, "t", self.prompt, browser.url, browser.page(), index, tuple(self.history))
        return runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7").plan

    def act(self, plan: Plan, index: int) -> None:
        for action in plan.actions[: 1 if self.is_subnets else None]:
            self.history.append(self.ran(action, self.browser.run(action), index))

    def ran(self, action: Action, worked: bool, index: int) -> PastAction:
        if self.is_subnets:
            return PastAction(
                action.type, {name: action.fields[name] for name in ("text",) if name in action.fields}, worked, "", "", index
            )
        return PastAction(action.type, action.fields, worked, "", self.browser.url, len(self.history))


def last_done(caller: Caller) -> list[str]:
    """The history in the next step's prompt."""
    caller.answer(len(Step.objects.all()))
    page_archive.waiting.join()
    kept = page_archive.kept(Step.objects.latest("id").pk, timezone.now())
    assert kept
    return done_so_far(kept.history, 2_000).splitlines()


CONTACT = "Fill the contact form with name equals 'Ann', email equals 'a@b.example', subject equals 'Hours' and message equals 'When are you open?'"
FILLED = [
    '- type "Hours" into textbox "Topic" in form "Contact": worked',
    '- type "When are you open?" into textbox "Comment" in form "Contact": worked',
    '- type "a@b.example" into textbox "Email" in form "Contact": worked',
    '- type "Ann" into textbox "Your name" in form "Contact": worked',
]


def test_a_caller_without_selectors_gets_each_action_as_it_was_when_it_was_sent() -> None:
    caller = Caller(CONTACT, contact(1), is_subnets=True)
    assert caller.run().done
    assert last_done(caller) == [
        '- click link "Get in touch": worked → URL /contact',
        FILLED[0] + ' → field "Topic" holds "Hours"',
        FILLED[1] + ' → field "Comment" holds "When are you open?"',
        FILLED[2] + ' → field "Email" holds "a@b.example"',
        FILLED[3] + ' → field "Your name" holds "Ann"',
        '- click button "Send message" in form "Contact": worked → URL /done',
    ]
    assert [values for _, values in caller.browser.sent] == [
        {"name": "Ann", "email": "a@b.example", "subject": "Hours", "message": "When are you open?"}
    ]


def test_a_caller_that_runs_all_actions_gets_the_effect_of_all_with_the_last() -> None:
    caller = Caller(CONTACT, contact(1), is_subnets=False)
    assert caller.run().done
    assert last_done(caller) == [
        '- click link "Get in touch": worked → URL /contact',
        *FILLED,
        '- click button "Send message" in form "Contact": worked → URL /done',
    ]
    assert len(caller.browser.sent) == 1


def test_the_effect_is_recorded_once_and_the_signature_is_dropped_then() -> None:
    caller = Caller(CONTACT, contact(1), is_subnets=True)
    caller.act(caller.answer(0), 0)
    first = Step.objects.get()
    assert (first.words, first.effect, first.seen["url"]) == (['click link "Get in touch"'], "", caller.pages and start_of(caller.pages))
    caller.act(caller.answer(1), 1)
    first.refresh_from_db()
    assert (first.effect, first.seen) == ("URL /contact", {})
    caller.browser.open("/about")
    caller.answer(1)
    first.refresh_from_db()
    assert first.effect == "URL /contact"


def test_the_records_are_read_in_one_query_more_than_a_first_step_needs() -> None:
    caller = Caller(CONTACT, contact(1), is_subnets=True)
    counts = list[int]()
    for index in range(4):
        with CaptureQueriesContext(connection) as queries:
            plan = caller.answer(index)
        counts.append(sum("agents_step" in query["sql"] and query["sql"].startswith("SELECT") for query in queries.captured_queries))
        caller.act(plan, index)
    assert counts == [0, 1, 1, 1]


@rows(
    ("prompt", "path"),
    [
        ("Remove from the wishlist a lamp where price equals '60'", "/lamps/1/out"),
        ("Remove from the cart the lamp where price is less than '50'", "/gone"),
        ("Add to the cart a lamp where the brand is NOT 'Kestrel'", "/lamps/1/added"),
    ],
)
def test_a_caller_that_runs_first_actions_only_and_sends_no_selectors_completes_the_task(prompt: str, path: str) -> None:
    """Each of its steps goes on from the last: what was put in is taken out once, and not put in again."""
    caller = Caller(prompt, shop(), is_subnets=True)
    assert caller.run().done
    assert caller.browser.visited[-1] == path
    assert len(set(caller.browser.visited)) >= len(caller.browser.visited) - 1, caller.browser.visited


@pytest.mark.long
def test_of_a_task_with_thousands_of_steps_a_bounded_number_is_read() -> None:
    """A caller may post one task forever: what its next step reads does not grow with that."""
    caller = Caller(CONTACT, contact(1), is_subnets=True)
    caller.act(caller.answer(0), 0)
    first = Step.objects.get()
    again = {field.attname: getattr(first, field.attname) for field in Step._meta.fields if field.name not in {"id", "uid", "index"}}
    Step.objects.bulk_create([Step(**again, uid=uuid.uuid4(), index=index) for index in range(1, 5_000)])
    of_task = fingerprint(Source.VALIDATOR, "192.0.2.7", "t", CONTACT)
    with CaptureQueriesContext(connection) as queries:
        earlier = ledger.earlier_steps(of_task, 5_000, 1, time.time())
    assert len(queries) == 1
    assert len(earlier) <= MOST_EARLIER
    assert f"LIMIT {MOST_EARLIER}" in queries.captured_queries[0]["sql"]


def test_without_the_database_the_history_is_as_the_caller_sends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(CONTACT, contact(1), is_subnets=True)
    caller.act(caller.answer(0), 0)

    def refuse(*args: object) -> None:
        raise OperationalError("locked")

    monkeypatch.setattr(ledger, "earlier_steps", refuse)
    monkeypatch.setattr(spool, "drain_soon", lambda: None)
    assert caller.answer(1).actions[0].type == "TypeAction"


def test_with_little_disk_space_neither_texts_nor_signatures_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "space", lambda mb: disk.Space(free=1, total=10, least=2))
    caller = Caller(CONTACT, contact(1), is_subnets=True)
    for index in range(3):
        caller.act(caller.answer(index), index)
    assert {(str(row.words), str(row.seen), row.effect) for row in Step.objects.all()} == {("[]", "{}", "")}
    assert all(row.actions for row in Step.objects.all())
