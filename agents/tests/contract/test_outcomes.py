"""The outcome of a step's actions, by the history of the step after it: matched tolerantly, recorded once, never delaying an answer."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents import ledger
from agents.contract.action_history import MAX_ERROR, Outcome, judge, reported
from agents.contract.limits import MAX_HISTORY
from agents.contract.protocol import Form, PastAction
from agents.contract.protocol import Step as Request
from agents.contract.step_facts import Closing, Opening, StepFacts, opening
from agents.hybrid import spool
from agents.models import Source, Step, Task
from agents.policy.gate import Limits
from agents.policy.reasons import Reason

database = pytest.mark.django_db(transaction=True)
NOW = 1_790_000_000.0
URL = "http://localhost:8000/?seed=58"
TIMEOUT = "Timeout 10000ms exceeded."


def by(name: str) -> dict[str, str]:
    return {"type": "attributeValueSelector", "attribute": "id", "value": name}


def click(name: str) -> dict[str, Any]:
    return {"type": "ClickAction", "selector": by(name)}


def typed(name: str, text: str = "Arrival") -> dict[str, Any]:
    return {"type": "TypeAction", "selector": by(name), "text": text}


WAIT = {"type": "WaitAction", "time_seconds": 1}


def ran(action: dict[str, Any], *, worked: bool | None = True, error: str = "", number: int | None = None) -> PastAction:
    """One entry as callers of `/step` send it."""
    return PastAction(action["type"], {name: value for name, value in action.items() if name != "type"}, worked, error, URL, number)


def nameless(action_type: str, *, worked: bool = True, error: str = "") -> PastAction:
    """One entry as callers of `/act` send it: by its type alone."""
    return PastAction(action_type, {}, worked, error, "")


def judged_as(sent: list[dict[str, Any]], *entries: PastAction, index: int = 0, before: int = 0) -> tuple[Any, ...]:
    judged = judge(sent, index, before, reported(entries))
    assert judged
    return (judged.outcome, *judged.worked)


def test_all_worked_some_worked_none_worked() -> None:
    sent = [typed("q"), click("go")]
    assert judged_as(sent, ran(typed("q")), ran(click("go"))) == (Outcome.WORKED, True, True)
    assert judged_as(sent, ran(typed("q")), ran(click("go"), worked=False)) == (Outcome.PARTLY, True, False)
    assert judged_as(sent, ran(typed("q"), worked=False), ran(click("go"), worked=False)) == (Outcome.FAILED, False, False)


def test_a_caller_that_runs_only_the_first_action_reports_that_one() -> None:
    assert judged_as([typed("q"), click("go")], ran(typed("q"))) == (Outcome.WORKED, True, None)
    assert judged_as([typed("q"), click("go")], nameless("TypeAction", worked=False)) == (Outcome.FAILED, False, None)


def test_only_new_entries_of_the_history_count() -> None:
    earlier = [ran(click("go"), worked=False), ran(click("go"), worked=False)]
    assert judged_as([click("go")], *earlier, ran(click("go")), index=2, before=2) == (Outcome.WORKED, True)
    assert judged_as([click("go")], *earlier, index=2, before=2) == (Outcome.UNKNOWN, None), "nothing was run since"


def test_a_history_that_keeps_its_newest_entries_only_is_read_at_its_end() -> None:
    window = [ran(click("a"), number=3), ran(click("b"), worked=False, number=4)]
    assert judged_as([click("b")], *window, index=4, before=2) == (Outcome.FAILED, False)
    longest = [ran(click(str(number))) for number in range(MAX_HISTORY)]
    assert judged_as([click("99")], *longest, index=4, before=MAX_HISTORY) == (Outcome.WORKED, True)


def test_the_callers_own_actions_are_ignored() -> None:
    own = ran({"type": "ScrollAction", "down": True}, worked=False)
    assert judged_as([typed("q"), click("go")], own, ran(typed("q")), own, ran(click("go"))) == (Outcome.WORKED, True, True)


def test_an_action_is_found_by_its_selector_and_typed_text_does_not_matter() -> None:
    sent = [typed("user", "<username>"), typed("password", "<password>"), click("go")]
    assert judged_as(sent, ran(typed("password", "s3cret"), worked=False)) == (Outcome.FAILED, None, False, None)


def test_an_entry_of_an_unknown_kind_is_the_next_action() -> None:
    assert judged_as([typed("q"), click("go")], nameless("", worked=True), nameless("", worked=False)) == (Outcome.PARTLY, True, False)


def test_waits_do_not_affect_the_outcome() -> None:
    assert judged_as([WAIT, click("go")], ran(WAIT), ran(click("go"), worked=False)) == (Outcome.FAILED, True, False)
    assert judged_as([WAIT], ran(WAIT)) == (Outcome.UNKNOWN, True)


def test_without_a_report_the_outcome_is_unknown_and_an_error_is_a_failure() -> None:
    assert judged_as([click("go")], ran(click("go"), worked=None)) == (Outcome.UNKNOWN, None)
    assert judged_as([click("go")], ran(click("go"), worked=None, error=TIMEOUT)) == (Outcome.FAILED, False)


def test_where_no_action_was_sent_nothing_is_judged() -> None:
    assert judge([], 0, 0, reported([ran(click("go"))])) is None


def test_the_first_error_is_kept_masked_and_cut() -> None:
    entries = [ran(click("a"), worked=False, error="key cpk_0123456789abcdef.x " + "x" * 500), ran(click("b"), worked=False, error="later")]
    judged = judge([click("a"), click("b")], 0, 0, reported(entries))
    assert judged
    assert judged.error.startswith("key [secret] xxx")
    assert len(judged.error) == MAX_ERROR


def test_what_is_kept_of_a_history_holds_no_typed_text() -> None:
    assert "hunter2" not in repr(reported([ran(typed("password", "hunter2"))]))


def begun(index: int, *history: PastAction, received_at: float | None = None, caller: str = "192.0.2.7") -> Opening:
    step = Request("/step", Form.STEP, "t", "Log out", URL, index=index, history=history)
    at = NOW + index if received_at is None else received_at
    return opening(step, source=Source.VALIDATOR, caller=caller, received_at=at, deadline_at=at + 25, limits={})


def facts(opened: Opening, *actions: dict[str, Any]) -> StepFacts:
    return StepFacts(opened, Closing("template", Reason.MODE, opened.received_at + 0.5, 0.5, actions=list(actions)))


def answered(opened: Opening, *actions: dict[str, Any]) -> None:
    """Both writes of a step that the template answered."""
    ledger.open_step(opened, [], lambda: opened.received_at)
    ledger.close_step(facts(opened, *actions), Limits())


def outcomes() -> list[tuple[int, str, list[bool | None], str]]:
    return list(Step.objects.order_by("received_at").values_list("index", "outcome", "worked", "caller_error"))


@database
def test_each_step_reports_the_outcome_of_the_previous_one() -> None:
    first, second = ran(click("a")), ran(click("b"), worked=False, error=TIMEOUT)
    answered(begun(0), click("a"))
    answered(begun(1, first), click("b"))
    answered(begun(2, first, second), click("c"))
    assert outcomes() == [(0, "worked", [True], ""), (1, "failed", [False], TIMEOUT), (2, "", [], "")]


@database
def test_an_outcome_is_recorded_once_and_a_repeated_step_changes_nothing() -> None:
    answered(begun(0), click("a"))
    answered(begun(1, ran(click("a"))), click("b"))
    answered(begun(1, ran(click("a"), worked=False), received_at=NOW + 5), click("b"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["worked", "", ""]


@database
def test_the_newest_of_equal_steps_gets_the_outcome() -> None:
    for at in (NOW, NOW + 1):
        answered(begun(0, received_at=at), click("a"))
    answered(begun(1, ran(click("a")), received_at=NOW + 2), click("b"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["", "worked", ""]


@database
def test_a_caller_without_step_numbers_is_understood() -> None:
    answered(begun(0), click("a"))
    answered(begun(0, ran(click("a")), received_at=NOW + 1), click("b"))
    answered(begun(0, ran(click("a")), ran(click("b"), worked=False), received_at=NOW + 2), click("c"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["worked", "failed", ""]


@database
def test_another_callers_task_and_yesterdays_do_not_change() -> None:
    answered(begun(0), click("a"))
    answered(begun(1, ran(click("a")), caller="192.0.2.8"), click("b"))
    answered(begun(1, ran(click("a")), received_at=NOW + 86_400), click("b"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["", "", ""]


def count_queries(whole: StepFacts) -> int:
    """The number of queries of a step's second write."""
    ledger.open_step(whole.opening, [], lambda: NOW)
    with CaptureQueriesContext(connection) as queries:
        ledger.close_step(whole, Limits())
    return len(queries)


@database
def test_an_outcome_costs_one_read_and_one_write_and_nothing_without_a_history() -> None:
    answered(begun(0), click("a"))
    plain = count_queries(facts(begun(0), click("b")))
    answered(begun(1), click("b"))
    assert count_queries(facts(begun(2, ran(click("a")), ran(click("b"))), click("c"))) == plain + 2
    assert Step.objects.get(index=1).outcome == "worked"


@database
def test_spooled_facts_report_outcomes_too(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(spool, "drain_soon", lambda: None)
    for opened, action in ((begun(0), click("a")), (begun(1, ran(click("a"), worked=False, error=TIMEOUT)), click("b"))):
        spool.add(facts(opened, action))
    assert spool.drain() == 2
    assert outcomes() == [(0, "failed", [False], TIMEOUT), (1, "", [], "")]


@database
def test_facts_that_an_older_version_left_in_the_spool_are_still_read() -> None:
    whole = facts(begun(1, ran(click("a"))), click("b"))
    raw = whole.to_json().replace('"kind": "", "reported"', '"heard"')
    assert "reported" not in raw
    assert StepFacts.from_json(raw) == whole


PAGE = '<html><body><form action="/search"><input name="query"><button type="submit">Go</button></form></body></html>'
BODY = {"task_id": "t2", "prompt": "Search for the film 'Arrival'", "url": URL, "html": PAGE}


@database
@pytest.mark.parametrize("path", ["/step", "/act"])
def test_both_generations_of_callers_report_outcomes(path: str) -> None:
    body = {**BODY, "snapshot_html": PAGE}
    calls = Client().post(path, {**body, "step_index": 0}, content_type="application/json").json()["tool_calls"]
    sent = Step.objects.get().actions
    entries = {
        "/step": [{"index": at, "action": action, "success": not at, "error": TIMEOUT if at else None} for at, action in enumerate(sent)],
        "/act": [{"step": 0, "action": sent[0]["type"], "text": "Arrival", "exec_ok": True, "error": None}],
    }[path]
    Client().post(path, {**body, "step_index": 1, "history": entries}, content_type="application/json")
    assert len(calls) > 1
    assert Step.objects.get(index=0).outcome == {"/step": "partly", "/act": "worked"}[path]
    assert Task.objects.get().kind == "search"
