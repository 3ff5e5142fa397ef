"""How the actions of a step went, by the history of the step after it: judged tolerantly, on record once, never in the way."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents import ledger
from agents.contract.action_history import MAX_ERROR, Outcome, heard, judge
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


def told(sent: list[dict[str, Any]], *entries: PastAction, index: int = 0, before: int = 0) -> tuple[Any, ...]:
    judged = judge(sent, index, before, heard(entries))
    assert judged
    return (judged.outcome, *judged.worked)


def test_all_worked_some_worked_none_worked() -> None:
    sent = [typed("q"), click("go")]
    assert told(sent, ran(typed("q")), ran(click("go"))) == (Outcome.WORKED, True, True)
    assert told(sent, ran(typed("q")), ran(click("go"), worked=False)) == (Outcome.PARTLY, True, False)
    assert told(sent, ran(typed("q"), worked=False), ran(click("go"), worked=False)) == (Outcome.FAILED, False, False)


def test_a_caller_that_runs_the_first_call_alone_tells_of_that_one() -> None:
    assert told([typed("q"), click("go")], ran(typed("q"))) == (Outcome.WORKED, True, None)
    assert told([typed("q"), click("go")], nameless("TypeAction", worked=False)) == (Outcome.FAILED, False, None)


def test_only_what_the_history_has_grown_by_counts() -> None:
    earlier = [ran(click("go"), worked=False), ran(click("go"), worked=False)]
    assert told([click("go")], *earlier, ran(click("go")), index=2, before=2) == (Outcome.WORKED, True)
    assert told([click("go")], *earlier, index=2, before=2) == (Outcome.UNKNOWN, None), "nothing was run since"


def test_a_history_that_keeps_its_newest_entries_only_is_read_at_its_end() -> None:
    window = [ran(click("a"), number=3), ran(click("b"), worked=False, number=4)]
    assert told([click("b")], *window, index=4, before=2) == (Outcome.FAILED, False)
    longest = [ran(click(str(number))) for number in range(MAX_HISTORY)]
    assert told([click("99")], *longest, index=4, before=MAX_HISTORY) == (Outcome.WORKED, True)


def test_what_the_caller_did_by_itself_is_passed_over() -> None:
    own = ran({"type": "ScrollAction", "down": True}, worked=False)
    assert told([typed("q"), click("go")], own, ran(typed("q")), own, ran(click("go"))) == (Outcome.WORKED, True, True)


def test_an_action_is_found_by_its_selector_and_typed_text_does_not_matter() -> None:
    sent = [typed("user", "<username>"), typed("password", "<password>"), click("go")]
    assert told(sent, ran(typed("password", "s3cret"), worked=False)) == (Outcome.FAILED, None, False, None)


def test_an_entry_of_an_unknown_kind_is_the_next_action() -> None:
    assert told([typed("q"), click("go")], nameless("", worked=True), nameless("", worked=False)) == (Outcome.PARTLY, True, False)


def test_waits_tell_nothing_of_a_step() -> None:
    assert told([WAIT, click("go")], ran(WAIT), ran(click("go"), worked=False)) == (Outcome.FAILED, True, False)
    assert told([WAIT], ran(WAIT)) == (Outcome.UNKNOWN, True)


def test_without_a_word_on_the_outcome_it_is_unknown_and_an_error_is_a_word() -> None:
    assert told([click("go")], ran(click("go"), worked=None)) == (Outcome.UNKNOWN, None)
    assert told([click("go")], ran(click("go"), worked=None, error=TIMEOUT)) == (Outcome.FAILED, False)


def test_where_no_action_was_sent_nothing_is_judged() -> None:
    assert judge([], 0, 0, heard([ran(click("go"))])) is None


def test_the_first_error_is_kept_masked_and_cut() -> None:
    entries = [ran(click("a"), worked=False, error="key cpk_0123456789abcdef.x " + "x" * 500), ran(click("b"), worked=False, error="later")]
    judged = judge([click("a"), click("b")], 0, 0, heard(entries))
    assert judged
    assert judged.error.startswith("key [secret] xxx")
    assert len(judged.error) == MAX_ERROR


def test_what_is_kept_of_a_history_holds_no_typed_text() -> None:
    assert "hunter2" not in repr(heard([ran(typed("password", "hunter2"))]))


def begun(index: int, *history: PastAction, received_at: float | None = None, caller: str = "192.0.2.7") -> Opening:
    step = Request("/step", Form.STEP, "t", "Log out", URL, index=index, history=history)
    at = NOW + index if received_at is None else received_at
    return opening(step, source=Source.VALIDATOR, caller=caller, received_at=at, deadline_at=at + 25, limits={})


def facts(came: Opening, *actions: dict[str, Any]) -> StepFacts:
    return StepFacts(came, Closing("template", Reason.MODE, came.received_at + 0.5, 0.5, actions=list(actions)))


def answered(came: Opening, *actions: dict[str, Any]) -> None:
    """Both writes of a step that the template answered."""
    ledger.open_step(came, [], lambda: came.received_at)
    ledger.close_step(facts(came, *actions), Limits())


def outcomes() -> list[tuple[int, str, list[bool | None], str]]:
    return list(Step.objects.order_by("received_at").values_list("index", "outcome", "worked", "caller_error"))


@database
def test_each_step_tells_how_the_one_before_went() -> None:
    first, second = ran(click("a")), ran(click("b"), worked=False, error=TIMEOUT)
    answered(begun(0), click("a"))
    answered(begun(1, first), click("b"))
    answered(begun(2, first, second), click("c"))
    assert outcomes() == [(0, "worked", [True], ""), (1, "failed", [False], TIMEOUT), (2, "", [], "")]


@database
def test_an_outcome_is_said_once_and_a_step_that_comes_again_changes_nothing() -> None:
    answered(begun(0), click("a"))
    answered(begun(1, ran(click("a"))), click("b"))
    answered(begun(1, ran(click("a"), worked=False), received_at=NOW + 5), click("b"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["worked", "", ""]


@database
def test_the_newest_of_equal_steps_is_told_of() -> None:
    for at in (NOW, NOW + 1):
        answered(begun(0, received_at=at), click("a"))
    answered(begun(1, ran(click("a")), received_at=NOW + 2), click("b"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["", "worked", ""]


@database
def test_a_caller_that_counts_no_steps_is_understood() -> None:
    answered(begun(0), click("a"))
    answered(begun(0, ran(click("a")), received_at=NOW + 1), click("b"))
    answered(begun(0, ran(click("a")), ran(click("b"), worked=False), received_at=NOW + 2), click("c"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["worked", "failed", ""]


@database
def test_another_callers_task_and_yesterdays_are_left_alone() -> None:
    answered(begun(0), click("a"))
    answered(begun(1, ran(click("a")), caller="192.0.2.8"), click("b"))
    answered(begun(1, ran(click("a")), received_at=NOW + 86_400), click("b"))
    assert [outcome for _, outcome, _, _ in outcomes()] == ["", "", ""]


def queries(whole: StepFacts) -> int:
    """How many the second write of a step takes."""
    ledger.open_step(whole.opening, [], lambda: NOW)
    with CaptureQueriesContext(connection) as asked:
        ledger.close_step(whole, Limits())
    return len(asked)


@database
def test_it_costs_one_look_and_one_write_and_nothing_without_a_history() -> None:
    answered(begun(0), click("a"))
    plain = queries(facts(begun(0), click("b")))
    answered(begun(1), click("b"))
    assert queries(facts(begun(2, ran(click("a")), ran(click("b"))), click("c"))) == plain + 2
    assert Step.objects.get(index=1).outcome == "worked"


@database
def test_facts_that_waited_for_the_database_tell_it_too(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(spool, "drain_soon", lambda: None)
    for came, action in ((begun(0), click("a")), (begun(1, ran(click("a"), worked=False, error=TIMEOUT)), click("b"))):
        spool.add(facts(came, action))
    assert spool.drain() == 2
    assert outcomes() == [(0, "failed", [False], TIMEOUT), (1, "", [], "")]


@database
def test_facts_that_an_older_version_left_in_the_spool_are_still_read() -> None:
    raw = facts(begun(0), click("a")).to_json().replace(', "kind": "", "heard": []', "")
    assert "heard" not in raw
    assert StepFacts.from_json(raw).opening == replace(begun(0), uid=StepFacts.from_json(raw).opening.uid)


PAGE = '<html><body><form action="/search"><input name="query"><button type="submit">Go</button></form></body></html>'
BODY = {"task_id": "t2", "prompt": "Search for the film 'Arrival'", "url": URL, "html": PAGE}


@database
@pytest.mark.parametrize("path", ["/step", "/act"])
def test_both_generations_of_callers_are_heard(path: str) -> None:
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
